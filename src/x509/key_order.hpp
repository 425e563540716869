// Whose key is made next. Pure: a function of its calls. Private to KeyPool and to tests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"

namespace certpair::x509 {

struct KeyLimits {
  /// Renewals of one group in the pool at once, wanted, begun or made; and as many of its other
  /// wishes. At least 1.
  std::size_t of_group = 32;
  int renewals_in_a_row = 4;  ///< then another wish, if there is one. At least 1
};

/// The owners who want a key, by group (a namespace). Not thread-safe. Calls are O(log owners).
///
/// What the order is for: a key costs up to seconds of a core and is not interrupted for another
/// one, and no group may make a certificate of another group end, whatever it asks for. Hence, from
/// the outside in:
///
/// 1. Renewals (`needed_by` is given) go before other wishes: a certificate in use ends, and a
/// first
///    one is missed by no peer yet. Of five keys one is another wish, so that certificates which
///    are renewed every minute do not keep first ones away for ever. A flood of first issues so
///    delays a renewal by the keys in hand, and by one key in five.
/// 2. Within each of the two the groups take turns, by rounds: in a round each group gets one key.
///    Who needs one soonest would not do between groups, since a group can ask for thousands of
///    certificates of two minutes' validity, all of which are needed sooner than anything else.
/// 3. Within a round, and within a group, goes first whose certificate ends first; of others, who
///    asked first. A round is the same for everyone, so it costs nothing to serve it in this order.
///
/// So a renewal waits for the keys in hand, for one key of each other group that renews too (two,
/// if its own group has had one in this round), and for a quarter as many others: with one group
/// that floods, for three keys and those in hand. Its own group's wishes that are needed sooner
/// come on top.
///
/// A group has at most `of_group` owners inside whose certificates are to be renewed, and as many
/// others (or its renewals would keep its own first issues outside for ever). Those whose keys are
/// made and were not taken are among them; so one group's private keys in memory are bounded too.
/// The others of the group wait outside, as names alone. When there is room, the first of them is
/// invited: the pool wakes it, and it asks again. An invitation that is not taken up holds its
/// place only until another owner of the group asks again.
class KeyOrder {
 public:
  explicit KeyOrder(KeyLimits limits = {}) : limits_(limits) {}

  /// `owner` wants a key; it may ask again. Whoever asked before keeps the place, but for a sooner
  /// `needed_by`. `group` stays an owner's own.
  void Ask(const std::string& owner, const std::string& group,
           std::optional<sys_seconds> needed_by);
  /// Whether it has a place in the pool; else it waits outside, or wants nothing.
  [[nodiscard]] bool IsInside(const std::string& owner) const;
  /// The owner whose key is made now; it is begun from then on. Nothing: nobody inside waits.
  [[nodiscard]] std::optional<std::string> Next();
  [[nodiscard]] bool HasNext() const {
    return !lanes_[kRenewals].Empty() || !lanes_[kOthers].Empty();
  }
  /// The owner took its key, or wants none any more.
  void Leave(const std::string& owner);
  /// Who has been invited since the last call: each is to be woken, so that it asks again.
  [[nodiscard]] std::vector<std::string> Invited();
  void Clear();
  /// Owners, inside and outside.
  [[nodiscard]] std::size_t Size() const { return owners_.size(); }

 private:
  static constexpr std::size_t kRenewals = 0;
  static constexpr std::size_t kOthers = 1;
  enum class Place { Outside, Invited, Queued, Begun };
  struct Rank {
    sys_seconds needed_by;   // sys_seconds::max(): it is no renewal
    std::uint64_t ticket{};  // first come, first served among equals
    friend auto operator<=>(const Rank&, const Rank&) = default;
    [[nodiscard]] std::size_t Lane() const {
      return needed_by == sys_seconds::max() ? kOthers : kRenewals;
    }
  };
  using Ranked = std::map<Rank, std::string>;  // to owners
  struct Turn {
    std::uint64_t round{};
    Rank first;
    friend auto operator<=>(const Turn&, const Turn&) = default;
  };
  // The renewals of a group, or its other wishes.
  struct Part {
    Ranked queued;
    std::optional<Turn> turn;  // as it stands in Lane
    Ranked outside;
    std::size_t inside = 0;
    std::size_t invited = 0;
  };
  struct Group {
    std::string name;
    std::array<Part, 2> parts;
    std::size_t owners = 0;
  };
  struct Owner {
    Group* group = nullptr;
    Rank rank;
    Place place = Place::Outside;
  };
  struct Lane {
    std::map<Turn, Group*> turns;
    std::uint64_t round = 0;
    std::unordered_set<std::string> served;  // groups, in this round: also those that left since
    [[nodiscard]] bool Empty() const { return turns.empty(); }
  };

  void Admit(const std::string& owner, Owner& entry, bool has_place);
  void Withdraw(Owner& entry);
  void Invite(Group& group);
  void Align(Group& group, std::size_t lane);

  const KeyLimits limits_;
  std::unordered_map<std::string, Owner> owners_;
  std::unordered_map<std::string, Group> groups_;  // its nodes do not move
  std::array<Lane, 2> lanes_;
  std::vector<std::string> invited_;
  std::uint64_t next_ticket_ = 0;
  int renewals_in_a_row_ = 0;
};

}  // namespace certpair::x509
