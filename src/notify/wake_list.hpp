// The systems that have outcomes to write down. Pure. Private to src/notify, but for the queue.
#pragma once

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace certpair::notify {

/// Each system is woken once for all of its outcomes. While the next mail of the same system is
/// being sent, its wake is held back, for a second at most: one write of its ledger then tells of
/// several mails. Not thread-safe.
class WakeList {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  void Add(const std::string& key) { keys_.insert(key); }
  void Forget(const std::string& key) { keys_.erase(key); }
  /// A mail of this system is being sent from now on; the wake of any other is held no longer.
  void Hold(const std::string& key, Steady now);
  /// No mail is being sent.
  void Release() { held_.clear(); }
  /// Those that were added since the last call, but for the one that is held.
  [[nodiscard]] std::vector<std::string> Take();

 private:
  std::set<std::string> keys_;
  std::string held_;  // one of them; empty: none
  Steady held_since_;
};

}  // namespace certpair::notify
