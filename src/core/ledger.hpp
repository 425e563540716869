// What stands in `status.notifications`: one line an Event or mail.
//   event/<16 digits of the fingerprint>/<threshold>
//   due|sent|refused|given-up/<16 digits of the fingerprint>/<threshold>/<id>
// No address stands in it: the id is a hash (R11).
#pragma once

#include <cstddef>
#include <forward_list>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

/// NoticeId of many thresholds and recipients, where system and certificate are the same.
class NoticeIds {
 public:
  NoticeIds(std::string_view system_uid, std::string_view fingerprint);
  [[nodiscard]] std::string Of(std::string_view threshold, std::string_view email) const;

 private:
  __extension__ using Wide = unsigned __int128;
  void Add(std::string_view part);
  Wide hash_;
};

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

/// Borrows from the line that it was read from.
struct MailEntry {
  MailState state = MailState::Due;
  std::string_view certificate;  ///< 16 digits
  std::string_view threshold;
  std::string_view id;
};
[[nodiscard]] std::optional<MailEntry> ParseMailEntry(std::string_view line);
[[nodiscard]] std::string FormatMailEntry(const MailEntry& entry);
/// As it stands in the lines of a certificate.
[[nodiscard]] std::string ShortFingerprint(std::string_view fingerprint);
/// Whether `digits` are the ShortFingerprint of `fingerprint`.
[[nodiscard]] bool IsShortOf(std::string_view digits, std::string_view fingerprint);

/// The mails of a ledger, by id; the lines of others stay as and where they are. Borrows from the
/// ledger.
class MailBook {
 public:
  explicit MailBook(const NotificationLedger& ledger);
  MailBook(const MailBook&) = delete;
  MailBook& operator=(const MailBook&) = delete;
  ~MailBook() = default;
  /// Null: no mail of this id.
  [[nodiscard]] const MailEntry* Find(std::string_view id) const;
  /// Enters a mail that is due, if there is none of this id.
  void Intend(std::string_view fingerprint, std::string_view threshold, std::string_view id);
  /// Notes what became of one that is due; false where none is.
  bool Settle(std::string_view id, MailState state);
  void Erase(std::string_view id);
  /// Oldest first.
  [[nodiscard]] std::vector<const MailEntry*> Entries() const;
  /// Whether a mail of this id would be due if it stood in no ledger.
  using IsWanted = std::function<bool(std::string_view id)>;
  /// The ledger again; `before` is the one that the book was opened upon, and the book is of no
  /// more use. Bounded: where there are too many mails, those that are not due go, the oldest
  /// first, and those that are wanted last, since they would be sent again. The summary follows;
  /// where it has news, its time is `now`.
  [[nodiscard]] NotificationLedger Close(NotificationLedger before, const Certificate* active,
                                         const Certificate* inactive, sys_seconds now,
                                         const IsWanted& is_wanted);

 private:
  static constexpr std::size_t kNew = static_cast<std::size_t>(-1);
  struct Line {
    std::size_t place = kNew;  // in the ledger; what is new stands in none
    std::optional<MailEntry> mail;
    bool news = false;
  };
  using ById = std::vector<std::pair<std::string_view, std::size_t>>;
  [[nodiscard]] ById::const_iterator PlaceOf(std::string_view id) const;
  [[nodiscard]] std::optional<std::size_t> LineOf(std::string_view id) const;
  bool Append(Line line);
  void DropOldest(const IsWanted& is_wanted);
  [[nodiscard]] std::vector<NotificationSummary> Summarize(const NotificationLedger& before,
                                                           const Certificate* active,
                                                           const Certificate* inactive,
                                                           sys_seconds now) const;

  std::vector<Line> lines_;
  ById by_id_;                            // sorted
  std::forward_list<std::string> texts_;  // of what is new
};

/// The ids of the mails that the ledger holds as due.
[[nodiscard]] std::vector<std::string> DueNotices(const NotificationLedger& ledger);

}  // namespace certpair::core
