#include "http/admission.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace certpair::http {
namespace {

using Sums = std::map<std::string_view, std::size_t>;

std::size_t Largest(const Sums& sums) {
  std::size_t largest = 0;
  for (const auto& [peer, sum] : sums) largest = std::max(largest, sum);
  return largest;
}

// The one that has done nothing for longest; one whose answer is under way only after all others.
template <class Concerns>
std::optional<std::uint64_t> LongestIdle(const std::vector<Seat>& seats, const Concerns& concerns) {
  const Seat* found = nullptr;
  for (const Seat& seat : seats)
    if (concerns(seat) && (found == nullptr || std::pair{seat.answering, seat.since} <
                                                   std::pair{found->answering, found->since}))
      found = &seat;
  return found == nullptr ? std::nullopt : std::optional{found->id};
}

}  // namespace

std::optional<std::uint64_t> ClosedForNewcomer(const std::vector<Seat>& seats,
                                               const std::string& peer, const Limits& limits) {
  Sums counts;
  for (const Seat& seat : seats) ++counts[seat.peer];
  if (counts[peer] >= limits.per_address)
    return LongestIdle(seats, [&](const Seat& seat) { return seat.peer == peer; });
  if (seats.size() < limits.connections) return std::nullopt;
  const std::size_t most = Largest(counts);
  return LongestIdle(seats, [&](const Seat& seat) { return counts[seat.peer] == most; });
}

std::vector<std::uint64_t> ClosedForAnswer(std::vector<Seat> seats, std::size_t bytes,
                                           const Limits& limits) {
  std::erase_if(seats, [](const Seat& seat) { return seat.unsent == 0; });
  std::vector<std::uint64_t> closed;
  while (!seats.empty()) {
    Sums held;
    std::size_t all = bytes;
    for (const Seat& seat : seats) {
      held[seat.peer] += seat.unsent;
      all += seat.unsent;
    }
    if (all <= limits.unsent_bytes) break;
    const std::size_t most = Largest(held);
    const auto id = LongestIdle(seats, [&](const Seat& seat) { return held[seat.peer] == most; });
    if (!id) break;
    closed.push_back(*id);
    std::erase_if(seats, [&](const Seat& seat) { return seat.id == *id; });
  }
  return closed;
}

}  // namespace certpair::http
