// A reflector against lists and events that are larger than it takes, over real connections.
#include "kube/reflector.hpp"

#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/guarded.hpp"
#include "fault/fault_setup.hpp"
#include "kube/store.hpp"
#include "unit/kube/sized_list_server.hpp"

namespace certpair::kube {
namespace {

using test::Chunk;
using test::ChunkedHead;
using test::HttpAnswer;
using test::RawConnection;
using test::RawServer;

constexpr std::size_t kMaxBytes = std::size_t{256} << 10;

// What a raw server makes of a request's head.
HttpRequest ReadHead(const std::string& head) {
  HttpRequest request;
  const std::size_t path = head.find(' ') + 1;
  request.path = head.substr(path, head.find(' ', path) - path);
  request.accept = head;  // only searched
  return request;
}

// Lists by weight. Each watch brings one event of an object of `weight`, the n-th time.
RawServer::Script ListsAndWatches(SizedListServer& things,
                                  Guarded<std::vector<std::size_t>>& events) {
  return [&](RawConnection& connection) {
    for (std::string head; !(head = connection.ReadRequest()).empty();) {
      const HttpRequest request = ReadHead(head);
      if (request.path.find("watch=true") == std::string::npos) {
        if (!connection.Write(HttpAnswer(200, things.Answer(request)->body))) return;
        continue;
      }
      connection.Write(ChunkedHead());
      std::size_t weight = 0;
      {
        auto waiting = events.Lock();
        if (!waiting->empty()) {
          weight = waiting->front();
          waiting->erase(waiting->begin());
        }
      }
      if (weight > 0) {
        if (weight > kMaxBytes) things.Set({{"after", 10}, {"grows", weight}});
        connection.Write(
            Chunk(nlohmann::json{{"type", "MODIFIED"},
                                 {"object", SizedListServer::Object({"grows", weight})}}
                      .dump() +
                  "\n"));
      }
      connection.AwaitClose();
      return;
    }
  };
}

TEST(FaultReflector, What_is_too_large_stops_neither_list_nor_watch) {
  std::vector<SizedListServer::Thing> heavy;
  for (int i = 10; i < 30; ++i) heavy.push_back({"heavy-" + std::to_string(i), 60'000});
  heavy.insert(heavy.begin() + 7, {"too-large", 400'000});
  SizedListServer things{heavy};
  Guarded<std::vector<std::size_t>> events{std::vector<std::size_t>{400'000}};
  Guarded<std::set<std::size_t>> sizes;
  RawServer server({ListsAndWatches(things, events)});
  const HandClock clock;
  const Client client(Connect(server), clock);
  Store<int> store{[](nlohmann::json&) { return std::optional<int>{1}; },
                   [](int, int) { return true; },
                   [&](const auto&, const auto&, const auto&) {
                     sizes.Lock()->insert(store.Size());
                     sizes.NotifyAll();
                   }};
  ReflectorOptions options;
  options.resource = {"test", "v1", "things", true};
  options.max_bytes = kMaxBytes;
  options.seed = 1;
  testing::internal::CaptureStderr();
  {
    Reflector reflector{client, clock, options, store};
    std::jthread thread{[&](const std::stop_token& stop) { reflector.Run(stop); }};
    // 20 heavy ones are listed; then an event is too large, and the new list has one object only.
    EXPECT_TRUE(sizes.Lock().WaitUntil({}, std::chrono::steady_clock::now() + kPatience,
                                       [](const auto& seen) { return seen.contains(20); }));
    EXPECT_TRUE(sizes.Lock().WaitUntil({}, std::chrono::steady_clock::now() + kPatience,
                                       [](const auto& seen) { return seen.contains(1); }));
    EXPECT_NE(store.Get("ns/after"), nullptr);
  }
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_NE(log.find("too-large"), std::string::npos) << log;
}

}  // namespace
}  // namespace certpair::kube
