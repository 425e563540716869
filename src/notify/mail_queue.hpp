// Which mail is sent next, and when: the pure part of the outbox.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/random_bits.hpp"
#include "core/notice.hpp"
#include "notify/invitations.hpp"
#include "notify/mail_lanes.hpp"
#include "notify/mailer.hpp"
#include "notify/rate_limits.hpp"

namespace certpair::notify {

/// Steady time for pauses, the wall clock for what is told and for the ends of certificates.
struct Instant {
  std::chrono::steady_clock::time_point steady;
  sys_seconds wall;
};

struct QueueSettings {
  std::size_t capacity = 1000;  ///< mails that wait for a first try, with outcomes not yet taken
  std::size_t most_delayed = 1000;  ///< mails that wait for another try
  RateSettings rates;               ///< none, unless told otherwise
  /// Mails that were sent or refused lately and whose outcome nobody acknowledged yet, with the one
  /// in hand: a crash sends so many again (R11). No more are sent meanwhile, for half a minute:
  /// where ledgers cannot be written, each half minute adds so many to what a crash repeats.
  std::size_t in_flight = 4;
  std::chrono::milliseconds first_retry{60'000};  ///< of one mail; doubles up to …
  std::chrono::milliseconds last_retry{3'600'000};
  std::chrono::milliseconds first_probe{5'000};  ///< of a server that is away; doubles up to …
  std::chrono::milliseconds last_probe{300'000};
  seconds give_up{std::chrono::days{4}};  ///< RFC 5321 §4.5.4.1: at least 4-5 days
};

/// A step function with a memory: told what was posted and what became of it, it says what to do
/// next. One mail is in hand at a time. Namespaces take turns, and mails of one namespace go in the
/// order in which they were posted; one that is delayed alone waits on its own while others go;
/// what is over a rate waits and is told of; where the server as a whole is away, one mail at a
/// time probes it, a different one each time. Everything in it is bounded, and no namespace takes
/// all the room. Not thread-safe; seed 0: from the machine.
class MailQueue {
 public:
  explicit MailQueue(const QueueSettings& settings, std::uint64_t seed = 0);

  /// As Postbox has them.
  std::size_t Room(const std::string& system_key);
  bool Post(const std::string& system_key, core::Notice notice, Instant now);
  [[nodiscard]] std::vector<core::NoticeOutcome> Outcomes(const std::string& system_key);
  void Acknowledge(const std::string& system_key, const std::vector<core::NoticeOutcome>& outcomes);
  [[nodiscard]] bool IsUnderWay(const std::string& id) const { return entries_.contains(id); }
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
  /// What became of the mail in hand.
  void Done(const Delivery& delivery, Instant now);
  /// Another process leads: whatever waits is that one's to send. How many went.
  std::size_t DropAll();

  /// The systems that have to look, since there are outcomes. Each is said once; not yet that of
  /// the mail in hand, for a second at most, so that one write of its ledger tells of several.
  [[nodiscard]] std::vector<std::string> TakeWakes();
  /// Those that found no room, and may look again. No more than there is room for are called at
  /// once, or thousands would come in vain.
  [[nodiscard]] std::vector<std::string> TakeInvited() { return invitations_.Take(); }
  /// Whether outcomes of the last half minute wait to be acknowledged.
  [[nodiscard]] bool HasUnsettled() const { return !unsettled_.empty(); }
  /// Mails that wait, and the one in hand.
  [[nodiscard]] std::size_t Depth() const { return entries_.size(); }
  /// What was said since the last call, for counting.
  [[nodiscard]] std::vector<core::NoticeOutcome::Kind> TakeSaid();

 private:
  using Steady = std::chrono::steady_clock::time_point;
  struct Entry {
    std::string key;
    core::Notice notice;
    std::string mailbox;
    MailLanes::Place place;
    bool over_rate = false;  // and not tried since
    Backoff backoff;
    sys_seconds gives_up;
    bool ends_with_certificate = false;
    std::string trouble;  // the last
    std::string told;     // the trouble that was said last; empty: none
    Backoff telling;      // of troubles that change, which is when it is said again
    Steady tells_again = Steady::min();
  };
  using Entries = std::unordered_map<std::string, Entry>;
  // What one system is to be told.
  struct Untold {
    std::vector<core::NoticeOutcome> outcomes;
    bool fresh = true;  // since the last sweep one came, or somebody asked
    Steady since;       // the sweep that found it so last
  };
  struct Away {
    std::string message;
    Steady probe;
  };

  [[nodiscard]] std::size_t FreePlaces() const;
  [[nodiscard]] std::size_t TakenBy(const std::string& space) const;
  [[nodiscard]] std::size_t RoomOf(const std::string& space) const;
  void CountOutcomes(const std::string& key, std::ptrdiff_t more);
  [[nodiscard]] sys_seconds GivesUpAt(const Entry& entry, sys_seconds now) const;
  void Erase(Entries::iterator entry);
  [[nodiscard]] std::optional<Steady> AddressOpens(const std::string& id, Instant now);
  void SayOverRate(const std::set<std::string>* spaces, const std::string& message, Instant now);
  void Tell(const Entry& entry, core::NoticeOutcome outcome, Instant now);
  void TellDelayed(Entry& entry, const std::string& message, Instant now);
  void TellChange(Entry& entry, const std::string& message, Instant now);
  void Settle(Entries::iterator entry, core::NoticeOutcome outcome, Instant now);
  [[nodiscard]] core::NoticeOutcome GivenUp(const Entry& entry, sys_seconds now) const;
  void DelayAlone(Entries::iterator entry, const std::string& message, Instant now);
  void DelayAll(Entries::iterator entry, const std::string& message, Instant now);
  [[nodiscard]] std::optional<Steady> WindowOpens(Steady now);
  void HoldWakeOf(const std::string& system_key, Steady now);
  void EvictOne();
  void Sweep(Instant now);
  void GiveUpWhatIsOver(Instant now);
  void ForgetWhatNobodyAsksFor(Steady now);
  void InviteWhereThereIsRoom();

  const QueueSettings settings_;
  RandomBits random_;
  Entries entries_;  // by id
  MailLanes lanes_;  // all of them but the one in hand
  std::uint64_t next_order_ = 0;
  std::string in_hand_;         // id; empty: none
  bool drops_in_hand_ = false;  // unless it is settled now: DropAll came meanwhile
  std::optional<Away> away_;
  Backoff away_backoff_;
  MinuteWindow window_;
  TokenBuckets by_space_;
  TokenBuckets by_mailbox_;
  std::optional<Steady> swept_;

  std::map<std::string, Untold> outcomes_;  // by system
  std::size_t outcome_count_ = 0;
  std::map<std::string, std::size_t> outcomes_of_;     // how many, by namespace
  std::unordered_map<std::string, Steady> unsettled_;  // by id; of the last half minute
  Invitations invitations_;
  std::set<std::string> wakes_;
  std::string held_;  // the one of them that is held back; empty: none
  Steady held_since_;
  std::vector<core::NoticeOutcome::Kind> said_;
};

}  // namespace certpair::notify
