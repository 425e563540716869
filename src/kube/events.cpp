#include "kube/events.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/backoff.hpp"
#include "base/guarded.hpp"
#include "base/log.hpp"
#include "base/random_bits.hpp"
#include "kube/event_aggregation.hpp"

namespace certpair::kube {
namespace {

constexpr std::size_t kMostWaiting = 4096;
constexpr int kAttempts = 4;
constexpr std::chrono::seconds kLongestWait{10};
constexpr std::chrono::seconds kLastWrites{2};

const Resource& Events() {
  static const Resource events{"", "v1", "events", true};
  return events;
}

bool WorthRetrying(ApiErrorKind kind) {
  return kind == ApiErrorKind::Throttled || kind == ApiErrorKind::Server ||
         kind == ApiErrorKind::Timeout || kind == ApiErrorKind::Transport;
}

struct Queue {
  std::deque<EventNote> waiting;
  bool writing = false;  // one has been taken out and is not settled yet
  std::uint64_t dropped = 0;
  std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max();
};

}  // namespace

struct EventRecorder::State {
  State(const Client& its_client, const Clock& its_clock, std::string its_component,
        std::string its_instance)
      : client(its_client),
        clock(its_clock),
        component(std::move(its_component)),
        instance(std::move(its_instance)) {}

  void Run(const std::stop_token& stop);
  bool Write(const EventNote& note, const std::stop_token& stop);
  ApiResult<void> Send(const EventNote& note, const EventWrite& write,
                       const std::stop_token& stop) const;
  ApiResult<void> SendPatiently(const EventNote& note, const EventWrite& write,
                                const std::stop_token& stop);

  const Client& client;
  const Clock& clock;
  const std::string component;
  const std::string instance;
  Guarded<Queue> queue;
  EventAggregation aggregation;  // only the writing thread
  RandomBits random{0};          // only the writing thread
  std::jthread writer;           // last: it uses all the others
};

void EventRecorder::State::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::optional<EventNote> note;
    {
      auto locked = queue.Lock();
      if (!locked.Wait(stop, [](const Queue& q) { return !q.waiting.empty(); })) return;
      note = std::move(locked->waiting.front());
      locked->waiting.pop_front();
      locked->writing = true;
    }
    const bool written = Write(*note, stop);
    {
      auto locked = queue.Lock();
      locked->writing = false;
      if (!written) ++locked->dropped;
    }
    queue.NotifyAll();
  }
}

// Answers whether the note is told, now or with a later count.
bool EventRecorder::State::Write(const EventNote& note, const std::stop_token& stop) {
  auto write = aggregation.Note(note, clock.Now());
  if (!write) return false;
  auto sent = SendPatiently(note, *write, stop);
  if (!sent && write->count > 1 && sent.error().kind == ApiErrorKind::NotFound) {
    // It expired on the server, or somebody deleted it: this one is new.
    aggregation.Lost(note);
    write = aggregation.Note(note, clock.Now());
    if (!write) return false;
    sent = SendPatiently(note, *write, stop);
  }
  if (sent) return true;
  if (write->count == 1) aggregation.Lost(note);
  log::Debug(
      "event dropped",
      {{"reason", note.reason}, {"object", note.object.name}, {"error", sent.error().message}});
  return false;
}

ApiResult<void> EventRecorder::State::Send(const EventNote& note, const EventWrite& write,
                                           const std::stop_token& stop) const {
  const auto answer =
      write.count == 1
          ? client.Create(Events(), write.namespace_, EventObject(note, write, component, instance),
                          stop, Shape::MetadataOnly)
          : client.MergePatch(Events(), write.namespace_, write.name, "", EventCountPatch(write),
                              stop, Shape::MetadataOnly);
  // There already: an earlier attempt arrived, only its answer did not.
  if (answer || answer.error().kind == ApiErrorKind::AlreadyExists) return {};
  return std::unexpected(answer.error());
}

ApiResult<void> EventRecorder::State::SendPatiently(const EventNote& note, const EventWrite& write,
                                                    const std::stop_token& stop) {
  Backoff backoff{std::chrono::milliseconds{200}, kLongestWait};
  for (int attempt = 1;; ++attempt) {
    auto sent = Send(note, write, stop);
    if (sent || attempt == kAttempts || !WorthRetrying(sent.error().kind)) return sent;
    auto wait = backoff.Next(random());
    if (sent.error().retry_after)
      wait = std::clamp<std::chrono::milliseconds>(*sent.error().retry_after, wait, kLongestWait);
    queue.Lock().WaitUntil(stop, std::chrono::steady_clock::now() + wait,
                           [](const Queue&) { return false; });
    if (stop.stop_requested()) return sent;
  }
}

EventRecorder::EventRecorder(const Client& client, const Clock& clock, std::string component,
                             std::string instance)
    : state_(std::make_unique<State>(client, clock, std::move(component), std::move(instance))) {
  state_->writer =
      std::jthread{[state = state_.get()](const std::stop_token& stop) { state->Run(stop); }};
}

EventRecorder::~EventRecorder() {
  const auto left = state_->queue.Lock()->end - std::chrono::steady_clock::now();
  Flush(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::min<std::chrono::steady_clock::duration>(left, kLastWrites)));
}

void EventRecorder::EndBy(std::chrono::steady_clock::time_point at) {
  state_->queue.Lock()->end = at;
}

void EventRecorder::Record(const ObjectReference& object, EventType type, const std::string& reason,
                           const std::string& message) {
  EventNote note{object, type, reason, log::Redact(message)};
  {
    auto queue = state_->queue.Lock();
    if (queue->waiting.size() >= kMostWaiting) {
      ++queue->dropped;
      return;
    }
    queue->waiting.push_back(std::move(note));
  }
  state_->queue.NotifyAll();
}

std::uint64_t EventRecorder::Dropped() const { return state_->queue.Lock()->dropped; }

bool EventRecorder::Flush(std::chrono::milliseconds deadline) {
  return state_->queue.Lock().WaitUntil(
      {}, std::chrono::steady_clock::now() + deadline,
      [](const Queue& queue) { return queue.waiting.empty() && !queue.writing; });
}

}  // namespace certpair::kube
