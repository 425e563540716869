#include "kube/exchange.hpp"

#include <algorithm>

namespace certpair::kube {

void Exchange::Headers(Head head, std::size_t expected_size) {
  // A server's word for its size is believed up to a page of a list; beyond it, memory follows what
  // really comes.
  constexpr std::size_t kBelieved = std::size_t{4} << 20;
  auto state = state_.Lock();
  state->head = head;
  if (!state->abandoned) state->waiting.reserve(std::min({expected_size, kBelieved, limit_}));
}

bool Exchange::Body(std::string_view bytes, std::function<void()> resume) {
  bool full = false;
  {
    auto state = state_.Lock();
    if (state->abandoned) return true;
    state->waiting.append(bytes);
    full = state->waiting.size() >= limit_;
    if (full) state->resume = std::move(resume);
  }
  state_.NotifyAll();
  return !full;
}

void Exchange::Finish(std::optional<Failure> failure) {
  {
    auto state = state_.Lock();
    if (state->finished) return;
    state->finished = true;
    state->failure = std::move(failure);
  }
  state_.NotifyAll();
}

bool Exchange::Abandoned() const { return state_.Lock()->abandoned; }

template <class Ready>
Exchange::Wait Exchange::Await(Deadline until, const std::stop_token& stop, Ready ready) {
  auto state = state_.Lock();
  const bool is_ready = state.WaitUntil(stop, until, ready);
  if (stop.stop_requested()) return Wait::Stopped;
  return is_ready ? Wait::Ready : Wait::Late;
}

Exchange::Wait Exchange::AwaitEnd(Deadline until, const std::stop_token& stop) {
  return Await(until, stop,
               [this](const State& s) { return s.finished || s.waiting.size() >= limit_; });
}

Exchange::Wait Exchange::AwaitBytes(Deadline until, const std::stop_token& stop) {
  return Await(until, stop, [](const State& s) { return s.finished || !s.waiting.empty(); });
}

Exchange::Taken Exchange::Take(std::string& bytes) {
  std::function<void()> resume;
  Taken taken;
  {
    auto state = state_.Lock();
    taken = {state->head, state->finished, state->failure};
    if (bytes.empty()) {
      bytes.swap(state->waiting);
    } else {
      bytes.append(state->waiting);
      state->waiting.clear();
    }
    resume = std::exchange(state->resume, nullptr);
  }
  if (resume) resume();
  return taken;
}

void Exchange::Abandon() {
  std::function<void()> resume;
  {
    auto state = state_.Lock();
    state->abandoned = true;
    state->waiting = {};
    resume = std::exchange(state->resume, nullptr);
  }
  if (resume) resume();
}

}  // namespace certpair::kube
