// Which systems are woken, with a time that the test gives.
#include "notify/wake_list.hpp"

#include <gmock/gmock.h>

namespace certpair::notify {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr WakeList::Steady kStart{1000h};

TEST(WakeList, A_system_is_woken_once_for_all_of_its_outcomes) {
  WakeList wakes;
  for (const char* key : {"b", "a", "b"}) wakes.Add(key);
  EXPECT_THAT(wakes.Take(), ElementsAre("a", "b"));
  EXPECT_THAT(wakes.Take(), IsEmpty());
}

TEST(WakeList, A_wake_is_held_while_the_next_mail_of_its_system_goes) {
  WakeList wakes;
  wakes.Add("a");
  wakes.Add("b");
  wakes.Hold("a", kStart);
  EXPECT_THAT(wakes.Take(), ElementsAre("b"));
  wakes.Release();
  EXPECT_THAT(wakes.Take(), ElementsAre("a"));
}

TEST(WakeList, A_wake_is_held_for_a_second_over_all_mails) {
  WakeList wakes;
  wakes.Add("a");
  wakes.Hold("a", kStart);
  wakes.Hold("a", kStart + 999ms);
  EXPECT_THAT(wakes.Take(), IsEmpty());
  wakes.Hold("a", kStart + 1s);
  EXPECT_THAT(wakes.Take(), ElementsAre("a"));
}

TEST(WakeList, The_mail_of_another_system_ends_the_hold) {
  WakeList wakes;
  wakes.Add("a");
  wakes.Hold("a", kStart);
  wakes.Hold("b", kStart);
  EXPECT_THAT(wakes.Take(), ElementsAre("a"));
}

TEST(WakeList, A_wake_that_comes_during_the_first_mail_is_not_held) {
  WakeList wakes;
  wakes.Hold("a", kStart);
  wakes.Add("a");
  EXPECT_THAT(wakes.Take(), ElementsAre("a"));
}

TEST(WakeList, A_system_that_is_forgotten_is_not_woken) {
  WakeList wakes;
  wakes.Add("a");
  wakes.Forget("a");
  EXPECT_THAT(wakes.Take(), IsEmpty());
}

}  // namespace
}  // namespace certpair::notify
