#include "simulation/mail_witness.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "core/schedule.hpp"
#include "simulation/trace.hpp"

namespace certpair::sim {
namespace {

using core::NoticeKind;
using reconcile::StoredSystem;
using std::chrono::hours;
using std::chrono::minutes;

// Until a pass has seen what is new, back-off and slow watch included.
constexpr minutes kToNotice{20};
// Until everybody has theirs: the mail server puts some off, again and again.
constexpr hours kToArrive{30};

std::string Fold(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

const std::string& About(const core::Notice& notice) {
  return notice.kind == NoticeKind::Held ? notice.inactive->fingerprint : notice.active.fingerprint;
}

std::string TupleOf(const std::string& uid, const std::string& fingerprint,
                    const std::string& threshold, const std::string& email) {
  return uid + "|" + fingerprint + "|" + threshold + "|" + Fold(email);
}

std::string TupleOf(const core::Notice& notice) {
  return TupleOf(notice.system_uid, About(notice), notice.threshold, notice.recipient.email);
}

// What the ledger has of a mail; nullptr: nothing.
const core::MailEntry* EntryOf(const StoredSystem& system, const std::string& id) {
  for (const core::LedgerEntry& entry : system.status.ledger.entries) {
    const auto* mail = std::get_if<core::MailEntry>(&entry);
    if (mail != nullptr && mail->id == id) return mail;
  }
  return nullptr;
}

bool IsHeldForGood(const core::SystemSpec& spec) {
  return spec.peer_matching == core::PeerMatching::Fingerprint &&
         spec.at_expiry == core::AtExpiry::Hold;
}

// Of those that fit into the life, the ones that have passed; the most urgent last.
std::vector<seconds> Passed(const core::SystemSpec& spec, const core::Certificate& active,
                            sys_seconds now) {
  std::vector<seconds> passed;
  const seconds life = core::ServiceLife(spec, active);
  std::vector<seconds> fitting = spec.warn_before;
  std::erase_if(fitting, [&](seconds t) { return t >= life; });
  if (fitting.empty() && !spec.warn_before.empty()) fitting = {life / 3};
  std::ranges::sort(fitting, std::greater<>{});
  for (const seconds t : fitting)
    if (now >= active.not_after - t) passed.push_back(t);
  return passed;
}

}  // namespace

void MailWitness::Changed(const std::string& key) {
  Account& account = accounts_[key];
  account.changed_at = stage_.world.Now();
  const auto system = stage_.world.LiveSystem(key);
  std::set<std::string> now;
  if (system)
    for (const auto& subscriber : system->spec.subscribers) now.insert(Fold(subscriber.email));
  for (const std::string& email : now) account.subscribed.emplace(email, stage_.world.Now());
  std::erase_if(account.subscribed, [&](const auto& entry) {
    if (now.contains(entry.first)) return false;
    account.unsubscribed[entry.first] = stage_.world.Now();
    return true;
  });
  for (Expected& expected : account.expected)
    std::erase_if(expected.recipients, [&](const auto& email) { return !now.contains(email); });
}

void MailWitness::ForgetLedger(const std::string& key) {
  Account& account = accounts_[key];
  ++account.edits;
  account.edited_at = stage_.world.Now();
  account.expected.clear();
  Changed(key);
}

void MailWitness::Renewed(const std::string& key, const std::string& fingerprint, bool for_sure) {
  Account& account = accounts_[key];
  account.renewed.insert(fingerprint);
  account.expected.clear();
  // A system that has just taken over what another left has no past that it could tell of.
  if (!for_sure || stage_.world.Now() < court_.excused_until(key) + kToNotice) return;
  // There and back within a moment, as far as anybody could see: nothing has changed to tell of.
  const auto system = stage_.world.LiveSystem(key);
  const auto& shown = system->status.active;
  if (shown && shown->fingerprint == fingerprint) return;
  Expected expected{fingerprint, stage_.world.Now(), {}};
  for (const auto& [email, since] : account.subscribed)
    if (stage_.world.Now() - since > kToNotice) expected.recipients.insert(email);
  account.expected.push_back(std::move(expected));
}

void MailWitness::Mailed(const std::string& key, const core::Notice& notice) {
  ++counts_.mails;
  Trace(stage_.world.TrueNow(), key, "mail {} {} about {} to {} ({})",
        static_cast<int>(notice.kind), notice.threshold, About(notice).substr(0, 11),
        notice.recipient.email, notice.id);
  Account& account = accounts_[key];
  JudgeOnce(key, notice, account);
  const auto system = stage_.world.LiveSystem(key);
  // Of one that was replaced under its name: nobody can tell of its past any more.
  if (!system || system->identity.uid != notice.system_uid) return;
  JudgeLedger(key, notice, account);
  JudgeTruth(key, notice, account);
}

void MailWitness::GivenUp(const std::string& key, const core::Notice& notice) {
  Trace(stage_.world.TrueNow(), key, "given up {} to {}", notice.threshold, notice.recipient.email);
  accounts_[key].given_up.insert(TupleOf(notice));
}

// R11: once; again only after a crash, or where somebody wiped the ledger, and then the same.
void MailWitness::JudgeOnce(const std::string& key, const core::Notice& notice, Account& account) {
  const std::string tuple = TupleOf(notice);
  const auto [known, is_new] = ids_.emplace(notice.id, tuple);
  if (known->second != tuple)
    court_.accuse(key, "two mails of one Message-ID: " + tuple + " and " + known->second);
  const std::uint64_t process = stage_.daemon.Starts();
  // One that was under way when the ledger was wiped is of the time before that.
  const auto system = stage_.world.LiveSystem(key);
  const bool of_before = !system || EntryOf(*system, notice.id) == nullptr;
  const Got now{notice.id, process, account.edits - (of_before ? 1 : 0)};
  const auto [got, first] = account.got.emplace(tuple, now);
  if (first) return;
  ++counts_.repeated;
  if (got->second.id != notice.id) court_.accuse(key, "one mail with two Message-IDs: " + tuple);
  if (got->second.process == process && got->second.edits == account.edits)
    court_.accuse(key, "a mail came twice without a crash: " + tuple);
  got->second = now;
}

// The intent is durable before the mail goes out, and what is durable as sent is not sent again.
void MailWitness::JudgeLedger(const std::string& key, const core::Notice& notice,
                              const Account& account) {
  if (stage_.world.Now() - account.edited_at < hours{24}) return;
  const auto system = stage_.world.LiveSystem(key);
  const core::MailEntry* entry = EntryOf(*system, notice.id);
  if (entry == nullptr)
    court_.accuse(key, "a mail went out of which the ledger knew nothing: " + notice.threshold);
  else if (entry->state != core::MailState::Due)
    court_.accuse(key, "a mail went out that the ledger had as " + core::FormatLedgerEntry(*entry));
}

void MailWitness::JudgeTruth(const std::string& key, const core::Notice& notice,
                             const Account& account) {
  const auto now = stage_.world.Now();
  if (now < court_.excused_until(key) + kToNotice) return;
  const auto left = account.unsubscribed.find(Fold(notice.recipient.email));
  const bool subscribed = account.subscribed.contains(Fold(notice.recipient.email));
  if (!subscribed && (left == account.unsubscribed.end() || now - left->second > kToNotice))
    court_.accuse(key, "a mail to somebody who is not subscribed");
  if (now - account.changed_at < kToNotice) return;
  const StoredSystem& system = *stage_.world.LiveSystem(key);
  const bool on = system.spec.regeneration_enabled;
  const Pair pair = court_.look(key);
  const auto is = [](const Slot& slot, const std::string& fingerprint) {
    return slot.certificate != nullptr && slot.certificate->fingerprint == fingerprint;
  };
  switch (notice.kind) {
    case NoticeKind::Renewed:
      if (!account.renewed.contains(About(notice)) || !is(pair.active, About(notice)))
        court_.accuse(key, "Renewed of a certificate that did not become active by itself");
      return;
    case NoticeKind::Held:
      if (!on || system.spec.peer_matching != core::PeerMatching::Fingerprint ||
          !is(pair.inactive, About(notice)))
        court_.accuse(key, "Held where nothing is held");
      return;
    case NoticeKind::Failing:
      if (!on) court_.accuse(key, "Failing where regeneration is OFF");
      break;
    case NoticeKind::Expiring:
    case NoticeKind::Expired:
      if (on && !IsHeldForGood(system.spec))
        court_.accuse(key, "Expiring where regeneration is ON");
      break;
  }
  if (!is(pair.active, About(notice)))
    return court_.accuse(key, "a warning about a certificate that is not active");
  JudgeUrgency(key, notice, system, *pair.active.certificate);
}

void MailWitness::JudgeUrgency(const std::string& key, const core::Notice& notice,
                               const StoredSystem& system, const core::Certificate& active) {
  const sys_seconds now = stage_.world.TrueNow();
  const auto passed = Passed(system.spec, active, now + seconds{1});
  const auto before = Passed(system.spec, active, now - kToNotice);
  const auto threshold = ParseDuration(notice.threshold);
  const bool was = threshold && (std::ranges::find(passed, *threshold) != passed.end());
  if (!was) return court_.accuse(key, "a warning whose time has not come: " + notice.threshold);
  if (!before.empty() && before.back() < *threshold)
    court_.accuse(key, "a warning though a more urgent one is due: " + notice.threshold);
}

void MailWitness::Expect(const std::string& key, const Account& account, const std::string& uid,
                         const std::string& fingerprint, const std::string& threshold,
                         const std::string& email) {
  if (World::RefusesMailTo(email)) return;
  ++counts_.judged;
  const std::string tuple = TupleOf(uid, fingerprint, threshold, email);
  if (account.got.contains(tuple) || account.given_up.contains(tuple)) return;
  court_.accuse(
      key, fmt::format("{} was not told of {} ({})", email, threshold, fingerprint.substr(0, 11)));
}

void MailWitness::Judge(const std::string& key) {
  Account& account = accounts_[key];
  const auto now = stage_.world.Now();
  const auto system = stage_.world.LiveSystem(key);
  if (now < court_.excused_until(key) + kToArrive) {
    account.expected.clear();
    return;
  }
  if (!system || system->identity.being_deleted) return;
  const core::SystemSpec& spec = system->spec;
  const std::string& uid = system->identity.uid;
  const Pair pair = court_.look(key);
  const core::Certificate* active = pair.active.certificate;
  for (const Expected& expected : account.expected) {
    if (now - expected.since < kToArrive) continue;
    const bool still = active != nullptr && active->fingerprint == expected.fingerprint;
    for (const std::string& email : expected.recipients)
      if (still) Expect(key, account, uid, expected.fingerprint, "renewed", email);
  }
  std::erase_if(account.expected, [&](const auto& e) { return now - e.since >= kToArrive; });
  if (active == nullptr || now - account.changed_at < kToArrive) return;
  const sys_seconds at = stage_.world.TrueNow();
  const auto everybody = [&](const std::string& fingerprint, const std::string& threshold) {
    for (const auto& [email, since] : account.subscribed)
      Expect(key, account, uid, fingerprint, threshold, email);
  };
  if (!spec.regeneration_enabled) {
    const auto passed = Passed(spec, *active, at);
    const bool long_ago = !passed.empty() && at - (active->not_after - passed.back()) > kToArrive;
    if (long_ago) everybody(active->fingerprint, FormatDuration(passed.back()));
    return;
  }
  const core::Certificate* inactive = pair.inactive.certificate;
  const seconds before = core::EffectiveBefore(spec, active);
  const bool held =
      spec.peer_matching == core::PeerMatching::Fingerprint && inactive != nullptr &&
      inactive->not_before < at && at < inactive->not_after &&
      inactive->not_after > active->not_after &&
      at > active->not_after - before + std::min<seconds>(hours{24}, before / 4) + kToArrive;
  if (held) everybody(inactive->fingerprint, "held");
}

}  // namespace certpair::sim
