#include "kube/delay_queue.hpp"

#include <span>
#include <utility>

namespace certpair::kube {

namespace {

constexpr int kFirstBeforeAnother = 8;
constexpr std::size_t kFirst = 0;

constexpr std::size_t LaneOf(Urgency urgency) { return static_cast<std::size_t>(urgency); }

}  // namespace

DelayQueue::Entries::value_type& DelayQueue::EntryOf(const std::string& key) {
  const auto [entry, is_new] = entries_.try_emplace(key);
  if (is_new) {
    GroupNode& group = *groups_.try_emplace(group_of_ ? group_of_(key) : std::string{}).first;
    entry->second.group = &group;
    ++group.second.keys;
  }
  return *entry;
}

void DelayQueue::Erase(Entries::iterator entry) {
  const GroupNode& group = *entry->second.group;
  const std::size_t left = --entry->second.group->second.keys;
  entries_.erase(entry);
  if (left == 0) groups_.erase(groups_.find(group.first));
}

void DelayQueue::Add(const std::string& key, Time at, Urgency urgency) {
  Entries::value_type& entry = EntryOf(key);
  const std::size_t lane = LaneOf(urgency);
  if (entry.second.wishes[lane] && entry.second.wishes[lane]->at <= at) return;
  if (!entry.second.Wishes()) ++wishing_;
  const std::optional<Slot> before =
      std::exchange(entry.second.wishes[lane], Slot{at, next_order_++});
  if (entry.second.in_work) return;
  auto& waiting = entry.second.group->second.queued[lane].waiting;
  if (before) waiting.erase(*before);
  waiting.emplace(*entry.second.wishes[lane], &entry);
  Place(*entry.second.group, lane);
}

void DelayQueue::Withdraw(Entry& entry, std::size_t lane) {
  if (entry.wishes[lane] && !entry.in_work) {
    entry.group->second.queued[lane].waiting.erase(*entry.wishes[lane]);
    Place(*entry.group, lane);
  }
  entry.wishes[lane].reset();
}

void DelayQueue::WithdrawAll(Entry& entry) {
  for (std::size_t lane = 0; lane < kUrgencies; ++lane) Withdraw(entry, lane);
  --wishing_;
}

// Where its first wish and its turn say, or nowhere: nothing of it waits, or it has as many in work
// as it may have.
void DelayQueue::Place(GroupNode& group, std::size_t lane) {
  Queued& queued = group.second.queued[lane];
  const bool may_be_served = group.second.in_work < limits_.of_group && !queued.waiting.empty();
  if (may_be_served && queued.placed == queued.waiting.begin()->first) return;
  Unplace(group, lane);
  if (queued.waiting.empty()) queued.turn.reset();
  if (!may_be_served) return;
  const Slot head = queued.waiting.begin()->first;
  queued.placed = head;
  if (queued.turn) {
    lanes_[lane].turns.emplace(*queued.turn, &group);
    lanes_[lane].heads.emplace(head, &group);
  } else {
    lanes_[lane].later.emplace(head, &group);
  }
}

void DelayQueue::Unplace(GroupNode& group, std::size_t lane) {
  Queued& queued = group.second.queued[lane];
  if (!queued.placed) return;
  if (queued.turn) {
    lanes_[lane].turns.erase(*queued.turn);
    lanes_[lane].heads.erase(*queued.placed);
  } else {
    lanes_[lane].later.erase(*queued.placed);
  }
  queued.placed.reset();
}

bool DelayQueue::IsOpen(std::size_t lane) const {
  return lane == kFirst || others_in_work_ < limits_.others;
}

// The group whose turn it is of those that have something due; null if none has. One that lost what
// was due of it (taken under another urgency, forgotten, a clock that was set back) loses its turn.
DelayQueue::GroupNode* DelayQueue::NextGroup(std::size_t lane, Time now) {
  if (!IsOpen(lane)) return nullptr;
  Lane& groups = lanes_[lane];
  const auto give_turn = [&](GroupNode& group, std::optional<std::uint64_t> turn) {
    Unplace(group, lane);
    group.second.queued[lane].turn = turn;
    Place(group, lane);
  };
  while (!groups.later.empty() && groups.later.begin()->first.at <= now)
    give_turn(*groups.later.begin()->second, next_turn_++);
  while (!groups.turns.empty()) {
    GroupNode& group = *groups.turns.begin()->second;
    if (group.second.queued[lane].placed->at <= now) return &group;
    give_turn(group, std::nullopt);
  }
  return nullptr;
}

// A pass looks at all of a key: a later wish would be for nothing.
std::optional<std::string> DelayQueue::Take(Time now) {
  GroupNode* const first = NextGroup(kFirst, now);
  GroupNode* another = nullptr;
  std::size_t lane = kFirst;
  while (another == nullptr && ++lane < kUrgencies) another = NextGroup(lane, now);
  if (first == nullptr && another == nullptr) return std::nullopt;
  const bool takes_first =
      first != nullptr && (another == nullptr || first_in_a_row_ < kFirstBeforeAnother);
  first_in_a_row_ = takes_first ? first_in_a_row_ + 1 : 0;
  if (takes_first) lane = kFirst;
  GroupNode& group = takes_first ? *first : *another;
  Unplace(group, lane);
  group.second.queued[lane].turn = next_turn_++;  // behind all others
  Entries::value_type& entry = *group.second.queued[lane].waiting.begin()->second;
  WithdrawAll(entry.second);
  entry.second.in_work = true;
  entry.second.is_other = !takes_first;
  if (entry.second.is_other) ++others_in_work_;
  ++group.second.in_work;
  for (std::size_t each = 0; each < kUrgencies; ++each) Place(group, each);
  return entry.first;
}

void DelayQueue::Done(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.in_work) return;
  Entry& entry = found->second;
  GroupNode& group = *entry.group;
  entry.in_work = false;
  if (std::exchange(entry.is_other, false)) --others_in_work_;
  --group.second.in_work;
  for (std::size_t lane = 0; lane < kUrgencies; ++lane) {
    if (entry.wishes[lane]) group.second.queued[lane].waiting.emplace(*entry.wishes[lane], &*found);
    Place(group, lane);
  }
  if (!entry.Wishes()) Erase(found);
}

void DelayQueue::Forget(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.Wishes()) return;
  WithdrawAll(found->second);
  if (!found->second.in_work) Erase(found);
}

void DelayQueue::Clear() {
  lanes_ = {};
  entries_.clear();
  groups_.clear();
  others_in_work_ = 0;
  wishing_ = 0;
  first_in_a_row_ = 0;
}

std::optional<DelayQueue::Time> DelayQueue::NextDue() const {
  std::optional<Time> next;
  for (std::size_t lane = 0; lane < kUrgencies; ++lane) {
    if (!IsOpen(lane)) continue;
    for (const auto* groups : {&lanes_[lane].later, &lanes_[lane].heads})
      if (!groups->empty() && (!next || groups->begin()->first.at < *next))
        next = groups->begin()->first.at;
  }
  return next;
}

std::size_t DelayQueue::Due(Time now) const {
  std::size_t due = 0;
  for (const GroupNode& group : groups_) {
    for (std::size_t lane = 0; lane < kUrgencies; ++lane) {
      for (const auto& [slot, entry] : group.second.queued[lane].waiting) {
        if (slot.at > now) break;
        const auto before = std::span{entry->second.wishes}.first(lane);
        const bool counted =
            std::ranges::any_of(before, [&](const auto& wish) { return wish && wish->at <= now; });
        if (!counted) ++due;
      }
    }
  }
  return due;
}

}  // namespace certpair::kube
