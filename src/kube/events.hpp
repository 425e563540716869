// Kubernetes Events, told on the side: aggregated, rate-limited, and dropped before they slow
// anything down.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "kube/client.hpp"

namespace certpair::kube {

struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string namespace_;  ///< empty: cluster-scoped; its Events go to `default`
  std::string name;
  std::string uid;
};

enum class EventType { Normal, Warning };

/// Has one thread that writes. An Event that says the same of the same object again within ten
/// minutes is counted up on the Event that is there (PATCH), at most 25 writes an object in a
/// burst and one in five minutes then; the queue holds 4,096, and what does not fit is dropped and
/// counted. Throttling and server errors are retried a few times, refusals are not. Messages are
/// redacted as a log's and cut at 1,024 bytes. Thread-safe; Record never blocks.
class EventRecorder {
 public:
  EventRecorder(const Client& client, const Clock& clock, std::string component,
                std::string instance);
  /// As Close.
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  /// A term of leading begins: Events are written while `leads` says so, which is asked before each
  /// request. Give it this term's answer: a process that leads again must not write what it
  /// recorded before. A recorder that was never opened nor closed writes always.
  void Open(std::function<bool()> leads);
  /// The term ends. While it lasts, what waits is written, for at most two seconds and until EndBy
  /// at the latest. All else is dropped and counted: a request under way is cut, and so is what is
  /// recorded from now on. `leads` is no longer called.
  void Close();
  /// The process is leaving, and nothing is waited for longer.
  void EndBy(std::chrono::steady_clock::time_point at);
  void Record(const ObjectReference& object, EventType type, const std::string& reason,
              const std::string& message);
  /// How many led to no write: the queue was full, the object over its rate, the term over, or the
  /// server refused.
  [[nodiscard]] std::uint64_t Dropped() const;
  /// Blocks until nothing waits, at most `deadline`; for tests and orderly ends.
  bool Flush(std::chrono::milliseconds deadline);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace certpair::kube
