// Which keys want attention, when, and whose turn it is. Pure: a function of its calls and of time.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

namespace certpair::kube {

/// The order of the keys that are due.
enum class Urgency {
  First,   ///< a person or a peer waits: the object was changed, or its time has come
  Soon,    ///< something is to be recorded, and nothing waits for it
  InTurn,  ///< it can wait: one of many that are looked at together, a warning
};
inline constexpr std::size_t kUrgencies = 3;

/// How many keys may be in work at once. Each is at least 1.
struct WorkLimits {
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::size_t others = kNone;    ///< that are not of the first, of all groups together
  std::size_t of_group = kNone;  ///< of one group, whatever their urgency
};

/// The group that a key is of: keys of different groups do not hold each other up. Pure.
using GroupOf = std::function<std::string(const std::string& key)>;

/// A key is in it once for each urgency; of two wishes of the same the earlier wins; whatever was
/// due of a key is answered by taking it once. A key that is being worked on is not handed out
/// again until it is done, and what was wished meanwhile is kept. Times are wall-clock, since
/// certificates expire by it. All calls are O(log keys), but for Due, which is O(due keys +
/// groups). Not thread-safe.
///
/// The order, from the outside in:
/// 1. The first go before the others. Of nine that are taken one is not of the first, if any such
/// is
///    due, so that nothing starves; of those no more are in work at once than
///    `limits.others`, so that the API server has breath for the first.
/// 2. Within an urgency the groups take turns. A group that was served goes behind all that have
///    something due, and a group joins at the end when its first key becomes due. So a key waits
///    for at most one key of each other group and for what its own group has before it, however
///    many keys another group has.
/// 3. Within a group the key that has been due longest goes first.
/// And of one group no more than `limits.of_group` are in work at once. Turns alone bound how many
/// keys go before, not how long they take: where the API server is slow for one namespace (a
/// webhook that times out), its passes would hold every worker.
class DelayQueue {
 public:
  using Time = std::chrono::system_clock::time_point;
  /// Without `group_of` all keys are of one group.
  explicit DelayQueue(WorkLimits limits = {}, GroupOf group_of = {})
      : limits_(limits), group_of_(std::move(group_of)) {}
  ~DelayQueue() = default;
  DelayQueue(DelayQueue&&) = default;
  DelayQueue& operator=(DelayQueue&&) = delete;
  DelayQueue(const DelayQueue&) = delete;
  DelayQueue& operator=(const DelayQueue&) = delete;

  void Add(const std::string& key, Time at, Urgency urgency = Urgency::InTurn);
  /// The key whose turn it is of those due at `now`; it is in work from then on. Nothing if none is
  /// due, or none of those may be in work too.
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
  /// Groups that have a key.
  [[nodiscard]] std::size_t Groups() const { return groups_.size(); }

 private:
  struct Slot {
    Time at;
    std::uint64_t order;  // first come, first served among equals
    friend auto operator<=>(const Slot&, const Slot&) = default;
  };
  struct Group;
  using GroupNode = std::pair<const std::string, Group>;
  struct Entry {
    std::array<std::optional<Slot>, kUrgencies> wishes;
    GroupNode* group = nullptr;
    bool in_work = false;
    bool is_other = false;  // taken as one that is not of the first
    [[nodiscard]] bool Wishes() const {
      return std::ranges::any_of(wishes, [](const auto& wish) { return wish.has_value(); });
    }
  };
  using Entries = std::unordered_map<std::string, Entry>;  // its nodes do not move
  // What a group has of one urgency.
  struct Queued {
    std::map<Slot, Entries::value_type*> waiting;  // of those not in work
    std::optional<std::uint64_t> turn;  // had something due at the last look; kept while it is full
    std::optional<Slot> placed;         // its first wish, as it stands in Lane; nothing: nowhere
  };
  struct Group {
    std::array<Queued, kUrgencies> queued;
    std::size_t keys = 0;
    std::size_t in_work = 0;
  };
  // The groups of one urgency that may be served, each in `later`, or in both `turns` and `heads`.
  struct Lane {
    std::map<Slot, GroupNode*> later;           // by their first wish
    std::map<std::uint64_t, GroupNode*> turns;  // those with a turn
    std::map<Slot, GroupNode*> heads;           // the same, by their first wish
  };

  Entries::value_type& EntryOf(const std::string& key);
  void Erase(Entries::iterator entry);
  void Withdraw(Entry& entry, std::size_t urgency);
  void WithdrawAll(Entry& entry);
  void Place(GroupNode& group, std::size_t urgency);
  void Unplace(GroupNode& group, std::size_t urgency);
  GroupNode* NextGroup(std::size_t urgency, Time now);
  [[nodiscard]] bool IsOpen(std::size_t urgency) const;

  const WorkLimits limits_;
  const GroupOf group_of_;
  std::size_t others_in_work_ = 0;
  Entries entries_;
  std::unordered_map<std::string, Group> groups_;  // its nodes do not move
  std::array<Lane, kUrgencies> lanes_;
  std::size_t wishing_ = 0;
  std::uint64_t next_order_ = 0;
  std::uint64_t next_turn_ = 0;
  int first_in_a_row_ = 0;
};

}  // namespace certpair::kube
