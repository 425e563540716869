#include "core/delivery.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

using Kind = NoticeOutcome::Kind;

constexpr std::size_t kMostNames = 5;
constexpr std::size_t kLongestWords = 300;
// It counts nothing, so that it stays as it is while mails come and go.
constexpr std::string_view kWaits = "Mail waits, and is tried again automatically.";

std::string NameOf(const Subscriber& subscriber) {
  return subscriber.display_name.empty() ? "a subscriber without a display name"
                                         : fmt::format("\"{}\"", subscriber.display_name);
}

std::string Words(const NoticeOutcome& outcome) {
  return std::string{CutUtf8(outcome.message, kLongestWords)};
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

// Subscribers whose latest mail failed, with how it did.
std::vector<std::pair<const Subscriber*, MailState>> NotTold(
    const View& view, const std::vector<const Subscriber*>& recipients, const MailBook& book) {
  std::vector<std::pair<const Subscriber*, MailState>> failed;
  const auto entries = book.Entries();
  if (std::ranges::none_of(entries, [](const MailEntry* e) { return Failed(*e); })) return failed;
  const Addressees addressees(view, recipients, book);
  for (const MailEntry* entry : entries) {
    const Subscriber* who = addressees.Find(entry->id);
    if (who == nullptr || entry->state == MailState::Due) continue;
    std::erase_if(failed, [&](const auto& one) { return one.first == who; });
    if (Failed(*entry)) failed.emplace_back(who, entry->state);
  }
  return failed;
}

// What the condition says at present of mails that failed and, after that, of those that wait.
struct SaidBefore {
  explicit SaidBefore(const View& view) {
    const Condition* was = view.o.status.Find(condition::kNotificationsDelivered);
    if (was == nullptr) return;
    const std::size_t waits = std::min(was->message.find(kWaits), was->message.size());
    delayed = was->message.substr(waits);
    failed = was->message.substr(0, waits);
    if (failed.ends_with(' ')) failed.pop_back();
  }
  std::string failed;
  std::string delayed;
};

// What the server said, where this pass knows it; else what was said of the same before.
std::string Remember(const View& view, const std::string& before, const std::string& text,
                     std::initializer_list<Kind> kinds) {
  const NoticeOutcome* last = nullptr;
  for (const NoticeOutcome& outcome : view.o.mail.outcomes) {
    if (std::ranges::find(kinds, outcome.kind) != kinds.end()) last = &outcome;
  }
  if (last && !last->message.empty()) return text + " " + Words(*last);
  return before.starts_with(text) ? before : text;
}

Statement Say(ConditionStatus status, std::string_view reason, std::string message) {
  return {condition::kNotificationsDelivered, status, reason, std::move(message)};
}

std::string Count(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// `waits`: what is to be said of others that wait; empty: nothing.
Statement SayFailed(const View& view, const std::string& before,
                    const std::vector<std::pair<const Subscriber*, MailState>>& failed,
                    std::size_t subscribers, const std::string& waits) {
  std::string names;
  for (std::size_t n = 0; n < std::min(failed.size(), kMostNames); ++n) {
    names += fmt::format("{}{} ({})", n == 0 ? "" : ", ", NameOf(*failed[n].first),
                         failed[n].second == MailState::Refused ? "refused" : "given up");
  }
  if (failed.size() > kMostNames) names += fmt::format(" and {} more", failed.size() - kMostNames);
  const bool refused =
      std::ranges::any_of(failed, [](const auto& f) { return f.second == MailState::Refused; });
  const std::string_view reason = refused ? reason::kRecipientRefused : reason::kMailGivenUp;
  std::string text = fmt::format("The last mail did not reach {} of {}: {}.", failed.size(),
                                 Count(subscribers, "subscriber", "subscribers"), names);
  std::string message = Remember(view, before, text, {Kind::Refused, Kind::GivenUp});
  if (!waits.empty()) message += " " + waits;
  return Say(ConditionStatus::False, reason, std::move(message));
}

// Empty: nothing waits for the server, as far as is known.
std::string WordsOfDelay(const View& view, const std::string& before) {
  const auto is = [](Kind kind) {
    return [kind](const NoticeOutcome& outcome) { return outcome.kind == kind; };
  };
  const auto& outcomes = view.o.mail.outcomes;
  const bool delayed = std::ranges::any_of(outcomes, is(Kind::Delayed));
  const bool still = !before.empty() && std::ranges::none_of(outcomes, is(Kind::Sent));
  if (!delayed && !still) return "";
  return Remember(view, before, std::string{kWaits}, {Kind::Delayed});
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
    events.push_back(
        {true, std::string(reason),
         fmt::format("A mail to {} {}: {}", who ? NameOf(*who) : "somebody who unsubscribed", what,
                     Words(outcome))});
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

std::optional<Statement> SayDelivered(const View& view,
                                      const std::vector<const Subscriber*>& recipients,
                                      const MailBook& book) {
  if (recipients.empty()) {
    const bool said = view.o.status.Find(condition::kNotificationsDelivered) != nullptr;
    if (!said) return std::nullopt;
    return Say(ConditionStatus::True, reason::kNoSubscribers, "Nobody is subscribed.");
  }
  if (!view.o.installation.mail_configured) {
    return Say(
        ConditionStatus::False, reason::kMailNotConfigured,
        fmt::format("This operator sends no mail, so {} not told. The conditions, the Events "
                    "and the metrics tell the same.",
                    recipients.size() == 1
                        ? "the subscriber is"
                        : fmt::format("the {} subscribers are", recipients.size())));
  }
  const auto entries = book.Entries();
  const auto due = std::ranges::count(entries, MailState::Due, &MailEntry::state);
  const SaidBefore before(view);
  const std::string waits = due > 0 ? WordsOfDelay(view, before.delayed) : "";
  const auto failed = NotTold(view, recipients, book);
  if (!failed.empty()) return SayFailed(view, before.failed, failed, recipients.size(), waits);
  if (!waits.empty()) return Say(ConditionStatus::False, reason::kMailDelayed, waits);
  if (due > 0) {
    return Say(ConditionStatus::Unknown, reason::kMailSending,
               "Mail is on its way to the mail server.");
  }
  return Say(ConditionStatus::True, reason::kDelivered, "Every mail that was due was sent.");
}

}  // namespace certpair::core
