#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace certpair {
namespace {

using std::chrono::sys_days;
using std::chrono::year;
using Time = std::chrono::system_clock::time_point;

TEST(ToWallClock, Keeps_a_time_that_the_clock_can_count) {
  for (const sys_seconds time :
       {sys_seconds{}, sys_seconds{seconds{-1}}, sys_seconds{sys_days{year{1950} / 1 / 1}},
        sys_seconds{sys_days{year{2262} / 4 / 11}}}) {
    EXPECT_EQ(ToWallClock(time), Time{time});
  }
}

TEST(ToWallClock, Clamps_a_time_beyond_it) {
  EXPECT_EQ(ToWallClock(sys_days{year{2262} / 4 / 12}), Time::max());
  EXPECT_EQ(ToWallClock(sys_days{year{9999} / 12 / 31} + seconds{86'399}), Time::max());
  EXPECT_EQ(ToWallClock(sys_seconds::max()), Time::max());
  EXPECT_EQ(ToWallClock(sys_days{year{1} / 1 / 1}), Time::min());
  EXPECT_EQ(ToWallClock(sys_seconds::min()), Time::min());
}

}  // namespace
}  // namespace certpair
