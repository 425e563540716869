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

// Of the owners whom the order has let in there is a wish here; of those outside it keeps the
// names.
struct Wishes {
  explicit Wishes(KeyLimits limits) : order(limits) {}

  std::map<std::string, Wish> by_owner;
  KeyOrder order;
  Ticket next_ticket = 1;

  void Ask(const std::string& owner, const std::string& group, core::KeySpec spec,
           std::optional<sys_seconds> needed_by) {
    order.Ask(owner, group, needed_by);
    if (order.IsInside(owner))
      by_owner.try_emplace(owner,
                           Wish{.spec = spec, .ticket = next_ticket++, .stop = {}, .outcome = {}});
  }
  void Drop(const std::string& owner) {
    order.Leave(owner);
    const auto wish = by_owner.find(owner);
    if (wish == by_owner.end()) return;
    wish->second.stop.request_stop();
    by_owner.erase(wish);
  }
  void DropAll() {
    for (auto& [owner, wish] : by_owner) wish.stop.request_stop();
    by_owner.clear();
    order.Clear();
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
  State(Ready its_ready, GroupOf its_group_of, KeyLimits limits)
      : ready(std::move(its_ready)), group_of(std::move(its_group_of)), wishes(Wishes{limits}) {}

  std::optional<Job> NextJob(const std::stop_token& stop);
  bool Keep(const Job& job, Result<PrivateKey> outcome);
  void Run(const std::stop_token& stop);
  void Wake(const std::vector<std::string>& owners) const {
    for (const std::string& owner : owners) ready(owner);
  }

  const Ready ready;
  const GroupOf group_of;
  Guarded<Wishes> wishes;
  std::vector<std::jthread> threads;  // last: they end before what they use
};

std::optional<Job> KeyPool::State::NextJob(const std::stop_token& stop) {
  auto locked = wishes.Lock();
  locked.Wait(stop, [](const Wishes& all) { return all.order.HasNext(); });
  if (stop.stop_requested()) return std::nullopt;
  std::string owner = *locked->order.Next();
  const Wish& wish = locked->by_owner.at(owner);
  return Job{
      .owner = std::move(owner), .spec = wish.spec, .ticket = wish.ticket, .stop = wish.stop};
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

KeyPool::KeyPool(std::size_t threads, Ready ready, GroupOf group_of, KeyLimits limits)
    : state_(std::make_unique<State>(std::move(ready), std::move(group_of), limits)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
    state_->threads.emplace_back(
        [state = state_.get()](const std::stop_token& stop) { state->Run(stop); });
  }
}

KeyPool::~KeyPool() {
  for (std::jthread& thread : state_->threads) thread.request_stop();  // all, before any is joined
}

Result<std::optional<PrivateKey>> KeyPool::Take(const std::string& owner, core::KeySpec spec,
                                                std::optional<sys_seconds> needed_by) {
  if (spec.algorithm != core::KeyAlgorithm::Rsa || !IsOffered(spec)) {
    Forget(owner);
    auto key = GenerateKey(spec);
    if (!key) return std::unexpected(std::move(key.error()));
    return std::move(*key);
  }
  std::optional<Result<PrivateKey>> outcome;
  std::vector<std::string> invited;
  {
    auto locked = state_->wishes.Lock();
    const auto wish = locked->by_owner.find(owner);
    const bool is_same = wish != locked->by_owner.end() && wish->second.spec == spec;
    if (is_same) outcome = std::move(wish->second.outcome);
    const bool is_replaced = wish != locked->by_owner.end() && !is_same;
    if (outcome || is_replaced) locked->Drop(owner);
    if (!outcome)
      locked->Ask(owner, state_->group_of ? state_->group_of(owner) : std::string{}, spec,
                  needed_by);
    invited = locked->order.Invited();
  }
  state_->wishes.NotifyOne();
  state_->Wake(invited);
  if (!outcome) return std::nullopt;
  if (!*outcome) return std::unexpected(std::move(outcome->error()));
  return std::move(**outcome);
}

void KeyPool::Forget(const std::string& owner) {
  std::vector<std::string> invited;
  {
    auto locked = state_->wishes.Lock();
    locked->Drop(owner);
    invited = locked->order.Invited();
  }
  state_->Wake(invited);
}

void KeyPool::ForgetAll() { state_->wishes.Lock()->DropAll(); }

std::size_t KeyPool::Waiting() const {
  auto locked = state_->wishes.Lock();
  const auto made = std::ranges::count_if(
      locked->by_owner, [](const auto& entry) { return entry.second.outcome.has_value(); });
  return locked->order.Size() - static_cast<std::size_t>(made);
}

}  // namespace certpair::x509
