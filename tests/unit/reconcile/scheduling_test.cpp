#include "reconcile/scheduling.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace certpair::reconcile {
namespace {

using Kind = PassResult::Kind;
using std::chrono::seconds;

class SchedulingTest : public testing::Test {
 protected:
  // A pass over `key` that ends so; answers how long until the key is due again.
  std::optional<std::chrono::nanoseconds> Pass(const PassResult& result) {
    queue.Add("key");
    EXPECT_EQ(queue.TryTake(), "key");
    if (during) during();
    Schedule(queue, "key", result);
    queue.Done("key");
    const auto due = queue.NextDue();
    if (!due) return std::nullopt;
    return *due - clock.Now();
  }
  test::ManualClock clock{sys_seconds{seconds{1'000'000}}};
  kube::WorkQueue queue{clock};
  std::function<void()> during;
};

TEST_F(SchedulingTest, A_settled_key_comes_back_when_it_asked_for) {
  EXPECT_EQ(Pass({.kind = Kind::Settled, .wake_at = clock.NowSeconds() + seconds{90}}),
            seconds{90});
}

TEST_F(SchedulingTest, A_waiting_key_comes_back_at_its_safety_net) {
  EXPECT_EQ(Pass({.kind = Kind::Waiting, .wake_at = clock.NowSeconds() + seconds{5}}), seconds{5});
}

// RFC 5280, 4.1.2.5: a certificate without a well-defined end. Nanoseconds end in 2262.
TEST_F(SchedulingTest, A_time_beyond_the_clocks_range_is_far_off_and_not_past) {
  using std::chrono::sys_days;
  using std::chrono::year;
  const sys_seconds times[] = {sys_days{year{2262} / 4 / 11} + std::chrono::hours{23},
                               sys_days{year{2262} / 4 / 12}, sys_days{year{2600} / 1 / 1},
                               sys_days{year{9999} / 12 / 31} + seconds{86'399}};
  for (const sys_seconds at : times) {
    for (const auto kind : {Kind::Settled, Kind::Waiting}) {
      Schedule(queue, "far", {.kind = kind, .wake_at = at});
      EXPECT_FALSE(queue.TryTake()) << at.time_since_epoch().count();
      ASSERT_TRUE(queue.NextDue());
      EXPECT_GT(*queue.NextDue(), clock.Now() + std::chrono::hours{24 * 365 * 200});
      queue.Forget("far");
    }
  }
}

TEST_F(SchedulingTest, What_is_urgent_goes_before_what_was_due_sooner) {
  const sys_seconds soon = clock.NowSeconds() + seconds{1};
  Schedule(queue, "warns", {.kind = Kind::Settled, .wake_at = soon});
  Schedule(queue, "regenerates",
           {.kind = Kind::Settled, .wake_at = soon + seconds{1}, .urgency = kube::Urgency::First});
  clock.Advance(seconds{2});
  EXPECT_EQ(queue.TryTake(), "regenerates");
  EXPECT_EQ(queue.TryTake(), "warns");
}

TEST_F(SchedulingTest, A_failure_backs_off_and_the_server_may_ask_for_more) {
  const auto first = Pass({.kind = Kind::Failed});
  ASSERT_TRUE(first);
  EXPECT_GE(*first, std::chrono::milliseconds{100});
  EXPECT_LE(*first, std::chrono::milliseconds{200});
  clock.Advance(seconds{1});
  ASSERT_TRUE(queue.TryTake());
  queue.Done("key");
  EXPECT_EQ(Pass({.kind = Kind::Failed, .retry_after = seconds{60}}), seconds{60});
}

TEST_F(SchedulingTest, No_server_puts_a_key_off_for_longer_than_five_minutes) {
  EXPECT_EQ(
      Pass(FailedBy({.kind = kube::ApiErrorKind::Throttled, .retry_after = std::chrono::hours{1}})),
      std::chrono::minutes{5});
}

TEST_F(SchedulingTest, What_is_due_before_a_failed_key_may_come_back_is_not_put_off) {
  EXPECT_EQ(Pass({.kind = Kind::Failed,
                  .wake_at = clock.NowSeconds() + seconds{40},
                  .retry_after = std::chrono::minutes{5}}),
            seconds{40});
}

TEST_F(SchedulingTest, But_a_key_that_fails_never_turns_fast) {
  for (const seconds due : {seconds{-5}, seconds{0}})
    EXPECT_EQ(Pass({.kind = Kind::Failed,
                    .wake_at = clock.NowSeconds() + due,
                    .retry_after = std::chrono::minutes{5}}),
              std::chrono::minutes{5});
  EXPECT_EQ(Pass({.kind = Kind::Failed,
                  .wake_at = clock.NowSeconds() + seconds{1},
                  .retry_after = std::chrono::minutes{5}}),
            seconds{10});
}

TEST_F(SchedulingTest, A_success_ends_the_back_off) {
  for (int i = 0; i < 10; ++i) {
    (void)Pass({.kind = Kind::Failed});
    clock.Advance(seconds{600});
    ASSERT_TRUE(queue.TryTake());
    queue.Done("key");
  }
  (void)Pass({.kind = Kind::Settled});
  EXPECT_LE(*Pass({.kind = Kind::Failed}), std::chrono::milliseconds{200});
}

TEST_F(SchedulingTest, A_key_that_is_gone_does_not_come_back) {
  EXPECT_EQ(Pass({.kind = Kind::Gone}), std::nullopt);
}

TEST_F(SchedulingTest, But_does_where_a_new_object_of_its_name_came_in_the_meantime) {
  during = [this] { queue.Add("key"); };
  EXPECT_EQ(Pass({.kind = Kind::Gone}), seconds{0});
}

}  // namespace
}  // namespace certpair::reconcile
