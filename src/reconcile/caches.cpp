#include "reconcile/caches.hpp"

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "reconcile/authority_codec.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/operation_codec.hpp"
#include "reconcile/secret_codec.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::reconcile {
namespace {

using kube::Store;

// A missing right may be on its way: a Role that is applied after the operator, a namespace that
// begins anew.
constexpr std::chrono::seconds kRefusedForLong{30};
// A refusal counts by time alone, of which nobody brings news.
constexpr std::chrono::seconds kLookAgain{1};

template <class T>
bool SameVersion(const T& a, const T& b) {
  return a.resource_version == b.resource_version;
}

// What is new to the cache may be one of thousands that a list brought.
template <class T>
kube::Urgency UrgencyOf(const std::shared_ptr<const T>& before) {
  return before ? kube::Urgency::First : kube::Urgency::InTurn;
}

template <class T, T (*Decode)(const nlohmann::json&)>
std::optional<T> Always(nlohmann::json& object) {
  return Decode(object);
}

StoredNamespace DecodeNamespace(const nlohmann::json& object) {
  return {.labels = json::DecodeTextMap(json::At(object, "metadata", "labels")),
          .terminating = !json::At(object, "metadata", "deletionTimestamp").is_null()};
}

bool SameNamespace(const StoredNamespace& a, const StoredNamespace& b) {
  return a.labels == b.labels && a.terminating == b.terminating;
}

// What a system sees of its authority, as text: a change of anything else need not wake it.
bool SameForSystems(const StoredAuthority& a, const StoredAuthority& b) {
  const auto relevant = [](const StoredAuthority& authority) {
    return ViewOf(authority.identity.name, &authority);
  };
  const core::AuthorityView x = relevant(a);
  const core::AuthorityView y = relevant(b);
  return x.state == y.state && x.message == y.message && x.fingerprint == y.fingerprint &&
         x.earlier_fingerprints == y.earlier_fingerprints && x.not_before == y.not_before &&
         x.chain_end == y.chain_end && x.allow == y.allow;
}

// Feeds a store, and says when its first list is in it, and when it is true again.
class FirstList final : public kube::ReflectorSink {
 public:
  FirstList(kube::ReflectorSink& store, std::function<void()> listed,
            std::function<void(std::chrono::nanoseconds failed_for)> recovered = {})
      : store_(store), listed_(std::move(listed)), recovered_(std::move(recovered)) {}

  void BeginList() override { store_.BeginList(); }
  void ListItem(nlohmann::json& item) override { store_.ListItem(item); }
  void FinishList() override {
    store_.FinishList();
    if (const auto listed = std::exchange(listed_, nullptr)) listed();
  }
  void AbandonList() override { store_.AbandonList(); }
  void Put(nlohmann::json& item) override { store_.Put(item); }
  void Remove(nlohmann::json& item) override { store_.Remove(item); }
  void Recovered(std::chrono::nanoseconds failed_for) override {
    if (recovered_) recovered_(failed_for);
  }

 private:
  kube::ReflectorSink& store_;
  std::function<void()> listed_;  // only the reflector's thread
  const std::function<void(std::chrono::nanoseconds)> recovered_;
};

std::string OfNamespace(const std::string& name) { return name.empty() ? "" : " of " + name; }

std::string DescribeMissing(const kube::ReflectorOptions& options,
                            const kube::ReflectorState& state) {
  return fmt::format("{}{} not listed yet{}{}", options.resource.plural,
                     OfNamespace(options.namespace_), state.last_error.empty() ? "" : ": ",
                     state.last_error);
}

// What of a kind is not seen, for a person.
void DescribeUnseen(const kube::ReflectorOptions& options, const kube::ReflectorState& state,
                    std::chrono::steady_clock::time_point now, std::vector<std::string>& unseen) {
  const std::string kind = options.resource.plural + OfNamespace(options.namespace_);
  for (const std::string& name : state.left_out)
    unseen.push_back(
        fmt::format("{}: \"{}\" is larger than {} MiB and is not served; make it smaller", kind,
                    name, options.max_bytes >> 20));
  if (!state.synced || !state.failing_since || now - *state.failing_since < kStalledAfter) return;
  const auto failed_for = now - *state.failing_since;
  unseen.push_back(
      fmt::format("{}: neither listed nor watched for {} s, so later changes are not seen{}: {}",
                  kind, std::chrono::duration_cast<std::chrono::seconds>(failed_for).count(),
                  options.resource == kNamespaces && failed_for >= kLabelsKnownFor
                      ? ", and rules that select namespaces by label allow no new certificates"
                      : "",
                  state.last_error));
}

}  // namespace

// Of one whose lists are not all in nothing is told: what is looked at then would be half of it.
struct Caches::Scope {
  static constexpr int kLists = 3;

  explicit Scope(const CacheListeners& its_listeners)
      : listeners(its_listeners),
        systems(Always<StoredSystem, DecodeSystem>, SameVersion<StoredSystem>,
                [this](const std::string& key, const auto& before, const auto& after) {
                  if (listeners.observe) listeners.observe(key, after.get());
                  Tell(key, after ? after->resource_version : "", UrgencyOf(before));
                }),
        secrets(Always<SecretMetadata, DecodeSecretMetadata>, SameVersion<SecretMetadata>,
                [this](const std::string&, const auto& before, const auto& after) {
                  std::set<std::string> systems_concerned;
                  for (const auto* secret : {&before, &after})
                    if (*secret && !(*secret)->Label(kSystemLabel).empty())
                      systems_concerned.insert(
                          ObjectKey((*secret)->namespace_, (*secret)->Label(kSystemLabel)));
                  for (const std::string& key : systems_concerned)
                    Tell(key, after ? after->resource_version : "", UrgencyOf(before));
                }),
        operations(Always<StoredOperation, DecodeOperation>, SameVersion<StoredOperation>,
                   [this](const std::string& key, const auto& before, const auto& after) {
                     const auto& known = after ? after : before;
                     const std::string system = ObjectKey(known->namespace_, known->system);
                     {
                       auto index = operations_by_system.Lock();
                       auto& keys = (*index)[system];
                       if (after)
                         keys.insert(key);
                       else
                         keys.erase(key);
                       if (keys.empty()) index->erase(system);
                     }
                     Tell(system, "", kube::Urgency::First);
                   }) {}

  [[nodiscard]] bool IsListed() const { return lists_missing == 0; }
  void Tell(const std::string& system, const std::string& version, kube::Urgency urgency) const {
    if (IsListed()) listeners.system(system, version, urgency);
  }

  const CacheListeners& listeners;
  std::atomic<int> lists_missing = kLists;
  Guarded<std::unordered_map<std::string, std::set<std::string>>> operations_by_system;
  Store<StoredSystem> systems;
  Store<SecretMetadata> secrets;
  Store<StoredOperation> operations;
};

struct Caches::Cluster {
  Cluster(const Caches& caches, const CacheListeners& listeners)
      : authorities(
            Always<StoredAuthority, DecodeAuthority>, SameVersion<StoredAuthority>,
            [&caches, &listeners](const std::string& name, const auto& before, const auto& after) {
              listeners.authority(name);
              if (before && after && SameForSystems(*before, *after)) return;
              caches.WakeSystemsOf(
                  [&name](const StoredSystem& s) { return s.spec.authority == name; });
            }),
        namespaces(Always<StoredNamespace, DecodeNamespace>, SameNamespace,
                   [&caches](const std::string& name, const auto& before, const auto& after) {
                     if (before && after && SameNamespace(*before, *after)) return;
                     caches.WakeSystemsOf(
                         [&name](const StoredSystem& s) { return s.identity.namespace_ == name; });
                   }),
        authority_secrets(
            Always<SecretMetadata, DecodeSecretMetadata>, SameVersion<SecretMetadata>,
            [this, &listeners](const std::string&, const auto& before, const auto& after) {
              const std::string& secret = (after ? after : before)->name;
              for (const auto& authority : authorities.All())
                if (authority->SecretName() == secret)
                  listeners.authority(authority->identity.name);
            }),
        namespaces_and_recovery(namespaces, nullptr,
                                [&caches](std::chrono::nanoseconds failed_for) {
                                  if (failed_for >= kLabelsKnownFor) caches.WakeWhomLabelsConcern();
                                }) {}

  Store<StoredAuthority> authorities;
  Store<StoredNamespace> namespaces;
  Store<SecretMetadata> authority_secrets;
  FirstList namespaces_and_recovery;
};

struct Caches::Running {
  Running(const kube::Client& client, const Clock& clock, kube::ReflectorOptions wanted,
          kube::ReflectorSink& its_sink, bool is_needed)
      : options(std::move(wanted)),
        needed(is_needed),
        sink(nullptr),
        reflector(client, clock, options, its_sink) {}
  Running(const kube::Client& client, const Clock& clock, kube::ReflectorOptions wanted,
          std::unique_ptr<FirstList> its_sink)
      : options(std::move(wanted)),
        needed(false),
        sink(std::move(its_sink)),
        reflector(client, clock, options, *sink) {}
  const kube::ReflectorOptions options;
  const bool needed;                                // whether work waits for it by itself
  const std::unique_ptr<kube::ReflectorSink> sink;  // of a scope
  kube::Reflector reflector;
  std::jthread thread;  // last: it uses the reflector, and is joined first
};

Caches::Caches(const kube::Client& client, const Clock& clock, CacheSettings settings,
               CacheListeners listeners)
    : client_(client),
      clock_(clock),
      settings_(std::move(settings)),
      listeners_(std::move(listeners)) {
  if (settings_.watch_namespaces.empty()) scopes_.emplace("", std::make_unique<Scope>(listeners_));
  for (const std::string& name : settings_.watch_namespaces)
    scopes_.emplace(name, std::make_unique<Scope>(listeners_));
  cluster_ = std::make_unique<Cluster>(*this, listeners_);

  using kube::Shape;
  Watch({.resource = kAuthorities}, cluster_->authorities);
  Watch({.resource = kSecrets, .namespace_ = settings_.own_namespace, .shape = Shape::MetadataOnly},
        cluster_->authority_secrets);
  // Where only some namespaces are watched, the right to list all of them may be missing: then
  // rules by label match nothing.
  Watch({.resource = kNamespaces, .shape = Shape::MetadataOnly}, cluster_->namespaces_and_recovery,
        settings_.watch_namespaces.empty());
  namespaces_ = running_.back().get();
  for (auto& [name, scope] : scopes_) WatchScope(name, *scope);
}

Caches::~Caches() { Stop(); }

void Caches::Stop() {
  for (const auto& running : running_) running->thread.request_stop();
  for (const auto& running : running_)
    if (running->thread.joinable()) running->thread.join();
}

void Caches::Watch(kube::ReflectorOptions options, kube::ReflectorSink& sink, bool needed) {
  running_.push_back(std::make_unique<Running>(client_, clock_, std::move(options), sink, needed));
}

void Caches::WatchScope(const std::string& name, Scope& scope) {
  const auto watch = [&](kube::ReflectorOptions options, kube::ReflectorSink& store) {
    options.namespace_ = name;
    auto sink = std::make_unique<FirstList>(store, [this, &name, &scope] {
      if (--scope.lists_missing > 0) return;
      if (!name.empty()) log::Info("a watched namespace is listed", {{"namespace", name}});
      // What changed before was not told, and is in the stores by now.
      TellOf(scope);
      ++*listed_.Lock();
      listed_.NotifyAll();
    });
    running_.push_back(
        std::make_unique<Running>(client_, clock_, std::move(options), std::move(sink)));
  };
  watch({.resource = kSecrets,
         .label_selector = std::string{kManagedByLabel} + "=" + std::string{kManagedBy},
         .shape = kube::Shape::MetadataOnly},
        scope.secrets);
  watch({.resource = kOperations}, scope.operations);
  // Small pages: a system with two certificates in its status weighs 12 kB.
  watch({.resource = kSystems, .page_size = 250}, scope.systems);
}

void Caches::Start() {
  for (const auto& running : running_)
    running->thread =
        std::jthread{[r = running.get()](const std::stop_token& stop) { r->reflector.Run(stop); }};
}

bool Caches::WaitForSync(const std::stop_token& stop) const {
  const bool listed = std::ranges::all_of(running_, [&](const auto& running) {
    return !running->needed || running->reflector.WaitForSync(stop);
  });
  while (listed && !stop.stop_requested()) {
    const std::uint64_t known = *listed_.Lock();
    if (Sync().awaited.empty()) return true;
    listed_.Lock().WaitUntil(stop, std::chrono::steady_clock::now() + kLookAgain,
                             [known](std::uint64_t now) { return now != known; });
  }
  return false;
}

SyncState Caches::Sync() const {
  SyncState sync;
  for (const auto& running : running_)
    DescribeUnseen(running->options, running->reflector.State(), clock_.Steady(), sync.unseen);
  for (const auto& running : running_) {
    const kube::ReflectorState state = running->reflector.State();
    if (!running->needed || state.synced) continue;
    sync.awaited = DescribeMissing(running->options, state);
    return sync;
  }
  const bool any_is_listed =
      std::ranges::any_of(scopes_, [](const auto& scope) { return scope.second->IsListed(); });
  for (const auto& [name, scope] : scopes_) {
    if (scope->IsListed()) continue;
    if (std::string why = WhyLeftAside(name, any_is_listed); !why.empty())
      sync.left_aside.push_back(std::move(why));
    else if (sync.awaited.empty())
      sync.awaited = WhyAwaited(name);
  }
  return sync;
}

std::string Caches::WhyLeftAside(const std::string& name, bool others_are_listed) const {
  if (name.empty()) return {};
  if (namespaces_->reflector.State().synced && !cluster_->namespaces.Get(name))
    return fmt::format("namespace {} is not there; its systems are served once it is", name);
  if (!others_are_listed) return {};
  for (const auto& running : running_) {
    if (!running->sink || running->options.namespace_ != name) continue;
    const kube::ReflectorState state = running->reflector.State();
    if (state.refused_since && clock_.Steady() - *state.refused_since >= kRefusedForLong)
      return fmt::format("{} of {} may not be listed; its systems are served once they may: {}",
                         running->options.resource.plural, name, state.last_error);
  }
  return {};
}

// Of its kinds one that fails, since it says most.
std::string Caches::WhyAwaited(const std::string& name) const {
  std::string why = "the objects" + OfNamespace(name) + " not listed yet";
  for (const auto& running : running_) {
    if (!running->sink || running->options.namespace_ != name) continue;
    const kube::ReflectorState state = running->reflector.State();
    if (state.synced) continue;
    why = DescribeMissing(running->options, state);
    if (!state.last_error.empty()) break;
  }
  return why;
}

void Caches::TellAll() const {
  for (const auto& authority : cluster_->authorities.All())
    listeners_.authority(authority->identity.name);
  for (const auto& [name, scope] : scopes_) TellOf(*scope);
}

// An operation is somebody's wish, and wants its answer also where its system is not there.
void Caches::TellOf(const Scope& scope) const {
  for (const auto& operation : scope.operations.All()) {
    const std::string system = ObjectKey(operation->namespace_, operation->system);
    if (!operation->operation.finished)
      scope.Tell(system, "", kube::Urgency::First);
    else if (!scope.systems.Get(system))
      scope.Tell(system, "", kube::Urgency::InTurn);
  }
  for (const auto& system : scope.systems.All())
    scope.Tell(ObjectKey(system->identity.namespace_, system->identity.name), "",
               kube::Urgency::InTurn);
}

std::vector<CacheState> Caches::States() const {
  std::vector<CacheState> states;
  states.reserve(running_.size());
  for (const auto& running : running_)
    states.push_back({.resource = running->options.resource.plural,
                      .namespace_ = running->options.namespace_,
                      .state = running->reflector.State()});
  return states;
}

std::size_t Caches::SystemCount() const {
  std::size_t count = 0;
  for (const auto& [name, scope] : scopes_) count += scope->systems.Size();
  return count;
}

const Caches::Scope* Caches::ScopeOf(const std::string& key) const {
  const auto scope = settings_.watch_namespaces.empty()
                         ? scopes_.find("")
                         : scopes_.find(key.substr(0, key.find('/')));
  return scope == scopes_.end() ? nullptr : scope->second.get();
}

void Caches::WakeSystemsOf(const std::function<bool(const StoredSystem&)>& concerned) const {
  for (const auto& [name, scope] : scopes_)
    for (const auto& system : scope->systems.All())
      if (concerned(*system))
        scope->Tell(ObjectKey(system->identity.namespace_, system->identity.name), "",
                    kube::Urgency::InTurn);
}

// Their labels counted as unknown, and are known again.
void Caches::WakeWhomLabelsConcern() const {
  WakeSystemsOf([this](const StoredSystem& system) {
    const auto authority = Authority(system.spec.authority);
    return authority && std::ranges::any_of(authority->allow, [](const auto& rule) {
             return !rule.namespaces.labels.empty();
           });
  });
}

std::shared_ptr<const StoredSystem> Caches::System(const std::string& key) const {
  const Scope* scope = ScopeOf(key);
  return scope != nullptr ? scope->systems.Get(key) : nullptr;
}

std::shared_ptr<const SecretMetadata> Caches::Secret(const std::string& key) const {
  const Scope* scope = ScopeOf(key);
  return scope != nullptr ? scope->secrets.Get(key) : nullptr;
}

std::vector<std::shared_ptr<const StoredOperation>> Caches::OperationsOf(
    const std::string& system_key) const {
  std::vector<std::shared_ptr<const StoredOperation>> operations;
  const Scope* scope = ScopeOf(system_key);
  if (scope == nullptr) return operations;
  std::set<std::string> keys;
  {
    auto index = scope->operations_by_system.Lock();
    if (const auto found = index->find(system_key); found != index->end()) keys = found->second;
  }
  for (const std::string& key : keys)
    if (auto operation = scope->operations.Get(key)) operations.push_back(std::move(operation));
  std::ranges::sort(operations, [](const auto& a, const auto& b) { return CreatedBefore(*a, *b); });
  return operations;
}

std::shared_ptr<const StoredAuthority> Caches::Authority(const std::string& name) const {
  return cluster_->authorities.Get(name);
}

std::optional<StoredNamespace> Caches::Namespace(const std::string& name) const {
  const auto found = cluster_->namespaces.Get(name);
  if (!found) return std::nullopt;
  const auto failing_since = namespaces_->reflector.FailingSince();
  if (failing_since && clock_.Steady() - *failing_since >= kLabelsKnownFor) return std::nullopt;
  return *found;
}

std::shared_ptr<const SecretMetadata> Caches::AuthoritySecret(const std::string& name) const {
  return cluster_->authority_secrets.Get(ObjectKey(settings_.own_namespace, name));
}

}  // namespace certpair::reconcile
