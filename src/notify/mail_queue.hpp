// Which mail is sent next, and when: the pure part of the outbox.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/random_bits.hpp"
#include "core/notice.hpp"
#include "notify/mail_admission.hpp"
#include "notify/mail_lanes.hpp"
#include "notify/mailer.hpp"
#include "notify/outcome_book.hpp"
#include "notify/rate_limits.hpp"
#include "notify/send_window.hpp"
#include "notify/server_state.hpp"
#include "notify/waiting_mail.hpp"
#include "notify/wake_list.hpp"

namespace certpair::notify {

struct QueueSettings {
  std::size_t capacity = 1000;  ///< mails that wait for a first try, with outcomes not yet taken
  std::size_t most_delayed = 1000;  ///< mails that wait for another try
  RateSettings rates;               ///< without limits by default
  /// As SendWindow has it: a crash sends at most so many mails again (R11). Where ledgers cannot be
  /// written, each half minute adds so many.
  std::size_t in_flight = 4;
  std::chrono::milliseconds first_retry{60'000};  ///< of one mail; doubles up to …
  std::chrono::milliseconds last_retry{3'600'000};
  std::chrono::milliseconds first_probe{5'000};  ///< of a server that is away; doubles up to …
  std::chrono::milliseconds last_probe{300'000};
  seconds give_up{std::chrono::days{4}};  ///< RFC 5321 §4.5.4.1: at least 4-5 days
};

/// A step function with a memory: told what was posted and what became of it, it says what to do
/// next. One mail is sent at a time. Namespaces take turns, and mails of one namespace go in the
/// order in which they were posted. Each subject has its own rule: the order (MailLanes), the rates
/// (MailRates), a server that is away (ServerState), the mails ahead of the ledgers (SendWindow),
/// the places (MailAdmission), the outcomes (OutcomeBook, WakeList). Everything in it is bounded.
/// Not thread-safe; seed 0: from the machine.
class MailQueue {
 public:
  explicit MailQueue(const QueueSettings& settings, std::uint64_t seed = 0);

  /// As Postbox has them.
  std::size_t Room(const std::string& system_key);
  bool Post(const std::string& system_key, core::Notice notice, Instant now);
  [[nodiscard]] std::vector<core::NoticeOutcome> Outcomes(const std::string& system_key) {
    return outcomes_.Of(system_key);
  }
  void Acknowledge(const std::string& system_key, const std::vector<core::NoticeOutcome>& outcomes);
  [[nodiscard]] bool IsUnderWay(const std::string& id) const { return mails_.contains(id); }
  void Withdraw(const std::string& system_key, const std::vector<std::string>& ids);
  void Forget(const std::string& system_key);

  struct Send {
    core::Notice notice;
  };
  struct Rest {
    std::optional<std::chrono::steady_clock::time_point> until;  ///< nothing: until a Post
  };
  /// What to do now. After Send: Done.
  [[nodiscard]] std::variant<Send, Rest> Next(Instant now);
  /// What became of the mail that is being sent.
  void Done(const Delivery& delivery, Instant now);
  /// Another process leads, and sends what waits here. Answers how many mails were dropped.
  std::size_t DropAll();

  /// The systems that have outcomes to write down, as WakeList has them.
  [[nodiscard]] std::vector<std::string> TakeWakes();
  /// The systems that found no room and may look again, as MailAdmission has them.
  [[nodiscard]] std::vector<std::string> TakeInvited() { return admission_.TakeInvited(); }
  /// Whether outcomes of the last half minute wait to be acknowledged.
  [[nodiscard]] bool HasUnacknowledged() const { return !window_.Empty(); }
  /// Mails that wait, and the one that is being sent.
  [[nodiscard]] std::size_t Depth() const { return mails_.size(); }
  /// The kinds of the outcomes since the last call, for counting.
  [[nodiscard]] std::vector<core::NoticeOutcome::Kind> TakeKinds();

 private:
  using Steady = std::chrono::steady_clock::time_point;
  using Mails = std::unordered_map<std::string, WaitingMail>;

  [[nodiscard]] MailAdmission::Usage Usage() const;
  void InviteWhereThereIsRoom() { admission_.Invite(Usage()); }
  void Erase(Mails::iterator mail);
  [[nodiscard]] std::optional<Steady> AllMayGo(Instant now);
  [[nodiscard]] std::optional<Steady> MailboxOpens(const std::string& id, Instant now);
  void ReportOverRate(const std::set<std::string>* spaces, const std::string& message, Instant now);
  void Report(const WaitingMail& mail, core::NoticeOutcome outcome, Instant now);
  void ReportDelay(const WaitingMail& mail, Instant now);
  void End(Mails::iterator mail, core::NoticeOutcome outcome, Instant now);
  void React(Mails::iterator mail, const Delivery& delivery, Instant now);
  void DelayAlone(Mails::iterator mail, const std::string& message, Instant now);
  void DelayAll(Mails::iterator mail, const std::string& message, Instant now);
  void EvictOne();
  void Sweep(Instant now);

  const QueueSettings settings_;
  RandomBits random_;
  // What waits.
  Mails mails_;      // by id
  MailLanes lanes_;  // all of them but the one that is being sent
  std::uint64_t next_order_ = 0;
  std::string sending_;         // id; empty: none
  bool drops_sending_ = false;  // unless it ends now: DropAll came meanwhile
  // When it may go.
  ServerState server_;
  MailRates rates_;
  SendWindow window_;
  // What became of it.
  OutcomeBook outcomes_;
  WakeList wakes_;
  std::vector<core::NoticeOutcome::Kind> kinds_;
  // Which systems may post.
  MailAdmission admission_;
  std::optional<Steady> swept_;
};

}  // namespace certpair::notify
