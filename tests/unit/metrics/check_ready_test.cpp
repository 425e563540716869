#include "metrics/check_ready.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "http/server.hpp"
#include "metrics/endpoints.hpp"

namespace certpair::metrics {
namespace {

using ::testing::HasSubstr;

class CheckReadyTest : public ::testing::Test {
 protected:
  Result<std::string> Ask(std::optional<std::string> why_not) {
    server = std::move(*http::Server::Start(
        "127.0.0.1:0",
        http::ReadOnly(HealthRoutes([why_not = std::move(why_not)] { return why_not; }))));
    return CheckReady(fmt::format("127.0.0.1:{}", server->Port()));
  }
  std::unique_ptr<http::Server> server;
};

TEST_F(CheckReadyTest, Says_what_a_replica_answers_that_is_ready) {
  const auto said = Ask(std::nullopt);
  ASSERT_TRUE(said) << said.error().message;
  EXPECT_THAT(*said, HasSubstr("127.0.0.1: "));
}

TEST_F(CheckReadyTest, Fails_with_the_reason_of_one_that_is_not) {
  const auto said = Ask("secrets not listed yet");
  ASSERT_FALSE(said);
  EXPECT_THAT(said.error().message, HasSubstr("127.0.0.1 is not ready: "));
  EXPECT_THAT(said.error().message, HasSubstr("secrets not listed yet"));
}

TEST_F(CheckReadyTest, It_fails_where_no_process_listens) {
  ASSERT_TRUE(Ask(std::nullopt));
  const std::string address = fmt::format("127.0.0.1:{}", server->Port());
  server.reset();
  const auto said = CheckReady(address);
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().message, "127.0.0.1 does not answer");
}

TEST_F(CheckReadyTest, Refuses_what_is_no_address) {
  for (const char* address : {"", "localhost", ":8081", "localhost:"}) {
    const auto said = CheckReady(address);
    ASSERT_FALSE(said) << address;
    EXPECT_EQ(said.error().code, ErrorCode::Invalid);
  }
}

TEST_F(CheckReadyTest, Names_a_port_that_is_none) {
  EXPECT_THAT(CheckReady("127.0.0.1:health-of-nobody").error().message,
              HasSubstr("127.0.0.1:health-of-nobody: "));
}

}  // namespace
}  // namespace certpair::metrics
