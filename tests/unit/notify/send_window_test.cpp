// How many mails may be ahead of the ledgers, with a time that the test gives.
#include "notify/send_window.hpp"

#include <gmock/gmock.h>

namespace certpair::notify {
namespace {

using namespace std::chrono_literals;

constexpr SendWindow::Steady kStart{1000h};

TEST(SendWindow, It_is_full_until_a_ledger_holds_a_mail) {
  SendWindow window{2};
  EXPECT_TRUE(window.Empty());
  window.Enter("1", "a", kStart);
  EXPECT_FALSE(window.Opens(kStart));
  window.Enter("2", "a", kStart + 1s);
  EXPECT_EQ(window.Opens(kStart + 2s), kStart + 30s);
  window.Leave("1");
  EXPECT_FALSE(window.Opens(kStart + 2s));
  window.Leave("2");
  window.Leave("unknown");
  EXPECT_TRUE(window.Empty());
}

TEST(SendWindow, A_mail_leaves_after_half_a_minute) {
  SendWindow window{1};
  window.Enter("1", "a", kStart);
  EXPECT_TRUE(window.Opens(kStart + 29s));
  EXPECT_FALSE(window.Opens(kStart + 30s));
  EXPECT_TRUE(window.Empty());
}

TEST(SendWindow, A_mail_that_ends_twice_counts_once) {
  SendWindow window{2};
  window.Enter("1", "a", kStart);
  window.Enter("1", "a", kStart + 1s);
  EXPECT_FALSE(window.Opens(kStart + 2s));
  window.Leave("1");
  EXPECT_TRUE(window.Empty());
}

// While others wait: half, rounded up.
TEST(SendWindow, A_namespace_takes_half_while_others_wait) {
  for (const auto& [size, half] : {std::pair{1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {50, 25}}) {
    SendWindow window{static_cast<std::size_t>(size)};
    int taken = 0;
    for (; taken <= size && !window.OpensFor("a", true, kStart); ++taken)
      window.Enter(std::to_string(taken), "a", kStart);
    EXPECT_EQ(taken, half) << size;
    EXPECT_FALSE(window.OpensFor("b", true, kStart)) << size;
    EXPECT_EQ(window.OpensFor("a", true, kStart + 1s), kStart + 30s);
    EXPECT_FALSE(window.OpensFor("a", false, kStart)) << "alone it may take the whole";
  }
}

TEST(SendWindow, A_namespace_that_others_left_waits_another_minute) {
  SendWindow window{2};
  window.Begin("b", kStart);
  window.Enter("1", "a", kStart + 50s);
  EXPECT_TRUE(window.OpensFor("a", false, kStart + 59s));
  EXPECT_FALSE(window.OpensFor("a", false, kStart + 60s));
  window.Begin("a", kStart + 60s);
  EXPECT_FALSE(window.OpensFor("a", false, kStart + 60s)) << "its own mails are no company";
}

TEST(SendWindow, The_half_opens_again_though_the_window_is_not_full) {
  SendWindow window{4};
  window.Enter("1", "a", kStart);
  window.Enter("2", "a", kStart);
  EXPECT_EQ(window.OpensFor("a", true, kStart), kStart + 30s);
  EXPECT_FALSE(window.Opens(kStart + 30s));
  EXPECT_FALSE(window.OpensFor("a", true, kStart + 30s));
}

}  // namespace
}  // namespace certpair::notify
