// Time as a value that is handed in. Only the programs' `main` use SystemClock; everything else
// takes a Clock, and every pure step takes the time itself.
#pragma once

#include <chrono>

namespace certpair {

using std::chrono::seconds;
using std::chrono::sys_seconds;

/// `time` for a clock that counts finer, which ends long before the year 9999 (the system clock
/// counts nanoseconds, up to 2262): what lies beyond becomes the clock's first or last moment.
/// Every conversion of a certificate's time goes this way; the implicit one of <chrono> overflows.
[[nodiscard]] constexpr std::chrono::system_clock::time_point ToWallClock(sys_seconds time) {
  using Time = std::chrono::system_clock::time_point;
  if (time >= std::chrono::floor<seconds>(Time::max())) return Time::max();
  if (time <= std::chrono::ceil<seconds>(Time::min())) return Time::min();
  return Time{time};
}

/// A source of the present time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time, UTC. It may jump in either direction.
  [[nodiscard]] virtual std::chrono::system_clock::time_point Now() const = 0;
  /// Never goes back; for durations and back-off.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point Steady() const = 0;

  /// Now(), cut to whole seconds: the resolution of certificates and of Kubernetes' metav1.Time.
  [[nodiscard]] sys_seconds NowSeconds() const {
    return std::chrono::floor<std::chrono::seconds>(Now());
  }
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::system_clock::time_point Now() const override {
    return std::chrono::system_clock::now();
  }
  [[nodiscard]] std::chrono::steady_clock::time_point Steady() const override {
    return std::chrono::steady_clock::now();
  }
};

}  // namespace certpair
