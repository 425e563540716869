// Watches that are cut, stall, or never end a line.
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fault/fault_setup.hpp"

namespace certpair::kube {
namespace {

using test::Chunk;
using test::ChunkedHead;
using test::HttpAnswer;
using test::LastChunk;
using test::RawConnection;
using test::RawServer;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::size_t kLineLimit = std::size_t{8} << 20;

// A watch of whatever `body` is sent after the head; the connection closes after it.
ApiResult<void> WatchOf(const std::string& body, std::vector<std::string>& lines) {
  RawServer server({[&](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write(ChunkedHead());
    connection.Write(body);
  }});
  return Connect(server)->Stream(kGet, kPatience, kLineLimit,
                                 [&](std::string_view line) {
                                   lines.emplace_back(line);
                                   return true;
                                 },
                                 {});
}

TEST(FaultWatch, Lines_come_whole_however_the_chunks_are_cut) {
  const std::string text = "{\"one\":1}\n{\"two\":2}\r\n\n{\"three\":3}\n";
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    std::vector<std::string> lines;
    auto ended = WatchOf(Chunk(text.substr(0, cut)) + Chunk(text.substr(cut)) + LastChunk(), lines);
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_THAT(lines, ElementsAre("{\"one\":1}", "{\"two\":2}", "{\"three\":3}")) << cut;
  }
}

TEST(FaultWatch, A_cut_amid_a_line_is_an_error_and_the_half_line_is_not_seen) {
  std::vector<std::string> lines;
  auto ended = WatchOf(Chunk("{\"one\":1}\n{\"tw"), lines);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ApiErrorKind::Transport);
  EXPECT_EQ(ended.error().status, 200);
  EXPECT_THAT(lines, ElementsAre("{\"one\":1}"));
}

TEST(FaultWatch, Silence_ends_it_after_the_idle_time) {
  RawServer server({[](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write(ChunkedHead() + Chunk("{}\n"));
    connection.AwaitClose();
  }});
  int lines = 0;
  auto ended = Connect(server)->Stream(kGet, 100ms, kLineLimit,
                                       [&](std::string_view) { return ++lines > 0; }, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ApiErrorKind::Timeout);
  EXPECT_EQ(lines, 1);
}

TEST(FaultWatch, No_head_at_all_is_silence_too) {
  RawServer server({[](RawConnection& connection) {
    connection.ReadRequest();
    connection.AwaitClose();
  }});
  auto ended = Connect(server)->Stream(kGet, 100ms, kLineLimit, TakesEveryLine, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ApiErrorKind::Timeout);
  EXPECT_EQ(ended.error().status, 0);
}

TEST(FaultWatch, A_stop_request_ends_a_quiet_watch_at_once) {
  std::stop_source stop;
  RawServer server({[](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write(ChunkedHead() + Chunk("{}\n"));
    connection.AwaitClose();
  }});
  const auto transport = Connect(server);
  const auto took = TimeOf([&] {
    auto ended = transport->Stream(
        kGet, kPatience, kLineLimit, [&](std::string_view) { return stop.request_stop(); },
        stop.get_token());
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().kind, ApiErrorKind::Cancelled);
  });
  EXPECT_LT(took, 10s);
}

TEST(FaultWatch, Leaving_closes_the_connection) {
  bool peer_gone = false;
  {
    RawServer server({[&](RawConnection& connection) {
      connection.ReadRequest();
      connection.Write(ChunkedHead() + Chunk("{}\n"));
      connection.AwaitClose();
      peer_gone = true;
    }});
    auto ended = Connect(server)->Stream(kGet, kPatience, kLineLimit,
                                         [](std::string_view) { return false; }, {});
    EXPECT_TRUE(ended);
  }
  EXPECT_TRUE(peer_gone);
}

// Writes one line of 100 MB in pieces; counts what the peer let in.
RawServer::Script EndlessLine(std::atomic<std::size_t>& written, std::size_t piece, bool chunked) {
  return [&written, piece, chunked](RawConnection& connection) {
    connection.ReadRequest();
    const std::string bytes(piece, 'x');
    const std::string block = chunked ? Chunk(bytes) : bytes;
    connection.Write(chunked ? ChunkedHead() : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while (written < 100'000'000 && connection.Write(block)) written += piece;
  };
}

TEST(FaultWatch, A_line_of_100_MB_is_left_after_8_MiB) {
  for (const bool chunked : {true, false}) {
    std::atomic<std::size_t> written = 0;
    {
      RawServer server({EndlessLine(written, 64U << 10, chunked)});
      auto ended = Connect(server)->Stream(kGet, kPatience, kLineLimit, TakesEveryLine, {});
      ASSERT_FALSE(ended);
      EXPECT_EQ(ended.error().kind, ApiErrorKind::TooLarge) << ended.error().message;
    }
    // 8 MiB, what may wait in the exchange, and the kernel's buffers.
    EXPECT_LT(written, 32U << 20) << "chunked: " << chunked;
  }
}

TEST(FaultWatch, An_error_answer_is_the_errors_own_reaction) {
  RawServer server({[](RawConnection& connection) {
    while (!connection.ReadRequest().empty())
      connection.Write(
          HttpAnswer(410, R"({"kind":"Status","reason":"Expired","message":"too old"})"));
  }});
  auto ended = Connect(server)->Stream(kGet, kPatience, kLineLimit, TakesEveryLine, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ApiErrorKind::Gone);
  EXPECT_THAT(ended.error().message, HasSubstr("too old"));
}

TEST(FaultWatch, A_line_that_is_no_event_is_a_protocol_error_of_the_client) {
  RawServer server({[](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write(ChunkedHead() + Chunk("{\"type\":\"ADDED\"}\n"));
    connection.AwaitClose();
  }});
  const HandClock clock;
  const Client client(Connect(server), clock);
  auto ended = client.Watch({"", "v1", "things"}, {}, [](const WatchEvent&) { return true; }, {});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ApiErrorKind::Protocol);
}

}  // namespace
}  // namespace certpair::kube
