#include "notify/mail_lanes.hpp"

#include <algorithm>
#include <vector>

namespace certpair::notify {
namespace {

constexpr int kUntriedBeforeAnother = 10;  // so that neither first nor further tries starve

void TakeEarlier(std::optional<MailLanes::Steady>& least,
                 const std::optional<MailLanes::Steady>& other) {
  if (other && (!least || *other < *least)) least = other;
}

}  // namespace

void MailLanes::Add(const Place& place, const std::string& id) {
  const auto [at, is_new] = lanes_.try_emplace(place.space);
  Lane& lane = at->second;
  if (is_new) lane.turn = next_turn_++;
  ++(place.delayed ? delayed_ : untried_);
  if (!place.not_before)
    lane.fresh.emplace(place.order, id);
  else
    (place.delayed ? lane.delayed : lane.held)
        .emplace(std::pair{*place.not_before, place.order}, id);
}

void MailLanes::Remove(const Place& place) {
  const auto at = lanes_.find(place.space);
  if (at == lanes_.end()) return;
  Lane& lane = at->second;
  const std::size_t gone = !place.not_before
                               ? lane.fresh.erase(place.order)
                               : (place.delayed ? lane.delayed : lane.held)
                                     .erase(std::pair{*place.not_before, place.order});
  (place.delayed ? delayed_ : untried_) -= gone;
  if (lane.Empty()) lanes_.erase(at);
}

std::size_t MailLanes::Untried(const std::string& space) const {
  const auto at = lanes_.find(space);
  return at == lanes_.end() ? 0 : at->second.fresh.size() + at->second.held.size();
}

bool MailLanes::AnotherWaits(const std::string& space) const {
  return std::ranges::any_of(lanes_, [&](const auto& lane) {
    return lane.first != space && !(lane.second.fresh.empty() && lane.second.held.empty());
  });
}

const std::string& MailLanes::LastDelayed() const {
  const auto most = std::ranges::max_element(
      lanes_, {}, [](const auto& lane) { return lane.second.delayed.size(); });
  return most->second.delayed.rbegin()->second;
}

// What is next in a lane, whatever the rates say.
std::optional<MailLanes::Place> MailLanes::Head(const std::string& space, Lane& lane, Steady now) {
  const auto due = [now](const Timed& mails) {
    return !mails.empty() && mails.begin()->first.first <= now;
  };
  const auto place_of = [&](const Timed& mails, bool delayed) {
    const auto& [time, order] = mails.begin()->first;
    return Place{space, order, time, delayed};
  };
  const bool untried = due(lane.held) || !lane.fresh.empty();
  if (due(lane.delayed) && (!untried || lane.untried_in_a_row >= kUntriedBeforeAnother))
    return place_of(lane.delayed, true);
  if (due(lane.held)) return place_of(lane.held, false);
  if (lane.fresh.empty()) return std::nullopt;
  return Place{space, lane.fresh.begin()->first, std::nullopt, false};
}

std::optional<MailLanes::Steady> MailLanes::Soonest(const Lane& lane) {
  std::optional<Steady> soonest;
  for (const Timed* mails : {&lane.held, &lane.delayed})
    if (!mails->empty()) TakeEarlier(soonest, mails->begin()->first.first);
  return soonest;
}

const std::string& MailLanes::IdAt(const Lane& lane, const Place& place) {
  if (!place.not_before) return lane.fresh.at(place.order);
  return (place.delayed ? lane.delayed : lane.held).at({*place.not_before, place.order});
}

// Ends: each mail that may not go now moves to a later time.
std::string MailLanes::ChooseFrom(const std::string& space, Lane& lane, Steady now,
                                  const Gates& gates) {
  while (auto place = Head(space, lane, now)) {
    std::string id = IdAt(lane, *place);
    const auto opens = gates.mail(id);
    if (!opens) {
      lane.untried_in_a_row = place->delayed ? 0 : lane.untried_in_a_row + 1;
      lane.turn = next_turn_++;
      Remove(*place);  // and the lane with it, if it was the last
      return id;
    }
    if (!place->not_before)
      lane.fresh.erase(place->order);
    else
      (place->delayed ? lane.delayed : lane.held).erase({*place->not_before, place->order});
    (place->delayed ? lane.delayed : lane.held).emplace(std::pair{*opens, place->order}, id);
  }
  return {};
}

MailLanes::Choice MailLanes::Choose(Steady now, const Gates& gates) {
  std::vector<std::pair<std::uint64_t, std::string>> turns;
  turns.reserve(lanes_.size());
  for (const auto& [space, lane] : lanes_) turns.emplace_back(lane.turn, space);
  std::ranges::sort(turns);
  Choice choice;
  for (const auto& [turn, space] : turns) {
    Lane& lane = lanes_.at(space);
    const auto soonest = Soonest(lane);
    const bool ready = !lane.fresh.empty() || (soonest && *soonest <= now);
    if (!ready) {
      TakeEarlier(choice.until, soonest);
      continue;
    }
    if (const auto opens = gates.space(space)) {
      TakeEarlier(choice.until, opens);
      continue;
    }
    choice.id = ChooseFrom(space, lane, now, gates);
    if (!choice.id.empty()) return choice;
    TakeEarlier(choice.until, Soonest(lane));
  }
  return choice;
}

}  // namespace certpair::notify
