#include "notify/outcome_book.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "notify/system_key.hpp"

namespace certpair::notify {
namespace {

using core::NoticeOutcome;

constexpr std::size_t kMostAtOnce = 300;
// By the steady clock: if the wall clock is set forward, or a status cannot be written for days,
// the mail would go out again.
constexpr std::chrono::hours kLife{24};

}  // namespace

void OutcomeBook::Count(const std::string& key, std::ptrdiff_t more) {
  const auto of = count_by_space_.try_emplace(SpaceOf(key)).first;
  of->second += static_cast<std::size_t>(more);  // modulo 2^64: `more` may be below 0
  count_ += static_cast<std::size_t>(more);
  if (of->second == 0) count_by_space_.erase(of);
}

std::size_t OutcomeBook::CountOf(const std::string& space) const {
  const auto found = count_by_space_.find(space);
  return found == count_by_space_.end() ? 0 : found->second;
}

void OutcomeBook::Add(const std::string& key, NoticeOutcome outcome) {
  System& system = systems_[key];
  system.fresh = true;
  const auto before = std::ranges::find(system.outcomes, outcome.id, &NoticeOutcome::id);
  if (before != system.outcomes.end()) {
    *before = std::move(outcome);
    return;
  }
  system.outcomes.push_back(std::move(outcome));
  Count(key, 1);
}

OutcomeBook::Outcomes OutcomeBook::Of(const std::string& key) {
  const auto found = systems_.find(key);
  if (found == systems_.end()) return {};
  found->second.fresh = true;
  const auto& all = found->second.outcomes;
  return {all.begin(), all.begin() + std::min(std::ssize(all), std::ptrdiff_t{kMostAtOnce})};
}

std::vector<std::string> OutcomeBook::Acknowledge(const std::string& key,
                                                  const Outcomes& outcomes) {
  std::vector<std::string> gone;
  const auto found = systems_.find(key);
  if (found == systems_.end()) return gone;
  std::erase_if(found->second.outcomes, [&](const NoticeOutcome& outcome) {
    const bool known = std::ranges::find(outcomes, outcome) != outcomes.end();
    if (known) gone.push_back(outcome.id);
    return known;
  });
  Count(key, -std::ssize(gone));
  if (found->second.outcomes.empty()) systems_.erase(found);
  return gone;
}

std::vector<std::string> OutcomeBook::Forget(const std::string& key) {
  std::vector<std::string> gone;
  const auto found = systems_.find(key);
  if (found == systems_.end()) return gone;
  for (const NoticeOutcome& outcome : found->second.outcomes) gone.push_back(outcome.id);
  Count(key, -std::ssize(gone));
  systems_.erase(found);
  return gone;
}

bool OutcomeBook::HasEnded(const std::string& key, const std::string& id) const {
  const auto found = systems_.find(key);
  return found != systems_.end() &&
         std::ranges::any_of(found->second.outcomes, [&](const NoticeOutcome& outcome) {
           return outcome.id == id && outcome.kind != NoticeOutcome::Kind::Delayed;
         });
}

void OutcomeBook::DropDelayed() {
  for (auto& [key, system] : systems_) {
    const auto gone = std::erase_if(system.outcomes, [](const NoticeOutcome& outcome) {
      return outcome.kind == NoticeOutcome::Kind::Delayed;
    });
    Count(key, -static_cast<std::ptrdiff_t>(gone));
  }
}

void OutcomeBook::ForgetUnasked(Steady now) {
  for (auto at = systems_.begin(); at != systems_.end();) {
    System& system = at->second;
    if (std::exchange(system.fresh, false)) system.stale_since = now;
    const bool over = system.outcomes.empty() || system.stale_since + kLife < now;
    if (over) Count(at->first, -std::ssize(system.outcomes));
    at = over ? systems_.erase(at) : std::next(at);
  }
}

}  // namespace certpair::notify
