// The view of production: reflectors of all kinds, the stores that they feed, and whom their news
// wakes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "kube/client.hpp"
#include "kube/reflector.hpp"
#include "kube/store.hpp"
#include "kube/work_queue.hpp"
#include "reconcile/ports.hpp"

namespace certpair::reconcile {

struct CacheSettings {
  std::string own_namespace;                  ///< where CA Secrets are
  std::vector<std::string> watch_namespaces;  ///< empty: all
};

/// Whom a change concerns. Called from the reflectors' threads; must not block.
struct CacheListeners {
  /// First: something was done to this one. InTurn: it is seen for the first time, or it is one of
  /// many that something may concern.
  std::function<void(const std::string& system_key, const std::string& resource_version,
                     kube::Urgency urgency)>
      system;
  std::function<void(const std::string& authority)> authority;
  /// A system as it is now, or null where it is gone: for metrics.
  std::function<void(const std::string& system_key, const StoredSystem* system)> observe;
};

/// How one reflector is doing, for health and metrics.
struct CacheState {
  std::string resource;
  std::string namespace_;
  kube::ReflectorState state;
};

/// Whether work may begin, in words for a person.
struct SyncState {
  std::string awaited;                  ///< what work waits for; empty: nothing
  std::vector<std::string> left_aside;  ///< watched namespaces that are not served yet, and why
  /// What is not seen although work goes on: objects that are too large, kinds whose lists and
  /// watches fail for long.
  std::vector<std::string> unseen;
};

/// After so long without a list or a watch that works, a kind is said to be stalled.
inline constexpr std::chrono::minutes kStalledAfter{2};
/// After so long, labels of namespaces count as unknown: who may withdraw a label may rely on it.
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
  /// What work still waits for: every kind is to be listed once. Left aside is a watched namespace
  /// that is not there, or whose lists are refused for half a minute while those of another are in:
  /// the rights of the operator may be a Role in it, and have gone with it. Of such a one nothing
  /// is told; once its lists are in, all of it.
  [[nodiscard]] SyncState Sync() const;
  /// Blocks until nothing is awaited any more, or `stop`; answers whether it is so.
  bool WaitForSync(const std::stop_token& stop) const;
  /// Tells the listeners of every system and authority that is known, and of the systems that only
  /// operations name.
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
  struct Scope;    // one watched namespace, or all
  struct Cluster;  // what is watched once
  struct Running;  // a reflector and its thread

  [[nodiscard]] const Scope* ScopeOf(const std::string& key) const;
  void WakeSystemsOf(const std::function<bool(const StoredSystem&)>& concerned) const;
  void WakeWhomLabelsConcern() const;
  void Watch(kube::ReflectorOptions options, kube::ReflectorSink& sink, bool needed = true);
  void WatchScope(const std::string& name, Scope& scope);
  void TellOf(const Scope& scope) const;
  [[nodiscard]] std::string WhyLeftAside(const std::string& name, bool others_are_listed) const;
  [[nodiscard]] std::string WhyAwaited(const std::string& name) const;

  const kube::Client& client_;
  const Clock& clock_;
  const CacheSettings settings_;
  const CacheListeners listeners_;
  std::map<std::string, std::unique_ptr<Scope>>
      scopes_;  // by namespace; "" for all; fixed after construction
  std::unique_ptr<Cluster> cluster_;
  std::vector<std::unique_ptr<Running>> running_;
  const Running* namespaces_ = nullptr;  // one of them
  Guarded<std::uint64_t> listed_{0};     // how many namespaces were; grows
};

}  // namespace certpair::reconcile
