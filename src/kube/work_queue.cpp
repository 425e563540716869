#include "kube/work_queue.hpp"

#include <algorithm>

namespace certpair::kube {

namespace {

constexpr std::chrono::milliseconds kFirstDelay{200};
constexpr std::chrono::milliseconds kLongestDelay = std::chrono::minutes{5};
constexpr std::chrono::seconds kSoonestDespiteFailure{10};

}  // namespace

void WorkQueue::AddAt(const std::string& key, DelayQueue::Time at, Urgency urgency) {
  auto state = state_.Lock();
  AddLocked(state, key, at, urgency);
}

void WorkQueue::AddAfterFailure(const std::string& key, std::chrono::milliseconds at_least) {
  const auto now = clock_.Now();
  auto state = state_.Lock();
  // An LCG is enough here (Knuth's MMIX constants): it only spreads retries.
  state->random = state->random * 6364136223846793005ULL + 1442695040888963407ULL;
  Backoff& backoff = state->failures.try_emplace(key, kFirstDelay, kLongestDelay).first->second;
  AddLocked(state, key,
            now + std::max(backoff.Next(state->random >> 32U), std::min(at_least, kLongestDelay)),
            Urgency::InTurn);
}

void WorkQueue::AddDespiteFailure(const std::string& key, DelayQueue::Time at, Urgency urgency) {
  const auto now = clock_.Now();
  if (at > now) AddAt(key, std::max(at, now + kSoonestDespiteFailure), urgency);
}

void WorkQueue::Succeeded(const std::string& key) { state_.Lock()->failures.erase(key); }

void WorkQueue::Forget(const std::string& key) {
  auto state = state_.Lock();
  state->failures.erase(key);
  state->queue.Forget(key);
}

void WorkQueue::Close() {
  auto state = state_.Lock();
  state->closed = true;
  state->failures.clear();
  state->queue.Clear();
}

void WorkQueue::Open() { state_.Lock()->closed = false; }

void WorkQueue::Done(const std::string& key) {
  auto state = state_.Lock();
  const auto before = state->queue.NextDue();
  state->queue.Done(key);
  WakeForNewHead(state, before);
}

std::size_t WorkQueue::Depth() const { return state_.Lock()->queue.Due(clock_.Now()); }

std::optional<DelayQueue::Time> WorkQueue::NextDue() const {
  return state_.Lock()->queue.NextDue();
}

void WorkQueue::AddLocked(Locked& state, const std::string& key, DelayQueue::Time at,
                          Urgency urgency) {
  if (state->closed) return;
  const auto before = state->queue.NextDue();
  state->queue.Add(key, at, urgency);
  WakeForNewHead(state, before);
}

// One thread is woken: for a key that is due, to take it; for one that is not but is next, to watch
// for it in place of who watches for a later one (and finds on waking that it was relieved).
void WorkQueue::WakeForNewHead(Locked& state, std::optional<DelayQueue::Time> before) {
  const auto head = state->queue.NextDue();
  if (!head) return;
  if (HeadIsDue(*state)) {
    state_.NotifyOne();
  } else if (!before || *head < *before) {
    state->watcher = 0;
    state_.NotifyOne();
  }
}

// Before a thread leaves: another thread must wait for the next key.
void WorkQueue::WakeNext(Locked& state) {
  if (HeadIsDue(*state) || (state->watcher == 0 && state->queue.NextDue())) state_.NotifyOne();
}

bool WorkQueue::HeadIsDue(const State& state) const {
  const auto head = state.queue.NextDue();
  return head && *head <= clock_.Now();
}

std::optional<std::string> WorkQueue::TryTake() {
  auto state = state_.Lock();
  auto key = state->queue.Take(clock_.Now());
  if (key) WakeNext(state);
  return key;
}

std::optional<std::string> WorkQueue::Take(const std::stop_token& stop) {
  auto state = state_.Lock();
  while (!stop.stop_requested()) {
    if (auto key = state->queue.Take(clock_.Now())) {
      WakeNext(state);
      return key;
    }
    if (state->watcher == 0 && state->queue.NextDue()) {
      WatchTime(state, stop);
    } else {
      state.Wait(stop, [this](const State& s) {
        return (s.watcher == 0 && s.queue.NextDue()) || HeadIsDue(s);
      });
    }
  }
  WakeNext(state);
  return std::nullopt;
}

void WorkQueue::WatchTime(Locked& state, const std::stop_token& stop) {
  const std::uint64_t ticket = ++state->last_ticket;
  state->watcher = ticket;
  const auto wait =
      std::min<std::chrono::nanoseconds>(*state->queue.NextDue() - clock_.Now(), recheck_);
  state.WaitUntil(stop, std::chrono::steady_clock::now() + wait,
                  [this, ticket](const State& s) { return s.watcher != ticket || HeadIsDue(s); });
  if (state->watcher == ticket) state->watcher = 0;
}

}  // namespace certpair::kube
