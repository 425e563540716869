// A clock that stands still until a test moves it.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.hpp"

namespace certpair::test {

/// Thread-safe.
class ManualClock final : public Clock {
 public:
  using Duration = std::chrono::nanoseconds;
  explicit ManualClock(sys_seconds start) : wall_(Duration{start.time_since_epoch()}.count()) {}

  [[nodiscard]] std::chrono::system_clock::time_point Now() const override {
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(Duration{wall_})};
  }
  [[nodiscard]] std::chrono::steady_clock::time_point Steady() const override {
    return std::chrono::steady_clock::time_point{Duration{steady_}};
  }

  /// Time passes.
  void Advance(Duration by) {
    wall_ += by.count();
    steady_ += by.count();
  }
  /// Somebody sets the wall clock, forward or back.
  void StepWall(Duration by) { wall_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> steady_ = 0;
};

}  // namespace certpair::test
