#include "reconcile/caches.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "reconcile/cache_stores.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

// A refusal counts by time alone, and no event tells that the time has passed.
constexpr std::chrono::seconds kLookAgain{1};

}  // namespace

Caches::Caches(const kube::Client& client, const Clock& clock, CacheSettings settings,
               CacheListeners listeners)
    : client_(client),
      clock_(clock),
      settings_(std::move(settings)),
      listeners_(std::move(listeners)) {
  if (settings_.watch_namespaces.empty())
    namespaced_.emplace("", std::make_unique<Namespaced>(*this, ""));
  for (const std::string& name : settings_.watch_namespaces)
    namespaced_.try_emplace(name, std::make_unique<Namespaced>(*this, name));
  cluster_ = std::make_unique<Cluster>(*this);
}

Caches::~Caches() { Stop(); }

void Caches::Start() {
  cluster_->watches.Start();
  for (const auto& [name, stores] : namespaced_) stores->watches.Start();
}

void Caches::Stop() {
  cluster_->watches.RequestStop();
  for (const auto& [name, stores] : namespaced_) stores->watches.RequestStop();
  cluster_->watches.Stop();
  for (const auto& [name, stores] : namespaced_) stores->watches.Stop();
}

void Caches::AnnounceList() const {
  ++*listed_.Lock();
  listed_.NotifyAll();
}

bool Caches::WaitForSync(const std::stop_token& stop) const {
  while (!stop.stop_requested()) {
    const std::uint64_t known = *listed_.Lock();
    if (Sync().awaited.empty()) return true;
    listed_.Lock().WaitUntil(stop, std::chrono::steady_clock::now() + kLookAgain,
                             [known](std::uint64_t now) { return now != known; });
  }
  return false;
}

SyncState Caches::Sync() const {
  std::vector<const kube::WatchSet*> namespaces;
  for (const auto& [name, stores] : namespaced_) namespaces.push_back(&stores->watches);
  return kube::SyncOf(cluster_->watches, namespaces,
                      [this](const std::string& name) -> std::optional<bool> {
                        if (!cluster_->watched_namespaces->State().synced) return std::nullopt;
                        return cluster_->namespaces.Get(name) != nullptr;
                      });
}

void Caches::TellAll() const {
  for (const auto& authority : cluster_->authorities.All())
    listeners_.authority(authority->identity.name);
  for (const auto& [name, stores] : namespaced_) stores->TellAll();
}

void Caches::Wake(const Wakes& wakes) const {
  for (const std::string& key : wakes.systems)
    if (const Namespaced* stores = StoresOf(key))
      stores->Tell(key, wakes.resource_version, wakes.urgency);
  for (const std::string& name : wakes.authorities) listeners_.authority(name);
  if (wakes.authorities_that)
    for (const auto& authority : cluster_->authorities.All())
      if (wakes.authorities_that(*authority)) listeners_.authority(authority->identity.name);
  if (!wakes.systems_that) return;
  for (const auto& [name, stores] : namespaced_)
    for (const auto& system : stores->systems.All())
      if (wakes.systems_that(*system))
        stores->Tell(ObjectKey(system->identity.namespace_, system->identity.name), "",
                     kube::Urgency::InTurn);
}

std::vector<CacheState> Caches::States() const {
  std::vector<CacheState> states = cluster_->watches.States();
  for (const auto& [name, stores] : namespaced_)
    std::ranges::move(stores->watches.States(), std::back_inserter(states));
  return states;
}

std::size_t Caches::SystemCount() const {
  std::size_t count = 0;
  for (const auto& [name, stores] : namespaced_) count += stores->systems.Size();
  return count;
}

const Caches::Namespaced* Caches::StoresOf(const std::string& key) const {
  const auto stores = namespaced_.find(
      settings_.watch_namespaces.empty() ? std::string{} : key.substr(0, key.find('/')));
  return stores == namespaced_.end() ? nullptr : stores->second.get();
}

std::shared_ptr<const StoredSystem> Caches::System(const std::string& key) const {
  const Namespaced* stores = StoresOf(key);
  return stores != nullptr ? stores->systems.Get(key) : nullptr;
}

std::shared_ptr<const SecretMetadata> Caches::Secret(const std::string& key) const {
  const Namespaced* stores = StoresOf(key);
  return stores != nullptr ? stores->secrets.Get(key) : nullptr;
}

std::vector<std::shared_ptr<const StoredOperation>> Caches::OperationsOf(
    const std::string& system_key) const {
  std::vector<std::shared_ptr<const StoredOperation>> operations;
  const Namespaced* stores = StoresOf(system_key);
  if (stores == nullptr) return operations;
  for (const std::string& key : stores->operations_of.Of(system_key))
    if (auto operation = stores->operations.Get(key)) operations.push_back(std::move(operation));
  std::ranges::sort(operations, [](const auto& a, const auto& b) { return CreatedBefore(*a, *b); });
  return operations;
}

std::shared_ptr<const StoredAuthority> Caches::Authority(const std::string& name) const {
  return cluster_->authorities.Get(name);
}

std::optional<StoredNamespace> Caches::Namespace(const std::string& name) const {
  const auto found = cluster_->namespaces.Get(name);
  if (!found) return std::nullopt;
  const auto failing_since = cluster_->watched_namespaces->FailingSince();
  if (failing_since && clock_.Steady() - *failing_since >= kLabelsKnownFor) return std::nullopt;
  return *found;
}

std::shared_ptr<const SecretMetadata> Caches::AuthoritySecret(const std::string& name) const {
  return cluster_->authority_secrets.Get(ObjectKey(settings_.own_namespace, name));
}

}  // namespace certpair::reconcile
