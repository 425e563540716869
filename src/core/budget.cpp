// R27: no loop issues certificates without end. The times of automatic issuances stand in the
// Secret, in the same write as the certificate, and in the status, which outlives the Secret.
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "core/reasons.hpp"
#include "core/rules.hpp"

namespace certpair::core {
namespace {

constexpr std::size_t kMostAutomatic = 6;  // R27: within one `before`
constexpr std::size_t kMostRemembered = 16;
constexpr seconds kBudgetRetry = std::chrono::hours{1};

void KeepLast(std::vector<sys_seconds>& times, std::size_t most) {
  if (times.size() > most)
    times.erase(times.begin(), times.end() - static_cast<std::ptrdiff_t>(most));
}

// An entry of the future was made before a clock went back. It bounds nothing.
std::vector<sys_seconds> PastIssuances(const View& view) {
  std::vector<sys_seconds> past =
      Merge(view.o.budget, Budget{view.o.status.automatic_issuances}).automatic;
  std::erase_if(past, [&](sys_seconds at) { return at > view.o.now; });
  return past;
}

std::vector<sys_seconds> RecentIssuances(const View& view) {
  std::vector<sys_seconds> recent = PastIssuances(view);
  std::erase_if(recent, [&](sys_seconds at) { return at <= view.o.now - view.before; });
  return recent;
}

}  // namespace

// Two issuances of one second are two: a union of sets would count them once.
Budget Merge(Budget one, Budget other) {
  std::ranges::sort(one.automatic);
  std::ranges::sort(other.automatic);
  Budget merged;
  std::ranges::set_union(one.automatic, other.automatic, std::back_inserter(merged.automatic));
  KeepLast(merged.automatic, kMostRemembered);
  return merged;
}

std::optional<Obstacle> BudgetObstacle(const View& view) {
  const auto recent = RecentIssuances(view);
  if (recent.size() < kMostAutomatic) return std::nullopt;
  const sys_seconds room = recent[recent.size() - kMostAutomatic] + view.before;
  return Obstacle{
      reason::kIssuanceBudgetExceeded,
      fmt::format("{} certificates were issued automatically within {}, the maximum. The next one "
                  "is possible from {} on. Find out why the certificates do not last.",
                  kMostAutomatic, FormatDuration(view.before), FormatTime(room)),
      std::min(room, view.o.now + kBudgetRetry)};
}

// As many as are ever asked for, however old: `before` follows the life of the active certificate,
// and may be longer at the next look.
Budget BudgetAfter(const View& view, bool automatic_issuance) {
  Budget budget{PastIssuances(view)};
  if (automatic_issuance) budget.automatic.push_back(view.o.now);
  KeepLast(budget.automatic, kMostAutomatic);
  return budget;
}

}  // namespace certpair::core
