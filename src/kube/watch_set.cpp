#include "kube/watch_set.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace certpair::kube {
namespace {

// A missing right may be on its way: a Role that is applied after the operator, a namespace that
// begins anew.
constexpr std::chrono::seconds kRefusedForLong{30};

std::string OfNamespace(const std::string& name) { return name.empty() ? "" : " of " + name; }

}  // namespace

// A reflector, its thread, and the sink between it and the store.
class WatchSet::Running final : public ReflectorSink {
 public:
  Running(WatchSet& set, Watched watched, ReflectorSink& store)
      : set_(set),
        watched_(std::move(watched)),
        store_(store),
        reflector_(set.client_, set.clock_, watched_.options, *this) {}

  void BeginList() override { store_.BeginList(); }
  void ListItem(nlohmann::json& item) override { store_.ListItem(item); }
  void FinishList() override {
    store_.FinishList();
    if (!std::exchange(listed_, true) && watched_.needed) set_.ListArrived();
  }
  void AbandonList() override { store_.AbandonList(); }
  void Put(nlohmann::json& item) override { store_.Put(item); }
  void Remove(nlohmann::json& item) override { store_.Remove(item); }
  void Recovered(std::chrono::nanoseconds failed_for) override {
    if (watched_.recovered) watched_.recovered(failed_for);
  }

  void Start() {
    thread_ = std::jthread{[this](const std::stop_token& stop) { reflector_.Run(stop); }};
  }
  void RequestStop() { thread_.request_stop(); }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] const Reflector& Reflects() const { return reflector_; }
  [[nodiscard]] const ReflectorOptions& Options() const { return watched_.options; }
  [[nodiscard]] bool IsNeeded() const { return watched_.needed; }
  [[nodiscard]] std::string Kind() const {
    return Options().resource.plural + OfNamespace(Options().namespace_);
  }
  void DescribeUnseen(std::chrono::steady_clock::time_point now,
                      std::vector<std::string>& unseen) const;

 private:
  WatchSet& set_;
  const Watched watched_;
  ReflectorSink& store_;
  bool listed_ = false;  // only the reflector's thread
  Reflector reflector_;
  std::jthread thread_;  // last: it uses the others
};

void WatchSet::Running::DescribeUnseen(std::chrono::steady_clock::time_point now,
                                       std::vector<std::string>& unseen) const {
  const ReflectorState state = reflector_.State();
  for (const std::string& name : state.left_out)
    unseen.push_back(
        fmt::format("{}: \"{}\" is larger than {} MiB and is not served; make it smaller", Kind(),
                    name, Options().max_bytes >> 20));
  if (!state.synced || !state.failing_since) return;
  const auto failed_for = now - *state.failing_since;
  if (failed_for < kStalledAfter) return;
  const StallConsequence& more = watched_.consequence;
  unseen.push_back(
      fmt::format("{}: neither listed nor watched for {} s, so later changes are not seen{}: {}",
                  Kind(), std::chrono::duration_cast<std::chrono::seconds>(failed_for).count(),
                  failed_for >= more.after ? more.text : "", state.last_error));
}

WatchSet::WatchSet(const Client& client, const Clock& clock, std::string its_namespace,
                   std::function<void()> listed)
    : client_(client),
      clock_(clock),
      namespace_(std::move(its_namespace)),
      listed_(std::move(listed)) {}

WatchSet::~WatchSet() { Stop(); }

const Reflector& WatchSet::Watch(Watched watched, ReflectorSink& store) {
  if (watched.options.namespace_.empty()) watched.options.namespace_ = namespace_;
  if (watched.needed) ++missing_;
  return running_.emplace_back(std::make_unique<Running>(*this, std::move(watched), store))
      ->Reflects();
}

void WatchSet::ListArrived() {
  if (--missing_ == 0 && listed_) listed_();
}

void WatchSet::Start() {
  for (const auto& running : running_) running->Start();
}

void WatchSet::RequestStop() {
  for (const auto& running : running_) running->RequestStop();
}

void WatchSet::Stop() {
  RequestStop();
  for (const auto& running : running_) running->Join();
}

std::string WatchSet::WhyNotListed() const {
  std::string why = "the objects" + OfNamespace(namespace_) + " not listed yet";
  for (const auto& running : running_) {
    const ReflectorState state = running->Reflects().State();
    if (!running->IsNeeded() || state.synced) continue;
    why = fmt::format("{} not listed yet{}{}", running->Kind(),
                      state.last_error.empty() ? "" : ": ", state.last_error);
    if (!state.last_error.empty()) break;
  }
  return why;
}

std::optional<std::string> WatchSet::WhyRefused() const {
  for (const auto& running : running_) {
    const ReflectorState state = running->Reflects().State();
    if (state.refused_since && clock_.Steady() - *state.refused_since >= kRefusedForLong)
      return fmt::format("{} may not be listed; its objects are served once they may: {}",
                         running->Kind(), state.last_error);
  }
  return std::nullopt;
}

std::vector<std::string> WatchSet::Unseen() const {
  std::vector<std::string> unseen;
  for (const auto& running : running_) running->DescribeUnseen(clock_.Steady(), unseen);
  return unseen;
}

std::vector<WatchState> WatchSet::States() const {
  std::vector<WatchState> states;
  states.reserve(running_.size());
  for (const auto& running : running_)
    states.push_back({.resource = running->Options().resource.plural,
                      .namespace_ = running->Options().namespace_,
                      .state = running->Reflects().State()});
  return states;
}

SyncState SyncOf(const WatchSet& cluster, const std::vector<const WatchSet*>& namespaces,
                 const std::function<std::optional<bool>(const std::string&)>& exists) {
  SyncState sync{.awaited = {}, .left_aside = {}, .unseen = cluster.Unseen()};
  for (const WatchSet* set : namespaces)
    std::ranges::move(set->Unseen(), std::back_inserter(sync.unseen));
  if (!cluster.IsListed()) {
    sync.awaited = cluster.WhyNotListed();
    return sync;
  }
  const bool any_is_listed = std::ranges::any_of(namespaces, &WatchSet::IsListed);
  for (const WatchSet* set : namespaces) {
    if (set->IsListed()) continue;
    std::optional<std::string> aside;
    if (const std::string& name = set->Namespace(); !name.empty()) {
      if (!exists(name).value_or(true))
        aside =
            fmt::format("namespace {} does not exist; its objects are served once it does", name);
      else if (any_is_listed)
        aside = set->WhyRefused();
    }
    if (aside)
      sync.left_aside.push_back(std::move(*aside));
    else if (sync.awaited.empty())
      sync.awaited = set->WhyNotListed();
  }
  return sync;
}

}  // namespace certpair::kube
