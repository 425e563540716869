#include "kube/exchange.hpp"

#include <gtest/gtest.h>

namespace certpair::kube {
namespace {

using namespace std::chrono_literals;

Exchange::Deadline Soon() { return std::chrono::steady_clock::now() + 1ms; }
Exchange::Deadline Later() { return std::chrono::steady_clock::now() + 30s; }

TEST(Exchange, Bytes_are_taken_once_and_in_order) {
  Exchange exchange(100);
  exchange.Headers({200, {}}, 0);
  EXPECT_TRUE(exchange.Body("ab", [] {}));
  EXPECT_TRUE(exchange.Body("cd", [] {}));
  EXPECT_EQ(exchange.AwaitBytes(Later(), {}), Exchange::Wait::Ready);
  std::string bytes;
  EXPECT_EQ(exchange.Take(bytes).head.status, 200);
  EXPECT_EQ(bytes, "abcd");
  exchange.Body("e", [] {});
  EXPECT_FALSE(exchange.Take(bytes).finished);
  EXPECT_EQ(bytes, "abcde");
}

TEST(Exchange, A_full_one_holds_the_network_back_until_something_is_taken) {
  Exchange exchange(4);
  int resumed = 0;
  EXPECT_TRUE(exchange.Body("abc", [&] { ++resumed; }));
  EXPECT_FALSE(exchange.Body("de", [&] { ++resumed; }));
  EXPECT_EQ(resumed, 0);
  std::string bytes;
  EXPECT_FALSE(exchange.Take(bytes).finished);
  EXPECT_EQ(resumed, 1);
  EXPECT_TRUE(exchange.Body("f", [&] { ++resumed; }));
  EXPECT_FALSE(exchange.Take(bytes).finished);
  EXPECT_EQ(resumed, 1);
}

TEST(Exchange, A_full_one_wakes_who_waits_for_the_end) {
  Exchange exchange(2);
  exchange.Body("abc", [] {});
  EXPECT_EQ(exchange.AwaitEnd(Later(), {}), Exchange::Wait::Ready);
  std::string bytes;
  EXPECT_FALSE(exchange.Take(bytes).finished);
}

TEST(Exchange, Abandoned_it_lets_the_network_go_on_and_keeps_nothing) {
  Exchange exchange(2);
  int resumed = 0;
  EXPECT_FALSE(exchange.Body("abc", [&] { ++resumed; }));
  exchange.Abandon();
  EXPECT_EQ(resumed, 1);
  EXPECT_TRUE(exchange.Body("abcdef", [&] { ++resumed; }));
  std::string bytes;
  EXPECT_FALSE(exchange.Take(bytes).finished);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(resumed, 1);
}

TEST(Exchange, The_first_end_counts) {
  Exchange exchange(2);
  exchange.Finish(Exchange::Failure{ApiErrorKind::Protocol, "first"});
  exchange.Finish(std::nullopt);
  EXPECT_EQ(exchange.AwaitEnd(Later(), {}), Exchange::Wait::Ready);
  std::string bytes;
  const auto taken = exchange.Take(bytes);
  ASSERT_TRUE(taken.failure);
  EXPECT_EQ(taken.failure->what, "first");
}

TEST(Exchange, Waiting_ends_by_time_or_stop) {
  Exchange exchange(2);
  EXPECT_EQ(exchange.AwaitEnd(Soon(), {}), Exchange::Wait::Late);
  EXPECT_EQ(exchange.AwaitBytes(Soon(), {}), Exchange::Wait::Late);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(exchange.AwaitEnd(Later(), stop.get_token()), Exchange::Wait::Stopped);
}

TEST(Exchange, A_promised_size_is_not_believed_without_limit) {
  Exchange exchange(std::size_t{1} << 30);
  exchange.Headers({200, {}}, std::size_t{1} << 40);
  std::string bytes;
  EXPECT_FALSE(exchange.Take(bytes).finished);
  EXPECT_LE(bytes.capacity(), std::size_t{8} << 20);
}

}  // namespace
}  // namespace certpair::kube
