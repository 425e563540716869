#include "x509/key_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/guarded.hpp"

namespace certpair::x509 {
namespace {

// Making keys must not slow down the threads that answer the API server.
constexpr int kNicer = 10;

using Ticket = std::uint64_t;

struct Wish {
  core::KeySpec spec;
  Ticket ticket = 0;  ///< a new one when the wish changes: what was made for the old one is dropped
  std::stop_source stop;
  std::optional<Result<PrivateKey>> outcome;
};

struct Wishes {
  std::map<std::string, Wish> by_owner;
  std::map<Ticket, std::string> queue;  ///< not begun, in the order of their tickets
  Ticket next_ticket = 1;

  void Add(const std::string& owner, core::KeySpec spec) {
    const Ticket ticket = next_ticket++;
    by_owner.insert_or_assign(owner,
                              Wish{.spec = spec, .ticket = ticket, .stop = {}, .outcome = {}});
    queue.emplace(ticket, owner);
  }
  void Drop(const std::string& owner) {
    const auto wish = by_owner.find(owner);
    if (wish == by_owner.end()) return;
    wish->second.stop.request_stop();
    queue.erase(wish->second.ticket);
    by_owner.erase(wish);
  }
  void DropAll() {
    for (auto& [owner, wish] : by_owner) wish.stop.request_stop();
    queue.clear();
    by_owner.clear();
  }
};

// A wish that a thread works on.
struct Job {
  std::string owner;
  core::KeySpec spec;
  Ticket ticket;
  std::stop_source stop;
};

void LowerPriority() {
  // On Linux a thread has a nice value of its own, and its id stands for it.
  const id_t thread = static_cast<id_t>(gettid());
  errno = 0;
  const int present = getpriority(PRIO_PROCESS, thread);
  if (errno == 0) setpriority(PRIO_PROCESS, thread, std::min(present + kNicer, 19));
}

}  // namespace

struct KeyPool::State {
  explicit State(Ready callback) : ready(std::move(callback)) {}

  std::optional<Job> NextJob(const std::stop_token& stop);
  bool Keep(const Job& job, Result<PrivateKey> outcome);
  void Run(const std::stop_token& stop);

  const Ready ready;
  Guarded<Wishes> wishes;
  std::vector<std::jthread> threads;  // last: they end before what they use
};

std::optional<Job> KeyPool::State::NextJob(const std::stop_token& stop) {
  auto locked = wishes.Lock();
  locked.Wait(stop, [](const Wishes& all) { return !all.queue.empty(); });
  if (stop.stop_requested()) return std::nullopt;
  const auto first = locked->queue.begin();
  const Wish& wish = locked->by_owner.at(first->second);
  Job job{.owner = first->second, .spec = wish.spec, .ticket = wish.ticket, .stop = wish.stop};
  locked->queue.erase(first);
  return job;
}

// Whether somebody still waits for it.
bool KeyPool::State::Keep(const Job& job, Result<PrivateKey> outcome) {
  auto locked = wishes.Lock();
  const auto wish = locked->by_owner.find(job.owner);
  if (wish == locked->by_owner.end() || wish->second.ticket != job.ticket) return false;
  wish->second.outcome = std::move(outcome);
  return true;
}

void KeyPool::State::Run(const std::stop_token& stop) {
  LowerPriority();
  while (auto job = NextJob(stop)) {
    const std::stop_callback end_with_pool(stop, [&] { job->stop.request_stop(); });
    auto outcome = GenerateKey(job->spec, job->stop.get_token());
    if (stop.stop_requested()) return;
    if (Keep(*job, std::move(outcome))) ready(job->owner);
  }
}

KeyPool::KeyPool(std::size_t threads, Ready ready)
    : state_(std::make_unique<State>(std::move(ready))) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    state_->threads.emplace_back(
        [state = state_.get()](const std::stop_token& stop) { state->Run(stop); });
  }
}

KeyPool::~KeyPool() {
  for (std::jthread& thread : state_->threads) thread.request_stop();  // all, before any is joined
}

Result<std::optional<PrivateKey>> KeyPool::Take(const std::string& owner, core::KeySpec spec) {
  if (spec.algorithm != core::KeyAlgorithm::Rsa || !IsOffered(spec)) {
    Forget(owner);
    auto key = GenerateKey(spec);
    if (!key) return std::unexpected(std::move(key.error()));
    return std::move(*key);
  }
  {
    auto locked = state_->wishes.Lock();
    const auto wish = locked->by_owner.find(owner);
    if (wish != locked->by_owner.end() && wish->second.spec == spec) {
      if (!wish->second.outcome) return std::nullopt;
      auto outcome = std::move(*wish->second.outcome);
      locked->by_owner.erase(wish);
      if (!outcome) return std::unexpected(std::move(outcome.error()));
      return std::move(*outcome);
    }
    locked->Drop(owner);
    locked->Add(owner, spec);
  }
  state_->wishes.NotifyOne();
  return std::nullopt;
}

void KeyPool::Forget(const std::string& owner) { state_->wishes.Lock()->Drop(owner); }

void KeyPool::ForgetAll() { state_->wishes.Lock()->DropAll(); }

std::size_t KeyPool::Waiting() const {
  auto locked = state_->wishes.Lock();
  return static_cast<std::size_t>(std::ranges::count_if(
      locked->by_owner, [](const auto& entry) { return !entry.second.outcome; }));
}

}  // namespace certpair::x509
