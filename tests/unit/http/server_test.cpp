#include "http/server.hpp"

#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/http_client.hpp"

namespace certpair::http {
namespace {

using test::BodyOf;
using test::Exchange;
using test::Get;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Routes Hello() {
  return {{"/hello", [](const Request&) { return Response{.body = "hello\n"}; }}};
}

std::unique_ptr<Server> Started(Routes routes, std::string_view address = "127.0.0.1:0") {
  auto server = Server::Start(address, ReadOnly(std::move(routes)));
  EXPECT_TRUE(server) << server.error().message;
  return server ? std::move(*server) : nullptr;
}

TEST(HttpServer, Answers_a_route_with_what_its_handler_gave) {
  const auto server =
      Started({{"/teapot", [](const Request&) {
                  return Response{.status = 503, .content_type = "text/x-tea", .body = "no tea\n"};
                }}});
  ASSERT_NE(server, nullptr);
  ASSERT_GT(server->Port(), 0);
  const std::string answer = Get(server->Port(), "/teapot");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/x-tea\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_EQ(BodyOf(answer), "no tea\n");
}

TEST(HttpServer, Listens_on_all_interfaces_where_no_host_is_given) {
  const auto server = Started(Hello(), ":0");
  ASSERT_NE(server, nullptr);
  ASSERT_GT(server->Port(), 0);
  EXPECT_EQ(BodyOf(Get(server->Port(), "/hello")), "hello\n");
}

TEST(HttpServer, Off_listens_nowhere) {
  const auto server = Started(Hello(), "0");
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(server->Port(), 0);
}

TEST(HttpServer, Answers_only_whole_paths_and_only_reads) {
  struct Row {
    std::string request;
    std::string status;
  };
  const std::vector<Row> rows{
      {"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "200"},
      {"GET /hello?verbose=1 HTTP/1.1\r\nHost: x\r\n\r\n", "200"},
      {"GET /hello/ HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
      {"GET /hello/world HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
      {"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
      {"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "405"},
      {"DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
      {"PUT /new HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "404"},
      {"nonsense\r\n\r\n", "400"},
  };
  const auto server = Started(Hello());
  ASSERT_NE(server, nullptr);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.request);
    EXPECT_THAT(Exchange(server->Port(), row.request), HasSubstr(" " + row.status + " "));
  }
}

TEST(HttpServer, HEAD_gets_the_length_without_the_body) {
  const auto server = Started(Hello());
  ASSERT_NE(server, nullptr);
  const std::string answer =
      Exchange(server->Port(), "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(BodyOf(answer), IsEmpty());
}

TEST(HttpServer, A_handler_that_throws_is_a_500_that_tells_nothing) {
  const auto server = Started(
      {{"/bad", [](const Request&) -> Response { throw std::runtime_error("details inside"); }}});
  ASSERT_NE(server, nullptr);
  const std::string answer = Get(server->Port(), "/bad");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, Not(HasSubstr("details")));
}

TEST(HttpServer, A_port_that_is_taken_is_a_clear_error) {
  const auto first = Started(Hello());
  ASSERT_NE(first, nullptr);
  const std::string address = "127.0.0.1:" + std::to_string(first->Port());
  const auto second = Server::Start(address, ReadOnly(Hello()));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(second.error().message, StartsWith("cannot listen on \"" + address + "\": "));
  EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
}

TEST(HttpServer, An_address_of_another_machine_is_a_clear_error) {
  const auto server =
      Server::Start("192.0.2.1:0", ReadOnly(Hello()));  // RFC 5737: no machine has it
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(server.error().message, HasSubstr("Cannot assign requested address"));
}

TEST(HttpServer, A_bad_address_is_refused_before_anything_starts) {
  const auto server = Server::Start("localhost:http", ReadOnly(Hello()));
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::Invalid);
}

TEST(HttpServer, Answers_a_crowd_at_once) {
  std::atomic<int> calls{0};
  const auto server = Started({{"/count", [&calls](const Request&) {
                                  ++calls;
                                  return Response{.body = std::string(200'000, 'x')};
                                }}});
  ASSERT_NE(server, nullptr);
  constexpr int kClients = 8;
  constexpr int kEach = 10;
  std::atomic<int> whole{0};
  {
    std::vector<std::jthread> clients;
    clients.reserve(kClients);
    for (int i = 0; i < kClients; ++i)
      clients.emplace_back([&] {
        for (int j = 0; j < kEach; ++j)
          if (BodyOf(Get(server->Port(), "/count")).size() == 200'000) ++whole;
      });
  }
  EXPECT_EQ(calls, kClients * kEach);
  EXPECT_EQ(whole, kClients * kEach);
}

TEST(HttpServer, Its_port_is_free_again_when_it_is_gone) {
  auto server = Started(Hello());
  ASSERT_NE(server, nullptr);
  const int port = server->Port();
  EXPECT_EQ(BodyOf(Get(port, "/hello")), "hello\n");
  const auto begin = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds{1500});
  EXPECT_THAT(Get(port, "/hello"), IsEmpty());
  EXPECT_NE(Started(Hello(), "127.0.0.1:" + std::to_string(port)), nullptr);
}

}  // namespace
}  // namespace certpair::http
