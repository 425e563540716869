// The side of people, of other controllers and of time. What the operator calls is in
// world_api.cpp.
#include "simulation/world.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "reconcile/authority_codec.hpp"
#include "reconcile/names.hpp"
#include "reconcile/objects.hpp"

namespace certpair::sim {

using reconcile::ObjectKey;

std::string_view SecretObject::Data(std::string_view key) const {
  const auto found = data.find(key);
  return found == data.end() ? std::string_view{} : found->second;
}

bool SameContent(const SecretObject& a, const SecretObject& b) {
  return a.data == b.data && a.immutable == b.immutable && a.metadata.labels == b.metadata.labels &&
         a.metadata.annotations == b.metadata.annotations &&
         a.metadata.owners == b.metadata.owners &&
         a.metadata.being_deleted == b.metadata.being_deleted;
}

std::string World::AddSystem(reconcile::StoredSystem system) {
  system.identity.namespace_ = kNamespace;
  system.identity.uid = NextUid("system-uid-");
  system.identity.generation = 1;
  system.status = {};
  const std::string key = ObjectKey(kNamespace, system.identity.name);
  alive_[system.identity.uid] = key;
  PutSystem(key, std::make_shared<reconcile::StoredSystem>(std::move(system)));
  return key;
}

void World::EditSystem(const std::string& key,
                       const std::function<void(reconcile::StoredSystem&)>& edit) {
  const auto live = systems_.Live(key);
  if (!live) return;
  auto edited = std::make_shared<reconcile::StoredSystem>(*live);
  edit(*edited);
  if (edited->spec != live->spec) ++edited->identity.generation;
  PutSystem(key, std::move(edited));
}

void World::DeleteSystem(const std::string& key, bool foreground) {
  const auto live = systems_.Live(key);
  if (!live) return;
  const std::string uid = live->identity.uid;
  const std::string secret_key = ObjectKey(kNamespace, live->spec.secret.name);
  if (foreground && !live->identity.being_deleted) {
    EditSystem(key, [](auto& system) { system.identity.being_deleted = true; });
    In(Delay{2000}, [this, key, secret_key, uid] {
      const auto secret = secrets_.Live(secret_key);
      const bool owned = secret && std::ranges::any_of(secret->metadata.owners,
                                                       [&](const auto& o) { return o.uid == uid; });
      if (owned) DeleteSecret(secret_key);
      const auto system = systems_.Live(key);
      if (system && system->identity.uid == uid) DeleteSystem(key);
    });
    return;
  }
  alive_.erase(uid);
  systems_.Set(key, nullptr, News());
  CollectSoon(secret_key);
}

std::string World::AddOperation(const std::string& system_name, core::OperationAction action,
                                const std::string& fingerprint, bool generated_name) {
  auto operation = std::make_shared<reconcile::StoredOperation>();
  operation->namespace_ = kNamespace;
  operation->system = system_name;
  operation->resource_version = NextVersion();
  operation->operation = {.uid = NextUid("operation-uid-"),
                          .name = "operation-" + std::to_string(uids_),
                          .created = TrueNow(),
                          .action = action,
                          .fingerprint = fingerprint,
                          .ttl_after_finished = std::chrono::hours{24},
                          .name_was_generated = generated_name};
  const std::string key = ObjectKey(kNamespace, operation->operation.name);
  operations_.Set(key, std::move(operation), News());
  return key;
}

void World::DeleteOperation(const std::string& key) {
  if (operations_.Live(key)) operations_.Set(key, nullptr, News());
}

void World::AddSecret(SecretObject secret) {
  secret.metadata.namespace_ = kNamespace;
  secret.metadata.uid = NextUid("secret-uid-");
  const std::string key = ObjectKey(kNamespace, secret.metadata.name);
  PutSecret(key, std::make_shared<SecretObject>(std::move(secret)), false);
}

void World::EditSecret(const std::string& key, const std::function<void(SecretObject&)>& edit) {
  const auto live = secrets_.Live(key);
  if (!live) return;
  auto edited = std::make_shared<SecretObject>(*live);
  edit(*edited);
  if (!SameContent(*edited, *live)) PutSecret(key, std::move(edited), false);
}

void World::DeleteSecret(const std::string& key) {
  const auto live = secrets_.Live(key);
  if (!live) return;
  ++version_;
  secrets_.Set(key, nullptr, News());
  if (onlookers.secret) onlookers.secret(key, live, nullptr, false);
}

void World::SetAuthority(reconcile::StoredAuthority authority) {
  authority.resource_version = NextVersion();
  const std::string name = authority.identity.name;
  authorities_.Set(name, std::make_shared<reconcile::StoredAuthority>(std::move(authority)),
                   News());
}

void World::RemoveAuthority(const std::string& name) {
  if (authorities_.Live(name)) authorities_.Set(name, nullptr, News());
}

void World::SetNamespace(std::optional<reconcile::StoredNamespace> home) {
  home_ = std::move(home);
  WakeAll();
}

SystemPointer World::LiveSystem(const std::string& key) const { return systems_.Live(key); }
SecretPointer World::LiveSecretOf(const std::string& key) const { return secrets_.Live(key); }
OperationPointer World::LiveOperation(const std::string& key) const {
  return operations_.Live(key);
}
std::shared_ptr<const reconcile::StoredAuthority> World::LiveAuthority(
    const std::string& name) const {
  return authorities_.Live(name);
}
bool World::IsUidAlive(const std::string& uid) const { return alive_.contains(uid); }

sys_seconds World::TrueNow() const {
  return start_ + std::chrono::floor<seconds>(clock_.Steady().time_since_epoch());
}

void World::At(Time at, std::function<void()> action) { timers_.emplace(at, std::move(action)); }

bool World::Deliver() {
  bool any = false;
  const auto due = [&](const auto& channel) {
    const auto next = channel.Next();
    return next && *next <= Now();
  };
  const auto tell = [&](const std::string& key, const std::string& version) {
    if (wake) wake(key, version);
  };
  for (; due(systems_); any = true)
    systems_.DeliverOne([&](const std::string& key, const auto&, const auto& after) {
      tell(key, after ? after->resource_version : "");
    });
  for (; due(secrets_); any = true)
    secrets_.DeliverOne([&](const std::string&, const auto& before, const auto& after) {
      std::string told;
      for (const auto* secret : {&before, &after}) {
        if (!*secret) continue;
        // The watch shows what bears our label only.
        if ((*secret)->metadata.Label(reconcile::kManagedByLabel) != reconcile::kManagedBy)
          continue;
        const auto key = ObjectKey(kNamespace, (*secret)->metadata.Label(reconcile::kSystemLabel));
        if (key != told) tell(key, after ? after->metadata.resource_version : "");
        told = key;
      }
    });
  for (; due(operations_); any = true)
    operations_.DeliverOne([&](const std::string& key, const auto& before, const auto& after) {
      OperationNews(key, before, after);
      tell(ObjectKey(kNamespace, (after ? after : before)->system), "");
    });
  for (; due(authorities_); any = true)
    authorities_.DeliverOne([&](const std::string&, const auto&, const auto&) { WakeAll(); });
  while (!timers_.empty() && timers_.begin()->first <= Now()) {
    const auto action = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    action();
    any = true;
  }
  return any;
}

std::optional<World::Time> World::NextEvent() const {
  std::optional<Time> next;
  const auto add = [&](const std::optional<Time>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  add(systems_.Next());
  add(secrets_.Next());
  add(operations_.Next());
  add(authorities_.Next());
  if (!timers_.empty()) add(timers_.begin()->first);
  return next;
}

void World::List() {
  systems_.List();
  secrets_.List();
  operations_.List();
  authorities_.List();
  IndexOperations();
}

int World::Writes() const {
  return Count(Call::CreateSecret) + Count(Call::PatchSecret) + Count(Call::WriteStatus) +
         Count(Call::Settle) + Count(Call::Tell);
}

int World::Reads() const {
  return Count(Call::ReadSecret) + Count(Call::ReadSystem) + Count(Call::ReadOperation);
}

void World::PutSystem(const std::string& key, std::shared_ptr<reconcile::StoredSystem> system) {
  system->resource_version = NextVersion();
  systems_.Set(key, std::move(system), News());
}

void World::PutSecret(const std::string& key, std::shared_ptr<SecretObject> secret,
                      bool by_operator) {
  const auto before = secrets_.Live(key);
  secret->metadata.resource_version = NextVersion();
  const SecretPointer after = std::move(secret);
  secrets_.Set(key, after, News());
  const bool orphaned = !after->metadata.owners.empty() &&
                        std::ranges::none_of(after->metadata.owners, [&](const auto& owner) {
                          return IsUidAlive(owner.uid);
                        });
  if (orphaned) CollectSoon(key);
  if (onlookers.secret) onlookers.secret(key, before, after, by_operator);
}

void World::CollectSoon(const std::string& secret_key) {
  In(collector_delay ? collector_delay() : Delay{1000},
     [this, secret_key] { Collect(secret_key); });
}

// By the owner references alone, as the garbage collector of Kubernetes does.
void World::Collect(const std::string& secret_key) {
  const auto secret = secrets_.Live(secret_key);
  if (!secret || secret->metadata.owners.empty()) return;
  const bool owned = std::ranges::any_of(secret->metadata.owners,
                                         [&](const auto& owner) { return IsUidAlive(owner.uid); });
  if (!owned) DeleteSecret(secret_key);
}

void World::OperationNews(const std::string&, const OperationPointer& before,
                          const OperationPointer& after) {
  const auto& known = after ? after : before;
  const std::string system = ObjectKey(kNamespace, known->system);
  auto& list = operations_of_[system];
  std::erase_if(list, [&](const auto& o) { return o->operation.uid == known->operation.uid; });
  if (after) {
    const auto before_it = [](const auto& a, const auto& b) {
      return reconcile::CreatedBefore(*a, *b);
    };
    list.insert(std::ranges::upper_bound(list, after, before_it), after);
  }
  if (list.empty()) operations_of_.erase(system);
}

void World::IndexOperations() {
  operations_of_.clear();
  for (const auto& [key, operation] : operations_.AllLive()) OperationNews(key, nullptr, operation);
}

void World::WakeAll() {
  if (!wake) return;
  std::vector<std::string> keys;
  for (const auto& [key, system] : systems_.AllLive()) keys.push_back(key);
  std::ranges::sort(keys);  // the order of a hash map is no part of a seed
  for (const std::string& key : keys) wake(key, "");
}

}  // namespace certpair::sim
