// Watches that belong together, of one namespace or of the cluster: whether their lists are in, and
// what they do not see.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "kube/client.hpp"
#include "kube/reflector.hpp"

namespace certpair::kube {

/// After so long without a list or a watch that works, a kind is said to be stalled.
inline constexpr std::chrono::minutes kStalledAfter{2};

/// How one reflector is doing, for health and metrics.
struct WatchState {
  std::string resource;
  std::string namespace_;
  ReflectorState state;
};

/// What stalls besides the copy of a kind, for a person: `, and …`.
struct StallConsequence {
  std::chrono::nanoseconds after{};
  std::string text;
};

/// Watch everything, then Start once; the threads end with Stop, or with the set. The queries are
/// thread-safe.
class WatchSet {
 public:
  /// `namespace_`: of all its watches; empty: all namespaces. `listed` is called once, from a
  /// reflector's thread, when the first lists of all needed watches are in; IsListed holds by then.
  WatchSet(const Client& client, const Clock& clock, std::string namespace_,
           std::function<void()> listed);
  ~WatchSet();
  WatchSet(const WatchSet&) = delete;
  WatchSet& operator=(const WatchSet&) = delete;

  struct Watched {
    ReflectorOptions options;  ///< an empty namespace is the set's
    bool needed = true;        ///< the set is not listed without it
    StallConsequence consequence = {};
    /// The copy is true again, after lists and watches had failed for so long.
    std::function<void(std::chrono::nanoseconds failed_for)> recovered = {};
  };
  /// `store` must live longer than the set.
  const Reflector& Watch(Watched watched, ReflectorSink& store);
  void Start();
  /// No sink is called after it.
  void Stop();
  /// Stop, without the wait for the threads.
  void RequestStop();

  [[nodiscard]] const std::string& Namespace() const { return namespace_; }
  /// Whether the first lists of all needed watches are in.
  [[nodiscard]] bool IsListed() const { return missing_ == 0; }
  /// Which list is missing, for a person; of several one that fails, since its error says most.
  [[nodiscard]] std::string WhyNotListed() const;
  /// A kind whose list has been refused (403) for half a minute, and the refusal, for a person.
  [[nodiscard]] std::optional<std::string> WhyRefused() const;
  /// What is not seen although work goes on: objects that are too large, kinds that are stalled.
  [[nodiscard]] std::vector<std::string> Unseen() const;
  [[nodiscard]] std::vector<WatchState> States() const;

 private:
  class Running;
  void ListArrived();

  const Client& client_;
  const Clock& clock_;
  const std::string namespace_;
  const std::function<void()> listed_;
  std::atomic<int> missing_ = 0;
  std::vector<std::unique_ptr<Running>> running_;  // fixed from Start on
};

/// Whether work may begin, for a person.
struct SyncState {
  std::string awaited;                  ///< what work waits for; empty: nothing
  std::vector<std::string> left_aside;  ///< namespaces that are not served yet, and why
  std::vector<std::string> unseen;      ///< as WatchSet::Unseen
};

/// `cluster` is needed in whole. A set of a namespace is left aside where the namespace does not
/// exist, or where its lists are refused for half a minute while another set is listed: the
/// operator's rights may be a Role in that namespace, and have gone with it. `exists`: nothing
/// where that is not known.
[[nodiscard]] SyncState SyncOf(
    const WatchSet& cluster, const std::vector<const WatchSet*>& namespaces,
    const std::function<std::optional<bool>(const std::string& namespace_)>& exists);

}  // namespace certpair::kube
