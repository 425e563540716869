// Which keys want attention, and when: a pure delay queue and a blocking shell around it.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/guarded.hpp"

namespace certpair::kube {

/// Who goes first of those that are due.
enum class Urgency {
  First,   ///< somebody waits for it: something was done to the object, or its time has come
  Soon,    ///< something is to be written down, and nobody waits for it
  InTurn,  ///< it can wait: one of many that are looked at together, a warning
};
inline constexpr std::size_t kUrgencies = 3;

/// The pure part. A key is in it once for each urgency; of two wishes of the same the earlier wins;
/// whatever was due of a key is answered by taking it once. A key that is being worked on is not
/// handed out again until it is done, and what was wished meanwhile is kept. Of nine that are taken
/// one is not of the first, if any such is due, so that nobody waits for ever; of those no more are
/// in work at once than are allowed, so that the API server has breath for the first. Times are
/// wall-clock, since certificates expire by it. All calls are O(log keys), but for Due, which is
/// O(due keys). Not thread-safe.
class DelayQueue {
 public:
  using Time = std::chrono::system_clock::time_point;
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  /// Of those that are not of the first, `most_others` may be in work at once.
  explicit DelayQueue(std::size_t most_others = kNoLimit) : most_others_(most_others) {}
  ~DelayQueue() = default;
  DelayQueue(DelayQueue&&) = default;
  DelayQueue& operator=(DelayQueue&&) = delete;
  DelayQueue(const DelayQueue&) = delete;
  DelayQueue& operator=(const DelayQueue&) = delete;

  void Add(const std::string& key, Time at, Urgency urgency = Urgency::InTurn);
  /// The key that has been due longest at `now`, of the more urgent ones if there are any; it is in
  /// work from then on. Nothing if none is due.
  [[nodiscard]] std::optional<std::string> Take(Time now);
  /// Ends the work on a key.
  void Done(const std::string& key);
  /// Forgets a key's wishes (the object is gone), not its being in work.
  void Forget(const std::string& key);
  /// Forgets everything. Not while a key is in work.
  void Clear();
  /// When Take would first answer a key, with what is in work now.
  [[nodiscard]] std::optional<Time> NextDue() const;
  [[nodiscard]] std::size_t Due(Time now) const;
  /// Keys with a wish, in work or not.
  [[nodiscard]] std::size_t Size() const { return wishing_; }

 private:
  struct Slot {
    Time at;
    std::uint64_t order;  // first come, first served among equals
    friend auto operator<=>(const Slot&, const Slot&) = default;
  };
  struct Entry {
    std::array<std::optional<Slot>, kUrgencies> wishes;
    bool in_work = false;
    bool is_other = false;  // taken as one that is not of the first
    [[nodiscard]] bool Wishes() const {
      return std::ranges::any_of(wishes, [](const auto& wish) { return wish.has_value(); });
    }
  };
  using Entries = std::unordered_map<std::string, Entry>;  // its nodes do not move
  using Waiting = std::map<Slot, Entries::value_type*>;

  void Withdraw(Entry& entry, std::size_t urgency);
  void WithdrawAll(Entry& entry);
  [[nodiscard]] bool IsDue(std::size_t urgency, Time now) const;
  [[nodiscard]] bool IsOpen(std::size_t urgency) const;

  const std::size_t most_others_;
  std::size_t others_in_work_ = 0;
  Entries entries_;
  std::array<Waiting, kUrgencies> waiting_;  // of those not in work
  std::size_t wishing_ = 0;
  std::uint64_t next_order_ = 0;
  int first_in_a_row_ = 0;
};

/// The shell. Thread-safe. The wall clock is looked at again at least every `kRecheck`, so a clock
/// that was set forward or back is noticed by then. One of the waiting threads watches the time,
/// the others sleep until there is work for them: a due key wakes one thread, not all.
class WorkQueue {
 public:
  static constexpr std::chrono::seconds kRecheck{10};
  explicit WorkQueue(const Clock& clock, std::chrono::milliseconds recheck = kRecheck,
                     std::size_t most_others = DelayQueue::kNoLimit)
      : clock_(clock), recheck_(recheck), state_(State{.queue = DelayQueue{most_others}}) {}

  void Add(const std::string& key, Urgency urgency = Urgency::InTurn) {
    AddAt(key, clock_.Now(), urgency);
  }
  void AddAt(const std::string& key, DelayQueue::Time at, Urgency urgency = Urgency::InTurn);
  /// Adds the key after its own back-off (0.2 s to 5 min, jittered), or after `at_least` where that
  /// is longer, but for five minutes at most: no server's Retry-After holds a key for longer, since
  /// certificates expire meanwhile. May be called while the key is in work: the wish counts from
  /// Done on.
  void AddAfterFailure(const std::string& key, std::chrono::milliseconds at_least = {});
  /// Adds the key for what is due at `at`, however long it backs off: only if that is yet to come,
  /// and not within ten seconds, so that no key turns fast.
  void AddDespiteFailure(const std::string& key, DelayQueue::Time at, Urgency urgency);
  /// A pass went well: the key's back-off starts anew.
  void Succeeded(const std::string& key);
  /// Blocks until a key is due (it is then in work: call Done) or `stop`.
  [[nodiscard]] std::optional<std::string> Take(const std::stop_token& stop);
  /// As Take, without waiting.
  [[nodiscard]] std::optional<std::string> TryTake();
  void Done(const std::string& key);
  /// The object is gone: no wish, no back-off.
  void Forget(const std::string& key);
  /// Nobody works: forgets everything, and takes no wish until it is opened again. Not while a key
  /// is in work.
  void Close();
  /// Takes wishes from now on, as it does from its making: whoever opens it tells it everything.
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
    std::uint64_t watcher = 0;  // who watches the time; 0: nobody
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
