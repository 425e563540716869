#include "notify/invitations.hpp"

#include <utility>

namespace certpair::notify {
namespace {

constexpr std::size_t kMostSystems = 100'000;

}  // namespace

void Invitations::Add(Crowd& crowd, const std::string& space, const std::string& key) {
  if (crowd.size < kMostSystems && crowd.by_space[space].insert(key).second) ++crowd.size;
}

void Invitations::Remove(Crowd& crowd, const std::string& space, const std::string& key) {
  const auto at = crowd.by_space.find(space);
  if (at == crowd.by_space.end()) return;
  crowd.size -= at->second.erase(key);
  if (at->second.empty()) crowd.by_space.erase(at);
}

void Invitations::TurnAway(const std::string& space, const std::string& key) {
  Add(turned_away_, space, key);
}

void Invitations::Evict(const std::string& space, const std::string& key) {
  Add(evicted_, space, key);
}

void Invitations::Arrive(const std::string& space, const std::string& key) {
  Remove(expected_, space, key);
}

void Invitations::Forget(const std::string& space, const std::string& key) {
  for (Crowd* crowd : {&turned_away_, &evicted_, &expected_}) Remove(*crowd, space, key);
}

void Invitations::StopExpecting() { expected_ = {}; }

void Invitations::Clear() { turned_away_ = evicted_ = expected_ = {}; }

// One of the next namespace in turn that has room for one more.
bool Invitations::InviteOne(Crowd& crowd,
                            const std::function<std::size_t(const std::string&)>& room_of) {
  auto at = crowd.by_space.upper_bound(crowd.last);
  for (std::size_t n = crowd.by_space.size(); n > 0; --n, ++at) {
    if (at == crowd.by_space.end()) at = crowd.by_space.begin();
    const auto called = expected_.by_space.find(at->first);
    const std::size_t called_already =
        called == expected_.by_space.end() ? 0 : called->second.size();
    if (room_of && room_of(at->first) <= called_already) continue;
    crowd.last = at->first;
    const std::string key = *at->second.begin();
    Remove(crowd, crowd.last, key);
    const std::size_t before = expected_.size;
    Add(expected_, crowd.last, key);
    if (expected_.size > before) invited_.push_back(key);
    return true;
  }
  return false;
}

void Invitations::InviteTurnedAway(std::size_t places,
                                   const std::function<std::size_t(const std::string&)>& room_of) {
  while (expected_.size < places && InviteOne(turned_away_, room_of)) {
  }
}

void Invitations::InviteEvicted(std::size_t places) {
  while (expected_.size < places && InviteOne(evicted_, {})) {
  }
}

std::vector<std::string> Invitations::Take() { return std::exchange(invited_, {}); }

}  // namespace certpair::notify
