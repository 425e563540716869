// The view of production: the stores of all kinds, the watches that feed them, and the listeners
// that their news calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "kube/client.hpp"
#include "kube/delay_queue.hpp"
#include "kube/watch_set.hpp"
#include "reconcile/ports.hpp"
#include "reconcile/whom_to_wake.hpp"

namespace certpair::reconcile {

struct CacheSettings {
  std::string own_namespace;                  ///< where CA Secrets are
  std::vector<std::string> watch_namespaces;  ///< empty: all
};

/// Called for each that WhomToWake names, from the reflectors' threads; must not block.
struct CacheListeners {
  std::function<void(const std::string& system_key, const std::string& resource_version,
                     kube::Urgency urgency)>
      system;
  std::function<void(const std::string& authority)> authority;
  /// A system as it is now, or null where it is gone: for metrics.
  std::function<void(const std::string& system_key, const StoredSystem* system)> observe;
};

using CacheState = kube::WatchState;
using kube::SyncState;

/// After so long without news of them, labels of namespaces count as unknown: a label that is
/// withdrawn must stop new certificates by then.
inline constexpr std::chrono::minutes kLabelsKnownFor{5};

/// Thread-safe. Start() once; the threads end when it is destroyed.
class Caches final : public View {
 public:
  Caches(const kube::Client& client, const Clock& clock, CacheSettings settings,
         CacheListeners listeners);
  ~Caches() override;
  Caches(const Caches&) = delete;
  Caches& operator=(const Caches&) = delete;

  void Start();
  /// Ends the threads; no listener is called after it.
  void Stop();
  /// Whether work may begin, as kube::SyncOf has it: every kind is to be listed once. Of a
  /// namespace whose lists are not all in, no listener is called; once they are, all of it is told.
  [[nodiscard]] SyncState Sync() const;
  /// Blocks until nothing is awaited any more, or `stop`; answers whether it is so.
  bool WaitForSync(const std::stop_token& stop) const;
  /// Calls the listeners for every system and authority that is known, and for the systems that
  /// only operations name.
  void TellAll() const;
  [[nodiscard]] std::vector<CacheState> States() const;
  [[nodiscard]] std::size_t SystemCount() const;

  [[nodiscard]] std::shared_ptr<const StoredSystem> System(const std::string& key) const override;
  [[nodiscard]] std::shared_ptr<const SecretMetadata> Secret(const std::string& key) const override;
  [[nodiscard]] std::vector<std::shared_ptr<const StoredOperation>> OperationsOf(
      const std::string& system_key) const override;
  [[nodiscard]] std::shared_ptr<const StoredAuthority> Authority(
      const std::string& name) const override;
  /// Nothing also where it is too large to be read, or where Namespaces could neither be listed nor
  /// watched for kLabelsKnownFor.
  [[nodiscard]] std::optional<StoredNamespace> Namespace(const std::string& name) const override;
  [[nodiscard]] std::shared_ptr<const SecretMetadata> AuthoritySecret(
      const std::string& name) const override;

 private:
  struct Namespaced;  // the stores of one watched namespace, or of all
  struct Cluster;     // the stores of what is watched once

  [[nodiscard]] const Namespaced* StoresOf(const std::string& key) const;
  void Wake(const Wakes& wakes) const;
  void AnnounceList() const;

  const kube::Client& client_;
  const Clock& clock_;
  const CacheSettings settings_;
  const CacheListeners listeners_;
  mutable Guarded<std::uint64_t> listed_{0};  // how many sets of watches were listed; grows
  std::map<std::string, std::unique_ptr<Namespaced>>
      namespaced_;  // by namespace; "" for all; fixed after construction
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace certpair::reconcile
