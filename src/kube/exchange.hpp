// One request as two threads share it: the network thread fills it, the calling thread waits on it.
// Knows nothing of the HTTP library. Private to kube.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "base/guarded.hpp"
#include "kube/error.hpp"

namespace certpair::kube {

/// Thread-safe. The network thread calls Headers, Body, Finish in that order, each as it comes; the
/// calling thread calls Await… and at the end, whatever happened, Abandon.
class Exchange {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  struct Head {
    int status = 0;  ///< 0: no answer yet
    std::optional<std::chrono::milliseconds> retry_after;
  };
  struct Failure {
    ApiErrorKind kind = ApiErrorKind::Transport;
    std::string what;
    bool unsent = false;  ///< the server cannot have seen the whole request
  };
  enum class Wait { Ready, Stopped, Late };

  /// `limit`: how many bytes of the body may wait to be taken.
  explicit Exchange(std::size_t limit) : limit_(limit) {}

  // The network thread's side.
  void Headers(Head head, std::size_t expected_size);
  /// Takes the bytes. False: there are `limit` bytes waiting now; go on reading when `resume` is
  /// called (once, from any thread).
  bool Body(std::string_view bytes, std::function<void()> resume);
  void Finish(std::optional<Failure> failure);
  /// The reader has left: what comes is discarded.
  [[nodiscard]] bool Abandoned() const;

  // The calling thread's side.
  /// Until the answer is whole, or has grown to the limit.
  Wait AwaitEnd(Deadline until, const std::stop_token& stop);
  /// Until there is something to take, or the end.
  Wait AwaitBytes(Deadline until, const std::stop_token& stop);
  struct Taken {
    Head head;
    bool finished = false;
    std::optional<Failure> failure;
  };
  /// Moves what waits to the end of `bytes`, which is given back as storage when it is empty.
  Taken Take(std::string& bytes);
  void Abandon();

 private:
  struct State {
    Head head;
    std::string waiting;
    std::function<void()> resume;
    bool finished = false;
    bool abandoned = false;
    std::optional<Failure> failure;
  };
  template <class Ready>
  Wait Await(Deadline until, const std::stop_token& stop, Ready ready);

  const std::size_t limit_;
  Guarded<State> state_;
};

}  // namespace certpair::kube
