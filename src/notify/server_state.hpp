// Whether the mail server as a whole takes mails. Pure. Private to src/notify, but for the queue.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/backoff.hpp"
#include "base/random_bits.hpp"

namespace certpair::notify {

/// A server that fails for all mails is probed by one mail at a time, ever more seldom, until it
/// answers. Not thread-safe.
class ServerState {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  explicit ServerState(const Backoff& pauses) : pauses_(pauses) {}

  void Fails(std::string message, Steady now, RandomBits& random) {
    trouble_ = std::move(message);
    next_probe_ = now + pauses_.Next(random());
  }
  void Answers() {
    trouble_.reset();
    pauses_.Reset();
  }
  [[nodiscard]] bool IsAway() const { return trouble_.has_value(); }
  /// What failed last; nothing: it answers.
  [[nodiscard]] const std::optional<std::string>& Trouble() const { return trouble_; }
  /// When a mail may be tried; nothing: now.
  [[nodiscard]] std::optional<Steady> Opens(Steady now) const {
    return trouble_ && now < next_probe_ ? std::optional{next_probe_} : std::nullopt;
  }

 private:
  std::optional<std::string> trouble_;
  Steady next_probe_;
  Backoff pauses_;
};

}  // namespace certpair::notify
