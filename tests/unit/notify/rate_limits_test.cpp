// How many mails may go, with a clock that the test moves.
#include "notify/rate_limits.hpp"

#include <gmock/gmock.h>

namespace certpair::notify {
namespace {

using namespace std::chrono_literals;

constexpr TokenBuckets::Steady kStart{1000h};

// How many `key` may take from one time to another, looking each second.
int TakeAll(TokenBuckets& buckets, const std::string& key, std::chrono::seconds from,
            std::chrono::seconds until) {
  int taken = 0;
  for (auto at = from; at < until; at += 1s)
    for (; !buckets.Opens(key, kStart + at); ++taken) buckets.Take(key, kStart + at);
  return taken;
}

TEST(MailboxOf, Is_one_for_all_tags_and_for_upper_and_lower_case) {
  for (const char* email : {"anna@example.com", "Anna+1@Example.com", "anna+2+3@example.com"})
    EXPECT_EQ(MailboxOf(email), "anna@example.com");
  EXPECT_EQ(MailboxOf("+x@example.com"), "+x@example.com");
  EXPECT_EQ(MailboxOf("nobody"), "nobody");
}

TEST(TokenBuckets, Give_five_minutes_worth_at_once_and_then_one_at_a_time) {
  TokenBuckets buckets{120};
  EXPECT_EQ(TakeAll(buckets, "a", 0s, 1s), 10);
  EXPECT_EQ(buckets.Opens("a", kStart), kStart + 30s);
  EXPECT_EQ(TakeAll(buckets, "a", 1s, 3601s), 120);
  EXPECT_FALSE(buckets.Opens("b", kStart)) << "another has its own";
  EXPECT_EQ(TakeAll(buckets, "a", 8000s, 8001s), 10) << "full again";
}

TEST(TokenBuckets, Take_back_what_was_not_used) {
  TokenBuckets buckets{12};
  buckets.Take("a", kStart);
  EXPECT_TRUE(buckets.Opens("a", kStart));
  buckets.GiveBack("a");
  EXPECT_FALSE(buckets.Opens("a", kStart));
  buckets.GiveBack("unknown");
}

TEST(TokenBuckets, Of_0_hold_nothing_back) {
  TokenBuckets buckets{0};
  for (int n = 0; n < 1000; ++n) buckets.Take("a", kStart);
  EXPECT_FALSE(buckets.Opens("a", kStart));
  EXPECT_EQ(buckets.Size(), 0U);
}

TEST(TokenBuckets, Remember_a_bounded_number_and_forget_the_fullest) {
  TokenBuckets buckets{1};
  buckets.Take("long", kStart);
  buckets.Take("long", kStart);
  for (int n = 0; n < 12'000; ++n) buckets.Take(std::to_string(n), kStart + 1s);
  EXPECT_LE(buckets.Size(), 10'000U);
  EXPECT_GE(buckets.Size(), 9'000U);
  EXPECT_EQ(buckets.Opens("long", kStart), kStart + 2h) << "the emptiest is remembered";
  for (int n = 0; n < 1000; ++n) buckets.Take("later-" + std::to_string(n), kStart + 3h);
  EXPECT_LE(buckets.Size(), 1000U) << "what is full again is as good as none";
}

TEST(MinuteWindow, Lets_no_more_go_in_any_minute) {
  MinuteWindow window{60};
  std::vector<MinuteWindow::Steady> gone;
  for (auto at = 0ms; at < 5min; at += 70ms) {
    if (window.Opens(kStart + at)) continue;
    window.Take(kStart + at);
    gone.push_back(kStart + at);
  }
  ASSERT_GT(gone.size(), 60U);
  for (std::size_t n = 60; n < gone.size(); ++n) EXPECT_GE(gone[n] - gone[n - 60], 1min);
  EXPECT_EQ(gone.size(), 300U) << "and as many as that";
}

}  // namespace
}  // namespace certpair::notify
