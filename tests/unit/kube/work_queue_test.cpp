#include "kube/work_queue.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "unit/kube/hand_clock.hpp"

namespace certpair::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = DelayQueue::Time;

constexpr Time kStart{seconds{1'800'000'000}};

TEST(DelayQueue, A_key_comes_out_when_it_is_due_and_not_before) {
  DelayQueue queue;
  queue.Add("a", kStart + seconds{5});
  EXPECT_EQ(queue.NextDue(), kStart + seconds{5});
  EXPECT_EQ(queue.Take(kStart + seconds{4}), std::nullopt);
  EXPECT_EQ(queue.Take(kStart + seconds{5}), "a");
  EXPECT_EQ(queue.NextDue(), std::nullopt);
}

TEST(DelayQueue, Of_two_wishes_the_earlier_wins) {
  for (const bool earlier_first : {true, false}) {
    DelayQueue queue;
    queue.Add("a", kStart + seconds{earlier_first ? 1 : 9});
    queue.Add("a", kStart + seconds{earlier_first ? 9 : 1});
    EXPECT_EQ(queue.Size(), 1U);
    EXPECT_EQ(queue.NextDue(), kStart + seconds{1});
    EXPECT_EQ(queue.Take(kStart + seconds{20}), "a");
    EXPECT_EQ(queue.Take(kStart + seconds{20}), std::nullopt);
  }
}

TEST(DelayQueue, Keys_of_the_same_time_come_in_the_order_of_their_wishes) {
  DelayQueue queue;
  for (const char* key : {"c", "a", "b"}) queue.Add(key, kStart);
  queue.Add("c", kStart);  // the same wish again does not lose its place
  EXPECT_EQ(queue.Take(kStart), "c");
  EXPECT_EQ(queue.Take(kStart), "a");
  EXPECT_EQ(queue.Take(kStart), "b");
}

TEST(DelayQueue, A_key_in_work_is_not_handed_out_and_its_earliest_wish_is_kept) {
  DelayQueue queue;
  queue.Add("a", kStart);
  ASSERT_EQ(queue.Take(kStart), "a");
  queue.Add("a", kStart + seconds{3});
  queue.Add("a", kStart + seconds{1});
  queue.Add("a", kStart + seconds{2});
  EXPECT_EQ(queue.Take(kStart + seconds{9}), std::nullopt);
  EXPECT_EQ(queue.NextDue(), std::nullopt);
  EXPECT_EQ(queue.Size(), 1U);
  queue.Done("a");
  EXPECT_EQ(queue.NextDue(), kStart + seconds{1});
  EXPECT_EQ(queue.Take(kStart + seconds{1}), "a");
}

TEST(DelayQueue, A_forgotten_key_is_gone_in_work_or_not) {
  DelayQueue queue;
  queue.Add("a", kStart);
  queue.Forget("a");
  EXPECT_EQ(queue.Take(kStart), std::nullopt);
  queue.Add("a", kStart);
  ASSERT_EQ(queue.Take(kStart), "a");
  queue.Add("a", kStart);
  queue.Forget("a");
  queue.Add("b", kStart);
  EXPECT_EQ(queue.Take(kStart), "b");
  queue.Done("a");
  EXPECT_EQ(queue.Take(kStart), std::nullopt);
  EXPECT_EQ(queue.Size(), 0U);
}

TEST(DelayQueue, Done_and_Forget_of_what_is_not_there_do_nothing) {
  DelayQueue queue;
  queue.Done("a");
  queue.Forget("a");
  queue.Add("a", kStart);
  queue.Done("a");  // not in work
  EXPECT_EQ(queue.Take(kStart), "a");
}

TEST(DelayQueue, Due_counts_what_could_be_taken) {
  DelayQueue queue;
  queue.Add("a", kStart);
  queue.Add("b", kStart);
  queue.Add("c", kStart + seconds{1});
  EXPECT_EQ(queue.Due(kStart - seconds{1}), 0U);
  EXPECT_EQ(queue.Due(kStart), 2U);
  (void)queue.Take(kStart);
  EXPECT_EQ(queue.Due(kStart), 1U);
  EXPECT_EQ(queue.Due(kStart + seconds{1}), 2U);
}

TEST(DelayQueue, What_somebody_waits_for_goes_before_what_comes_in_its_turn) {
  DelayQueue queue;
  for (const char* key : {"a", "b"}) queue.Add(key, kStart);
  queue.Add("first", kStart + seconds{1}, Urgency::First);
  EXPECT_EQ(queue.Take(kStart), "a") << "it is not due yet";
  EXPECT_EQ(queue.Take(kStart + seconds{1}), "first");
  EXPECT_EQ(queue.Take(kStart + seconds{1}), "b");
}

TEST(DelayQueue, What_is_to_be_written_down_goes_before_what_can_wait_and_is_limited_with_it) {
  DelayQueue queue{2};
  queue.Add("turn", kStart);
  queue.Add("soon", kStart, Urgency::Soon);
  queue.Add("sooner", kStart - seconds{1}, Urgency::Soon);
  EXPECT_EQ(queue.Take(kStart), "sooner");
  EXPECT_EQ(queue.Take(kStart), "soon");
  EXPECT_EQ(queue.Take(kStart), std::nullopt);
  queue.Done("soon");
  EXPECT_EQ(queue.Take(kStart), "turn");
}

TEST(DelayQueue, Of_nine_one_is_not_of_the_first) {
  DelayQueue queue;
  for (int n = 0; n < 100; ++n) queue.Add("first" + std::to_string(n), kStart, Urgency::First);
  for (int n = 0; n < 3; ++n) queue.Add("turn" + std::to_string(n), kStart);
  std::vector<int> places;
  for (int n = 0; n < 103; ++n)
    if (queue.Take(kStart)->starts_with("turn")) places.push_back(n);
  EXPECT_EQ(places, (std::vector{8, 17, 26}));
}

TEST(DelayQueue, A_key_of_both_urgencies_is_one_key_and_taken_once) {
  DelayQueue queue;
  queue.Add("before", kStart);
  queue.Add("a", kStart + seconds{1});
  queue.Add("a", kStart + seconds{2}, Urgency::First);
  EXPECT_EQ(queue.Size(), 2U);
  EXPECT_EQ(queue.Due(kStart + seconds{2}), 2U);
  EXPECT_EQ(queue.Take(kStart + seconds{2}), "a") << "before others that are due for longer";
  EXPECT_EQ(queue.Take(kStart + seconds{2}), "before");
  queue.Done("a");
  EXPECT_EQ(queue.Take(kStart + seconds{9}), std::nullopt);
  EXPECT_EQ(queue.Size(), 0U);
}

TEST(DelayQueue, No_more_of_those_that_can_wait_are_in_work_than_is_allowed) {
  DelayQueue queue{2};
  for (const char* key : {"a", "b", "c"}) queue.Add(key, kStart);
  EXPECT_EQ(queue.Take(kStart), "a");
  EXPECT_EQ(queue.Take(kStart), "b");
  EXPECT_EQ(queue.Take(kStart), std::nullopt);
  EXPECT_EQ(queue.NextDue(), std::nullopt) << "or a worker would look again and again";
  EXPECT_EQ(queue.Due(kStart), 1U) << "it waits all the same";
  queue.Add("first", kStart, Urgency::First);
  EXPECT_EQ(queue.Take(kStart), "first");
  queue.Done("first");
  EXPECT_EQ(queue.Take(kStart), std::nullopt) << "that one was none of them";
  queue.Done("a");
  EXPECT_EQ(queue.NextDue(), kStart);
  EXPECT_EQ(queue.Take(kStart), "c");
}

// The same by the plainest means: a list that is searched.
class NaiveQueue {
 public:
  explicit NaiveQueue(std::size_t most_others) : most_others_(most_others) {}
  void Add(const std::string& key, Time at, Urgency urgency) {
    auto& wishes = wishes_[static_cast<std::size_t>(urgency)];
    const auto found = wishes.find(key);
    if (found != wishes.end() && found->second.first <= at) return;
    wishes[key] = {at, next_++};
  }
  std::optional<std::string> Take(Time now) {
    const auto first = Best(0, now);
    auto other = IsFull() ? std::nullopt : Best(1, now);
    if (!other && !IsFull()) other = Best(2, now);
    const bool takes_first = first && (!other || in_a_row_ < 8);
    const auto key = takes_first ? first : other;
    if (!key) return std::nullopt;
    in_a_row_ = takes_first ? in_a_row_ + 1 : 0;
    Forget(*key);
    in_work_.insert(*key);
    if (!takes_first) others_.insert(*key);
    return key;
  }
  void Done(const std::string& key) {
    in_work_.erase(key);
    others_.erase(key);
  }
  void Forget(const std::string& key) {
    for (auto& wishes : wishes_) wishes.erase(key);
  }
  std::size_t Size() const {
    return Keys([](const auto&) { return true; }).size();
  }
  std::size_t Due(Time now) const {
    return Keys([&](const auto& wish) {
             return !in_work_.contains(wish.first) && wish.second.first <= now;
           })
        .size();
  }
  std::optional<Time> NextDue() const {
    std::optional<Time> next;
    for (std::size_t lane = 0; lane < (IsFull() ? 1 : kUrgencies); ++lane)
      for (const auto& [key, wish] : wishes_[lane])
        if (!in_work_.contains(key) && (!next || wish.first < *next)) next = wish.first;
    return next;
  }

 private:
  using Wishes = std::map<std::string, std::pair<Time, int>>;
  bool IsFull() const { return others_.size() >= most_others_; }
  std::optional<std::string> Best(std::size_t lane, Time now) const {
    std::optional<std::string> best;
    for (const auto& [key, wish] : wishes_[lane])
      if (!in_work_.contains(key) && wish.first <= now && (!best || wish < wishes_[lane].at(*best)))
        best = key;
    return best;
  }
  std::set<std::string> Keys(const auto& counts) const {
    std::set<std::string> keys;
    for (const auto& wishes : wishes_)
      for (const auto& wish : wishes)
        if (counts(wish)) keys.insert(wish.first);
    return keys;
  }
  std::array<Wishes, kUrgencies> wishes_;
  std::set<std::string> in_work_;
  std::set<std::string> others_;  // of them, those that are not of the first
  std::size_t most_others_;
  int next_ = 0;
  int in_a_row_ = 0;
};

TEST(DelayQueue, Behaves_as_a_searched_list_over_random_calls) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    const std::size_t limit = seed % 4 == 0 ? DelayQueue::kNoLimit : seed % 4;
    DelayQueue queue{limit};
    NaiveQueue naive{limit};
    Time now = kStart;
    for (int step = 0; step < 3000; ++step) {
      const std::string key = std::to_string(random() % 12);
      switch (random() % 8) {
        case 0:
        case 1:
        case 2: {
          const Time at = now + seconds{static_cast<int>(random() % 20) - 5};
          const auto urgency = static_cast<Urgency>(random() % kUrgencies);
          queue.Add(key, at, urgency);
          naive.Add(key, at, urgency);
          break;
        }
        case 3:
        case 4:
          ASSERT_EQ(queue.Take(now), naive.Take(now)) << "step " << step;
          break;
        case 5:
          queue.Done(key);
          naive.Done(key);
          break;
        case 6:
          queue.Forget(key);
          naive.Forget(key);
          break;
        default:
          now += seconds{static_cast<int>(random() % 5) - 1};  // it may be set back
      }
      ASSERT_EQ(queue.Size(), naive.Size()) << "step " << step;
      ASSERT_EQ(queue.Due(now), naive.Due(now)) << "step " << step;
      ASSERT_EQ(queue.NextDue(), naive.NextDue()) << "step " << step;
    }
  }
}

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

TEST(WorkQueue, A_key_that_fails_in_its_own_work_comes_back_after_its_delay_once_it_is_done) {
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

TEST(WorkQueue, One_that_is_closed_forgets_everything_and_takes_nothing_until_it_is_open) {
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

// Somebody sets it forward by two hours while a worker waits: after it has looked a few times.
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
  WorkQueue queue{clock, WorkQueue::kRecheck, 3};
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
