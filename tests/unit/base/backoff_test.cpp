#include "base/backoff.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace certpair {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// Random bits that choose the longest delay of a step: its half, as the remainder by half + 1.
std::uint64_t Longest(Backoff::Delay step) { return static_cast<std::uint64_t>(step.count() / 2); }

TEST(Backoff, Doubles_from_the_first_up_to_the_cap) {
  Backoff backoff{200ms, 3s};
  for (const Backoff::Delay step : std::vector<Backoff::Delay>{200ms, 400ms, 800ms, 1600ms, 3s, 3s})
    EXPECT_EQ(backoff.Next(Longest(step)), step);
}

TEST(Backoff, Jitter_keeps_a_delay_between_half_and_all_of_its_step) {
  for (const std::uint64_t bits :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x9E3779B97F4A7C15}, kMost - 1, kMost}) {
    Backoff backoff{101ms, 10min};
    for (Backoff::Delay step = 101ms; step < 10min; step *= 2) {
      const Backoff::Delay delay = backoff.Next(bits);
      EXPECT_GE(delay, step / 2) << bits;
      EXPECT_LE(delay, step) << bits;
    }
  }
}

TEST(Backoff, Different_random_bits_give_different_delays) {
  Backoff one{1s, 1min};
  Backoff other{1s, 1min};
  EXPECT_EQ(one.Next(0), 500ms);
  EXPECT_EQ(other.Next(77), 577ms);
}

TEST(Backoff, Stays_at_the_cap_however_often_it_fails) {
  Backoff backoff{1ms, 5min};
  for (int i = 0; i < 10'000; ++i) EXPECT_LE(backoff.Next(kMost), 5min);
  EXPECT_EQ(backoff.Next(0), 150s);
}

TEST(Backoff, Starts_anew_after_a_reset) {
  Backoff backoff{1s, 1min};
  (void)backoff.Next(0);
  (void)backoff.Next(0);
  EXPECT_EQ(backoff.Failures(), 2);
  backoff.Reset();
  EXPECT_EQ(backoff.Failures(), 0);
  EXPECT_EQ(backoff.Next(0), 500ms);
}

TEST(Backoff, A_first_step_beyond_the_cap_is_the_cap) {
  Backoff backoff{1min, 10s};
  EXPECT_EQ(backoff.Next(Longest(10s)), 10s);
}

TEST(Backoff, Nothing_is_waited_where_the_steps_are_zero) {
  Backoff backoff{0ms, 0ms};
  EXPECT_EQ(backoff.Next(kMost), 0ms);
}

}  // namespace
}  // namespace certpair
