#include "notify/waiting_mail.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "notify/rate_limits.hpp"

namespace certpair::notify {
namespace {

using core::NoticeKind;

// A warning is of no help once the certificate has expired.
bool EndsWithCertificate(const core::Notice& notice, sys_seconds now) {
  const bool warns = notice.kind == NoticeKind::Expiring || notice.kind == NoticeKind::Failing ||
                     notice.kind == NoticeKind::Held;
  return warns && notice.active.not_after > now;
}

// Only of these two is the certificate attached.
core::Notice WithoutWhatIsNotSent(core::Notice notice) {
  if (notice.kind != NoticeKind::Renewed) notice.active.pem = {};
  if (notice.kind != NoticeKind::Held && notice.inactive) notice.inactive->pem = {};
  return notice;
}

}  // namespace

bool Trouble::Meet(const std::string& message, Steady now, RandomBits& random) {
  last_ = message;
  if (reported_ == message || now < silent_until_) return false;
  if (!reported_.empty()) silent_until_ = now + pauses_.Next(random());
  reported_ = message;
  return true;
}

WaitingMail::WaitingMail(std::string system_key, core::Notice its_notice,
                         MailLanes::Place its_place, const Backoff& its_pauses, seconds its_give_up,
                         sys_seconds now)
    : key(std::move(system_key)),
      notice(WithoutWhatIsNotSent(std::move(its_notice))),
      mailbox(MailboxOf(notice.recipient.email)),
      place(std::move(its_place)),
      pauses(its_pauses),
      trouble(its_pauses),
      give_up_(its_give_up),
      ends_with_certificate_(EndsWithCertificate(notice, now)) {
  gives_up = GivesUpAt(now);
}

sys_seconds WaitingMail::GivesUpAt(sys_seconds now) const {
  return ends_with_certificate_ ? std::min(now + give_up_, notice.active.not_after)
                                : now + give_up_;
}

core::NoticeOutcome WaitingMail::GivenUp(sys_seconds now) const {
  const std::string last = trouble.Last().empty() ? "its turn did not come" : trouble.Last();
  const bool ended = ends_with_certificate_ && now >= notice.active.not_after;
  return {.kind = core::NoticeOutcome::Kind::GivenUp,
          .message =
              ended
                  ? fmt::format("The certificate expired before the mail could be sent: {}", last)
                  : fmt::format("The mail was tried for {}: {}", DescribeDuration(give_up_), last),
          .certificate_ended = ended};
}

}  // namespace certpair::notify
