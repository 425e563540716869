// The ledger of Events and mails in `status.notifications`: what was told, so that nothing is told
// twice. `core/ledger_entry.hpp` has the entries.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
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

/// Enters the Event about `certificate` and `threshold`; whether it is new.
bool EnterEvent(NotificationLedger& ledger, const Certificate& certificate, std::string threshold);

/// The ledger without the entries of certificates that are gone. Entries of others stay.
[[nodiscard]] NotificationLedger Prune(NotificationLedger ledger, const Certificate* active,
                                       const Certificate* inactive);

/// The mails of a ledger, by id; other entries stay as and where they are. Not thread-safe.
class MailBook {
 public:
  explicit MailBook(std::vector<LedgerEntry> entries);
  MailBook(const MailBook&) = delete;
  MailBook& operator=(const MailBook&) = delete;
  ~MailBook() = default;
  /// Null: no mail of this id.
  [[nodiscard]] const MailEntry* Find(std::string_view id) const;
  /// Enters a mail that is due, unless the book has one with this id.
  void Intend(std::string_view fingerprint, std::string_view threshold, std::string_view id);
  /// Notes what became of one that is due; false where none is.
  bool Settle(std::string_view id, MailState state);
  void Erase(std::string_view id);
  /// Oldest first.
  [[nodiscard]] std::vector<const MailEntry*> Entries() const;
  /// Whether a mail of this id would be due if it stood in no ledger.
  using IsWanted = std::function<bool(std::string_view id)>;
  /// Puts the entries into `ledger`, and empties the book. Bounded: of too many mails those that
  /// are not due go, the oldest first, and those that are wanted last, since they would be sent
  /// again. The summary of `ledger` follows; where it has news, its time is `now`.
  void Close(NotificationLedger& ledger, const Certificate* active, const Certificate* inactive,
             sys_seconds now, const IsWanted& is_wanted);

 private:
  struct Line {
    LedgerEntry entry;
    bool news = false;
  };
  [[nodiscard]] MailEntry& MailAt(std::size_t place);
  [[nodiscard]] const MailEntry& MailAt(std::size_t place) const;
  using Places = std::vector<std::size_t>;
  [[nodiscard]] Places::const_iterator PlaceOf(std::string_view id) const;
  [[nodiscard]] std::optional<std::size_t> LineOf(std::string_view id) const;
  void Append(Line line);
  void DropOldest(const IsWanted& is_wanted);
  [[nodiscard]] std::vector<NotificationSummary> Summarize(
      const std::vector<NotificationSummary>& before, const Certificate* active,
      const Certificate* inactive, sys_seconds now) const;

  std::vector<Line> lines_;
  Places mails_;  // of lines_, sorted by id
};

/// The ids of the mails that the ledger holds as due.
[[nodiscard]] std::vector<std::string> DueNotices(const NotificationLedger& ledger);

}  // namespace certpair::core
