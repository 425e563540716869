#include "notify/mail_admission.hpp"

#include <algorithm>

#include "notify/system_key.hpp"

namespace certpair::notify {
namespace {

// A namespace may take this many times what it leaves free: the dynamic threshold of Choudhury and
// Hahne, for buffers that queues share.
constexpr std::size_t kShare = 3;
constexpr std::size_t kLeastInvited = 8;  // a namespace is called when an eighth is free for it

}  // namespace

std::size_t MailAdmission::FreePlaces(const Usage& usage) const {
  return capacity_ - std::min(capacity_, usage.all);
}

// As many as it may post, one after the other, before it has kShare times what is free.
std::size_t MailAdmission::RoomOf(const std::string& space, const Usage& usage) const {
  const std::size_t free = FreePlaces(usage);
  const std::size_t taken = usage.of(space);
  if (taken >= kShare * free) return 0;
  return (kShare * free - taken + kShare) / (kShare + 1);
}

std::size_t MailAdmission::Room(const std::string& key, const Usage& usage) {
  const std::string space = SpaceOf(key);
  invitations_.Arrive(space, key);
  const std::size_t room = RoomOf(space, usage);
  if (room == 0) invitations_.TurnAway(space, key);
  return room;
}

void MailAdmission::Evict(const std::string& key) { invitations_.Evict(SpaceOf(key), key); }

void MailAdmission::Forget(const std::string& key) { invitations_.Forget(SpaceOf(key), key); }

void MailAdmission::Invite(const Usage& usage) {
  const std::size_t free = FreePlaces(usage);
  const std::size_t least = capacity_ / kLeastInvited;
  invitations_.InviteTurnedAway(free, [&](const std::string& space) -> std::size_t {
    const std::size_t share = kShare * (free + usage.of(space)) / (kShare + 1);
    const std::size_t room = RoomOf(space, usage);
    return room >= least && room * 2 >= share ? room : 0;
  });
  if (usage.delayed * 4 <= most_delayed_ * 3)
    invitations_.InviteEvicted(most_delayed_ - usage.delayed);
}

}  // namespace certpair::notify
