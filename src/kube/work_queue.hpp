// Which keys want attention, and when: a pure delay queue and a blocking shell around it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/guarded.hpp"

namespace certpair::kube {

/// The pure part. A key is in it once; of two wishes the earlier wins; a key that is being worked
/// on is not handed out again until it is done, and what was wished meanwhile is kept. Times are
/// wall-clock, since certificates expire by it.
class DelayQueue {
 public:
  using Time = std::chrono::system_clock::time_point;
  void Add(const std::string& key, Time at);
  /// The key that has been due longest at `now`, now in work; nothing if none is due.
  [[nodiscard]] std::optional<std::string> Take(Time now);
  /// Ends the work on a key.
  void Done(const std::string& key);
  /// Forgets a key's wish (the object is gone), not its being in work.
  void Forget(const std::string& key);
  [[nodiscard]] std::optional<Time> NextDue() const;
  [[nodiscard]] std::size_t Due(Time now) const;
  [[nodiscard]] std::size_t Size() const { return wishes_.size(); }

 private:
  struct Wish {
    Time at;
    std::uint64_t order;  // first come, first served among equals
  };
  std::unordered_map<std::string, Wish> wishes_;
  std::set<std::pair<std::pair<Time, std::uint64_t>, std::string>>
      by_time_;  // of those not in work
  std::set<std::string> in_work_;
  std::uint64_t next_order_ = 0;
};

/// The shell. Thread-safe. The wall clock is looked at again at least every `kRecheck`, so a clock
/// that was set forward or back is noticed by then.
class WorkQueue {
 public:
  static constexpr std::chrono::seconds kRecheck{10};
  explicit WorkQueue(const Clock& clock) : clock_(clock) {}

  void Add(const std::string& key) { AddAt(key, clock_.Now()); }
  void AddAt(const std::string& key, DelayQueue::Time at);
  /// Adds the key after its own back-off (0.2 s to 5 min, jittered), or after `at_least` where that
  /// is longer.
  void AddAfterFailure(const std::string& key, std::chrono::milliseconds at_least = {});
  /// A pass went well: the key's back-off starts anew.
  void Succeeded(const std::string& key);
  /// Blocks until a key is due (it is then in work: call Done) or `stop`.
  [[nodiscard]] std::optional<std::string> Take(std::stop_token stop);
  void Done(const std::string& key);
  /// The object is gone: no wish, no back-off.
  void Forget(const std::string& key);
  /// Keys that are due now, for the metric.
  [[nodiscard]] std::size_t Depth() const;

 private:
  struct State {
    DelayQueue queue;
    std::unordered_map<std::string, Backoff> failures;
    std::uint64_t random = 0x9E3779B97F4A7C15ULL;
  };
  const Clock& clock_;
  Guarded<State> state_;
};

}  // namespace certpair::kube
