// The stores of the caches and the watches that feed them. Included by caches.cpp alone.
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "kube/store.hpp"
#include "reconcile/authority_codec.hpp"
#include "reconcile/caches.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/operation_codec.hpp"
#include "reconcile/secret_codec.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::reconcile {

/// Whether a list brought the same object again.
template <class T>
bool SameVersion(const T& a, const T& b) {
  return a.resource_version == b.resource_version;
}

/// A decoder that leaves no object out.
template <class T, T (*Decode)(const nlohmann::json&)>
std::optional<T> Always(nlohmann::json& object) {
  return Decode(object);
}

inline StoredNamespace DecodeNamespace(const nlohmann::json& object) {
  return {.labels = json::DecodeTextMap(json::At(object, "metadata", "labels")),
          .terminating = !json::At(object, "metadata", "deletionTimestamp").is_null()};
}

/// Which operations name a system. Thread-safe.
class OperationIndex {
 public:
  void Note(const std::string& system, const std::string& operation, bool exists) {
    auto systems = systems_.Lock();
    auto& keys = (*systems)[system];
    if (exists)
      keys.insert(operation);
    else
      keys.erase(operation);
    if (keys.empty()) systems->erase(system);
  }
  [[nodiscard]] std::set<std::string> Of(const std::string& system) const {
    auto systems = systems_.Lock();
    const auto found = systems->find(system);
    return found == systems->end() ? std::set<std::string>{} : found->second;
  }

 private:
  Guarded<std::unordered_map<std::string, std::set<std::string>>> systems_;
};

/// Of a namespace whose lists are not all in, nothing is told: a pass would see half of it.
struct Caches::Namespaced {
  Namespaced(const Caches& its_caches, const std::string& name)
      : caches(its_caches),
        systems(Always<StoredSystem, DecodeSystem>, SameVersion<StoredSystem>,
                [this](const std::string& key, const auto& before, const auto& after) {
                  if (caches.listeners_.observe) caches.listeners_.observe(key, after.get());
                  caches.Wake(WhomToWake(Change<StoredSystem>{before, after}));
                }),
        secrets(Always<SecretMetadata, DecodeSecretMetadata>, SameVersion<SecretMetadata>,
                [this](const std::string&, const auto& before, const auto& after) {
                  caches.Wake(WhomToWakeForSecret({before, after}));
                }),
        operations(Always<StoredOperation, DecodeOperation>, SameVersion<StoredOperation>,
                   [this](const std::string& key, const auto& before, const auto& after) {
                     const auto& known = after ? after : before;
                     operations_of.Note(ObjectKey(known->namespace_, known->system), key,
                                        after != nullptr);
                     caches.Wake(WhomToWake(Change<StoredOperation>{before, after}));
                   }),
        watches(its_caches.client_, its_caches.clock_, name, [this] { Listed(); }) {
    watches.Watch(
        {.options = {.resource = kSecrets,
                     .label_selector = std::string{kManagedByLabel} + "=" + std::string{kManagedBy},
                     .shape = kube::Shape::MetadataOnly}},
        secrets);
    watches.Watch({.options = {.resource = kOperations}}, operations);
    // Small pages: a system with two certificates in its status weighs 12 kB.
    watches.Watch({.options = {.resource = kSystems, .page_size = 250}}, systems);
  }

  void Tell(const std::string& system, const std::string& version, kube::Urgency urgency) const {
    if (watches.IsListed()) caches.listeners_.system(system, version, urgency);
  }
  // An operation wants its answer also where its system does not exist.
  void TellAll() const {
    for (const auto& operation : operations.All()) {
      const std::string system = ObjectKey(operation->namespace_, operation->system);
      if (!operation->operation.finished)
        Tell(system, "", kube::Urgency::First);
      else if (!systems.Get(system))
        Tell(system, "", kube::Urgency::InTurn);
    }
    for (const auto& system : systems.All())
      Tell(ObjectKey(system->identity.namespace_, system->identity.name), "",
           kube::Urgency::InTurn);
  }
  // What changed before was not told, and is in the stores by now.
  void Listed() const {
    if (!watches.Namespace().empty())
      log::Info("a watched namespace is listed", {{"namespace", watches.Namespace()}});
    TellAll();
    caches.AnnounceList();
  }

  const Caches& caches;
  kube::Store<StoredSystem> systems;
  kube::Store<SecretMetadata> secrets;
  kube::Store<StoredOperation> operations;
  OperationIndex operations_of;
  kube::WatchSet watches;  // last: it feeds the stores
};

struct Caches::Cluster {
  explicit Cluster(const Caches& caches)
      : authorities(Always<StoredAuthority, DecodeAuthority>, SameVersion<StoredAuthority>,
                    [&caches](const std::string&, const auto& before, const auto& after) {
                      caches.Wake(WhomToWake(Change<StoredAuthority>{before, after}));
                    }),
        namespaces(Always<StoredNamespace, DecodeNamespace>, AreSame,
                   [&caches](const std::string& name, const auto& before, const auto& after) {
                     caches.Wake(WhomToWake(name, {before, after}));
                   }),
        authority_secrets(Always<SecretMetadata, DecodeSecretMetadata>, SameVersion<SecretMetadata>,
                          [&caches](const std::string&, const auto& before, const auto& after) {
                            caches.Wake(WhomToWakeForAuthoritySecret({before, after}));
                          }),
        watches(caches.client_, caches.clock_, "", [&caches] { caches.AnnounceList(); }) {
    watches.Watch({.options = {.resource = kAuthorities}}, authorities);
    watches.Watch({.options = {.resource = kSecrets,
                               .namespace_ = caches.settings_.own_namespace,
                               .shape = kube::Shape::MetadataOnly}},
                  authority_secrets);
    watched_namespaces = &watches.Watch(
        {.options = {.resource = kNamespaces, .shape = kube::Shape::MetadataOnly},
         // Where only some namespaces are watched, the right to list all of them may be missing:
         // then rules by label match nothing.
         .needed = caches.settings_.watch_namespaces.empty(),
         .consequence = {kLabelsKnownFor,
                         ", and rules that select namespaces by label allow no new certificates"},
         .recovered =
             [this, &caches](std::chrono::nanoseconds failed_for) {
               if (failed_for < kLabelsKnownFor) return;
               caches.Wake(WhomToWakeWhenLabelsAreKnown(
                   [this](const std::string& name) { return authorities.Get(name); }));
             }},
        namespaces);
  }

  kube::Store<StoredAuthority> authorities;
  kube::Store<StoredNamespace> namespaces;
  kube::Store<SecretMetadata> authority_secrets;
  const kube::Reflector* watched_namespaces = nullptr;
  kube::WatchSet watches;  // last: it feeds the stores
};

}  // namespace certpair::reconcile
