// Which keys want attention, and when: the blocking shell around a DelayQueue.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "kube/delay_queue.hpp"

namespace certpair::kube {

/// Thread-safe. Whose turn it is says DelayQueue. The wall clock is looked at again at least every
/// `kRecheck`, so a clock that was set forward or back is noticed by then. One of the waiting
/// threads watches the time, the others sleep until there is work for them: a due key wakes one
/// thread, not all.
class WorkQueue {
 public:
  static constexpr std::chrono::seconds kRecheck{10};
  explicit WorkQueue(const Clock& clock, std::chrono::milliseconds recheck = kRecheck,
                     WorkLimits limits = {}, GroupOf group_of = {})
      : clock_(clock),
        recheck_(recheck),
        state_(State{.queue = DelayQueue{limits, std::move(group_of)}}) {}

  void Add(const std::string& key, Urgency urgency = Urgency::InTurn) {
    AddAt(key, clock_.Now(), urgency);
  }
  void AddAt(const std::string& key, DelayQueue::Time at, Urgency urgency = Urgency::InTurn);
  /// At a certificate's time, which may lie beyond what the clock can count.
  void AddAt(const std::string& key, sys_seconds at, Urgency urgency = Urgency::InTurn) {
    AddAt(key, ToWallClock(at), urgency);
  }
  /// Adds the key after its own back-off (0.2 s to 5 min, jittered), or after `at_least` where that
  /// is longer, but for five minutes at most: no server's Retry-After holds a key for longer, since
  /// certificates expire meanwhile. May be called while the key is in work: the wish counts from
  /// Done on.
  void AddAfterFailure(const std::string& key, std::chrono::milliseconds at_least = {});
  /// Adds the key for what is due at `at`, however long it backs off: only if that is yet to come,
  /// and not within ten seconds, so that no key turns fast.
  void AddDespiteFailure(const std::string& key, DelayQueue::Time at, Urgency urgency);
  void AddDespiteFailure(const std::string& key, sys_seconds at, Urgency urgency) {
    AddDespiteFailure(key, ToWallClock(at), urgency);
  }
  /// A pass went well: the key's back-off starts anew.
  void Succeeded(const std::string& key);
  /// Blocks until a key is due (it is then in work: call Done) or `stop`.
  [[nodiscard]] std::optional<std::string> Take(const std::stop_token& stop);
  /// As Take, without waiting.
  [[nodiscard]] std::optional<std::string> TryTake();
  void Done(const std::string& key);
  /// The object is gone: no wish, no back-off.
  void Forget(const std::string& key);
  /// After work: forgets everything, and takes no wish until it is opened again. Not while a key
  /// is in work.
  void Close();
  /// Takes wishes from now on, as it does from its making: the caller then adds everything.
  void Open();
  /// Keys that are due now, for the metric.
  [[nodiscard]] std::size_t Depth() const;
  /// When a key becomes due that is not in work; for a simulated time.
  [[nodiscard]] std::optional<DelayQueue::Time> NextDue() const;

 private:
  struct State {
    DelayQueue queue;
    bool closed = false;
    std::unordered_map<std::string, Backoff> failures;  // one a failing key, erased on success
    std::uint64_t random = 0x9E3779B97F4A7C15ULL;
    std::uint64_t watcher = 0;  // the thread that watches the time; 0: none
    std::uint64_t last_ticket = 0;
  };
  using Locked = Guarded<State>::Locked;
  void AddLocked(Locked& state, const std::string& key, DelayQueue::Time at, Urgency urgency);
  void WakeForNewHead(Locked& state, std::optional<DelayQueue::Time> before);
  void WakeNext(Locked& state);
  [[nodiscard]] bool HeadIsDue(const State& state) const;
  void WatchTime(Locked& state, const std::stop_token& stop);

  const Clock& clock_;
  const std::chrono::milliseconds recheck_;
  Guarded<State> state_;
};

}  // namespace certpair::kube
