#include "core/delivery.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/plain_text.hpp"
#include "base/utf8.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

using Kind = NoticeOutcome::Kind;

constexpr std::size_t kMostNames = 5;
constexpr std::size_t kLongestWords = 300;
// It counts nothing, so that it stays as it is while mails come and go.
constexpr std::string_view kWaits = "Mail is delayed and retried automatically.";

std::string NameOf(const Subscriber& subscriber) {
  return subscriber.display_name.empty() ? "a subscriber without a display name"
                                         : fmt::format("\"{}\"", subscriber.display_name);
}

std::string Words(const NoticeOutcome& outcome) {
  return std::string{CutUtf8(PlainText(outcome.message), kLongestWords)};
}

// The ledger names recipients by hash: this finds them again.
class Addressees {
 public:
  Addressees(const View& view, const std::vector<const Subscriber*>& recipients,
             const MailBook& book) {
    const auto entries = book.Entries();
    for (const Certificate* certificate : {view.active, view.inactive}) {
      if (!certificate) continue;
      const NoticeIds ids(view.o.identity.uid, certificate->fingerprint);
      std::set<std::string_view> thresholds;
      for (const MailEntry* entry : entries) {
        if (!IsShortOf(entry->certificate, certificate->fingerprint)) continue;
        if (!thresholds.insert(entry->threshold).second) continue;
        for (const Subscriber* recipient : recipients)
          by_id_.emplace(ids.Of(entry->threshold, recipient->email), recipient);
      }
    }
  }
  [[nodiscard]] const Subscriber* Find(std::string_view id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
  }

 private:
  std::map<std::string, const Subscriber*, std::less<>> by_id_;
};

bool Failed(const MailEntry& entry) {
  return entry.state == MailState::Refused || entry.state == MailState::GivenUp;
}

// A subscriber whose latest mail failed.
struct Failure {
  const Subscriber* who = nullptr;
  MailState state = MailState::GivenUp;
  std::string_view id;
};

std::vector<Failure> NotTold(const View& view, const std::vector<const Subscriber*>& recipients,
                             const MailBook& book) {
  std::vector<Failure> failed;
  const auto entries = book.Entries();
  if (std::ranges::none_of(entries, [](const MailEntry* e) { return Failed(*e); })) return failed;
  const Addressees addressees(view, recipients, book);
  for (const MailEntry* entry : entries) {
    const Subscriber* who = addressees.Find(entry->id);
    if (who == nullptr || entry->state == MailState::Due) continue;
    std::erase_if(failed, [&](const Failure& one) { return one.who == who; });
    if (Failed(*entry)) failed.push_back({who, entry->state, entry->id});
  }
  return failed;
}

const NoticeOutcome* LastOf(const View& view, std::initializer_list<Kind> kinds) {
  const NoticeOutcome* last = nullptr;
  for (const NoticeOutcome& outcome : view.o.mail.outcomes) {
    if (std::ranges::find(kinds, outcome.kind) != kinds.end()) last = &outcome;
  }
  return last;
}

Statement Say(ConditionStatus status, std::string_view reason, std::string message) {
  return {condition::kNotificationsDelivered, status, reason, std::move(message)};
}

std::string Count(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string WithWords(std::string text, const ServerReply& reply) {
  return reply.words.empty() ? text : text + " " + reply.words;
}

// `delay`: of other mails that wait.
Statement SayFailed(const std::vector<Failure>& failed, std::size_t subscribers,
                    const NotificationLedger& ledger) {
  std::string names;
  for (std::size_t n = 0; n < std::min(failed.size(), kMostNames); ++n) {
    names += fmt::format("{}{} ({})", n == 0 ? "" : ", ", NameOf(*failed[n].who),
                         failed[n].state == MailState::Refused ? "refused" : "given up");
  }
  if (failed.size() > kMostNames) names += fmt::format(" and {} more", failed.size() - kMostNames);
  const bool refused =
      std::ranges::find(failed, MailState::Refused, &Failure::state) != failed.end();
  const std::string_view reason = refused ? reason::kRecipientRefused : reason::kMailGivenUp;
  std::string text = fmt::format("The last mail did not reach {} of {}: {}.", failed.size(),
                                 Count(subscribers, "subscriber", "subscribers"), names);
  std::string message = WithWords(std::move(text), ledger.failure.value_or(ServerReply{}));
  if (ledger.delay) message += " " + WithWords(std::string{kWaits}, *ledger.delay);
  return Say(ConditionStatus::False, reason, std::move(message));
}

// What the server said of the last mail that failed: kept while that mail is one of `failed`.
std::optional<ServerReply> ReplyToFailed(const View& view, const std::vector<Failure>& failed) {
  const auto counts = [&](const std::string& id) {
    return std::ranges::find(failed, std::string_view{id}, &Failure::id) != failed.end();
  };
  const NoticeOutcome* last = LastOf(view, {Kind::Refused, Kind::GivenUp});
  if (last && counts(last->id)) return ServerReply{last->id, Words(*last)};
  const auto& before = view.o.status.ledger.failure;
  return before && counts(before->notice_id) ? before : std::nullopt;
}

// What the server said of mail that waits. Once it takes a mail, the delay is over.
std::optional<ServerReply> ReplyToWaiting(const View& view) {
  const NoticeOutcome* delayed = LastOf(view, {Kind::Delayed});
  if (delayed) return ServerReply{"", Words(*delayed)};
  return LastOf(view, {Kind::Sent}) ? std::nullopt : view.o.status.ledger.delay;
}

bool IsAnyDue(const MailBook& book) {
  return std::ranges::any_of(book.Entries(),
                             [](const MailEntry* entry) { return entry->state == MailState::Due; });
}

}  // namespace

void Settle(const View& view, const std::vector<const Subscriber*>& recipients, MailBook& book,
            std::vector<EventNotice>& events) {
  if (view.o.mail.outcomes.empty()) return;
  const Addressees addressees(view, recipients, book);
  const auto tell = [&](const NoticeOutcome& outcome, std::string_view reason,
                        std::string_view what) {
    const Subscriber* who = addressees.Find(outcome.id);
    const bool said = std::ranges::find(events, reason, &EventNotice::reason) != events.end();
    if (said) return;  // one for a pass: the condition counts
    events.push_back({true, std::string(reason),
                      fmt::format("A mail to {} {}: {}", who ? NameOf(*who) : "a former subscriber",
                                  what, Words(outcome))});
  };
  for (const NoticeOutcome& outcome : view.o.mail.outcomes) {
    if (outcome.kind == Kind::Sent) book.Settle(outcome.id, MailState::Sent);
    if (outcome.kind == Kind::Refused && book.Settle(outcome.id, MailState::Refused)) {
      tell(outcome, reason::kRecipientRefused, "was refused");
    }
    // A warning that waited until the end of what it warned of stays due, and goes out as the news
    // that the certificate has ended.
    if (outcome.kind == Kind::GivenUp && !outcome.certificate_ended &&
        book.Settle(outcome.id, MailState::GivenUp)) {
      tell(outcome, reason::kMailGivenUp, "was given up");
    }
  }
}

void NoteReplies(const View& view, const std::vector<const Subscriber*>& recipients,
                 const MailBook& book, NotificationLedger& ledger) {
  ledger.failure.reset();
  ledger.delay.reset();
  if (recipients.empty() || !view.o.installation.mail_configured) return;
  ledger.failure = ReplyToFailed(view, NotTold(view, recipients, book));
  if (IsAnyDue(book)) ledger.delay = ReplyToWaiting(view);
}

std::optional<Statement> SayDelivered(const View& view,
                                      const std::vector<const Subscriber*>& recipients,
                                      const MailBook& book, const NotificationLedger& ledger) {
  if (recipients.empty()) {
    const bool said = view.o.status.Find(condition::kNotificationsDelivered) != nullptr;
    if (!said) return std::nullopt;
    return Say(ConditionStatus::True, reason::kNoSubscribers, "The system has no subscribers.");
  }
  if (!view.o.installation.mail_configured) {
    return Say(ConditionStatus::False, reason::kMailNotConfigured,
               fmt::format("This operator sends no mail, so {} not notified. Conditions, Events "
                           "and metrics say the same.",
                           recipients.size() == 1
                               ? "the subscriber is"
                               : fmt::format("the {} subscribers are", recipients.size())));
  }
  const auto failed = NotTold(view, recipients, book);
  if (!failed.empty()) return SayFailed(failed, recipients.size(), ledger);
  if (ledger.delay) {
    return Say(ConditionStatus::False, reason::kMailDelayed,
               WithWords(std::string{kWaits}, *ledger.delay));
  }
  if (IsAnyDue(book)) {
    return Say(ConditionStatus::Unknown, reason::kMailSending, "Mail is being sent.");
  }
  return Say(ConditionStatus::True, reason::kDelivered, "All mail that was due was sent.");
}

}  // namespace certpair::core
