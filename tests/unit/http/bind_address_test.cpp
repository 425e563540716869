#include "http/bind_address.hpp"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certpair::http {
namespace {

using ::testing::HasSubstr;

TEST(BindAddress, Reads_a_port_an_address_and_a_port_and_brackets) {
  struct Row {
    std::string text;
    BindAddress expected;
  };
  const std::vector<Row> rows{
      {":8080", {.host = "", .port = 8080}},
      {":0", {.host = "", .port = 0}},
      {"127.0.0.1:0", {.host = "127.0.0.1", .port = 0}},
      {"0.0.0.0:65535", {.host = "0.0.0.0", .port = 65535}},
      {"[::1]:8081", {.host = "::1", .port = 8081}},
      {"[::]:8081", {.host = "::", .port = 8081}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto address = ParseBindAddress(row.text);
    ASSERT_TRUE(address);
    EXPECT_EQ(*address, row.expected);
  }
}

TEST(BindAddress, Zero_alone_is_off) {
  const auto address = ParseBindAddress("0");
  ASSERT_TRUE(address);
  EXPECT_FALSE(*address);
}

TEST(BindAddress, Everything_else_is_refused_with_a_reason_and_the_right_form) {
  struct Row {
    std::string text;
    std::string reason;
  };
  const std::vector<Row> rows{
      {"", "no port"},
      {"8080", "no port"},
      {":", "port"},
      {":http", "port"},
      {":65536", "port"},
      {":-1", "port"},
      {":+1", "port"},
      {":8080s", "port"},
      {":8080,:8081", "not an IP"},
      {":000001", "port"},
      {"localhost:8080", "not an IP"},
      {"::1:8080", "not an IP"},
      {"[]:8080", "not an IP"},
      {"[127.0.0.1]:8080", "not an IP"},
      {"127.0.0.256:1", "not an IP"},
      {" :8080", "not an IP"},
      {"[::1:8080", "not an IP"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto address = ParseBindAddress(row.text);
    ASSERT_FALSE(address);
    EXPECT_EQ(address.error().code, ErrorCode::Invalid);
    EXPECT_THAT(address.error().message, HasSubstr(row.reason));
    EXPECT_THAT(address.error().message, HasSubstr(":8080, 127.0.0.1:8080"));
  }
}

}  // namespace
}  // namespace certpair::http
