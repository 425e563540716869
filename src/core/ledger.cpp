#include "core/ledger.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "base/ascii.hpp"

namespace certpair::core {
namespace {

constexpr std::string_view kEventEntry = "event/";
constexpr std::size_t kDigitsOfFingerprint = 16;
constexpr std::size_t kMostMails = 800;  // 50 subscribers, 8 thresholds, two certificates
constexpr std::size_t kMostSummaries = 32;

constexpr std::array<std::pair<MailState, std::string_view>, 4> kStates{
    {{MailState::Due, "due"},
     {MailState::Sent, "sent"},
     {MailState::Refused, "refused"},
     {MailState::GivenUp, "given-up"}}};

// The text before the next slash; the slash goes with it.
std::string_view TakePart(std::string_view& text) {
  const std::size_t slash = text.find('/');
  const std::string_view part = text.substr(0, slash);
  text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  return part;
}

bool Failed(MailState state) { return state == MailState::Refused || state == MailState::GivenUp; }

const Certificate* CertificateOf(const MailEntry& entry, const Certificate* active,
                                 const Certificate* inactive) {
  for (const Certificate* certificate : {active, inactive}) {
    if (certificate && IsShortOf(entry.certificate, certificate->fingerprint)) return certificate;
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

std::string ShortFingerprint(std::string_view fingerprint) {
  std::string digits;
  digits.reserve(kDigitsOfFingerprint);
  for (const char c : fingerprint) {
    if (c != ':') digits += c;
    if (digits.size() == kDigitsOfFingerprint) break;
  }
  return digits;
}

bool IsShortOf(std::string_view digits, std::string_view fingerprint) {
  std::size_t matched = 0;
  for (const char c : fingerprint) {
    if (c == ':') continue;
    if (matched == kDigitsOfFingerprint) break;
    if (matched == digits.size() || digits[matched] != c) return false;
    ++matched;
  }
  return matched == digits.size();
}

std::string EventPrefix(const Certificate& certificate) {
  return std::string{kEventEntry} + ShortFingerprint(certificate.fingerprint) + '/';
}

bool Enter(NotificationLedger& ledger, std::string entry) {
  if (std::ranges::find(ledger.sent, entry) != ledger.sent.end()) return false;
  ledger.sent.push_back(std::move(entry));
  return true;
}

std::optional<MailEntry> ParseMailEntry(std::string_view line) {
  const std::string_view state = TakePart(line);
  const auto known =
      std::ranges::find(kStates, state, &std::pair<MailState, std::string_view>::second);
  if (known == kStates.end()) return std::nullopt;
  MailEntry entry{.state = known->first, .certificate = {}, .threshold = {}, .id = {}};
  entry.certificate = TakePart(line);
  entry.threshold = TakePart(line);
  entry.id = line;
  if (entry.id.empty() || entry.id.find('/') != std::string_view::npos) return std::nullopt;
  return entry;
}

std::string FormatMailEntry(const MailEntry& entry) {
  const auto state =
      std::ranges::find(kStates, entry.state, &std::pair<MailState, std::string_view>::first);
  std::string line{state->second};
  for (const std::string_view part : {entry.certificate, entry.threshold, entry.id}) {
    line += '/';
    line += part;
  }
  return line;
}

NotificationLedger Prune(NotificationLedger ledger, const Certificate* active,
                         const Certificate* inactive) {
  std::erase_if(ledger.sent, [&](const std::string& line) {
    if (const auto mail = ParseMailEntry(line))
      return CertificateOf(*mail, active, inactive) == nullptr;
    if (!line.starts_with(kEventEntry)) return false;
    const std::size_t end = std::min(line.find('/', kEventEntry.size()), line.size());
    const auto digits = std::string_view{line}.substr(0, end).substr(kEventEntry.size());
    const auto speaks_of = [&](const Certificate* certificate) {
      return certificate && end < line.size() && IsShortOf(digits, certificate->fingerprint);
    };
    return !speaks_of(active) && !speaks_of(inactive);
  });
  return ledger;
}

MailBook::MailBook(const NotificationLedger& ledger) {
  lines_.reserve(ledger.sent.size());
  for (std::size_t place = 0; place < ledger.sent.size(); ++place)
    Append({place, ParseMailEntry(ledger.sent[place]), false});  // twice: once is enough
}

MailBook::ById::const_iterator MailBook::PlaceOf(std::string_view id) const {
  return std::ranges::lower_bound(by_id_, id, {}, &ById::value_type::first);
}

std::optional<std::size_t> MailBook::LineOf(std::string_view id) const {
  const auto found = PlaceOf(id);
  if (found == by_id_.end() || found->first != id) return std::nullopt;
  return found->second;
}

// Whether it is new.
bool MailBook::Append(Line line) {
  if (line.mail) {
    const auto place = PlaceOf(line.mail->id);
    if (place != by_id_.end() && place->first == line.mail->id) return false;
    by_id_.emplace(place, line.mail->id, lines_.size());
  }
  lines_.push_back(line);
  return true;
}

const MailEntry* MailBook::Find(std::string_view id) const {
  const auto line = LineOf(id);
  return line ? &*lines_[*line].mail : nullptr;
}

void MailBook::Intend(std::string_view fingerprint, std::string_view threshold,
                      std::string_view id) {
  if (LineOf(id)) return;
  const std::string digits = ShortFingerprint(fingerprint);
  texts_.push_front(FormatMailEntry({MailState::Due, digits, threshold, id}));
  Append({kNew, ParseMailEntry(texts_.front()), true});
}

bool MailBook::Settle(std::string_view id, MailState state) {
  const auto place = LineOf(id);
  if (!place) return false;
  Line& line = lines_[*place];
  if (line.mail->state != MailState::Due) return false;
  line.mail->state = state;
  line.news = true;
  return true;
}

void MailBook::Erase(std::string_view id) {
  std::vector<Line> lines;
  lines.swap(lines_);
  by_id_.clear();
  for (const Line& line : lines) {
    if (!line.mail || line.mail->id != id) Append(line);
  }
}

std::vector<const MailEntry*> MailBook::Entries() const {
  std::vector<const MailEntry*> entries;
  entries.reserve(by_id_.size());
  for (const Line& line : lines_) {
    if (line.mail) entries.push_back(&*line.mail);
  }
  return entries;
}

// Due ones are debts and stay.
void MailBook::DropOldest(const IsWanted& is_wanted) {
  std::size_t excess = by_id_.size() > kMostMails ? by_id_.size() - kMostMails : 0;
  for (const bool wanted : {false, true}) {
    std::erase_if(lines_, [&](const Line& line) {
      if (excess == 0 || !line.mail || line.mail->state == MailState::Due) return false;
      if (is_wanted(line.mail->id) != wanted) return false;
      --excess;
      return true;
    });
  }
}

std::vector<NotificationSummary> MailBook::Summarize(const NotificationLedger& before,
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
    if (!line.mail) continue;
    const Certificate* certificate = CertificateOf(*line.mail, active, inactive);
    if (certificate == nullptr) continue;
    auto row = row_of(rows, *line.mail, *certificate);
    if (row == rows.end()) {
      const auto was = row_of(before.summary, *line.mail, *certificate);
      rows.push_back({std::string{line.mail->threshold}, certificate->fingerprint,
                      was == before.summary.end() ? now : was->at, 0, 0});
      row = std::prev(rows.end());
    }
    ++row->recipients;
    if (Failed(line.mail->state)) ++row->failed;
    if (line.news) row->at = now;
  }
  std::ranges::stable_sort(rows, {}, &NotificationSummary::at);
  if (rows.size() > kMostSummaries) {
    rows.erase(rows.begin(), rows.end() - std::ptrdiff_t{kMostSummaries});
  }
  return rows;
}

NotificationLedger MailBook::Close(NotificationLedger before, const Certificate* active,
                                   const Certificate* inactive, sys_seconds now,
                                   const IsWanted& is_wanted) {
  DropOldest(is_wanted);
  NotificationLedger after;
  after.summary = Summarize(before, active, inactive, now);
  after.sent.reserve(lines_.size());
  for (const Line& line : lines_) {
    after.sent.push_back(line.news ? FormatMailEntry(*line.mail)
                                   : std::move(before.sent[line.place]));
  }
  return after;
}

std::vector<std::string> DueNotices(const NotificationLedger& ledger) {
  std::vector<std::string> due;
  for (const std::string& line : ledger.sent) {
    if (auto entry = ParseMailEntry(line); entry && entry->state == MailState::Due) {
      due.emplace_back(entry->id);
    }
  }
  return due;
}

}  // namespace certpair::core
