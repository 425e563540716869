#include "base/guarded.hpp"

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace certpair {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

TEST(Guarded, Increments_from_many_threads_are_all_there) {
  Guarded<int> count{0};
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 10'000; ++i) ++*count.Lock();
      });
  }
  EXPECT_EQ(*count.Lock(), 40'000);
}

TEST(Guarded, Holds_a_value_that_cannot_be_copied) {
  const Guarded<std::unique_ptr<int>> guarded{std::make_unique<int>(7)};
  EXPECT_EQ(**guarded.Lock(), 7);
}

TEST(Guarded, A_wait_ends_when_the_value_is_as_wanted) {
  Guarded<int> stage{0};
  const std::jthread other([&] {
    *stage.Lock() = 1;
    stage.NotifyAll();
  });
  EXPECT_TRUE(stage.Lock().Wait({}, [](int value) { return value == 1; }));
}

TEST(Guarded, A_wait_does_not_begin_where_the_value_is_as_wanted_already) {
  Guarded<int> stage{1};
  EXPECT_TRUE(
      stage.Lock().WaitUntil({}, steady_clock::time_point{}, [](int value) { return value == 1; }));
}

TEST(Guarded, A_wait_ends_at_its_time_and_says_what_is) {
  Guarded<int> stage{0};
  EXPECT_FALSE(
      stage.Lock().WaitUntil({}, steady_clock::now() + 5ms, [](int value) { return value == 1; }));
}

TEST(Guarded, A_stop_request_ends_a_wait) {
  Guarded<bool> waiting{false};
  bool result = true;
  std::jthread waiter([&](const std::stop_token& stop) {
    auto locked = waiting.Lock();
    *locked = true;
    result = locked.Wait(stop, [](bool) { return false; });
  });
  // The lock is free again only once the waiter waits.
  while (!*waiting.Lock()) std::this_thread::yield();
  waiter.request_stop();
  waiter.join();
  EXPECT_FALSE(result);
}

TEST(Guarded, A_wait_after_the_stop_request_returns_at_once) {
  Guarded<int> stage{0};
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(stage.Lock().WaitUntil(source.get_token(), steady_clock::now() + 1h,
                                      [](int value) { return value == 1; }));
}

}  // namespace
}  // namespace certpair
