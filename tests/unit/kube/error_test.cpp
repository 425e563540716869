#include "kube/error.hpp"

#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace certpair::kube {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string StatusBody(const std::string& reason, const std::string& message,
                       const json& details = json::object()) {
  return json{{"kind", "Status"},   {"apiVersion", "v1"}, {"status", "Failure"},
              {"message", message}, {"reason", reason},   {"details", details}}
      .dump();
}

struct KindCase {
  const char* what;
  int status;
  std::string body;
  ApiErrorKind expected;
};

class ErrorKinds : public testing::TestWithParam<KindCase> {};

TEST_P(ErrorKinds, Follow_from_status_reason_and_details) {
  const KindCase& c = GetParam();
  EXPECT_EQ(ErrorFromResponse(c.status, c.body, "GET /x", {}).kind, c.expected) << c.what;
}

const json kTerminating{{"causes", {{{"reason", "NamespaceTerminating"}, {"message", "ending"}}}}};

INSTANTIATE_TEST_SUITE_P(
    Table, ErrorKinds,
    testing::Values(
        KindCase{"conflict", 409, StatusBody("Conflict", "modified"), ApiErrorKind::Conflict},
        KindCase{"409 without a Status", 409, "", ApiErrorKind::Conflict},
        KindCase{"exists", 409, StatusBody("AlreadyExists", "x"), ApiErrorKind::AlreadyExists},
        KindCase{"precondition", 412, "", ApiErrorKind::Conflict},
        KindCase{"object", 404, StatusBody("NotFound", "x not found", {{"name", "x"}}),
                 ApiErrorKind::NotFound},
        KindCase{"kind", 404,
                 StatusBody("NotFound", "the server could not find the requested resource"),
                 ApiErrorKind::NoSuchResource},
        KindCase{"group", 404, "404 page not found\n", ApiErrorKind::NoSuchResource},
        KindCase{"expired", 410, StatusBody("Expired", "too old"), ApiErrorKind::Gone},
        KindCase{"gone", 410, StatusBody("Gone", ""), ApiErrorKind::Gone},
        KindCase{"unauthorized", 401, StatusBody("Unauthorized", ""), ApiErrorKind::Unauthorized},
        KindCase{"forbidden", 403, StatusBody("Forbidden", "cannot list"), ApiErrorKind::Forbidden},
        KindCase{"quota", 403,
                 StatusBody("Forbidden", "secrets \"a\" is forbidden: exceeded quota: q"),
                 ApiErrorKind::QuotaExceeded},
        KindCase{"terminating", 403, StatusBody("Forbidden", "x", kTerminating),
                 ApiErrorKind::QuotaExceeded},
        KindCase{"bad request", 400, "", ApiErrorKind::Invalid},
        KindCase{"not acceptable", 406, "", ApiErrorKind::Invalid},
        KindCase{"too large", 413, "", ApiErrorKind::Invalid},
        KindCase{"media type", 415, "", ApiErrorKind::Invalid},
        KindCase{"unprocessable", 422, StatusBody("Invalid", "x"), ApiErrorKind::Invalid},
        KindCase{"throttled", 429, "", ApiErrorKind::Throttled},
        KindCase{"internal", 500, StatusBody("InternalError", "etcd"), ApiErrorKind::Server},
        KindCase{"unavailable", 503, "", ApiErrorKind::Server},
        KindCase{"unavailable, wait", 503,
                 StatusBody("ServiceUnavailable", "", {{"retryAfterSeconds", 2}}),
                 ApiErrorKind::Throttled},
        KindCase{"gateway", 504, StatusBody("Timeout", ""), ApiErrorKind::Server},
        KindCase{"redirect", 302, "", ApiErrorKind::Protocol},
        KindCase{"no HTTP status", 0, "", ApiErrorKind::Protocol}));

TEST(Error, The_header_says_how_long_to_wait_before_the_body_does) {
  const auto body = StatusBody("TooManyRequests", "", {{"retryAfterSeconds", 7}});
  EXPECT_EQ(ErrorFromResponse(429, body, "GET /x", std::chrono::seconds{3}).retry_after,
            std::chrono::seconds{3});
  EXPECT_EQ(ErrorFromResponse(429, body, "GET /x", {}).retry_after, std::chrono::seconds{7});
  EXPECT_EQ(ErrorFromResponse(429, "", "GET /x", {}).retry_after, std::nullopt);
}

TEST(Error, An_absurd_or_negative_wait_is_bounded) {
  const auto waiting = [](auto seconds) {
    return ErrorFromResponse(500, StatusBody("", "", {{"retryAfterSeconds", seconds}}), "", {})
        .retry_after;
  };
  EXPECT_EQ(waiting(std::int64_t{1} << 62), std::chrono::hours{1});
  EXPECT_EQ(waiting(-5), std::nullopt);
  EXPECT_EQ(waiting("soon"), std::nullopt);
}

TEST(Error, The_message_names_request_status_and_the_servers_text) {
  const auto error =
      ErrorFromResponse(409, StatusBody("Conflict", "please try again"), "PUT /api/v1/x", {});
  EXPECT_EQ(error.status, 409);
  EXPECT_EQ(error.reason, "Conflict");
  EXPECT_THAT(error.message, HasSubstr("PUT /api/v1/x"));
  EXPECT_THAT(error.message, HasSubstr("409 Conflict: please try again"));
}

TEST(Error, What_a_server_says_is_cut_and_cleaned) {
  const auto error = ErrorFromResponse(500, std::string(100'000, 'x') + "\n\x1b[31m", "GET /x", {});
  EXPECT_LT(error.message.size(), 2000U);
  const auto control = ErrorFromResponse(500, "red\x1b[31m\nline", "GET /x", {});
  EXPECT_THAT(control.message, Not(HasSubstr("\x1b")));
  EXPECT_THAT(control.message, Not(HasSubstr("\n")));
}

TEST(Error, Odd_bodies_do_not_confuse_it) {
  for (const char* body :
       {"{", "[]", "null", "\"text\"", R"({"kind":"Status","details":[]})",
        R"({"kind":"Status","reason":7,"details":{"causes":[1],"name":{}}})", "\xff\xfe"})
    EXPECT_EQ(ErrorFromResponse(500, body, "GET /x", {}).kind, ApiErrorKind::Server) << body;
}

TEST(Error, Every_kind_has_a_word_of_its_own) {
  std::set<std::string_view> words;
  for (int kind = 0; kind <= static_cast<int>(ApiErrorKind::Cancelled); ++kind)
    words.insert(ToString(static_cast<ApiErrorKind>(kind)));
  EXPECT_EQ(words.size(), static_cast<std::size_t>(ApiErrorKind::Cancelled) + 1);
}

}  // namespace
}  // namespace certpair::kube
