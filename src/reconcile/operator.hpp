// The loop: caches wake keys, workers take them, passes are made, and what they ask for is
// scheduled.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "kube/client.hpp"
#include "kube/events.hpp"
#include "kube/work_queue.hpp"
#include "metrics/registry.hpp"
#include "reconcile/authority_reconciler.hpp"
#include "reconcile/caches.hpp"
#include "reconcile/kube_cluster.hpp"
#include "reconcile/signing.hpp"
#include "reconcile/system_reconciler.hpp"

namespace certpair::reconcile {

struct OperatorSettings {
  CacheSettings caches;
  core::Installation installation;
  std::size_t workers = 8;
  std::size_t key_threads = 2;
  notify::Postbox* postbox = nullptr;  ///< outlives the operator; null: no mail is sent
};

/// Everything between the client and the metrics. Start() begins to watch; Work() makes passes
/// while it may. Between terms nobody's wish is kept: each begins with all that the caches know.
class Operator {
 public:
  Operator(const kube::Client& client, kube::EventRecorder& events, metrics::Metrics& metrics,
           const Clock& clock, OperatorSettings settings, std::stop_token hard_stop);

  /// The caches' threads speak to the members that are destroyed before them.
  ~Operator() { caches_.Stop(); }
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  /// Starts the caches: also what a standby does, to be warm.
  void Start() { caches_.Start(); }
  /// See KubeCluster.
  void WriteOnlyWhile(std::function<bool()> may_write) {
    cluster_.WriteOnlyWhile(std::move(may_write));
  }
  /// A system has to look: there is news of its mails. Thread-safe.
  void WakeSystem(const std::string& system_key, kube::Urgency urgency);
  /// Waits for the caches, then makes passes on all workers until `stop`; a pass in hand is
  /// finished. May be called again.
  void Work(const std::stop_token& stop);
  /// Nothing: ready; else why not.
  [[nodiscard]] std::optional<std::string> WhyNotReady() const;
  /// What it does not see or serve although it is ready.
  [[nodiscard]] std::vector<std::string> Notes() const;
  /// Watched namespaces that are not served although it is ready, and why.
  [[nodiscard]] std::vector<std::string> LeftAside() const { return caches_.Sync().left_aside; }
  /// Sets the gauges that are cheaper to ask than to follow.
  void Measure(metrics::Metrics& metrics);

 private:
  CacheListeners Listen();
  void WorkerLoop(const std::stop_token& stop);
  void PassOver(const std::string& key);

  kube::EventRecorder& events_;
  metrics::Metrics& metrics_;
  const Clock& clock_;
  const OperatorSettings settings_;
  kube::WorkQueue queue_;
  KubeCluster cluster_;
  Caches caches_;
  SigningSource signing_;
  AuthorityReconciler authorities_;
  SystemReconciler systems_;
  std::atomic<bool> working_ = false;
  std::uint64_t dropped_told_ = 0;            // only Measure
  std::vector<std::uint64_t> restarts_told_;  // by reflector; only Measure
};

}  // namespace certpair::reconcile
