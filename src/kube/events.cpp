#include "kube/events.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/backoff.hpp"
#include "base/guarded.hpp"
#include "base/log.hpp"
#include "base/plain_text.hpp"
#include "base/random_bits.hpp"
#include "kube/event_aggregation.hpp"
#include "kube/event_queue.hpp"

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

// What was taken out of the queue, and when it may be written.
struct Taken {
  EventNote note;
  std::uint64_t term;
  std::stop_token cut;
};

struct Queue {
  bool open = true;
  std::uint64_t term = 0;       // grows with each Open and Close
  std::function<bool()> leads;  // empty: always
  std::stop_source cut;         // ends the requests of this term
  EventQueue waiting{kMostWaiting};
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
  bool MayWrite(std::uint64_t term) const;
  bool Write(const Taken& taken);
  ApiResult<void> Send(const EventNote& note, const EventWrite& write,
                       const std::stop_token& cut) const;
  ApiResult<void> SendPatiently(const Taken& taken, const EventWrite& write);

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
    std::optional<Taken> taken;
    {
      auto locked = queue.Lock();
      if (!locked.Wait(stop, [](const Queue& q) { return !q.waiting.Empty(); })) return;
      taken.emplace(std::move(*locked->waiting.Pop()), locked->term, locked->cut.get_token());
      locked->writing = true;
    }
    const bool written = Write(*taken);
    {
      auto locked = queue.Lock();
      locked->writing = false;
      if (!written) ++locked->dropped;
    }
    queue.NotifyAll();
  }
}

// Also after a process was frozen for as long as another took to lead: asked before each request.
bool EventRecorder::State::MayWrite(std::uint64_t term) const {
  auto locked = queue.Lock();
  return locked->open && locked->term == term && (!locked->leads || locked->leads());
}

// Answers whether the note is told, now or with a later count.
bool EventRecorder::State::Write(const Taken& taken) {
  const EventNote& note = taken.note;
  if (!MayWrite(taken.term)) return false;
  auto write = aggregation.Note(note, clock.Now());
  if (!write) return false;
  auto sent = SendPatiently(taken, *write);
  if (!sent && write->count > 1 && sent.error().kind == ApiErrorKind::NotFound) {
    // It expired on the server, or was deleted: this one is new.
    aggregation.Lost(note);
    write = aggregation.Note(note, clock.Now());
    if (!write) return false;
    sent = SendPatiently(taken, *write);
  }
  if (sent) return true;
  if (write->count == 1) aggregation.Lost(note);
  log::Debug(
      "event dropped",
      {{"reason", note.reason}, {"object", note.object.name}, {"error", sent.error().message}});
  return false;
}

ApiResult<void> EventRecorder::State::Send(const EventNote& note, const EventWrite& write,
                                           const std::stop_token& cut) const {
  const auto answer =
      write.count == 1
          ? client.Create(Events(), write.namespace_, EventObject(note, write, component, instance),
                          cut, Shape::MetadataOnly)
          : client.MergePatch(Events(), write.namespace_, write.name, "", EventCountPatch(write),
                              cut, Shape::MetadataOnly);
  // There already: an earlier attempt arrived, only its answer did not.
  if (answer || answer.error().kind == ApiErrorKind::AlreadyExists) return {};
  return std::unexpected(answer.error());
}

ApiResult<void> EventRecorder::State::SendPatiently(const Taken& taken, const EventWrite& write) {
  Backoff backoff{std::chrono::milliseconds{200}, kLongestWait};
  for (int attempt = 1;; ++attempt) {
    if (!MayWrite(taken.term))
      return std::unexpected(
          ApiError{.kind = ApiErrorKind::Cancelled,
                   .message = "the term of leading in which it was recorded is over"});
    auto sent = Send(taken.note, write, taken.cut);
    if (sent || attempt == kAttempts || !WorthRetrying(sent.error().kind)) return sent;
    auto wait = backoff.Next(random());
    if (sent.error().retry_after)
      wait = std::clamp<std::chrono::milliseconds>(*sent.error().retry_after, wait, kLongestWait);
    queue.Lock().WaitUntil(taken.cut, std::chrono::steady_clock::now() + wait,
                           [](const Queue&) { return false; });
    if (taken.cut.stop_requested()) return sent;
  }
}

EventRecorder::EventRecorder(const Client& client, const Clock& clock, std::string component,
                             std::string instance)
    : state_(std::make_unique<State>(client, clock, std::move(component), std::move(instance))) {
  state_->writer =
      std::jthread{[state = state_.get()](const std::stop_token& stop) { state->Run(stop); }};
}

EventRecorder::~EventRecorder() { Close(); }

void EventRecorder::Open(std::function<bool()> leads) {
  auto queue = state_->queue.Lock();
  queue->open = true;
  ++queue->term;
  queue->leads = std::move(leads);
  queue->cut = std::stop_source{};
}

void EventRecorder::Close() {
  const auto [term, end] = [this] {
    auto queue = state_->queue.Lock();
    return std::pair{queue->term, queue->end};
  }();
  if (state_->MayWrite(term))
    Flush(std::chrono::duration_cast<std::chrono::milliseconds>(
        std::min<std::chrono::steady_clock::duration>(end - std::chrono::steady_clock::now(),
                                                      kLastWrites)));
  std::stop_source cut;
  {
    auto queue = state_->queue.Lock();
    queue->open = false;
    ++queue->term;
    queue->leads = nullptr;
    queue->dropped += queue->waiting.Size();
    queue->waiting = EventQueue{kMostWaiting};
    cut = queue->cut;
  }
  cut.request_stop();  // without the lock: it calls back
  state_->queue.NotifyAll();
}

void EventRecorder::EndBy(std::chrono::steady_clock::time_point at) {
  state_->queue.Lock()->end = at;
}

void EventRecorder::Record(const ObjectReference& object, EventType type, const std::string& reason,
                           const std::string& message) {
  EventNote note{object, type, reason, PlainText(log::Redact(message))};
  {
    auto queue = state_->queue.Lock();
    if (!queue->open) {
      ++queue->dropped;
      return;
    }
    if (!queue->waiting.Push(std::move(note))) ++queue->dropped;
  }
  state_->queue.NotifyAll();
}

std::uint64_t EventRecorder::Dropped() const { return state_->queue.Lock()->dropped; }

bool EventRecorder::Flush(std::chrono::milliseconds deadline) {
  return state_->queue.Lock().WaitUntil(
      {}, std::chrono::steady_clock::now() + deadline,
      [](const Queue& queue) { return queue.waiting.Empty() && !queue.writing; });
}

}  // namespace certpair::kube
