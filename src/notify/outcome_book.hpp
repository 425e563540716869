// What became of the mails of each system, until its ledger holds it. Pure.
// Private to src/notify, but for the queue.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "core/notice.hpp"

namespace certpair::notify {

/// An outcome stays until exactly this outcome is acknowledged: a crash before the ledger is
/// written must not lose it. At most one outcome a mail; the later replaces the earlier. Not
/// thread-safe.
class OutcomeBook {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  using Outcomes = std::vector<core::NoticeOutcome>;

  void Add(const std::string& key, core::NoticeOutcome outcome);
  /// At most 300, the oldest first. The system counts as alive: it asked.
  [[nodiscard]] Outcomes Of(const std::string& key);
  [[nodiscard]] bool Has(const std::string& key) const { return systems_.contains(key); }
  /// The ledger holds these: they go. One that has changed since (Delayed, then Sent) stays.
  /// Answers the ids of those that went.
  std::vector<std::string> Acknowledge(const std::string& key, const Outcomes& outcomes);
  /// Answers the ids of what went.
  std::vector<std::string> Forget(const std::string& key);
  /// Whether this mail has ended, and the ledger does not hold that yet.
  [[nodiscard]] bool HasEnded(const std::string& key, const std::string& id) const;
  /// Another process leads: it will find out itself what is delayed. Sent and Refused stay, since
  /// no other process knows them.
  void DropDelayed();
  /// To be called each minute: forgets what no system asked for in a day. The system is gone, or
  /// another process leads it.
  void ForgetUnasked(Steady now);

  [[nodiscard]] std::size_t Count() const { return count_; }
  /// Of one namespace.
  [[nodiscard]] std::size_t CountOf(const std::string& space) const;

 private:
  struct System {
    Outcomes outcomes;
    bool fresh = true;  // since the last ForgetUnasked an outcome came, or the system asked
    Steady stale_since;
  };
  void Count(const std::string& key, std::ptrdiff_t more);

  std::map<std::string, System> systems_;  // by key
  std::size_t count_ = 0;
  std::map<std::string, std::size_t> count_by_space_;  // none is 0
};

}  // namespace certpair::notify
