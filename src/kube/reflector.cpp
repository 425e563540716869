#include "kube/reflector.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/guarded.hpp"
#include "base/log.hpp"
#include "base/random_bits.hpp"
#include "kube/watch_machine.hpp"

namespace certpair::kube {
namespace {

constexpr std::chrono::minutes kSaidAgainAfter{1};

std::string TextAt(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::string ResourceVersionOf(const nlohmann::json& object) {
  const auto metadata = object.find("metadata");
  return metadata == object.end() ? std::string{} : TextAt(*metadata, "resourceVersion");
}

// An ERROR event carries a metav1.Status. Whatever it says but 410, the watch is over and is opened
// again; so a coarse kind is enough.
ApiError ErrorOfStatus(const nlohmann::json& status, const std::string& plural) {
  ApiError error{ApiErrorKind::Server, 0, TextAt(status, "reason"),
                 fmt::format("WATCH {}: {}", plural, TextAt(status, "message")), std::nullopt};
  if (const auto code = status.find("code"); code != status.end() && code->is_number_integer()) {
    const auto value = code->get<std::int64_t>();
    if (value > 0 && value < 1000) error.status = static_cast<int>(value);
  }
  if (error.status == 410 || error.reason == "Expired" || error.reason == "Gone")
    error.kind = ApiErrorKind::Gone;
  if (error.status == 429) error.kind = ApiErrorKind::Throttled;
  if (const auto details = status.find("details"); details != status.end()) {
    const auto after = details->find("retryAfterSeconds");
    if (after != details->end() && after->is_number_integer()) {
      const auto wait = std::clamp<std::int64_t>(after->get<std::int64_t>(), 0, 3600);
      if (wait > 0) error.retry_after = std::chrono::seconds{wait};
    }
  }
  return error;
}

}  // namespace

struct Reflector::Shared {
  Guarded<ReflectorState> state;
};

namespace {

// One Run: does what the machine's state asks for, and tells it what came of it.
class Loop {
 public:
  Loop(const Client& client, const Clock& clock, const ReflectorOptions& options,
       ReflectorSink& sink, Guarded<ReflectorState>& shared)
      : client_(client),
        clock_(clock),
        options_(options),
        sink_(sink),
        shared_(shared),
        random_(options.seed) {
    machine_.backoff = options.backoff;
    machine_.page_size = options.page_size;
    machine_.limit = options.page_size;
  }

  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested())
      std::visit([&](const auto& state) { Do(state, stop); }, WatchMachine::State{machine_.state});
    if (gathering_) sink_.AbandonList();
  }

 private:
  void Do(const WatchMachine::Empty&, const std::stop_token& stop) {
    sink_.BeginList();
    gathering_ = true;
    left_out_.clear();
    FetchPage({}, stop);
  }
  void Do(const WatchMachine::ListPage& page, const std::stop_token& stop) {
    FetchPage(page.continue_token, stop);
  }
  void Do(const WatchMachine::Listed& listed, const std::stop_token& stop) {
    Tell(WatchOpens{});
    Watch(listed.resource_version, stop);
  }
  void Do(const WatchMachine::Watching&, const std::stop_token&) {}  // Watch has left it again
  void Do(const WatchMachine::Failed& failed, const std::stop_token& stop) {
    auto state = shared_.Lock();
    state.WaitUntil(stop, std::chrono::steady_clock::now() + failed.delay,
                    [](const ReflectorState&) { return false; });
    if (!stop.stop_requested()) Tell(WaitOver{});
  }

  void FetchPage(const std::string& token, const std::stop_token& stop) {
    ListOptions list;
    list.max_bytes = options_.max_bytes;
    list.namespace_ = options_.namespace_;
    list.label_selector = options_.label_selector;
    list.limit = machine_.limit;
    list.continue_token = token;
    list.shape = options_.shape;
    const auto page = Ask(list, stop);
    if (stop.stop_requested()) return;
    if (page) return Take(*page);
    if (page.error().kind != ApiErrorKind::TooLarge) return Fail(page.error());
    if (machine_.limit == 1) return LeaveOut(std::move(list), stop);
    Tell(PageTooLarge{});
  }

  ApiResult<Page> Ask(const ListOptions& list, const std::stop_token& stop) {
    return client_.List(
        options_.resource, list, [this](nlohmann::json& item) { sink_.ListItem(item); }, stop);
  }

  // The one object of this page is too large. Where the next page begins, the same page says when
  // it is asked for without its objects.
  void LeaveOut(ListOptions list, const std::stop_token& stop) {
    const auto names = client_.ListNames(options_.resource, list, stop);
    if (stop.stop_requested()) return;
    if (!names) return Fail(names.error());
    if (list.continue_token.empty()) {
      // Between the two requests another object may have become the first of the list.
      list.resource_version = names->page.resource_version;
      list.exact_version = true;
      const auto page = Ask(list, stop);
      if (stop.stop_requested()) return;
      if (page) return Take(*page);
      if (page.error().kind != ApiErrorKind::TooLarge) return Fail(page.error());
    }
    for (const std::string& name : names->names)
      if (left_out_.size() < ReflectorState::kMaxLeftOut) left_out_.insert(name);
    Take(names->page);
  }

  void Take(const Page& page) {
    switch (Tell(PageCame{page.resource_version, page.continue_token})) {
      case SinkCall::FinishList:
        return FinishList();
      case SinkCall::AbandonList:
        AbandonList();
        return Report(
            {ApiErrorKind::Protocol,
             200,
             {},
             fmt::format("LIST {}: the list has no resourceVersion", options_.resource.plural),
             std::nullopt});
      default:
        break;
    }
  }

  void FinishList() {
    sink_.FinishList();
    gathering_ = false;
    for (const std::string& name : left_out_)
      if (!shared_.Lock()->left_out.contains(name))
        log::Warn("an object is too large to be read and is left out; make it smaller",
                  {{"resource", options_.resource.plural},
                   {"namespace", options_.namespace_},
                   {"name", name}});
    {
      auto state = shared_.Lock();
      state->left_out = left_out_;
      state->synced = true;
      ++state->lists;
      state->last_error.clear();
      state->refused_since.reset();
    }
    shared_.NotifyAll();
    Progressed();
  }

  void Progressed() {
    const auto since = std::exchange(shared_.Lock()->failing_since, std::nullopt);
    if (since) sink_.Recovered(clock_.Steady() - *since);
  }

  // A change of it could be read, so it is left out no more.
  void LetIn(const nlohmann::json& object) {
    if (left_out_.empty()) return;
    const auto metadata = object.find("metadata");
    if (metadata == object.end() || left_out_.erase(TextAt(*metadata, "name")) == 0) return;
    shared_.Lock()->left_out = left_out_;
  }

  void AbandonList() {
    sink_.AbandonList();
    gathering_ = false;
  }

  void Watch(const std::string& from, const std::stop_token& stop) {
    WatchOptions watch;
    watch.namespace_ = options_.namespace_;
    watch.label_selector = options_.label_selector;
    watch.resource_version = from;
    watch.timeout = WatchTimeout(random_());
    watch.shape = options_.shape;
    watch.max_line = options_.max_bytes;
    const auto opened = clock_.Steady();
    const auto ended = client_.Watch(
        options_.resource, watch, [this](const WatchEvent& event) { return Handle(event); }, stop);
    if (stop.stop_requested() || !std::holds_alternative<WatchMachine::Watching>(machine_.state))
      return;
    if (!ended) return Fail(ended.error());
    Tell(WatchEnded{
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Steady() - opened)});
    if (std::holds_alternative<WatchMachine::Listed>(machine_.state)) return Progressed();
    FailsFrom(clock_.Steady());
  }

  void FailsFrom(std::chrono::steady_clock::time_point now) {
    auto state = shared_.Lock();
    if (!state->failing_since) state->failing_since = now;
  }

  // Answers whether the stream is to go on.
  bool Handle(const WatchEvent& event) {
    if (!event.object) {
      Fail({ApiErrorKind::Protocol,
            200,
            {},
            fmt::format("WATCH {}: an event without an object", options_.resource.plural),
            std::nullopt});
      return false;
    }
    if (event.type == WatchEventType::Error) {
      Fail(ErrorOfStatus(*event.object, options_.resource.plural));
      return false;
    }
    const auto* watching = std::get_if<WatchMachine::Watching>(&machine_.state);
    if (watching && !watching->delivered) {
      shared_.Lock()->last_error.clear();
      Progressed();
    }
    switch (Tell(EventCame{event.type, ResourceVersionOf(*event.object)})) {
      case SinkCall::Put:
        LetIn(*event.object);
        sink_.Put(*event.object);
        break;
      case SinkCall::Remove:
        LetIn(*event.object);
        sink_.Remove(*event.object);
        break;
      default:
        break;
    }
    return true;
  }

  SinkCall Tell(WatchInput input) { return Step(machine_, std::move(input), random_()); }

  void Fail(const ApiError& error) {
    if (std::holds_alternative<WatchMachine::Watching>(machine_.state))
      ++shared_.Lock()->watch_restarts;
    if (Tell(RequestFailed{error.kind, error.retry_after}) == SinkCall::AbandonList) AbandonList();
    Report(error);
  }

  // A watch that is cut or too old is ordinary; all else may need attention.
  void Report(const ApiError& error) {
    const bool ordinary = error.kind == ApiErrorKind::Gone || error.kind == ApiErrorKind::Transport;
    bool synced = false;
    const auto now = clock_.Steady();
    FailsFrom(now);
    {
      auto state = shared_.Lock();
      state->last_error = log::Redact(error.message);
      if (error.kind == ApiErrorKind::Forbidden && !state->refused_since)
        state->refused_since = now;
      synced = state->synced;
    }
    const auto [said, first] = said_.try_emplace(error.kind, now);
    if (!first && now - said->second < kSaidAgainAfter) return;
    said->second = now;
    log::Write(ordinary && synced ? log::Level::Debug : log::Level::Warn,
               "list or watch failed, trying again",
               {{"resource", options_.resource.plural},
                {"kind", std::string{ToString(error.kind)}},
                {"error", error.message}});
  }

  const Client& client_;
  const Clock& clock_;
  const ReflectorOptions& options_;
  ReflectorSink& sink_;
  Guarded<ReflectorState>& shared_;
  RandomBits random_;
  WatchMachine machine_{WatchMachine::Empty{},
                        Backoff{std::chrono::milliseconds{500}, std::chrono::seconds{30}}};
  bool gathering_ = false;          // between BeginList and its end
  std::set<std::string> left_out_;  // of the list that is gathered, or was last
  std::map<ApiErrorKind, std::chrono::steady_clock::time_point> said_;
};

}  // namespace

Reflector::Reflector(const Client& client, const Clock& clock, ReflectorOptions options,
                     ReflectorSink& sink)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      sink_(sink),
      shared_(std::make_shared<Shared>()) {}

void Reflector::Run(const std::stop_token& stop) {
  Loop{client_, clock_, options_, sink_, shared_->state}.Run(stop);
}

ReflectorState Reflector::State() const { return *shared_->state.Lock(); }

std::optional<std::chrono::steady_clock::time_point> Reflector::FailingSince() const {
  return shared_->state.Lock()->failing_since;
}

bool Reflector::WaitForSync(std::stop_token stop) const {
  return shared_->state.Lock().Wait(std::move(stop),
                                    [](const ReflectorState& state) { return state.synced; });
}

}  // namespace certpair::kube
