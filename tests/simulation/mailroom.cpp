#include "simulation/mailroom.hpp"

#include <algorithm>
#include <utility>

namespace certpair::sim {

using Kind = core::NoticeOutcome::Kind;

namespace {

constexpr int kMostTries = 12;

}  // namespace

std::size_t Mailroom::Room(const std::string& system_key) {
  const std::size_t room = kCapacity - std::min(kCapacity, waiting_.size());
  if (room == 0) turned_away_.insert(system_key);
  return room;
}

bool Mailroom::Post(const std::string& system_key, core::Notice notice) {
  const std::string id = notice.id;
  const auto& known = outcomes_[system_key];
  if (waiting_.contains(id) ||
      std::ranges::find(known, id, &core::NoticeOutcome::id) != known.end())
    return false;
  if (Room(system_key) == 0) return false;
  waiting_.emplace(id, Letter{system_key, std::move(notice)});
  SendIn(world_.mail_delay ? world_.mail_delay() : World::Delay{0}, id);
  return true;
}

std::vector<core::NoticeOutcome> Mailroom::Outcomes(const std::string& system_key) {
  const auto found = outcomes_.find(system_key);
  return found == outcomes_.end() ? std::vector<core::NoticeOutcome>{} : found->second;
}

void Mailroom::Acknowledge(const std::string& system_key,
                           const std::vector<core::NoticeOutcome>& outcomes) {
  auto& known = outcomes_[system_key];
  std::erase_if(known, [&](const core::NoticeOutcome& outcome) {
    return std::ranges::find(outcomes, outcome) != outcomes.end();
  });
  if (known.empty()) outcomes_.erase(system_key);
}

void Mailroom::Withdraw(const std::string&, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) Leave(id);
}

void Mailroom::Forget(const std::string& system_key) {
  std::erase_if(waiting_, [&](const auto& letter) { return letter.second.key == system_key; });
  outcomes_.erase(system_key);
}

void Mailroom::SendIn(World::Delay delay, const std::string& id) {
  world_.In(delay, [this, id, alive = std::weak_ptr<int>{alive_}] {
    if (!alive.expired()) Send(id);
  });
}

void Mailroom::Send(const std::string& id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  const std::string key = found->second.key;
  const core::Notice notice = found->second.notice;
  switch (world_.mail_fault ? world_.mail_fault() : MailFault::None) {
    case MailFault::CrashBefore:
      return crash_();
    case MailFault::CrashAfter:
      world_.Accept(key, notice);
      return crash_();
    case MailFault::Delay:
      if (++found->second.tries < kMostTries) {
        Report(key, Kind::Delayed, id, "450 try again");
        return SendIn(std::chrono::minutes{10} * found->second.tries, id);
      }
      Leave(id);
      world_.GiveUp(key, notice);
      return Report(key, Kind::GivenUp, id, "tried for too long");
    case MailFault::None:
      break;
  }
  const bool refused = World::RefusesMailTo(notice.recipient.email);
  if (!refused) world_.Accept(key, notice);
  Leave(id);
  Report(key, refused ? Kind::Refused : Kind::Sent, id, refused ? "550 no such user" : "");
}

void Mailroom::Report(const std::string& key, Kind kind, const std::string& id, const char* words) {
  outcomes_[key].push_back({kind, id, words, std::chrono::floor<seconds>(world_.clock().Now())});
  wake_(key);
}

void Mailroom::Leave(const std::string& id) {
  waiting_.erase(id);
  for (const std::string& key : std::exchange(turned_away_, {})) wake_(key);
}

}  // namespace certpair::sim
