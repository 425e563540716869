#include "x509/key_order.hpp"

#include <algorithm>
#include <utility>

namespace certpair::x509 {

void KeyOrder::Ask(const std::string& owner, const std::string& group_name,
                   std::optional<sys_seconds> needed_by) {
  const sys_seconds by = needed_by.value_or(sys_seconds::max());
  const auto [found, is_new] = owners_.try_emplace(owner);
  Owner& entry = found->second;
  if (is_new) {
    Group& group = groups_.try_emplace(group_name).first->second;
    group.name = group_name;
    ++group.owners;
    entry = {.group = &group, .rank = {by, next_ticket_++}};
    const Part& part = group.parts[entry.rank.Lane()];
    return Admit(owner, entry, part.inside + part.invited < limits_.of_group);
  }
  if (entry.place == Place::Begun) return;
  if (entry.place == Place::Queued && by >= entry.rank.needed_by) return;
  const Place was = entry.place;
  const std::size_t lane = entry.rank.Lane();
  Withdraw(entry);
  entry.rank.needed_by = std::min(entry.rank.needed_by, by);
  const bool stays = was == Place::Queued && entry.rank.Lane() == lane;
  Admit(owner, entry, stays || entry.group->parts[entry.rank.Lane()].inside < limits_.of_group);
  Invite(*entry.group);
}

void KeyOrder::Admit(const std::string& owner, Owner& entry, bool has_place) {
  const std::size_t lane = entry.rank.Lane();
  Part& part = entry.group->parts[lane];
  if (!has_place) {
    entry.place = Place::Outside;
    part.outside.emplace(entry.rank, owner);
    return;
  }
  entry.place = Place::Queued;
  ++part.inside;
  part.queued.emplace(entry.rank, owner);
  Align(*entry.group, lane);
}

bool KeyOrder::IsInside(const std::string& owner) const {
  const auto found = owners_.find(owner);
  return found != owners_.end() &&
         (found->second.place == Place::Queued || found->second.place == Place::Begun);
}

// Takes an owner out of where it stands; its group keeps it.
void KeyOrder::Withdraw(Owner& entry) {
  const std::size_t lane = entry.rank.Lane();
  Part& part = entry.group->parts[lane];
  switch (entry.place) {
    case Place::Outside:
      part.outside.erase(entry.rank);
      break;
    case Place::Invited:
      --part.invited;
      break;
    case Place::Queued:
      part.queued.erase(entry.rank);
      Align(*entry.group, lane);
      [[fallthrough]];
    case Place::Begun:
      --part.inside;
      break;
  }
}

// Puts the group where its first wish and the round say.
void KeyOrder::Align(Group& group, std::size_t lane) {
  Lane& all = lanes_[lane];
  Part& part = group.parts[lane];
  std::optional<Turn>& turn = part.turn;
  if (turn) all.turns.erase(*turn);
  turn.reset();
  if (part.queued.empty()) return;
  const std::uint64_t round = all.round + (all.served.contains(group.name) ? 1 : 0);
  turn = Turn{round, part.queued.begin()->first};
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
  Ranked& queued = group.parts[lane].queued;
  const auto first = queued.begin();
  std::string owner = std::move(first->second);
  queued.erase(first);
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
  for (Part& part : group.parts) {
    while (!part.outside.empty() && part.inside + part.invited < limits_.of_group) {
      const auto first = part.outside.begin();
      owners_.at(first->second).place = Place::Invited;
      ++part.invited;
      invited_.push_back(std::move(first->second));
      part.outside.erase(first);
    }
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
