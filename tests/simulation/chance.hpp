// The one source of chance of a simulation: the same on every machine for a seed.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>

namespace certpair::sim {

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}

  /// In [0, n).
  std::uint64_t Below(std::uint64_t n) { return engine_() % n; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  /// In [0, 1). The standard's distributions differ between libraries.
  double Unit() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }
  /// In [0, whole), mostly near the beginning: as if each moment were as likely as any other.
  std::chrono::milliseconds Exponential(std::chrono::milliseconds mean) {
    return std::chrono::milliseconds{
        static_cast<std::int64_t>(-std::log(1.0 - Unit()) * static_cast<double>(mean.count()))};
  }
  std::chrono::milliseconds UpTo(std::chrono::milliseconds most) {
    return std::chrono::milliseconds{
        static_cast<std::int64_t>(Below(static_cast<std::uint64_t>(most.count()) + 1))};
  }
  template <class Container>
  const auto& OneOf(const Container& container) {
    return *std::next(std::begin(container),
                      static_cast<std::ptrdiff_t>(Below(std::size(container))));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace certpair::sim
