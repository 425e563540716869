// Exponential back-off with jitter, as a value. Pure; not thread-safe (each user has its own).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace certpair {

/// Doubles from `first` up to `cap`. Next() takes 64 random bits and answers a delay in [half,
/// whole] of the step, so that a crowd that failed together does not come back together.
class Backoff {
 public:
  using Delay = std::chrono::milliseconds;
  constexpr Backoff(Delay first, Delay cap) : first_(first), cap_(cap) {}

  constexpr Delay Next(std::uint64_t random_bits) {
    const Delay whole = Step();
    if (failures_ < 62) ++failures_;
    const auto half = whole.count() / 2;
    return Delay{whole.count() - half +
                 static_cast<Delay::rep>(random_bits % static_cast<std::uint64_t>(half + 1))};
  }
  constexpr void Reset() { failures_ = 0; }
  [[nodiscard]] constexpr int Failures() const { return failures_; }

 private:
  [[nodiscard]] constexpr Delay Step() const {
    Delay step = first_;
    for (int i = 0; i < failures_ && step < cap_; ++i) step *= 2;
    return std::min(step, cap_);
  }
  Delay first_;
  Delay cap_;
  int failures_ = 0;
};

}  // namespace certpair
