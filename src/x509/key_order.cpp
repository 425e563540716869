#include "x509/key_order.hpp"

#include <algorithm>
#include <utility>

namespace certpair::x509 {

void KeyOrder::Ask(const std::string& owner, const std::string& group_name,
                   std::optional<sys_seconds> needed_by) {
  const sys_seconds by = needed_by.value_or(sys_seconds::max());
  const auto [found, is_new] = owners_.try_emplace(owner);
  Owner& entry = found->second;
  bool has_place = false;
  if (is_new) {
    Group& group = groups_.try_emplace(group_name).first->second;
    group.name = group_name;
    ++group.owners;
    entry = {.group = &group, .rank = {by, next_ticket_++}};
    has_place = group.inside + group.invited < limits_.of_group;
  } else {
    if (entry.place == Place::Begun) return;
    if (entry.place == Place::Queued && by >= entry.rank.needed_by) return;
    has_place = entry.place == Place::Queued || entry.group->inside < limits_.of_group;
    Withdraw(entry);
    entry.rank.needed_by = std::min(entry.rank.needed_by, by);
  }
  if (has_place) {
    Enter(owner, entry);
  } else {
    entry.place = Place::Outside;
    entry.group->outside.emplace(entry.rank, owner);
  }
}

bool KeyOrder::IsInside(const std::string& owner) const {
  const auto found = owners_.find(owner);
  return found != owners_.end() &&
         (found->second.place == Place::Queued || found->second.place == Place::Begun);
}

void KeyOrder::Enter(const std::string& owner, Owner& entry) {
  entry.place = Place::Queued;
  ++entry.group->inside;
  const std::size_t lane = entry.rank.Lane();
  entry.group->queued[lane].emplace(entry.rank, owner);
  Align(*entry.group, lane);
}

// Takes an owner out of where it stands; its group keeps it.
void KeyOrder::Withdraw(Owner& entry) {
  Group& group = *entry.group;
  switch (entry.place) {
    case Place::Outside:
      group.outside.erase(entry.rank);
      break;
    case Place::Invited:
      --group.invited;
      break;
    case Place::Queued:
      group.queued[entry.rank.Lane()].erase(entry.rank);
      Align(group, entry.rank.Lane());
      [[fallthrough]];
    case Place::Begun:
      --group.inside;
      break;
  }
}

// Puts the group where its first wish and the round say.
void KeyOrder::Align(Group& group, std::size_t lane) {
  Lane& all = lanes_[lane];
  std::optional<Turn>& turn = group.turns[lane];
  if (turn) all.turns.erase(*turn);
  turn.reset();
  if (group.queued[lane].empty()) return;
  const std::uint64_t round = all.round + (all.served.contains(group.name) ? 1 : 0);
  turn = Turn{round, group.queued[lane].begin()->first};
  all.turns.emplace(*turn, &group);
}

std::optional<std::string> KeyOrder::Next() {
  if (!HasNext()) return std::nullopt;
  const bool renews = !lanes_[kRenewals].Empty() &&
                      (lanes_[kOthers].Empty() || renewals_in_a_row_ < limits_.renewals_in_a_row);
  renewals_in_a_row_ = renews ? std::min(renewals_in_a_row_ + 1, limits_.renewals_in_a_row) : 0;
  const std::size_t lane = renews ? kRenewals : kOthers;
  Lane& all = lanes_[lane];
  const Turn turn = all.turns.begin()->first;
  Group& group = *all.turns.begin()->second;
  if (turn.round > all.round) {
    all.round = turn.round;
    all.served.clear();
  }
  all.served.insert(group.name);
  const auto first = group.queued[lane].begin();
  std::string owner = std::move(first->second);
  group.queued[lane].erase(first);
  owners_.at(owner).place = Place::Begun;
  Align(group, lane);
  return owner;
}

void KeyOrder::Leave(const std::string& owner) {
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return;
  Group& group = *found->second.group;
  Withdraw(found->second);
  owners_.erase(found);
  if (--group.owners == 0) {
    groups_.erase(groups_.find(group.name));
    return;
  }
  Invite(group);
}

void KeyOrder::Invite(Group& group) {
  while (!group.outside.empty() && group.inside + group.invited < limits_.of_group) {
    const auto first = group.outside.begin();
    owners_.at(first->second).place = Place::Invited;
    ++group.invited;
    invited_.push_back(std::move(first->second));
    group.outside.erase(first);
  }
}

std::vector<std::string> KeyOrder::Invited() { return std::exchange(invited_, {}); }

void KeyOrder::Clear() {
  owners_.clear();
  groups_.clear();
  lanes_ = {};
  invited_.clear();
  renewals_in_a_row_ = 0;
}

}  // namespace certpair::x509
