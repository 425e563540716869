// Answers that are torn, late, foreign or none at all.
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fault/fault_setup.hpp"

namespace certpair::kube {
namespace {

using test::Always;
using test::Chunk;
using test::ChunkedHead;
using test::HttpAnswer;
using test::LastChunk;
using test::RawConnection;
using test::RawServer;
using testing::HasSubstr;
using testing::Not;

TEST(FaultAnswers, An_answer_torn_at_any_byte_is_put_together) {
  const std::string answer = ChunkedHead() + Chunk("{\"a\":") + Chunk("1}") + LastChunk();
  std::size_t tear = 0;
  RawServer server({[&](RawConnection& connection) {
    while (!connection.ReadRequest().empty()) {
      connection.Write(answer.substr(0, tear));
      std::this_thread::yield();
      connection.Write(answer.substr(tear));
    }
  }});
  const auto transport = Connect(server);
  for (tear = 1; tear < answer.size(); ++tear) {
    auto response = transport->Send(kGet, kPatience, {});
    ASSERT_TRUE(response) << tear << ": " << response.error().message;
    EXPECT_EQ(response->body, "{\"a\":1}") << tear;
  }
  EXPECT_EQ(server.Connections(), 1) << "the connection was not kept";
}

TEST(FaultAnswers, An_answer_cut_at_any_byte_of_its_body_is_an_error) {
  const std::string answer = ChunkedHead() + Chunk("{\"a\":1}") + LastChunk();
  for (std::size_t cut = ChunkedHead().size(); cut < answer.size() - 2; ++cut) {
    RawServer server({[&](RawConnection& connection) {
      connection.ReadRequest();
      connection.Write(answer.substr(0, cut));
    }});
    auto response = Connect(server)->Send(kGet, kPatience, {});
    ASSERT_FALSE(response) << cut;
    EXPECT_EQ(response.error().kind, ApiErrorKind::Transport) << response.error().message;
    EXPECT_THAT(response.error().message, HasSubstr("GET /api/v1/things"));
  }
}

TEST(FaultAnswers, A_body_shorter_than_its_Content_Length_is_an_error) {
  RawServer server({[](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"items\":[]");
  }});
  auto response = Connect(server)->Send(kGet, kPatience, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ApiErrorKind::Transport);
}

TEST(FaultAnswers, A_reset_around_the_head_is_a_transport_error) {
  for (const std::string sent :
       {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"}) {
    RawServer server({[&](RawConnection& connection) {
      connection.ReadRequest();
      connection.Write(sent);
      connection.Reset();
    }});
    auto response = Connect(server)->Send(kPost, kPatience, {});
    ASSERT_FALSE(response) << sent;
    EXPECT_EQ(response.error().kind, ApiErrorKind::Transport) << sent;
    EXPECT_EQ(server.Requests().size(), 1U) << "a POST was sent again on its own";
  }
}

TEST(FaultAnswers, A_port_without_a_listener_is_a_transport_error) {
  ClusterConfig config;
  {
    RawServer server({[](RawConnection&) {}});
    config = ConfigOf(server);
  }
  const HandClock clock;
  auto response = Connect(std::move(config), clock)->Send(kGet, kPatience, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ApiErrorKind::Transport);
  EXPECT_THAT(response.error().message, HasSubstr("127.0.0.1:"));
}

TEST(FaultAnswers, The_deadline_holds_though_bytes_trickle_in) {
  RawServer server({[](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write(ChunkedHead());
    while (connection.Write(Chunk(" "))) std::this_thread::sleep_for(5ms);
  }});
  const auto transport = Connect(server);
  const auto took = TimeOf([&] {
    auto response = transport->Send(kPost, 200ms, {});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ApiErrorKind::Timeout);
  });
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 10s);
}

TEST(FaultAnswers, After_a_deadline_the_transport_works_and_repeats_nothing) {
  RawServer server({[](RawConnection& connection) {
                      connection.ReadRequest();
                      connection.Write(HttpAnswer(200, "{}"));  // so that it is a used connection
                      connection.ReadRequest();
                      connection.AwaitClose();
                    },
                    Always(HttpAnswer(201, "{}"))});
  const auto transport = Connect(server);
  ASSERT_TRUE(transport->Send(kGet, kPatience, {}));
  auto late = transport->Send(kPost, 100ms, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ApiErrorKind::Timeout);
  auto next = transport->Send(kGet, kPatience, {});
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->status, 201);
  EXPECT_EQ(server.Requests().size(), 3U);
}

TEST(FaultAnswers, A_stop_request_ends_a_stalled_request_at_once) {
  std::stop_source stop;
  RawServer server({[&](RawConnection& connection) {
    connection.ReadRequest();
    stop.request_stop();
    connection.AwaitClose();
  }});
  const auto transport = Connect(server);
  const auto took = TimeOf([&] {
    auto response = transport->Send(kGet, kPatience, stop.get_token());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ApiErrorKind::Cancelled);
  });
  EXPECT_LT(took, 10s);
}

TEST(FaultAnswers, A_request_on_a_closed_connection_is_sent_again) {
  for (const HttpRequest& request : {kGet, kPost}) {
    std::atomic<bool> closed = false;
    RawServer server({[&](RawConnection& connection) {
                        connection.ReadRequest();
                        connection.Write(HttpAnswer(200, "1"));
                        connection.Reset();
                        closed = true;
                      },
                      Always(HttpAnswer(200, "2"))});
    const auto transport = Connect(server);
    ASSERT_TRUE(transport->Send(request, kPatience, {}));
    while (!closed) std::this_thread::yield();
    auto second = transport->Send(request, kPatience, {});
    ASSERT_TRUE(second) << request.method << ": " << second.error().message;
    EXPECT_EQ(second->body, "2");
  }
}

TEST(FaultAnswers, An_interim_answer_is_an_error_and_shifts_no_later_one) {
  RawServer server({[](RawConnection& connection) {
                      connection.ReadRequest();
                      connection.Write("HTTP/1.1 103 Early Hints\r\n\r\n" +
                                       HttpAnswer(200, "stale"));
                      if (!connection.ReadRequest().empty())
                        connection.Write(HttpAnswer(200, "shifted"));
                    },
                    Always(HttpAnswer(200, "right"))});
  const auto transport = Connect(server);
  auto first = transport->Send(kGet, kPatience, {});
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, ApiErrorKind::Protocol);
  auto second = transport->Send(kGet, kPatience, {});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->body, "right");
}

TEST(FaultAnswers, A_redirect_is_not_followed_and_the_token_stays_here) {
  RawServer other({Always(HttpAnswer(200, "{}"))});
  RawServer server({Always(HttpAnswer(307, "", "Location: " + other.Address() + "/x\r\n"))});
  ClusterConfig config = ConfigOf(server);
  config.token.inline_text = SecretString{"very-secret"};
  const HandClock clock;
  auto response = Connect(std::move(config), clock)->Send(kGet, kPatience, {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 307);
  EXPECT_EQ(other.Connections(), 0);
  EXPECT_THAT(server.Requests().at(0), HasSubstr("Authorization:Bearer very-secret\r\n"));
}

TEST(FaultAnswers, Compression_is_not_asked_for) {
  RawServer server({Always(HttpAnswer(200, "{}"))});
  ASSERT_TRUE(Connect(server)->Send(kGet, kPatience, {}));
  EXPECT_THAT(server.Requests().at(0), Not(HasSubstr("gzip")));
  EXPECT_THAT(server.Requests().at(0), Not(HasSubstr("Accept-Encoding")));
}

TEST(FaultAnswers, An_answer_without_end_is_left_at_64_MiB) {
  std::atomic<std::size_t> written = 0;
  RawServer server({[&](RawConnection& connection) {
    connection.ReadRequest();
    const std::string block = Chunk(std::string(1U << 20, 'x'));
    connection.Write(ChunkedHead());
    while (written < (200U << 20) && connection.Write(block)) written += block.size();
  }});
  auto response = Connect(server)->Send(kGet, kPatience, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ApiErrorKind::TooLarge) << response.error().message;
  EXPECT_LT(written, 100U << 20);
}

TEST(FaultAnswers, What_is_not_HTTP_is_an_error) {
  for (const std::string garbage :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "\r\n\r\n", "HTTP/1.1 \r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    RawServer server({[&](RawConnection& connection) {
      connection.ReadRequest();
      connection.Write(garbage);
      connection.AwaitClose();
    }});
    auto response = Connect(server)->Send(kGet, kPatience, {});
    ASSERT_FALSE(response) << garbage;
    EXPECT_EQ(response.error().kind, ApiErrorKind::Protocol) << response.error().message;
  }
}

struct StatusCase {
  int status;
  const char* headers;
  const char* body;
  ApiErrorKind kind;
};

TEST(FaultAnswers, Each_status_comes_out_of_the_client_as_its_reaction) {
  const StatusCase cases[] = {
      {409, "", R"({"kind":"Status","reason":"Conflict"})", ApiErrorKind::Conflict},
      {409, "", R"({"kind":"Status","reason":"AlreadyExists"})", ApiErrorKind::AlreadyExists},
      {410, "", R"({"kind":"Status","reason":"Expired"})", ApiErrorKind::Gone},
      {429, "Retry-After: 3\r\n", "Too many requests", ApiErrorKind::Throttled},
      {500, "", "", ApiErrorKind::Server},
      {503, "Retry-After: 1\r\n", "", ApiErrorKind::Throttled},
      {401, "", "", ApiErrorKind::Unauthorized},
  };
  const HandClock clock;
  for (const StatusCase& expected : cases) {
    RawServer server({Always(HttpAnswer(expected.status, expected.body, expected.headers))});
    const Client client(Connect(server), clock);
    auto object = client.Get({"", "v1", "things"}, "default", "one");
    ASSERT_FALSE(object);
    EXPECT_EQ(object.error().kind, expected.kind) << expected.status;
    EXPECT_EQ(object.error().status, expected.status);
    EXPECT_EQ(object.error().retry_after.has_value(), *expected.headers != '\0');
  }
}

}  // namespace
}  // namespace certpair::kube
