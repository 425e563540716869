#include "metrics/endpoints.hpp"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server.hpp"
#include "support/http_client.hpp"

namespace certpair::metrics {
namespace {

using test::BodyOf;
using test::Get;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Endpoints, Metrics_are_served_in_the_text_format) {
  const SystemClock clock;
  Metrics metrics{clock};
  metrics.CountIssued("First");
  const auto server = http::Server::Start("127.0.0.1:0", http::ReadOnly(MetricsRoutes(metrics)));
  ASSERT_TRUE(server) << server.error().message;
  const std::string answer = Get((*server)->Port(), "/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(BodyOf(answer), HasSubstr("certpair_certificates_issued_total{reason=\"First\"} 1"));
}

TEST(Endpoints, Health_holds_while_readiness_says_why_not) {
  std::atomic<bool> ready{false};
  const auto server = http::Server::Start(
      "127.0.0.1:0", http::ReadOnly(HealthRoutes([&ready]() -> std::optional<std::string> {
        if (ready) return std::nullopt;
        return "the list of provisioningsystems is not in yet";
      })));
  ASSERT_TRUE(server) << server.error().message;
  const int port = (*server)->Port();
  EXPECT_THAT(Get(port, "/healthz"), StartsWith("HTTP/1.1 200"));
  const std::string answer = Get(port, "/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(BodyOf(answer), "not ready: the list of provisioningsystems is not in yet\n");
  ready = true;
  EXPECT_THAT(Get(port, "/readyz"), StartsWith("HTTP/1.1 200"));
}

TEST(Endpoints, A_reason_is_redacted_and_stays_on_one_line) {
  const http::Routes routes =
      HealthRoutes([] { return std::optional<std::string>{"401\nBearer abc.def.ghi"}; });
  const http::Response answer = routes.find("/readyz")->second({});
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, Not(HasSubstr("abc")));
  EXPECT_THAT(answer.body, HasSubstr("401\\n"));
}

TEST(Endpoints, Notes_of_a_ready_replica_stand_below_ok) {
  const http::Routes routes =
      HealthRoutes([] { return std::optional<std::string>{}; },
                   [] { return std::vector<std::string>{"namespace b\nis not there"}; });
  const http::Response answer = routes.find("/readyz")->second({});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok\nnote: namespace b\\nis not there\n");
}

}  // namespace
}  // namespace certpair::metrics
