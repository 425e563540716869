// Clients that hold on to what they can get. Raw sockets on loopback.
#include <algorithm>
#include <chrono>
#include <memory>
#include <poll.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.hpp"
#include "support/http_client.hpp"

namespace certpair::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::RawClient;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr seconds kSoon{20};
constexpr const char* kHealth = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr const char* kLastHealth = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

class Hostile : public ::testing::Test {
 protected:
  void Begin(Limits limits = {}) {
    auto started = Server::Start(
        "127.0.0.1:0",
        ReadOnly({{"/healthz", [](const Request&) { return Response{.body = "ok\n"}; }},
                  {"/large",
                   [](const Request&) { return Response{.body = std::string(kLarge, 'x')}; }}}),
        limits);
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  [[nodiscard]] std::vector<RawClient> Idle(int count, const char* from = "127.0.0.1") const {
    std::vector<RawClient> clients;
    clients.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) clients.emplace_back(server_->Port(), from);
    return clients;
  }
  static std::ptrdiff_t CountClosed(const std::vector<RawClient>& clients) {
    return std::ranges::count_if(
        clients, [](const RawClient& client) { return client.ClosedWithin(milliseconds{0}); });
  }
  void ExpectHealthFrom(const char* address) const {
    const RawClient client{server_->Port(), address};
    ASSERT_TRUE(client.Send(kLastHealth));
    EXPECT_THAT(client.ReadUntil("ok\n", seconds{1}), StartsWith("HTTP/1.1 200 OK\r\n")) << address;
  }
  static constexpr std::size_t kLarge = std::size_t{4} << 20U;
  std::unique_ptr<Server> server_;
};

TEST_F(Hostile, Two_hundred_idle_connections_do_not_take_liveness) {
  Begin();
  const auto idle = Idle(200);
  ExpectHealthFrom("127.0.0.2");
  ExpectHealthFrom("127.0.0.1");
  EXPECT_GE(CountClosed(idle), 200 - 16) << "an address has 16 connections";
}

TEST_F(Hostile, Idle_connections_of_many_addresses_do_not_take_liveness) {
  Begin();
  std::vector<std::vector<RawClient>> idle;
  for (const char* from :
       {"127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8"})
    idle.push_back(Idle(30, from));
  ExpectHealthFrom("127.0.0.2");
  ExpectHealthFrom("127.0.0.3");
  std::ptrdiff_t closed = 0;
  for (const auto& clients : idle) closed += CountClosed(clients);
  EXPECT_GE(closed, 6 * 30 - 64) << "all addresses together have 64 connections";
}

TEST_F(Hostile, A_connection_in_use_outlives_those_that_others_hold) {
  Begin();
  const RawClient scraper{server_->Port(), "127.0.0.2"};
  const auto idle = Idle(100);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(scraper.Send(kHealth));
    EXPECT_THAT(scraper.ReadUntil("ok\n", seconds{5}), HasSubstr(" 200 OK\r\n"));
  }
}

TEST_F(Hostile, Half_a_request_is_given_up) {
  Begin({.request = milliseconds{300}});
  const RawClient client{server_->Port()};
  ASSERT_TRUE(client.Send("GET /healthz HTTP/1.1\r\nHo"));
  EXPECT_TRUE(client.ClosedWithin(kSoon));
}

TEST_F(Hostile, A_header_one_byte_at_a_time_is_given_up) {
  Begin({.request = milliseconds{300}});
  const RawClient client{server_->Port()};
  const auto until = std::chrono::steady_clock::now() + kSoon;
  bool closed = false;
  for (std::size_t i = 0; !closed && std::chrono::steady_clock::now() < until; ++i) {
    client.Send(std::string(1, i < 4 ? "GET "[i] : 'x'));
    closed = client.ClosedWithin(milliseconds{20});
  }
  EXPECT_TRUE(closed);
}

TEST_F(Hostile, A_connection_that_is_idle_between_requests_is_closed) {
  Begin({.idle = milliseconds{300}});
  const RawClient client{server_->Port()};
  ASSERT_TRUE(client.Send(kHealth));
  EXPECT_THAT(client.ReadUntil("ok\n", kSoon), HasSubstr("Connection: keep-alive\r\n"));
  EXPECT_TRUE(client.ClosedWithin(kSoon));
}

TEST_F(Hostile, A_bad_request_is_refused_and_the_answer_arrives) {
  struct Row {
    std::string request;
    std::string status;
  };
  const std::string start = "POST /healthz HTTP/1.1\r\nHost: x\r\n";
  const std::vector<Row> rows{
      {"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + std::string(9'000, 'a') + "\r\n\r\n", "431"},
      {"GET /" + std::string(30'000, 'a'), "431"},
      {start + "X: y\r\n" + std::string(20'000, 'a') + ": b\r\n\r\n", "431"},
      {start + "Content-Length: 2000\r\n\r\n" + std::string(2'000, 'a'), "413"},
      {start + "Content-Length: 99999999999\r\n\r\n", "413"},
      {start + "Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2'000, 'a'), "413"},
      {start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(20'000, 'a'), "431"},
      {start + "Content-Length: -1\r\n\r\n", "400"},
      {start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
      {start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
      {"GET /healthz HTTP/1.1\r\n\r\n", "400"},
      {"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
      {"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", "400"},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"},
      {std::string("GET /healthz\0 HTTP/1.1\r\n\r\n", 26), "400"},
  };
  Begin();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.request.substr(0, 80));
    EXPECT_THAT(test::Exchange(server_->Port(), row.request),
                StartsWith("HTTP/1.1 " + row.status + " "));
  }
}

TEST_F(Hostile, A_body_that_fits_is_read_and_the_next_request_answered) {
  Begin();
  const std::string answers = test::Exchange(
      server_->Port(), "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" +
                           std::string{kLastHealth});
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answers.substr(10), HasSubstr("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Hostile, Requests_sent_at_once_are_answered_in_turn) {
  Begin();
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string answers =
      test::Exchange(server_->Port(), get + "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n" +
                                          "GET /none HTTP/1.1\r\nHost: x\r\n\r\n" + get);
  std::vector<std::string> seen;
  for (std::size_t at = 0; (at = answers.find("HTTP/1.1 ", at)) != std::string::npos; at += 9)
    seen.push_back(answers.substr(at + 9, 3));
  EXPECT_EQ(seen, (std::vector<std::string>{"200", "200", "404", "200"}));
  EXPECT_THAT(answers, EndsWith("\r\n\r\nok\n"));
}

TEST_F(Hostile, An_answer_that_is_not_taken_is_given_up) {
  Begin({.answer = milliseconds{300}});
  const RawClient client{server_->Port(), "127.0.0.1", 4096};
  ASSERT_TRUE(client.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_THAT(client.ReadUntil("HTTP/1.1 200", kSoon), StartsWith("HTTP/1.1 200"));
  (void)!poll(nullptr, 0, 1000);
  EXPECT_TRUE(client.ClosedWithin(kSoon));
}

TEST_F(Hostile, Answers_that_are_not_taken_make_room_for_others) {
  Begin({.unsent_bytes = kLarge + kLarge / 2});
  const RawClient stalls{server_->Port(), "127.0.0.1", 4096};
  ASSERT_TRUE(stalls.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string whole = test::Get(server_->Port(), "/large");
  EXPECT_EQ(test::BodyOf(whole).size(), kLarge);
  EXPECT_LT(stalls.ReadUntil({}, kSoon).size(), kLarge);
}

TEST_F(Hostile, Connections_that_are_open_do_not_hold_up_the_end) {
  Begin();
  const auto idle = Idle(10);
  const RawClient half{server_->Port()};
  half.Send("GET /healthz HT");
  const RawClient stalls{server_->Port(), "127.0.0.1", 4096};
  stalls.Send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(stalls.ReadUntil("HTTP/1.1 200", kSoon), StartsWith("HTTP/1.1 200"));
  const auto began = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds{1});
  EXPECT_TRUE(idle.front().ClosedWithin(kSoon));
  EXPECT_TRUE(half.ClosedWithin(kSoon));
}

TEST(HttpHandler, Is_given_the_request_as_a_value) {
  Request seen;
  auto server = Server::Start("127.0.0.1:0", [&seen](const Request& request) {
    seen = request;
    return Response{.status = 201, .body = "made", .headers = {{"Location", "/new"}}};
  });
  ASSERT_TRUE(server) << server.error().message;
  const std::string answer = test::Exchange((*server)->Port(),
                                            "PUT /a%20b?c=d?e HTTP/1.1\r\nHost: x\r\nX-One: "
                                            "1\r\nx-one: 2\r\nContent-Length: 2\r\n\r\nhi");
  server->reset();
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.path, "/a%20b");
  EXPECT_EQ(seen.query, "c=d?e");
  EXPECT_EQ(seen.headers.at("x-one"), "1, 2");
  EXPECT_EQ(seen.body, "hi");
  EXPECT_EQ(seen.peer, "127.0.0.1");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 201 Created\r\n"));
  EXPECT_THAT(answer, HasSubstr("Location: /new\r\n"));
}

TEST(HttpHandler, Cannot_begin_a_header_of_its_own) {
  auto server = Server::Start("127.0.0.1:0", [](const Request&) {
    return Response{.headers = {{"Location", "/a\r\nSet-Cookie: b"}}};
  });
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_THAT(test::Get((*server)->Port(), "/"), StartsWith("HTTP/1.1 500 "));
}

TEST(HttpServerOnIPv6, Answers_at_its_address_and_names_an_IPv4_client_as_such) {
  std::string peer;
  auto server = Server::Start(":0", [&peer](const Request& request) {
    peer = request.peer;
    return Response{};
  });
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_THAT(test::Get((*server)->Port(), "/"), StartsWith("HTTP/1.1 200 OK\r\n"));
  server->reset();
  EXPECT_EQ(peer, "127.0.0.1");
}

}  // namespace
}  // namespace certpair::http
