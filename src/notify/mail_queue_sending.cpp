// When a mail goes, and what follows from its delivery.
#include <utility>

#include "notify/mail_queue.hpp"

namespace certpair::notify {
namespace {

using core::NoticeOutcome;

// A shorter wait for a rate is not worth a write of a status.
constexpr std::chrono::seconds kWorthReporting{5};

}  // namespace

// Where the mailbox may get no mail now, the system is told so.
std::optional<MailQueue::Steady> MailQueue::MailboxOpens(const std::string& id, Instant now) {
  WaitingMail& mail = mails_.at(id);
  const auto opens = rates_.OpensForMailbox(mail.mailbox, now.steady);
  if (!opens) return std::nullopt;
  mail.place.not_before = opens;
  if (mail.place.delayed || mail.over_rate) return opens;  // its trouble is reported already
  mail.over_rate = true;
  if (mail.trouble.Meet(rates_.WhyMailboxWaits(), now.steady, random_)) ReportDelay(mail, now);
  return opens;
}

// Of the mails that were not tried yet; of all namespaces, or of these.
void MailQueue::ReportOverRate(const std::set<std::string>* spaces, const std::string& message,
                               Instant now) {
  if (spaces && spaces->empty()) return;
  for (auto& [id, mail] : mails_) {
    if (mail.place.delayed || (spaces && !spaces->contains(mail.place.space))) continue;
    mail.over_rate = true;
    if (mail.trouble.Meet(message, now.steady, random_)) ReportDelay(mail, now);
  }
}

// What holds all mails back; nothing: one may go.
std::optional<MailQueue::Steady> MailQueue::AllMayGo(Instant now) {
  if (const auto opens = server_.Opens(now.steady)) return opens;
  if (const auto opens = rates_.OpensForAll(now.steady)) {
    if (*opens - now.steady >= kWorthReporting) ReportOverRate(nullptr, rates_.WhyAllWait(), now);
    return opens;
  }
  return window_.Opens(now.steady);
}

std::variant<MailQueue::Send, MailQueue::Rest> MailQueue::Next(Instant now) {
  Sweep(now);
  if (mails_.empty()) return Rest{};
  if (const auto opens = AllMayGo(now)) return Rest{opens};
  std::set<std::string> over_rate;
  const auto space_opens = [&](const std::string& space) {
    const auto opens = rates_.OpensForSpace(space, now.steady);
    if (opens && *opens - now.steady >= kWorthReporting) over_rate.insert(space);
    return opens ? opens : window_.OpensFor(space, lanes_.AnotherWaits(space), now.steady);
  };
  const auto choice = lanes_.Choose(
      now.steady,
      {.space = space_opens, .mail = [&](const std::string& id) { return MailboxOpens(id, now); }});
  ReportOverRate(&over_rate, rates_.WhySpaceWaits(), now);
  if (choice.id.empty()) return Rest{choice.until};
  const WaitingMail& mail = mails_.at(choice.id);
  sending_ = choice.id;
  wakes_.Hold(mail.key, now.steady);
  rates_.Take(mail.place.space, mail.mailbox, now.steady);
  window_.Begin(mail.place.space, now.steady);
  return Send{mail.notice};
}

void MailQueue::Done(const Delivery& delivery, Instant now) {
  auto mail = mails_.find(sending_);
  const bool ended = delivery.verdict == Verdict::Sent || delivery.verdict == Verdict::Refused;
  if (std::exchange(drops_sending_, false) && mail != mails_.end() && !ended) {
    kinds_.push_back(NoticeOutcome::Kind::Dropped);
    wakes_.Add(mail->second.key);  // this process may lead again, and a pass waited for it
    Erase(mail);
    mail = mails_.end();
  }
  if (!ended || mail == mails_.end()) sending_.clear();
  const bool answered =
      delivery.verdict != Verdict::DelayedAll && delivery.verdict != Verdict::Stopped;
  if (answered && server_.IsAway()) server_.Answers();
  if (!answered && mail != mails_.end())
    rates_.GiveBack(mail->second.place.space, mail->second.mailbox);
  if (mail != mails_.end())
    React(mail, delivery, now);
  else if (delivery.verdict == Verdict::DelayedAll)
    DelayAll(mails_.end(), delivery.message, now);
  InviteWhereThereIsRoom();
}

void MailQueue::React(Mails::iterator mail, const Delivery& delivery, Instant now) {
  switch (delivery.verdict) {
    case Verdict::Sent:
      return End(mail, {.kind = NoticeOutcome::Kind::Sent}, now);
    case Verdict::Refused:
      return End(mail, {.kind = NoticeOutcome::Kind::Refused, .message = delivery.message}, now);
    case Verdict::DelayedAlone:
      return DelayAlone(mail, delivery.message, now);
    case Verdict::DelayedAll:
      return DelayAll(mail, delivery.message, now);
    case Verdict::Stopped:
      return lanes_.Add(mail->second.place, mail->first);
  }
}

void MailQueue::End(Mails::iterator mail, NoticeOutcome outcome, Instant now) {
  Report(mail->second, std::move(outcome), now);
  Erase(mail);
}

void MailQueue::DelayAlone(Mails::iterator at, const std::string& message, Instant now) {
  WaitingMail& mail = at->second;
  mail.place.not_before = now.steady + mail.pauses.Next(random_());
  mail.place.delayed = true;
  mail.over_rate = false;
  lanes_.Add(mail.place, at->first);
  mail.trouble.MeetAndReport(message);
  ReportDelay(mail, now);
  if (admission_.HasTooManyDelayed(lanes_.Delayed())) EvictOne();
}

// The namespace with the most delayed mails loses the one that would be tried last. Its system
// keeps the mail as due, and posts it again when it is called, which is when there is room for
// delayed mails: a mail that came back sooner would be tried without end.
void MailQueue::EvictOne() {
  const auto mail = mails_.find(lanes_.LastDelayed());
  admission_.Evict(mail->second.key);
  Erase(mail);
}

// The trouble of all that wait. The mail itself goes behind the others, so that the next probe is
// made with another one: it may be this mail alone that the server fails at.
void MailQueue::DelayAll(Mails::iterator at, const std::string& message, Instant now) {
  if (at != mails_.end()) {
    WaitingMail& mail = at->second;
    mail.place.order = next_order_++;
    if (mail.place.delayed) mail.place.not_before = now.steady + mail.pauses.Next(random_());
    lanes_.Add(mail.place, at->first);
  }
  server_.Fails(message, now.steady, random_);
  for (auto& [id, waiting] : mails_) {
    waiting.over_rate = false;
    if (waiting.trouble.Meet(message, now.steady, random_)) ReportDelay(waiting, now);
  }
}

void MailQueue::Report(const WaitingMail& mail, NoticeOutcome outcome, Instant now) {
  outcome.id = mail.notice.id;
  outcome.at = now.wall;
  kinds_.push_back(outcome.kind);
  if (outcome.kind != NoticeOutcome::Kind::Delayed)
    window_.Enter(outcome.id, mail.place.space, now.steady);
  outcomes_.Add(mail.key, std::move(outcome));
  wakes_.Add(mail.key);
}

void MailQueue::ReportDelay(const WaitingMail& mail, Instant now) {
  Report(mail, {.kind = NoticeOutcome::Kind::Delayed, .message = mail.trouble.Last()}, now);
}

}  // namespace certpair::notify
