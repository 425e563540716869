#include "notify/outbox.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

#include "base/log.hpp"

namespace certpair::notify {

Outbox::Outbox(OutboxSettings settings, Mailer& mailer, const Clock& clock,
               OutboxListeners listeners, std::uint64_t seed)
    : settings_(std::move(settings)),
      mailer_(mailer),
      clock_(clock),
      listeners_(std::move(listeners)),
      state_(State{.queue = MailQueue{settings_.queue, seed}, .last_sent = std::nullopt}),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Outbox::~Outbox() { Stop(); }

void Outbox::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  state_.Lock().WaitUntil({}, std::chrono::steady_clock::now() + settings_.grace,
                          [](const State& state) { return !state.sending; });
  hard_stop_.request_stop();
  thread_.join();
}

void Outbox::StopAndSettle(std::chrono::milliseconds limit) {
  Stop();
  state_.Lock().WaitUntil({}, std::chrono::steady_clock::now() + limit,
                          [](const State& state) { return !state.queue.HasUnacknowledged(); });
}

Instant Outbox::Now() const { return {clock_.Steady(), clock_.NowSeconds()}; }

// Changes the queue, after which the thread looks again.
template <class Change>
auto Outbox::Changing(Change change) {
  auto state = state_.Lock();
  ++state->changes;
  state_.NotifyAll();
  return change(state->queue);
}

std::size_t Outbox::Room(const std::string& system_key) {
  return state_.Lock()->queue.Room(system_key);
}

bool Outbox::Post(const std::string& system_key, core::Notice notice) {
  return Changing(
      [&](MailQueue& queue) { return queue.Post(system_key, std::move(notice), Now()); });
}

std::vector<core::NoticeOutcome> Outbox::Outcomes(const std::string& system_key) {
  return state_.Lock()->queue.Outcomes(system_key);
}

void Outbox::Acknowledge(const std::string& system_key,
                         const std::vector<core::NoticeOutcome>& outcomes) {
  Changing([&](MailQueue& queue) { queue.Acknowledge(system_key, outcomes); });
}

bool Outbox::IsUnderWay(const std::string& id) { return state_.Lock()->queue.IsUnderWay(id); }

void Outbox::Withdraw(const std::string& system_key, const std::vector<std::string>& ids) {
  Changing([&](MailQueue& queue) { queue.Withdraw(system_key, ids); });
}

void Outbox::Forget(const std::string& system_key) {
  Changing([&](MailQueue& queue) { queue.Forget(system_key); });
}

void Outbox::DropAll() {
  const std::size_t dropped = Changing([](MailQueue& queue) { return queue.DropAll(); });
  if (dropped > 0)
    log::Info("waiting mails dropped: another process leads", {{"mails", std::to_string(dropped)}});
}

std::size_t Outbox::Depth() const { return state_.Lock()->queue.Depth(); }

std::optional<sys_seconds> Outbox::LastSent() const { return state_.Lock()->last_sent; }

void Outbox::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto [action, changes] = [this] {
      auto state = state_.Lock();
      auto next = state->queue.Next(Now());
      state->sending = std::holds_alternative<MailQueue::Send>(next);
      return std::pair{std::move(next), state->changes};
    }();
    CallListeners();
    if (const auto* send = std::get_if<MailQueue::Send>(&action))
      Send(send->notice);
    else
      Await(std::get<MailQueue::Rest>(action), changes, stop);
  }
  CallListeners();
  mailer_.Rest();
}

void Outbox::Send(const core::Notice& notice) {
  Delivery delivery{Verdict::Stopped, ""};
  const bool leads = !listeners_.still_leading || listeners_.still_leading();
  if (leads) {
    auto letter = Compose(notice, settings_.letterhead, clock_.NowSeconds());
    if (letter) rests_ = false;
    delivery = letter ? mailer_.Send(*letter, hard_stop_.get_token())
                      : Delivery{Verdict::Refused, letter.error().message};
  }
  {
    auto state = state_.Lock();
    state->queue.Done(delivery, Now());
    state->sending = false;
    if (delivery.verdict == Verdict::Sent) state->last_sent = clock_.NowSeconds();
  }
  state_.NotifyAll();
  if (!leads) DropAll();
  if (delivery.verdict == Verdict::Sent || delivery.verdict == Verdict::Stopped) return;
  log::Warn(delivery.verdict == Verdict::Refused ? "mail refused" : "mail delayed",
            {{"system", notice.system_namespace + "/" + notice.system_name},
             {"mail", notice.id},
             {"why", delivery.message}});
}

void Outbox::CallListeners() {
  auto [wakes, invited, kinds] = [this] {
    auto state = state_.Lock();
    MailQueue& queue = state->queue;
    return std::tuple{queue.TakeWakes(), queue.TakeInvited(), queue.TakeKinds()};
  }();
  if (listeners_.outcome) std::ranges::for_each(kinds, listeners_.outcome);
  if (listeners_.wake) std::ranges::for_each(wakes, listeners_.wake);
  if (listeners_.invite) std::ranges::for_each(invited, listeners_.invite);
}

void Outbox::Await(const MailQueue::Rest& rest, std::uint64_t changes,
                   const std::stop_token& stop) {
  using std::chrono::nanoseconds;
  nanoseconds wait{settings_.recheck};
  if (rest.until) wait = std::min(wait, nanoseconds{*rest.until - clock_.Steady()});
  const auto wait_for = [&](nanoseconds time) {
    return state_.Lock().WaitUntil(stop, std::chrono::steady_clock::now() + time,
                                   [&](const State& state) { return state.changes != changes; });
  };
  if (!rests_ && wait > settings_.keep_connection) {
    if (wait_for(settings_.keep_connection) || stop.stop_requested()) return;
    mailer_.Rest();
    rests_ = true;
    wait -= settings_.keep_connection;
  }
  wait_for(wait);
}

}  // namespace certpair::notify
