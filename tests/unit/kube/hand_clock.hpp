// A clock that the test moves by hand. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace certpair::kube {

class HandClock final : public Clock {
 public:
  std::chrono::system_clock::time_point Now() const override {
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::nanoseconds{wall_})};
  }
  std::chrono::steady_clock::time_point Steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::nanoseconds{steady_}};
  }
  void Advance(std::chrono::nanoseconds by) {
    wall_ += by.count();
    steady_ += by.count();
  }
  /// A person sets the wall clock; steady time goes on.
  void StepWall(std::chrono::nanoseconds by) { wall_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_{1'800'000'000'000'000'000};
  std::atomic<std::int64_t> steady_{1'000'000'000'000};
};

}  // namespace certpair::kube
