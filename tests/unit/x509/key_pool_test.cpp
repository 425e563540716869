#include "x509/key_pool.hpp"

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "base/guarded.hpp"

namespace certpair::x509 {
namespace {

using core::KeyAlgorithm;
using core::KeySpec;

constexpr KeySpec kRsa2048{KeyAlgorithm::Rsa, 2048};
constexpr KeySpec kRsa3072{KeyAlgorithm::Rsa, 3072};
constexpr KeySpec kRsa4096{KeyAlgorithm::Rsa, 4096};

// The owners that were called, in order.
class Calls {
 public:
  KeyPool::Ready Callback() {
    return [this](const std::string& owner) {
      owners_.Lock()->push_back(owner);
      owners_.NotifyAll();
    };
  }
  std::vector<std::string> Await(std::size_t count) {
    auto locked = owners_.Lock();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    locked.WaitUntil(std::stop_token{}, limit,
                     [&](const auto& all) { return all.size() >= count; });
    return *locked;
  }

 private:
  Guarded<std::vector<std::string>> owners_;
};

// A machine that stalls may finish a key before its wish is replaced: then there is a call too
// many.
Result<std::optional<PrivateKey>> AwaitKey(KeyPool& pool, Calls& calls, KeySpec spec) {
  for (std::size_t count = 1; count < 30; ++count) {
    calls.Await(count);
    auto key = pool.Take("a", spec);
    if (!key || *key) return key;
  }
  return std::nullopt;
}

TEST(KeyPool, Cheap_keys_are_made_in_the_call) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  for (const KeySpec spec : {KeySpec{KeyAlgorithm::Ecdsa, 256}, KeySpec{KeyAlgorithm::Ecdsa, 384},
                             KeySpec{KeyAlgorithm::Ed25519, 256}}) {
    const auto key = pool.Take("a", spec);
    ASSERT_TRUE(key && *key);
    EXPECT_EQ((*key)->Spec(), spec);
  }
  EXPECT_EQ(pool.Waiting(), 0U);
}

TEST(KeyPool, An_RSA_key_is_announced_and_can_be_taken_once) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  const auto first = pool.Take("a", kRsa2048);
  ASSERT_TRUE(first);
  EXPECT_FALSE(*first);
  ASSERT_EQ(calls.Await(1), std::vector<std::string>{"a"});
  EXPECT_EQ(pool.Waiting(), 0U);
  const auto key = pool.Take("a", kRsa2048);
  ASSERT_TRUE(key && *key);
  EXPECT_EQ((*key)->Spec(), kRsa2048);
  const auto next = pool.Take("a", kRsa2048);
  EXPECT_TRUE(next && !*next) << "the same key was given twice";
}

TEST(KeyPool, Asking_again_while_waiting_makes_no_second_key) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(*pool.Take("a", kRsa2048));
  EXPECT_LE(pool.Waiting(), 1U);
  EXPECT_FALSE(*pool.Take("b", kRsa2048));
  EXPECT_EQ(calls.Await(2), (std::vector<std::string>{"a", "b"}));
}

TEST(KeyPool, Owners_are_served_in_the_order_in_which_they_asked) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  const std::vector<std::string> owners{"d", "a", "c", "b"};
  for (const auto& owner : owners) EXPECT_FALSE(*pool.Take(owner, kRsa2048));
  EXPECT_EQ(calls.Await(4), owners);
}

TEST(KeyPool, Asking_again_keeps_the_place_in_the_queue) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  for (const char* owner : {"first", "a", "b", "a"}) {
    EXPECT_FALSE(*pool.Take(owner, owner == std::string{"first"} ? kRsa4096 : kRsa2048));
  }
  pool.Forget("first");  // it was there to keep the thread busy
  auto called = calls.Await(2);
  if (!called.empty() && called.front() == "first") called = calls.Await(3);
  std::erase(called, "first");
  EXPECT_EQ(called, (std::vector<std::string>{"a", "b"}));
}

TEST(KeyPool, Another_size_replaces_the_wish) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  EXPECT_FALSE(*pool.Take("a", kRsa4096));
  EXPECT_FALSE(*pool.Take("a", kRsa2048));
  EXPECT_LE(pool.Waiting(), 1U);
  const auto key = AwaitKey(pool, calls, kRsa2048);
  ASSERT_TRUE(key && *key);
  EXPECT_EQ((*key)->Spec(), kRsa2048);
}

TEST(KeyPool, A_wish_that_is_replaced_while_its_key_is_made_gives_no_outcome_of_its_own) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(*pool.Take("a", kRsa4096));
    // No wait for anything: it lets the thread begin, most times, so that there is one to stop.
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
    const auto replaced = pool.Take("a", kRsa2048);
    ASSERT_TRUE(replaced) << "the outcome of the old wish: " << replaced.error().message;
    pool.Forget("a");
  }
  EXPECT_FALSE(*pool.Take("a", kRsa4096));
  std::this_thread::sleep_for(std::chrono::milliseconds{2});
  EXPECT_FALSE(*pool.Take("a", kRsa2048));
  const auto key = AwaitKey(pool, calls, kRsa2048);
  ASSERT_TRUE(key) << key.error().message;
  ASSERT_TRUE(*key);
  EXPECT_EQ((*key)->Spec(), kRsa2048);
}

TEST(KeyPool, Another_algorithm_drops_the_wish) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  EXPECT_FALSE(*pool.Take("a", kRsa4096));
  EXPECT_TRUE(*pool.Take("a", {KeyAlgorithm::Ecdsa, 256}));
  EXPECT_EQ(pool.Waiting(), 0U);
}

TEST(KeyPool, A_finished_key_of_another_size_is_not_handed_out) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  EXPECT_FALSE(*pool.Take("a", kRsa2048));
  ASSERT_EQ(calls.Await(1).size(), 1U);
  EXPECT_FALSE(*pool.Take("a", kRsa3072));
  ASSERT_EQ(calls.Await(2).size(), 2U);
  const auto key = pool.Take("a", kRsa3072);
  ASSERT_TRUE(key && *key);
  EXPECT_EQ((*key)->Spec(), kRsa3072);
}

TEST(KeyPool, A_forgotten_owner_is_never_called) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  EXPECT_FALSE(*pool.Take("begun", kRsa4096));
  EXPECT_FALSE(*pool.Take("queued", kRsa4096));
  EXPECT_FALSE(*pool.Take("last", kRsa2048));
  pool.Forget("begun");
  pool.Forget("queued");
  pool.Forget("nobody");
  auto called = calls.Await(1);
  // `begun` may have been done before it was forgotten, on a machine that stalls.
  if (called == std::vector<std::string>{"begun"}) called = calls.Await(2);
  ASSERT_FALSE(called.empty());
  EXPECT_EQ(called.back(), "last");
  EXPECT_EQ(std::ranges::count(called, "queued"), 0);
}

TEST(KeyPool, A_finished_key_is_dropped_with_its_owner) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  EXPECT_FALSE(*pool.Take("a", kRsa2048));
  ASSERT_EQ(calls.Await(1).size(), 1U);
  pool.Forget("a");
  EXPECT_FALSE(*pool.Take("a", kRsa2048));
  EXPECT_EQ(calls.Await(2).size(), 2U);
}

TEST(KeyPool, Refuses_a_size_that_is_not_offered) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  const auto key = pool.Take("a", {KeyAlgorithm::Rsa, 1024});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ErrorCode::Invalid);
  EXPECT_EQ(pool.Waiting(), 0U);
}

TEST(KeyPool, Ends_while_keys_are_being_made) {
  Calls calls;
  const auto begin = std::chrono::steady_clock::now();
  {
    KeyPool pool{2, calls.Callback()};
    for (int i = 0; i < 40; ++i) EXPECT_FALSE(*pool.Take(std::to_string(i), kRsa4096));
  }
  EXPECT_LT(calls.Await(0).size(), 40U);
  // Forty keys would take minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20});
}

std::string BeforeSlash(const std::string& owner) { return owner.substr(0, owner.find('/')); }

TEST(KeyPool, A_renewal_goes_before_the_keys_of_a_group_that_asked_for_many) {
  Calls calls;
  KeyPool pool{1, calls.Callback(), BeforeSlash};
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(*pool.Take("loud/" + std::to_string(i), kRsa2048));
  EXPECT_FALSE(*pool.Take("quiet/0", kRsa2048, sys_seconds{}));
  const auto called = calls.Await(3);
  const auto place = std::ranges::find(called, "quiet/0") - called.begin();
  EXPECT_LE(place, 2) << "the key in hand, and one that a stalling machine may have begun";
}

TEST(KeyPool, Who_waits_outside_is_called_when_there_is_room) {
  Calls calls;
  KeyPool pool{1, calls.Callback(), BeforeSlash, {.of_group = 1}};
  for (const char* owner : {"a/0", "a/1", "a/2"}) EXPECT_FALSE(*pool.Take(owner, kRsa2048));
  EXPECT_EQ(pool.Waiting(), 3U);
  ASSERT_EQ(calls.Await(1), std::vector<std::string>{"a/0"});
  EXPECT_EQ(pool.Waiting(), 2U);
  ASSERT_TRUE(*pool.Take("a/0", kRsa2048));
  ASSERT_EQ(calls.Await(2).back(), "a/1") << "in the very call";
  EXPECT_FALSE(*pool.Take("a/1", kRsa2048));
  pool.Forget("a/2");
  ASSERT_EQ(calls.Await(3).back(), "a/1");
  EXPECT_TRUE(*pool.Take("a/1", kRsa2048));
  EXPECT_EQ(pool.Waiting(), 0U);
}

TEST(KeyPool, Its_threads_have_a_lower_priority_and_the_caller_keeps_its_own) {
  const int mine = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  Guarded<std::vector<int>> theirs;
  KeyPool pool{1, [&](const std::string&) {
                 theirs.Lock()->push_back(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())));
                 theirs.NotifyAll();
               }};
  EXPECT_FALSE(*pool.Take("a", kRsa2048));
  auto locked = theirs.Lock();
  locked.WaitUntil(std::stop_token{}, std::chrono::steady_clock::now() + std::chrono::seconds{60},
                   [](const auto& all) { return !all.empty(); });
  ASSERT_EQ(locked->size(), 1U);
  EXPECT_EQ(locked->front(), std::min(mine + 10, 19));
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())), mine);
}

TEST(KeyPool, Forgets_all_keys_that_nobody_took_and_all_wishes) {
  Calls calls;
  KeyPool pool{1, calls.Callback()};
  ASSERT_TRUE(pool.Take("a", kRsa2048));
  calls.Await(1);
  ASSERT_TRUE(pool.Take("b", kRsa4096));
  ASSERT_TRUE(pool.Take("c", kRsa2048));
  pool.ForgetAll();
  EXPECT_EQ(pool.Waiting(), 0U);
  const auto again = pool.Take("a", kRsa2048);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again) << "the key of before was kept";
}

}  // namespace
}  // namespace certpair::x509
