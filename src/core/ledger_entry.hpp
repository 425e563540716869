// One entry of the ledger in `status.notifications.sent`, and its text there:
//   event/<16 digits of the fingerprint>/<threshold>
//   due|sent|refused|given-up/<16 digits of the fingerprint>/<threshold>/<id>
// No address stands in it: the id is a hash (R11). The codec reads and writes the text; the domain
// works with the entries.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace certpair::core {

/// An Event about a certificate's expiry was recorded (R9).
struct EventEntry {
  std::string certificate;  ///< ShortFingerprint
  std::string threshold;    ///< `72h`, or `expired`
  friend bool operator==(const EventEntry&, const EventEntry&) = default;
};

/// What became of a mail. `Due`: intended, and maybe sent by a process that ended since.
enum class MailState { Due, Sent, Refused, GivenUp };
struct MailEntry {
  MailState state = MailState::Due;
  std::string certificate;  ///< ShortFingerprint
  std::string threshold;    ///< `72h`, `renewed` or `held`
  std::string id;           ///< NoticeId
  friend bool operator==(const MailEntry&, const MailEntry&) = default;
};

/// A line of another version: it stays as it is.
struct OtherEntry {
  std::string line;
  friend bool operator==(const OtherEntry&, const OtherEntry&) = default;
};

using LedgerEntry = std::variant<EventEntry, MailEntry, OtherEntry>;

/// Never fails: what is no event and no mail is an OtherEntry.
[[nodiscard]] LedgerEntry ParseLedgerEntry(std::string_view line);
/// The line that ParseLedgerEntry reads back as `entry`.
[[nodiscard]] std::string FormatLedgerEntry(const LedgerEntry& entry);

/// The first 16 hex digits, without colons.
[[nodiscard]] std::string ShortFingerprint(std::string_view fingerprint);
/// Whether `digits` are the ShortFingerprint of `fingerprint`.
[[nodiscard]] bool IsShortOf(std::string_view digits, std::string_view fingerprint);

}  // namespace certpair::core
