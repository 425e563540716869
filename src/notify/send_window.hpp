// How many mails may be ahead of the ledgers. Pure. Private to src/notify, but for the queue.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

namespace certpair::notify {

/// Counts the mails that have ended (sent, refused, given up) and that no ledger holds yet: a crash
/// sends these again (R11), so there are at most `size` of them. A mail whose ledger cannot be
/// written leaves the window after half a minute, or it would hold up all others.
///
/// One namespace takes at most half of the window, rounded up, while mails of another namespace
/// wait or were sent in the last minute: a namespace whose status is written slowly (a webhook that
/// times out) leaves the other half to the others. A namespace alone takes it all.
/// Not thread-safe.
class SendWindow {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  /// `size`: at least 1.
  explicit SendWindow(std::size_t size) : size_(size) {}

  /// A mail of this namespace is being sent.
  void Begin(const std::string& space, Steady now);
  /// A mail has ended.
  void Enter(const std::string& id, const std::string& space, Steady now);
  /// A ledger holds it, or none ever will.
  void Leave(const std::string& id);
  /// When the next mail of any namespace may go; nothing: now.
  [[nodiscard]] std::optional<Steady> Opens(Steady now);
  /// When the next mail of this namespace may go, if the window is open; nothing: now.
  [[nodiscard]] std::optional<Steady> OpensFor(const std::string& space, bool another_waits,
                                               Steady now) const;
  [[nodiscard]] bool Empty() const { return mails_.empty(); }

 private:
  struct Mail {
    std::string space;
    Steady entered;
  };
  [[nodiscard]] std::optional<Steady> OldestLeaves(const std::string* space) const;
  [[nodiscard]] bool HasCompany(const std::string& space, Steady now) const;

  const std::size_t size_;
  std::unordered_map<std::string, Mail> mails_;  // by id
  std::map<std::string, std::size_t> by_space_;  // how many of them; none is 0
  std::map<std::string, Steady> last_sent_;      // by namespace, of the last minute
};

}  // namespace certpair::notify
