#include "core/ledger.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "base/ascii.hpp"
#include "base/match.hpp"

namespace certpair::core {
namespace {

constexpr std::size_t kMostMails = 800;  // 50 subscribers, 8 thresholds, two certificates
constexpr std::size_t kMostSummaries = 32;

bool Failed(MailState state) { return state == MailState::Refused || state == MailState::GivenUp; }

const Certificate* CertificateOf(std::string_view digits, const Certificate* active,
                                 const Certificate* inactive) {
  for (const Certificate* certificate : {active, inactive}) {
    if (certificate && IsShortOf(digits, certificate->fingerprint)) return certificate;
  }
  return nullptr;
}

}  // namespace

std::string FoldAddress(std::string_view email) { return LowerAscii(email); }

// FNV-1a of 128 bits (offset basis and prime as its authors publish them).
NoticeIds::NoticeIds(std::string_view system_uid, std::string_view fingerprint)
    : hash_((Wide{0x6C62272E07BB0142ULL} << 64U) + 0x62B821756295C58DULL) {
  Add(system_uid);
  Add(fingerprint);
}

// Each part ends with a byte that no text holds.
void NoticeIds::Add(std::string_view part) {
  constexpr Wide kPrime = (Wide{1} << 88U) + 0x13BU;
  for (const char c : part) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * kPrime;
  hash_ = (hash_ ^ 0xFFU) * kPrime;
}

std::string NoticeIds::Of(std::string_view threshold, std::string_view email) const {
  NoticeIds whole = *this;
  whole.Add(threshold);
  whole.Add(FoldAddress(email));
  std::string digits(32, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, whole.hash_ >>= 4U)
    *digit = "0123456789abcdef"[static_cast<unsigned>(whole.hash_ & 15U)];
  return digits;
}

std::string NoticeId(std::string_view system_uid, std::string_view fingerprint,
                     std::string_view threshold, std::string_view email) {
  return NoticeIds(system_uid, fingerprint).Of(threshold, email);
}

bool EnterEvent(NotificationLedger& ledger, const Certificate& certificate, std::string threshold) {
  LedgerEntry entry = EventEntry{ShortFingerprint(certificate.fingerprint), std::move(threshold)};
  if (std::ranges::find(ledger.entries, entry) != ledger.entries.end()) return false;
  ledger.entries.push_back(std::move(entry));
  return true;
}

NotificationLedger Prune(NotificationLedger ledger, const Certificate* active,
                         const Certificate* inactive) {
  const auto is_gone = [&](const auto& entry) {
    return CertificateOf(entry.certificate, active, inactive) == nullptr;
  };
  std::erase_if(ledger.entries, [&](const LedgerEntry& entry) {
    return std::visit(Match{[&](const EventEntry& event) { return is_gone(event); },
                            [&](const MailEntry& mail) { return is_gone(mail); },
                            [](const OtherEntry&) { return false; }},
                      entry);
  });
  return ledger;
}

MailBook::MailBook(std::vector<LedgerEntry> entries) {
  lines_.reserve(entries.size());
  for (LedgerEntry& entry : entries) Append({std::move(entry), false});
}

MailEntry& MailBook::MailAt(std::size_t place) { return std::get<MailEntry>(lines_[place].entry); }
const MailEntry& MailBook::MailAt(std::size_t place) const {
  return std::get<MailEntry>(lines_[place].entry);
}

MailBook::Places::const_iterator MailBook::PlaceOf(std::string_view id) const {
  return std::ranges::lower_bound(
      mails_, id, {}, [&](std::size_t place) { return std::string_view{MailAt(place).id}; });
}

std::optional<std::size_t> MailBook::LineOf(std::string_view id) const {
  const auto found = PlaceOf(id);
  if (found == mails_.end() || MailAt(*found).id != id) return std::nullopt;
  return *found;
}

// Of two mails with one id the first counts.
void MailBook::Append(Line line) {
  if (const auto* mail = std::get_if<MailEntry>(&line.entry)) {
    const auto place = PlaceOf(mail->id);
    if (place != mails_.end() && MailAt(*place).id == mail->id) return;
    mails_.insert(place, lines_.size());
  }
  lines_.push_back(std::move(line));
}

const MailEntry* MailBook::Find(std::string_view id) const {
  const auto line = LineOf(id);
  return line ? &MailAt(*line) : nullptr;
}

void MailBook::Intend(std::string_view fingerprint, std::string_view threshold,
                      std::string_view id) {
  if (LineOf(id)) return;
  Append({MailEntry{MailState::Due, ShortFingerprint(fingerprint), std::string{threshold},
                    std::string{id}},
          true});
}

bool MailBook::Settle(std::string_view id, MailState state) {
  const auto place = LineOf(id);
  if (!place || MailAt(*place).state != MailState::Due) return false;
  MailAt(*place).state = state;
  lines_[*place].news = true;
  return true;
}

void MailBook::Erase(std::string_view id) {
  if (!LineOf(id)) return;
  std::vector<Line> lines;
  lines.swap(lines_);
  mails_.clear();
  for (Line& line : lines) {
    const auto* mail = std::get_if<MailEntry>(&line.entry);
    if (!mail || mail->id != id) Append(std::move(line));
  }
}

std::vector<const MailEntry*> MailBook::Entries() const {
  std::vector<const MailEntry*> entries;
  entries.reserve(mails_.size());
  for (const Line& line : lines_) {
    if (const auto* mail = std::get_if<MailEntry>(&line.entry)) entries.push_back(mail);
  }
  return entries;
}

// Due ones are debts and stay. The places are of no use afterwards.
void MailBook::DropOldest(const IsWanted& is_wanted) {
  std::size_t excess = mails_.size() > kMostMails ? mails_.size() - kMostMails : 0;
  mails_.clear();
  for (const bool wanted : {false, true}) {
    std::erase_if(lines_, [&](const Line& line) {
      const auto* mail = std::get_if<MailEntry>(&line.entry);
      if (excess == 0 || !mail || mail->state == MailState::Due) return false;
      if (is_wanted(mail->id) != wanted) return false;
      --excess;
      return true;
    });
  }
}

std::vector<NotificationSummary> MailBook::Summarize(const std::vector<NotificationSummary>& before,
                                                     const Certificate* active,
                                                     const Certificate* inactive,
                                                     sys_seconds now) const {
  std::vector<NotificationSummary> rows;
  const auto row_of = [](auto& list, const MailEntry& mail, const Certificate& certificate) {
    return std::ranges::find_if(list, [&](const NotificationSummary& row) {
      return row.threshold == mail.threshold && row.fingerprint == certificate.fingerprint;
    });
  };
  for (const Line& line : lines_) {
    const auto* mail = std::get_if<MailEntry>(&line.entry);
    if (!mail) continue;
    const Certificate* certificate = CertificateOf(mail->certificate, active, inactive);
    if (certificate == nullptr) continue;
    auto row = row_of(rows, *mail, *certificate);
    if (row == rows.end()) {
      const auto was = row_of(before, *mail, *certificate);
      rows.push_back(
          {mail->threshold, certificate->fingerprint, was == before.end() ? now : was->at, 0, 0});
      row = std::prev(rows.end());
    }
    ++row->recipients;
    if (Failed(mail->state)) ++row->failed;
    if (line.news) row->at = now;
  }
  std::ranges::stable_sort(rows, {}, &NotificationSummary::at);
  if (rows.size() > kMostSummaries) {
    rows.erase(rows.begin(), rows.end() - std::ptrdiff_t{kMostSummaries});
  }
  return rows;
}

void MailBook::Close(NotificationLedger& ledger, const Certificate* active,
                     const Certificate* inactive, sys_seconds now, const IsWanted& is_wanted) {
  DropOldest(is_wanted);
  ledger.summary = Summarize(ledger.summary, active, inactive, now);
  ledger.entries.clear();
  ledger.entries.reserve(lines_.size());
  for (Line& line : lines_) ledger.entries.push_back(std::move(line.entry));
  lines_.clear();
}

std::vector<std::string> DueNotices(const NotificationLedger& ledger) {
  std::vector<std::string> due;
  for (const LedgerEntry& entry : ledger.entries) {
    const auto* mail = std::get_if<MailEntry>(&entry);
    if (mail && mail->state == MailState::Due) due.push_back(mail->id);
  }
  return due;
}

}  // namespace certpair::core
