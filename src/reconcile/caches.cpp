#include "reconcile/caches.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "reconcile/authority_codec.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/operation_codec.hpp"
#include "reconcile/secret_codec.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::reconcile {
namespace {

using kube::Store;

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

}  // namespace

struct Caches::Scope {
  explicit Scope(const CacheListeners& listeners)
      : systems(Always<StoredSystem, DecodeSystem>, SameVersion<StoredSystem>,
                [&listeners](const std::string& key, const auto& before, const auto& after) {
                  if (listeners.observe) listeners.observe(key, after.get());
                  listeners.system(key, after ? after->resource_version : "", UrgencyOf(before));
                }),
        secrets(Always<SecretMetadata, DecodeSecretMetadata>, SameVersion<SecretMetadata>,
                [&listeners](const std::string&, const auto& before, const auto& after) {
                  std::set<std::string> systems_concerned;
                  for (const auto* secret : {&before, &after})
                    if (*secret && !(*secret)->Label(kSystemLabel).empty())
                      systems_concerned.insert(
                          ObjectKey((*secret)->namespace_, (*secret)->Label(kSystemLabel)));
                  for (const std::string& key : systems_concerned)
                    listeners.system(key, after ? after->resource_version : "", UrgencyOf(before));
                }),
        operations(
            Always<StoredOperation, DecodeOperation>, SameVersion<StoredOperation>,
            [this, &listeners](const std::string& key, const auto& before, const auto& after) {
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
              listeners.system(system, "", kube::Urgency::First);
            }) {}

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
            }) {}

  Store<StoredAuthority> authorities;
  Store<StoredNamespace> namespaces;
  Store<SecretMetadata> authority_secrets;
};

struct Caches::Running {
  Running(const kube::Client& client, const Clock& clock, kube::ReflectorOptions wanted,
          kube::ReflectorSink& sink, bool is_needed)
      : options(std::move(wanted)), needed(is_needed), reflector(client, clock, options, sink) {}
  const kube::ReflectorOptions options;
  const bool needed;  // whether work waits for it
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

  const std::string ours = std::string{kManagedByLabel} + "=" + std::string{kManagedBy};
  using kube::Shape;
  Watch({.resource = kAuthorities}, cluster_->authorities);
  Watch({.resource = kSecrets, .namespace_ = settings_.own_namespace, .shape = Shape::MetadataOnly},
        cluster_->authority_secrets);
  // Where only some namespaces are watched, the right to list all of them may be missing: then
  // rules by label match nothing.
  Watch({.resource = kNamespaces, .shape = Shape::MetadataOnly}, cluster_->namespaces,
        settings_.watch_namespaces.empty());
  for (auto& [name, scope] : scopes_) {
    Watch({.resource = kSecrets,
           .namespace_ = name,
           .label_selector = ours,
           .shape = Shape::MetadataOnly},
          scope->secrets);
    Watch({.resource = kOperations, .namespace_ = name}, scope->operations);
    // Small pages: a system with two certificates in its status weighs 12 kB.
    Watch({.resource = kSystems, .namespace_ = name, .page_size = 250}, scope->systems);
  }
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

void Caches::Start() {
  for (const auto& running : running_)
    running->thread =
        std::jthread{[r = running.get()](const std::stop_token& stop) { r->reflector.Run(stop); }};
}

bool Caches::WaitForSync(const std::stop_token& stop) const {
  return std::ranges::all_of(running_, [&](const auto& running) {
    return !running->needed || running->reflector.WaitForSync(stop);
  });
}

void Caches::TellAll() const {
  for (const auto& authority : cluster_->authorities.All())
    listeners_.authority(authority->identity.name);
  WakeSystemsOf([](const StoredSystem&) { return true; });
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
        listeners_.system(ObjectKey(system->identity.namespace_, system->identity.name), "",
                          kube::Urgency::InTurn);
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
  return *found;
}

std::shared_ptr<const SecretMetadata> Caches::AuthoritySecret(const std::string& name) const {
  return cluster_->authority_secrets.Get(ObjectKey(settings_.own_namespace, name));
}

}  // namespace certpair::reconcile
