// What stands in `status.notifications`: one line an Event or mail.
//   event/<16 digits of the fingerprint>/<threshold>
//   due|sent|refused|given-up/<16 digits of the fingerprint>/<threshold>/<id>
// No address stands in it: the id is a hash (R11).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/system.hpp"

namespace certpair::core {

/// Thresholds of mails that no time calls for.
inline constexpr std::string_view kRenewedThreshold = "renewed";
inline constexpr std::string_view kHeldThreshold = "held";

/// R11: 32 hex digits (FNV-1a of 128 bits), the same in every process; upper and lower case make no
/// two recipients.
[[nodiscard]] std::string NoticeId(std::string_view system_uid, std::string_view fingerprint,
                                   std::string_view threshold, std::string_view email);

/// `email` as it is compared: ASCII letters in lower case.
[[nodiscard]] std::string FoldAddress(std::string_view email);

/// The start of the lines that tell of an Event about `certificate` (R9).
[[nodiscard]] std::string EventPrefix(const Certificate& certificate);

/// Enters `entry`; whether it is new.
bool Enter(NotificationLedger& ledger, std::string entry);

/// The ledger without the lines of certificates that are gone. Lines of others stay.
[[nodiscard]] NotificationLedger Prune(NotificationLedger ledger, const Certificate* active,
                                       const Certificate* inactive);

/// What the ledger says of one mail. `Due`: intended, and maybe sent by a process that died since.
enum class MailState { Due, Sent, Refused, GivenUp };

struct MailEntry {
  MailState state = MailState::Due;
  std::string certificate;  ///< 16 digits
  std::string threshold;
  std::string id;
};
[[nodiscard]] std::optional<MailEntry> ParseMailEntry(std::string_view line);
[[nodiscard]] std::string FormatMailEntry(const MailEntry& entry);
/// As it stands in the lines of a certificate.
[[nodiscard]] std::string ShortFingerprint(std::string_view fingerprint);

/// The mails of a ledger, by id; the lines of others stay as and where they are.
class MailBook {
 public:
  explicit MailBook(const NotificationLedger& ledger);
  /// Null: no mail of this id.
  [[nodiscard]] MailEntry* Find(const std::string& id);
  /// Enters a mail that is due, if there is none of this id.
  void Intend(std::string_view fingerprint, std::string_view threshold, const std::string& id);
  /// Notes what became of one that is due; false where none is.
  bool Settle(const std::string& id, MailState state);
  void Erase(const std::string& id);
  /// Oldest first.
  [[nodiscard]] std::vector<const MailEntry*> Entries() const;
  /// The ledger again. Bounded: where there are too many mails, those that are not due go, the
  /// oldest first. The summary follows; where it has news, its time is `now`.
  [[nodiscard]] NotificationLedger Close(const NotificationLedger& before,
                                         const Certificate* active, const Certificate* inactive,
                                         sys_seconds now);

 private:
  struct Line {
    std::string text;  // of others
    std::optional<MailEntry> mail;
    bool news = false;
  };
  void DropOldest();
  [[nodiscard]] std::vector<NotificationSummary> Summarize(const NotificationLedger& before,
                                                           const Certificate* active,
                                                           const Certificate* inactive,
                                                           sys_seconds now) const;

  std::vector<Line> lines_;
  std::unordered_map<std::string, std::size_t> by_id_;
};

/// The ids of the mails that the ledger holds as due.
[[nodiscard]] std::vector<std::string> DueNotices(const NotificationLedger& ledger);

}  // namespace certpair::core
