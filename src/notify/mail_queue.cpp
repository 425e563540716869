#include "notify/mail_queue.hpp"

#include <iterator>
#include <utility>

#include "notify/system_key.hpp"

namespace certpair::notify {
namespace {

using core::NoticeOutcome;

constexpr std::chrono::minutes kSweepInterval{1};

}  // namespace

MailQueue::MailQueue(const QueueSettings& settings, std::uint64_t seed)
    : settings_(settings),
      random_(seed),
      server_(Backoff{settings.first_probe, settings.last_probe}),
      rates_(settings.rates),
      window_(settings.in_flight),
      admission_(settings.capacity, settings.most_delayed) {}

MailAdmission::Usage MailQueue::Usage() const {
  return {.all = lanes_.Untried() + outcomes_.Count(),
          .of =
              [this](const std::string& space) {
                return lanes_.Untried(space) + outcomes_.CountOf(space);
              },
          .delayed = lanes_.Delayed()};
}

std::size_t MailQueue::Room(const std::string& system_key) {
  return admission_.Room(system_key, Usage());
}

bool MailQueue::Post(const std::string& system_key, core::Notice notice, Instant now) {
  if (mails_.contains(notice.id) || Room(system_key) == 0) return false;
  if (outcomes_.HasEnded(system_key, notice.id)) return false;
  std::string id = notice.id;
  const auto mail =
      mails_
          .try_emplace(
              std::move(id), system_key, std::move(notice),
              MailLanes::Place{
                  .space = SpaceOf(system_key), .order = next_order_++, .not_before = std::nullopt},
              Backoff{settings_.first_retry, settings_.last_retry}, settings_.give_up, now.wall)
          .first;
  lanes_.Add(mail->second.place, mail->first);
  if (server_.IsAway()) {
    mail->second.trouble.MeetAndReport(*server_.Trouble());
    ReportDelay(mail->second, now);
  }
  return true;
}

void MailQueue::Erase(Mails::iterator mail) {
  if (mail->first == sending_)
    sending_.clear();
  else
    lanes_.Remove(mail->second.place);
  mails_.erase(mail);
}

void MailQueue::Acknowledge(const std::string& system_key,
                            const std::vector<NoticeOutcome>& outcomes) {
  if (!outcomes_.Has(system_key)) return;
  for (const std::string& id : outcomes_.Acknowledge(system_key, outcomes)) window_.Leave(id);
  if (outcomes_.Has(system_key)) wakes_.Add(system_key);
  InviteWhereThereIsRoom();
}

void MailQueue::Withdraw(const std::string& system_key, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    const auto mail = mails_.find(id);
    if (mail == mails_.end() || mail->second.key != system_key || id == sending_) continue;
    Erase(mail);
  }
  InviteWhereThereIsRoom();
}

void MailQueue::Forget(const std::string& system_key) {
  for (auto mail = mails_.begin(); mail != mails_.end();) {
    const auto next = std::next(mail);
    if (mail->second.key == system_key) Erase(mail);  // the one being sent: Done finds nothing
    mail = next;
  }
  for (const std::string& id : outcomes_.Forget(system_key)) window_.Leave(id);
  admission_.Forget(system_key);
  wakes_.Forget(system_key);
  InviteWhereThereIsRoom();
}

void MailQueue::Sweep(Instant now) {
  if (swept_ && now.steady - *swept_ < kSweepInterval) return;
  swept_ = now.steady;
  admission_.StopExpecting();
  for (auto mail = mails_.begin(); mail != mails_.end();) {
    const auto next = std::next(mail);
    if (mail->second.over_rate && !server_.IsAway()) mail->second.PutOffGivingUp(now.wall);
    if (now.wall >= mail->second.gives_up && mail->first != sending_)
      End(mail, mail->second.GivenUp(now.wall), now);
    mail = next;
  }
  outcomes_.ForgetUnasked(now.steady);
  InviteWhereThereIsRoom();
}

std::size_t MailQueue::DropAll() {
  drops_sending_ = mails_.contains(sending_);
  const std::size_t kept = drops_sending_ ? 1 : 0;
  const std::size_t dropped = mails_.size() - kept;
  std::erase_if(mails_, [this](const auto& mail) { return mail.first != sending_; });
  lanes_.Clear();
  outcomes_.DropDelayed();
  kinds_.insert(kinds_.end(), dropped, NoticeOutcome::Kind::Dropped);
  admission_.Clear();
  return dropped;
}

std::vector<std::string> MailQueue::TakeWakes() {
  if (sending_.empty()) wakes_.Release();
  return wakes_.Take();
}

std::vector<NoticeOutcome::Kind> MailQueue::TakeKinds() { return std::exchange(kinds_, {}); }

}  // namespace certpair::notify
