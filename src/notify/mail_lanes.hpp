// The mails that wait, a lane for each namespace, and whose turn it is. Pure.
// Private to src/notify, but for the queue.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace certpair::notify {

/// Lanes take turns: the lane that was served longest ago and has a mail that may go is next. A
/// lane that was empty goes behind the others. A lane that is held back keeps its turn. Within a
/// lane, mails go in their order; a mail whose address may get none now waits aside, and those
/// behind it go. Not thread-safe.
class MailLanes {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  /// Where a mail waits.
  struct Place {
    std::string space;  ///< the namespace
    std::uint64_t order = 0;
    /// Not before this time: it is over the rate of its address, or, with `delayed`, was tried.
    std::optional<Steady> not_before;
    bool delayed = false;
  };
  void Add(const Place& place, const std::string& id);
  void Remove(const Place& place);
  void Clear() {
    lanes_.clear();
    untried_ = delayed_ = 0;
  }

  /// Until when something is held back; nothing: it may go.
  struct Gates {
    std::function<std::optional<Steady>(const std::string& space)> space;
    /// Where it answers a time, the mail's place is not before that from now on.
    std::function<std::optional<Steady>(const std::string& id)> mail;
  };
  struct Choice {
    std::string id;               ///< the mail that goes, removed from its place; empty: none
    std::optional<Steady> until;  ///< when there may be one; nothing: until another comes
  };
  [[nodiscard]] Choice Choose(Steady now, const Gates& gates);

  /// Mails that were not tried yet, in all and in one lane.
  [[nodiscard]] std::size_t Untried() const { return untried_; }
  [[nodiscard]] std::size_t Untried(const std::string& space) const;
  /// Whether another lane has a mail that was not tried yet.
  [[nodiscard]] bool AnotherWaits(const std::string& space) const;
  [[nodiscard]] std::size_t Delayed() const { return delayed_; }
  /// Of the lane with the most delayed mails, the one that is tried last; there must be one.
  [[nodiscard]] const std::string& LastDelayed() const;

 private:
  using Timed = std::map<std::pair<Steady, std::uint64_t>, std::string>;
  struct Lane {
    std::uint64_t turn = 0;
    int untried_in_a_row = 0;
    std::map<std::uint64_t, std::string> fresh;  // ids, in order
    Timed held;                                  // over the rate of their addresses
    Timed delayed;
    [[nodiscard]] bool Empty() const { return fresh.empty() && held.empty() && delayed.empty(); }
  };
  [[nodiscard]] static std::optional<Place> Head(const std::string& space, Lane& lane, Steady now);
  [[nodiscard]] static std::optional<Steady> Soonest(const Lane& lane);
  static const std::string& IdAt(const Lane& lane, const Place& place);
  std::string ChooseFrom(const std::string& space, Lane& lane, Steady now, const Gates& gates);

  std::map<std::string, Lane> lanes_;  // by namespace; none is empty
  std::uint64_t next_turn_ = 0;
  std::size_t untried_ = 0;
  std::size_t delayed_ = 0;
};

}  // namespace certpair::notify
