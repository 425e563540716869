#include "core/ledger.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include <fmt/format.h>

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
    if (certificate && ShortFingerprint(certificate->fingerprint) == entry.certificate) {
      return certificate;
    }
  }
  return nullptr;
}

}  // namespace

std::string FoldAddress(std::string_view email) {
  std::string folded{email};
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return folded;
}

// FNV-1a of 128 bits (offset basis and prime as its authors publish them). Each part ends with a
// byte that no text holds.
std::string NoticeId(std::string_view system_uid, std::string_view fingerprint,
                     std::string_view threshold, std::string_view email) {
  __extension__ using Wide = unsigned __int128;
  constexpr Wide kPrime = (Wide{1} << 88U) + 0x13BU;
  Wide hash = (Wide{0x6C62272E07BB0142ULL} << 64U) + 0x62B821756295C58DULL;
  const auto add = [&](unsigned char octet) {
    hash ^= octet;
    hash *= kPrime;
  };
  const std::string recipient = FoldAddress(email);
  for (const std::string_view part :
       {system_uid, fingerprint, threshold, std::string_view{recipient}}) {
    for (const char c : part) add(static_cast<unsigned char>(c));
    add(0xFF);
  }
  return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(hash >> 64U),
                     static_cast<std::uint64_t>(hash));
}

std::string ShortFingerprint(std::string_view fingerprint) {
  std::string digits;
  for (const char c : fingerprint) {
    if (c != ':') digits += c;
    if (digits.size() == kDigitsOfFingerprint) break;
  }
  return digits;
}

std::string EventPrefix(const Certificate& certificate) {
  return fmt::format("{}{}/", kEventEntry, ShortFingerprint(certificate.fingerprint));
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
  if (entry.id.empty() || entry.id.find('/') != std::string::npos) return std::nullopt;
  return entry;
}

std::string FormatMailEntry(const MailEntry& entry) {
  const auto state =
      std::ranges::find(kStates, entry.state, &std::pair<MailState, std::string_view>::first);
  return fmt::format("{}/{}/{}/{}", state->second, entry.certificate, entry.threshold, entry.id);
}

NotificationLedger Prune(NotificationLedger ledger, const Certificate* active,
                         const Certificate* inactive) {
  std::erase_if(ledger.sent, [&](const std::string& line) {
    const auto mail = ParseMailEntry(line);
    if (mail) return CertificateOf(*mail, active, inactive) == nullptr;
    if (!line.starts_with(kEventEntry)) return false;
    const auto speaks_of = [&](const Certificate* certificate) {
      return certificate && line.starts_with(EventPrefix(*certificate));
    };
    return !speaks_of(active) && !speaks_of(inactive);
  });
  return ledger;
}

MailBook::MailBook(const NotificationLedger& ledger) {
  for (const std::string& text : ledger.sent) {
    auto mail = ParseMailEntry(text);
    if (mail && !by_id_.emplace(mail->id, lines_.size()).second) continue;  // twice: once is enough
    lines_.push_back({text, std::move(mail)});
  }
}

MailEntry* MailBook::Find(const std::string& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &*lines_[found->second].mail;
}

void MailBook::Intend(std::string_view fingerprint, std::string_view threshold,
                      const std::string& id) {
  if (!by_id_.emplace(id, lines_.size()).second) return;
  lines_.push_back(
      {"", MailEntry{MailState::Due, ShortFingerprint(fingerprint), std::string{threshold}, id},
       true});
}

bool MailBook::Settle(const std::string& id, MailState state) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  Line& line = lines_[found->second];
  if (line.mail->state != MailState::Due) return false;
  line.mail->state = state;
  line.news = true;
  return true;
}

void MailBook::Erase(const std::string& id) {
  std::erase_if(lines_, [&](const Line& line) { return line.mail && line.mail->id == id; });
  by_id_.clear();
  for (std::size_t n = 0; n < lines_.size(); ++n) {
    if (lines_[n].mail) by_id_.emplace(lines_[n].mail->id, n);
  }
}

std::vector<const MailEntry*> MailBook::Entries() const {
  std::vector<const MailEntry*> entries;
  for (const Line& line : lines_) {
    if (line.mail) entries.push_back(&*line.mail);
  }
  return entries;
}

// Due ones are debts and stay.
void MailBook::DropOldest() {
  std::size_t excess = by_id_.size() > kMostMails ? by_id_.size() - kMostMails : 0;
  std::erase_if(lines_, [&](const Line& line) {
    if (excess == 0 || !line.mail || line.mail->state == MailState::Due) return false;
    --excess;
    return true;
  });
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
      rows.push_back({line.mail->threshold, certificate->fingerprint,
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

NotificationLedger MailBook::Close(const NotificationLedger& before, const Certificate* active,
                                   const Certificate* inactive, sys_seconds now) {
  DropOldest();
  NotificationLedger after;
  after.summary = Summarize(before, active, inactive, now);
  for (const Line& line : lines_) {
    after.sent.push_back(line.mail ? FormatMailEntry(*line.mail) : line.text);
  }
  return after;
}

std::vector<std::string> DueNotices(const NotificationLedger& ledger) {
  std::vector<std::string> due;
  for (const std::string& line : ledger.sent) {
    if (auto entry = ParseMailEntry(line); entry && entry->state == MailState::Due) {
      due.push_back(std::move(entry->id));
    }
  }
  return due;
}

}  // namespace certpair::core
