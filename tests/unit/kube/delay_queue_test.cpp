#include "kube/delay_queue.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace certpair::kube {
namespace {

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

TEST(DelayQueue, A_key_in_work_is_not_taken_and_keeps_its_earliest_wish) {
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

TEST(DelayQueue, First_goes_before_InTurn) {
  DelayQueue queue;
  for (const char* key : {"a", "b"}) queue.Add(key, kStart);
  queue.Add("first", kStart + seconds{1}, Urgency::First);
  EXPECT_EQ(queue.Take(kStart), "a") << "it is not due yet";
  EXPECT_EQ(queue.Take(kStart + seconds{1}), "first");
  EXPECT_EQ(queue.Take(kStart + seconds{1}), "b");
}

TEST(DelayQueue, Soon_goes_before_InTurn_and_shares_its_limit) {
  DelayQueue queue{{.others = 2}};
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
  DelayQueue queue{{.others = 2}};
  for (const char* key : {"a", "b", "c"}) queue.Add(key, kStart);
  EXPECT_EQ(queue.Take(kStart), "a");
  EXPECT_EQ(queue.Take(kStart), "b");
  EXPECT_EQ(queue.Take(kStart), std::nullopt);
  EXPECT_EQ(queue.NextDue(), std::nullopt) << "or a worker would look again and again";
  EXPECT_EQ(queue.Due(kStart), 1U) << "it still waits";
  queue.Add("first", kStart, Urgency::First);
  EXPECT_EQ(queue.Take(kStart), "first");
  queue.Done("first");
  EXPECT_EQ(queue.Take(kStart), std::nullopt) << "that one was none of them";
  queue.Done("a");
  EXPECT_EQ(queue.NextDue(), kStart);
  EXPECT_EQ(queue.Take(kStart), "c");
}

// `group/name` is of group `group`.
std::string BeforeSlash(const std::string& key) { return key.substr(0, key.find('/')); }

std::string KeyOf(const std::string& group, int n) { return group + "/" + std::to_string(n); }

TEST(DelayQueue, Groups_take_turns_however_many_keys_one_has) {
  for (const Urgency urgency : {Urgency::First, Urgency::Soon, Urgency::InTurn}) {
    DelayQueue queue{{}, BeforeSlash};
    for (int n = 0; n < 2500; ++n) queue.Add(KeyOf("loud", n), kStart, urgency);
    for (int n = 0; n < 100; ++n) ASSERT_EQ(queue.Take(kStart), KeyOf("loud", n));
    queue.Add("quiet/0", kStart, urgency);
    queue.Add("quiet/1", kStart, urgency);
    std::vector<std::string> taken;
    for (int n = 0; n < 5; ++n) taken.push_back(*queue.Take(kStart));
    EXPECT_EQ(taken,
              (std::vector<std::string>{"loud/100", "quiet/0", "loud/101", "quiet/1", "loud/102"}));
  }
}

TEST(DelayQueue, A_group_joins_at_the_end_when_its_first_key_is_due) {
  DelayQueue queue{{}, BeforeSlash};
  for (const char* group : {"a", "b", "c"})
    for (int n = 0; n < 9; ++n) queue.Add(KeyOf(group, n), kStart);
  queue.Add("late/0", kStart + seconds{1});
  EXPECT_EQ(queue.Take(kStart), "a/0");
  EXPECT_EQ(queue.Take(kStart), "b/0");
  std::vector<std::string> taken;
  for (int n = 0; n < 4; ++n) taken.push_back(*queue.Take(kStart + seconds{1}));
  EXPECT_EQ(taken, (std::vector<std::string>{"c/0", "a/1", "b/1", "late/0"}));
}

// A group that is empty after each of its keys would else be new each time.
TEST(DelayQueue, One_that_comes_and_goes_gets_no_more_than_its_turn) {
  DelayQueue queue{{}, BeforeSlash};
  for (int n = 0; n < 300; ++n)
    for (const char* group : {"a", "b"}) queue.Add(KeyOf(group, n), kStart);
  std::map<std::string, int> taken;
  for (int n = 0; n < 300; ++n) {
    queue.Add("busy/0", kStart);
    const std::string key = *queue.Take(kStart);
    ++taken[BeforeSlash(key)];
    queue.Done(key);
  }
  for (const auto& [group, count] : taken) EXPECT_EQ(count, 100) << group;
}

TEST(DelayQueue, An_urgent_key_goes_before_what_can_wait_of_all_groups) {
  DelayQueue queue{{}, BeforeSlash};
  for (int n = 0; n < 50; ++n) queue.Add(KeyOf("loud", n), kStart - seconds{9});
  queue.Add("quiet/0", kStart, Urgency::First);
  EXPECT_EQ(queue.Take(kStart), "quiet/0");
}

TEST(DelayQueue, What_can_wait_has_its_turn_among_one_of_nine) {
  DelayQueue queue{{}, BeforeSlash};
  for (int n = 0; n < 100; ++n) {
    queue.Add(KeyOf("loud", n), kStart, Urgency::First);
    queue.Add(KeyOf("loud", 100 + n), kStart);
  }
  queue.Add("quiet/0", kStart);
  std::vector<std::string> taken;
  for (int n = 0; n < 18; ++n) taken.push_back(*queue.Take(kStart));
  EXPECT_EQ(std::ranges::find(taken, "quiet/0") - taken.begin(), 17) << "the second of the others";
}

// Of a namespace in which each request takes as long as a webhook lets it.
TEST(DelayQueue, Of_one_group_no_more_are_in_work_than_is_allowed) {
  DelayQueue queue{{.others = 3, .of_group = 2}, BeforeSlash};
  for (int n = 0; n < 9; ++n) queue.Add(KeyOf("slow", n), kStart);
  for (int n = 9; n < 20; ++n) queue.Add(KeyOf("slow", n), kStart, Urgency::First);
  EXPECT_EQ(queue.Take(kStart), "slow/9");
  EXPECT_EQ(queue.Take(kStart), "slow/10");
  EXPECT_EQ(queue.Take(kStart), std::nullopt);
  EXPECT_EQ(queue.NextDue(), std::nullopt) << "or a worker would look again and again";
  EXPECT_EQ(queue.Due(kStart), 18U) << "they still wait";
  queue.Add("quiet/0", kStart);
  EXPECT_EQ(queue.Take(kStart), "quiet/0");
  queue.Done("slow/9");
  EXPECT_EQ(queue.NextDue(), kStart);
  EXPECT_EQ(queue.Take(kStart), "slow/11");
}

TEST(DelayQueue, A_group_is_forgotten_with_its_last_key) {
  DelayQueue queue{{}, BeforeSlash};
  for (int n = 0; n < 100; ++n) queue.Add(KeyOf("group" + std::to_string(n), 0), kStart);
  EXPECT_EQ(queue.Groups(), 100U);
  for (int n = 0; n < 50; ++n) queue.Done(*queue.Take(kStart));
  EXPECT_EQ(queue.Groups(), 50U);
  for (int n = 50; n < 100; ++n) queue.Forget(KeyOf("group" + std::to_string(n), 0));
  EXPECT_EQ(queue.Groups(), 0U);
}

// Whatever the others do, each of their groups is served once at most while one key of a group that
// has no other waits.
TEST(DelayQueue, No_group_is_served_twice_while_a_lone_key_waits) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    DelayQueue queue{{}, BeforeSlash};
    std::map<std::string, int> served;
    bool waits = false;
    for (int step = 0; step < 3000; ++step) {
      for (auto more = random() % 4; more > 0; --more)
        queue.Add(KeyOf("other" + std::to_string(random() % (1 + random() % 6)),
                        static_cast<int>(random() % 40)),
                  kStart - seconds{random() % 100}, Urgency::First);
      if (!waits && random() % 8 == 0) {
        queue.Add("lone/0", kStart, Urgency::First);
        waits = true;
        served.clear();
      }
      const auto key = queue.Take(kStart);
      if (!key) continue;
      queue.Done(*key);
      if (BeforeSlash(*key) == "lone") waits = false;
      ASSERT_LE(++served[BeforeSlash(*key)], waits ? 1 : 3000) << *key << ", step " << step;
    }
  }
}

// The same by the plainest means: lists that are searched. Keys are numbers, and a group those of
// the same remainder.
std::string RemainderOf(const std::string& key) { return std::to_string(std::stoi(key) % 4); }

class NaiveQueue {
 public:
  explicit NaiveQueue(WorkLimits limits) : limits_(limits) {}
  void Add(const std::string& key, Time at, Urgency urgency) {
    auto& wishes = wishes_[static_cast<std::size_t>(urgency)];
    const auto found = wishes.find(key);
    if (found != wishes.end() && found->second.first <= at) return;
    wishes[key] = {at, next_++};
  }
  std::optional<std::string> Take(Time now) {
    const auto first = Best(0, now);
    std::optional<std::string> other;
    std::size_t lane = 0;
    while (!other && !IsFull() && ++lane < kUrgencies) other = Best(lane, now);
    const bool takes_first = first && (!other || in_a_row_ < 8);
    if (takes_first) lane = 0;
    const auto key = takes_first ? first : other;
    if (!key) return std::nullopt;
    in_a_row_ = takes_first ? in_a_row_ + 1 : 0;
    turns_[lane].remove(RemainderOf(*key));
    turns_[lane].push_back(RemainderOf(*key));
    in_work_.insert(*key);
    if (!takes_first) others_.insert(*key);
    Forget(*key);
    return key;
  }
  void Done(const std::string& key) {
    in_work_.erase(key);
    others_.erase(key);
  }
  void Forget(const std::string& key) {
    for (auto& wishes : wishes_) wishes.erase(key);
    for (std::size_t lane = 0; lane < kUrgencies; ++lane)
      turns_[lane].remove_if([&](const auto& group) { return !HeadOf(lane, group); });
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
        if (!in_work_.contains(key) && !IsFull(RemainderOf(key)) && (!next || wish.first < *next))
          next = wish.first;
    return next;
  }

 private:
  using Wishes = std::map<std::string, std::pair<Time, int>>;
  bool IsFull() const { return others_.size() >= limits_.others; }
  bool IsFull(const std::string& group) const {
    return static_cast<std::size_t>(std::ranges::count_if(in_work_, [&](const auto& key) {
             return RemainderOf(key) == group;
           })) >= limits_.of_group;
  }
  std::optional<std::string> HeadOf(std::size_t lane, const std::string& group) const {
    std::optional<std::string> head;
    for (const auto& [key, wish] : wishes_[lane])
      if (RemainderOf(key) == group && !in_work_.contains(key) &&
          (!head || wish < wishes_[lane].at(*head)))
        head = key;
    return head;
  }
  std::optional<std::string> Best(std::size_t lane, Time now) {
    std::map<std::pair<Time, int>, std::string> newly_due;
    for (const std::string group : {"0", "1", "2", "3"})
      if (const auto head = HeadOf(lane, group);
          head && !IsFull(group) && wishes_[lane].at(*head).first <= now &&
          std::ranges::find(turns_[lane], group) == turns_[lane].end())
        newly_due.emplace(wishes_[lane].at(*head), group);
    for (const auto& [wish, group] : newly_due) turns_[lane].push_back(group);
    for (auto turn = turns_[lane].begin(); turn != turns_[lane].end();) {
      const auto head = HeadOf(lane, *turn);
      if (IsFull(*turn))
        ++turn;
      else if (wishes_[lane].at(*head).first <= now)
        return head;
      else
        turn = turns_[lane].erase(turn);
    }
    return std::nullopt;
  }
  std::set<std::string> Keys(const auto& counts) const {
    std::set<std::string> keys;
    for (const auto& wishes : wishes_)
      for (const auto& wish : wishes)
        if (counts(wish)) keys.insert(wish.first);
    return keys;
  }
  const WorkLimits limits_;
  std::array<Wishes, kUrgencies> wishes_;
  std::array<std::list<std::string>, kUrgencies> turns_;  // groups
  std::set<std::string> in_work_;
  std::set<std::string> others_;  // of them, those that are not of the first
  int next_ = 0;
  int in_a_row_ = 0;
};

TEST(DelayQueue, Behaves_as_a_searched_list_over_random_calls) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    const auto limit = [](std::size_t most) { return most == 0 ? WorkLimits::kNone : most; };
    const WorkLimits limits{.others = limit(seed % 4), .of_group = limit(seed % 3)};
    DelayQueue queue{limits, RemainderOf};
    NaiveQueue naive{limits};
    Time now = kStart;
    for (int step = 0; step < 2000; ++step) {
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

}  // namespace
}  // namespace certpair::kube
