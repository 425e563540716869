#include "kube/work_queue.hpp"

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "unit/kube/hand_clock.hpp"

namespace certpair::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr DelayQueue::Time kStart{seconds{1'800'000'000}};

TEST(WorkQueue, Failures_wait_longer_each_time_and_a_success_starts_anew) {
  HandClock clock;
  WorkQueue queue{clock};
  milliseconds whole{200};
  for (int i = 0; i < 14; ++i) {
    queue.AddAfterFailure("a");
    const auto wait = *queue.NextDue() - clock.Now();
    EXPECT_GE(wait, whole / 2);
    EXPECT_LE(wait, whole);
    clock.Advance(wait);
    ASSERT_EQ(queue.TryTake(), "a");
    queue.Done("a");
    whole = std::min<milliseconds>(whole * 2, std::chrono::minutes{5});
  }
  queue.Succeeded("a");
  queue.AddAfterFailure("a");
  EXPECT_LE(*queue.NextDue() - clock.Now(), milliseconds{200});
}

TEST(WorkQueue, A_failed_key_waits_as_long_as_it_is_told_if_that_is_longer) {
  HandClock clock;
  WorkQueue queue{clock};
  queue.AddAfterFailure("a", seconds{30});
  EXPECT_EQ(*queue.NextDue() - clock.Now(), seconds{30});
}

TEST(WorkQueue, A_key_that_fails_comes_back_after_its_delay) {
  HandClock clock;
  WorkQueue queue{clock};
  queue.Add("a");
  ASSERT_EQ(queue.TryTake(), "a");
  queue.AddAfterFailure("a");
  clock.Advance(seconds{1});
  EXPECT_EQ(queue.TryTake(), std::nullopt) << "still in work";
  queue.Done("a");
  EXPECT_EQ(queue.TryTake(), "a");
}

TEST(WorkQueue, A_forgotten_key_has_no_wish_and_no_failures) {
  HandClock clock;
  WorkQueue queue{clock};
  for (int i = 0; i < 8; ++i) queue.AddAfterFailure("a");
  queue.Forget("a");
  EXPECT_EQ(queue.NextDue(), std::nullopt);
  queue.AddAfterFailure("a");
  EXPECT_LE(*queue.NextDue() - clock.Now(), milliseconds{200});
}

TEST(WorkQueue, A_closed_queue_forgets_everything_and_takes_nothing) {
  HandClock clock;
  WorkQueue queue{clock};
  queue.Add("first", Urgency::First);
  queue.Add("in turn");
  queue.AddAt("later", clock.Now() + std::chrono::hours{1});
  queue.AddAfterFailure("failed");
  queue.Close();
  queue.Add("while closed");
  clock.Advance(std::chrono::hours{2});
  EXPECT_EQ(queue.Depth(), 0U);
  EXPECT_EQ(queue.NextDue(), std::nullopt);
  EXPECT_EQ(queue.TryTake(), std::nullopt);
  queue.Open();
  EXPECT_EQ(queue.TryTake(), std::nullopt);
  queue.Add("first");
  EXPECT_EQ(queue.TryTake(), "first");
}

TEST(WorkQueue, A_stop_request_ends_every_wait) {
  HandClock clock;
  WorkQueue queue{clock};
  queue.AddAt("later", clock.Now() + std::chrono::hours{1});
  std::vector<std::jthread> workers;
  std::atomic<int> left{0};
  for (int i = 0; i < 4; ++i)
    workers.emplace_back([&](const std::stop_token& stop) {
      EXPECT_EQ(queue.Take(stop), std::nullopt);
      ++left;
    });
  workers.clear();
  EXPECT_EQ(left, 4);
}

TEST(WorkQueue, A_key_added_for_now_wakes_a_waiting_worker) {
  SystemClock clock;
  WorkQueue queue{clock};
  std::jthread worker{[&](const std::stop_token& stop) { EXPECT_EQ(queue.Take(stop), "a"); }};
  queue.AddAt("later", clock.Now() + std::chrono::hours{1});
  queue.Add("a");
  worker.join();
}

// Counts how often it is looked at, by which a test knows how far a worker has come.
class WatchedClock final : public Clock {
 public:
  std::chrono::system_clock::time_point Now() const override {
    ++looks_;
    return std::chrono::system_clock::now();
  }
  std::chrono::steady_clock::time_point Steady() const override { return {}; }
  int Looks() const { return looks_; }

 private:
  mutable std::atomic<int> looks_{0};
};

TEST(WorkQueue, A_nearer_time_is_noticed_while_a_later_one_is_waited_for) {
  const WatchedClock clock;
  WorkQueue queue{clock, std::chrono::hours{1}};
  queue.AddAt("later", std::chrono::system_clock::now() + std::chrono::hours{1});
  const int before = clock.Looks();
  std::atomic<bool> taken{false};
  std::jthread worker{[&](const std::stop_token& stop) { taken = queue.Take(stop) == "nearer"; }};
  // It looks for what is due, for how long to wait, and once more as the wait begins, all of it
  // under the lock that the next call needs, too.
  const auto give_up = std::chrono::steady_clock::now() + seconds{30};
  while (clock.Looks() < before + 3 && std::chrono::steady_clock::now() < give_up)
    std::this_thread::yield();
  queue.AddAt("nearer", std::chrono::system_clock::now() + milliseconds{20});
  while (!taken && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(milliseconds{2});
  EXPECT_TRUE(taken);
}

// A person sets it forward by two hours while a worker waits: after it has looked a few times.
class ClockSetForward final : public Clock {
 public:
  std::chrono::system_clock::time_point Now() const override {
    return kStart + (looks_++ < 5 ? seconds{0} : std::chrono::hours{2});
  }
  std::chrono::steady_clock::time_point Steady() const override { return {}; }

 private:
  mutable std::atomic<int> looks_{0};
};

TEST(WorkQueue, A_clock_that_was_set_forward_is_noticed_by_the_next_look) {
  ClockSetForward clock;
  WorkQueue queue{clock, milliseconds{5}};
  queue.AddAt("a", kStart + std::chrono::hours{1});
  EXPECT_EQ(queue.Take({}), "a");
}

TEST(WorkQueue, No_two_workers_ever_have_the_same_key_and_no_wish_is_lost) {
  SystemClock clock;
  WorkQueue queue{
      clock, WorkQueue::kRecheck, {.others = 3, .of_group = 4}, [](const std::string& key) {
        return std::to_string(std::stoi(key) % 3);
      }};
  constexpr int kKeys = 20;
  constexpr int kWishes = 4000;
  std::vector<std::atomic<int>> inside(kKeys);
  std::vector<std::atomic<int>> seen(kKeys);    // highest wish that a pass of this key has seen
  std::vector<std::atomic<int>> wanted(kKeys);  // highest wish made
  std::atomic<bool> doubled{false};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 8; ++i)
    workers.emplace_back([&](const std::stop_token& stop) {
      while (const auto key = queue.Take(stop)) {
        const auto at = static_cast<std::size_t>(std::stoi(*key));
        if (inside[at].fetch_add(1) != 0) doubled = true;
        seen[at] = wanted[at].load();
        if (seen[at] % 7 == 0) queue.AddAfterFailure(*key);
        inside[at].fetch_sub(1);
        queue.Done(*key);
        if (seen[at] % 7 != 0) queue.Succeeded(*key);
      }
    });
  std::mt19937 random{42};
  for (int i = 1; i <= kWishes; ++i) {
    const std::size_t at = random() % kKeys;
    wanted[at] = i;
    queue.AddAt(std::to_string(at), clock.Now() + milliseconds{static_cast<int>(random() % 3)},
                static_cast<Urgency>(random() % kUrgencies));
  }
  const auto caught_up = [&] {
    for (std::size_t i = 0; i < kKeys; ++i)
      if (seen[i] != wanted[i]) return false;
    return true;
  };
  const auto give_up = std::chrono::steady_clock::now() + seconds{60};
  while (!caught_up() && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(milliseconds{2});
  EXPECT_TRUE(caught_up());
  EXPECT_FALSE(doubled);
}

TEST(WorkQueue, Ten_thousand_keys_pass_in_moments) {
  HandClock clock;
  WorkQueue queue{clock};
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i)
    queue.AddAt("namespace/system-" + std::to_string(i),
                clock.Now() + seconds{(i * 7919) % 10'000});
  clock.Advance(seconds{10'000});
  EXPECT_EQ(queue.Depth(), 10'000U);
  int taken = 0;
  while (const auto key = queue.TryTake()) {
    queue.Done(*key);
    ++taken;
  }
  EXPECT_EQ(taken, 10'000);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{5});
}

}  // namespace
}  // namespace certpair::kube
