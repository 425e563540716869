#include "kube/watch_machine.hpp"

#include <algorithm>
#include <utility>

namespace certpair::kube {
namespace {

using Machine = WatchMachine;

bool Listing(const Machine::State& state) {
  return std::holds_alternative<Machine::Empty>(state) ||
         std::holds_alternative<Machine::ListPage>(state);
}

// After these a watch from the same place could never be right: the history before it is gone, or
// the place itself is refused, or the kind was removed and its objects with it, or the next event
// is one that cannot be read.
bool LosesHistory(ApiErrorKind kind) {
  return kind == ApiErrorKind::Gone || kind == ApiErrorKind::Invalid ||
         kind == ApiErrorKind::NotFound || kind == ApiErrorKind::NoSuchResource ||
         kind == ApiErrorKind::TooLarge;
}

bool MakesNoProgress(ApiErrorKind kind, int failures) {
  const bool bad_answer = kind == ApiErrorKind::Protocol || kind == ApiErrorKind::Timeout;
  return failures >= (bad_answer ? kBadAnswersBeforeList : kFailuresBeforeList);
}

void Halve(Machine& machine) {
  machine.limit = std::max(1, machine.limit / 2);
  machine.pages_in_limit = 0;
}

void Grow(Machine& machine) {
  if (machine.limit >= machine.page_size || ++machine.pages_in_limit < kPagesBeforeGrowth) return;
  machine.limit = std::min(machine.page_size, machine.limit * 2);
  machine.pages_in_limit = 0;
}

std::string Place(const Machine::State& state) {
  if (const auto* listed = std::get_if<Machine::Listed>(&state)) return listed->resource_version;
  if (const auto* watching = std::get_if<Machine::Watching>(&state))
    return watching->resource_version;
  return {};
}

SinkCall On(Machine& machine, RequestFailed&& failed, std::uint64_t random) {
  if (std::holds_alternative<Machine::Failed>(machine.state)) return SinkCall::None;
  const bool listing = Listing(machine.state);
  const bool first = machine.backoff.Failures() == 0;
  std::chrono::milliseconds delay = machine.backoff.Next(random);
  if (failed.retry_after)
    delay = std::max(delay,
                     std::min<std::chrono::milliseconds>(*failed.retry_after, kLongestRetryAfter));
  // A page of the same size would be as slow again.
  if (listing && failed.kind == ApiErrorKind::Timeout) Halve(machine);
  const bool lost = LosesHistory(failed.kind) ||
                    (!listing && MakesNoProgress(failed.kind, machine.backoff.Failures()));
  if (lost) machine.history_lost = true;
  if (failed.kind == ApiErrorKind::Gone && first) {
    machine.state = Machine::Empty{};  // compaction is ordinary: no reason to wait
  } else {
    machine.state = Machine::Failed{delay, lost ? std::string{} : Place(machine.state)};
  }
  return listing ? SinkCall::AbandonList : SinkCall::None;
}

SinkCall On(Machine& machine, PageCame&& page, std::uint64_t random) {
  if (!Listing(machine.state)) return SinkCall::None;
  Grow(machine);
  if (!page.continue_token.empty()) {
    machine.state = Machine::ListPage{std::move(page.continue_token)};
    return SinkCall::None;
  }
  // A watch from "" would start anywhere, and changes might fall between list and watch.
  if (page.resource_version.empty())
    return On(machine, RequestFailed{ApiErrorKind::Protocol, {}}, random);
  if (!machine.history_lost) machine.backoff.Reset();
  machine.state = Machine::Listed{std::move(page.resource_version)};
  return SinkCall::FinishList;
}

SinkCall On(Machine& machine, PageTooLarge&&, std::uint64_t) {
  if (Listing(machine.state)) Halve(machine);
  return SinkCall::None;
}

SinkCall On(Machine& machine, WatchOpens&&, std::uint64_t) {
  if (auto* listed = std::get_if<Machine::Listed>(&machine.state))
    machine.state = Machine::Watching{std::move(listed->resource_version)};
  return SinkCall::None;
}

SinkCall On(Machine& machine, EventCame&& event, std::uint64_t) {
  auto* watching = std::get_if<Machine::Watching>(&machine.state);
  if (!watching) return SinkCall::None;
  if (!watching->delivered) {
    watching->delivered = true;
    machine.backoff.Reset();
    machine.history_lost = false;
  }
  if (!event.resource_version.empty())
    watching->resource_version = std::move(event.resource_version);
  switch (event.type) {
    case WatchEventType::Added:
    case WatchEventType::Modified:
      return SinkCall::Put;
    case WatchEventType::Deleted:
      return SinkCall::Remove;
    case WatchEventType::Bookmark:
    case WatchEventType::Error:
      break;
  }
  return SinkCall::None;
}

SinkCall On(Machine& machine, WatchEnded&& ended, std::uint64_t random) {
  auto* watching = std::get_if<Machine::Watching>(&machine.state);
  if (!watching) return SinkCall::None;
  const bool sound = watching->delivered || ended.lived >= kSoundWatch;
  if (sound) {
    std::string place = std::move(watching->resource_version);
    machine.backoff.Reset();
    machine.history_lost = false;
    machine.state = Machine::Listed{std::move(place)};
  } else {
    return On(machine, RequestFailed{ApiErrorKind::Transport, {}}, random);
  }
  return SinkCall::None;
}

SinkCall On(Machine& machine, WaitOver&&, std::uint64_t) {
  auto* failed = std::get_if<Machine::Failed>(&machine.state);
  if (!failed) return SinkCall::None;
  std::string place = std::move(failed->resource_version);
  if (place.empty()) {
    machine.state = Machine::Empty{};
  } else {
    machine.state = Machine::Listed{std::move(place)};
  }
  return SinkCall::None;
}

}  // namespace

SinkCall Step(WatchMachine& machine, WatchInput input, std::uint64_t random) {
  return std::visit(
      [&]<class Input>(Input&& what) { return On(machine, std::forward<Input>(what), random); },
      std::move(input));
}

std::chrono::seconds WatchTimeout(std::uint64_t random) {
  return std::chrono::seconds{300 + static_cast<std::int64_t>(random % 301)};
}

}  // namespace certpair::kube
