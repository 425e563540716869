// A mail that waits to be sent, how long it is tried, and when its system hears of its trouble.
// Pure. Private to src/notify, but for the queue.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/random_bits.hpp"
#include "core/notice.hpp"
#include "notify/mail_lanes.hpp"

namespace certpair::notify {

/// Steady time for pauses, the wall clock for what is reported and for the ends of certificates.
struct Instant {
  std::chrono::steady_clock::time_point steady;
  sys_seconds wall;
};

/// What keeps a mail from being sent. Each report may be a write of a status, thousands may wait,
/// and some servers say something else each time (the time of the day, a number of theirs): so a
/// trouble that changes is reported ever more seldom.
class Trouble {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  explicit Trouble(const Backoff& pauses) : pauses_(pauses) {}
  /// True: it is to be reported now.
  [[nodiscard]] bool Meet(const std::string& message, Steady now, RandomBits& random);
  /// It is reported in any case.
  void MeetAndReport(const std::string& message) { last_ = reported_ = message; }
  /// Empty: none yet.
  [[nodiscard]] const std::string& Last() const { return last_; }

 private:
  std::string last_;
  std::string reported_;
  Backoff pauses_;
  Steady silent_until_ = Steady::min();
};

/// A mail in the queue.
struct WaitingMail {
  /// Keeps of the notice only what is sent. `give_up`: for how long it is tried.
  WaitingMail(std::string system_key, core::Notice its_notice, MailLanes::Place its_place,
              const Backoff& its_pauses, seconds its_give_up, sys_seconds now);

  /// It waits for a rate: that time does not count.
  void PutOffGivingUp(sys_seconds now) { gives_up = std::max(gives_up, GivesUpAt(now)); }
  [[nodiscard]] core::NoticeOutcome GivenUp(sys_seconds now) const;

  std::string key;
  core::Notice notice;
  std::string mailbox;  ///< as rates count it
  MailLanes::Place place;
  bool over_rate = false;  ///< and not tried since
  Backoff pauses;
  Trouble trouble;
  sys_seconds gives_up;

 private:
  [[nodiscard]] sys_seconds GivesUpAt(sys_seconds now) const;
  seconds give_up_;
  bool ends_with_certificate_;
};

}  // namespace certpair::notify
