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
// the place itself is refused, or the kind was removed and its objects with it.
bool LosesHistory(ApiErrorKind kind) {
  return kind == ApiErrorKind::Gone || kind == ApiErrorKind::Invalid ||
         kind == ApiErrorKind::NotFound || kind == ApiErrorKind::NoSuchResource;
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
  const bool lost = LosesHistory(failed.kind);
  if (lost) machine.history_lost = true;
  if (failed.kind == ApiErrorKind::Gone && first) {
    machine.state = Machine::Empty{};  // compaction is everyday's: nothing to wait for
  } else {
    machine.state = Machine::Failed{delay, lost ? std::string{} : Place(machine.state)};
  }
  return listing ? SinkCall::AbandonList : SinkCall::None;
}

SinkCall On(Machine& machine, PageCame&& page, std::uint64_t random) {
  if (!Listing(machine.state)) return SinkCall::None;
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
  std::string place = std::move(watching->resource_version);
  if (sound) {
    machine.backoff.Reset();
    machine.history_lost = false;
    machine.state = Machine::Listed{std::move(place)};
  } else {
    machine.state = Machine::Failed{machine.backoff.Next(random), std::move(place)};
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
