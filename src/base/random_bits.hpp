// Random bits for jitter, small enough to keep one source beside each user. Not for secrets.
#pragma once

#include <cstdint>
#include <random>

namespace certpair {

/// SplitMix64 (Steele, Lea and Flood, 2014). Not thread-safe.
class RandomBits {
 public:
  /// Seed 0: from the machine, so that replicas differ.
  explicit RandomBits(std::uint64_t seed) : state_(seed != 0 ? seed : FromMachine()) {}
  std::uint64_t operator()() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

 private:
  static std::uint64_t FromMachine() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
  }
  std::uint64_t state_;
};

}  // namespace certpair
