// Credential programs: what they print, and how they fail.
#include "kube/exec_credential.hpp"

#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/time_format.hpp"
#include "kube/credentials.hpp"
#include "kube/identity.hpp"
#include "support/child.hpp"
#include "unit/kube/hand_clock.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kVersion = "client.authentication.k8s.io/v1";

std::string Printed(const json& status) {
  return json{{"apiVersion", kVersion}, {"kind", "ExecCredential"}, {"status", status}}.dump();
}

TEST(ExecCredential, Is_a_token_or_a_certificate_with_its_key) {
  const auto token = ParseExecCredential(
      Printed({{"token", "abc"}, {"expirationTimestamp", "2027-01-01T00:00:00Z"}}), kVersion);
  ASSERT_TRUE(token) << token.error().message;
  EXPECT_EQ(token->token.Reveal(), "abc");
  EXPECT_TRUE(token->expires);
  const auto pair = ParseExecCredential(
      Printed({{"clientCertificateData", "C"}, {"clientKeyData", "K"}}), kVersion);
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->key.Reveal(), "K");
}

TEST(ExecCredential, Anything_else_is_refused_and_not_quoted) {
  const std::string cases[] = {
      "",
      "token: very-secret",
      R"({"kind":"ExecCredential","status":{"token":"very-secret"}})",
      R"({"kind":"Secret","apiVersion":"client.authentication.k8s.io/v1"})",
      Printed(json::object()),
      Printed({{"clientKeyData", "very-secret"}}),
      Printed({{"token", "very-secret"}, {"expirationTimestamp", "soon"}})};
  for (const std::string& text : cases) {
    const auto parsed = ParseExecCredential(text, kVersion);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, Not(HasSubstr("very-secret")));
  }
}

class ExecPluginTest : public testing::Test {
 protected:
  ExecSpec Program(const std::string& script) {
    const std::string path = folder_ / "login";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    chmod(path.c_str(), 0700);
    return {.command = "login",
            .environment = {{"PATH", folder_.Path() + ":/usr/bin:/bin"}, {"COUNT", folder_ / "n"}},
            .api_version = kVersion};
  }
  static std::string Echo(const json& status) { return "echo '" + Printed(status) + "'"; }
  test::ScratchFolder folder_;
  SystemClock clock_;
};

TEST_F(ExecPluginTest, It_is_found_in_PATH_and_told_what_is_wanted) {
  ExecSpec spec =
      Program("test \"$1\" = a || exit 9; printf %s \"$KUBERNETES_EXEC_INFO\" >$COUNT; " +
              Echo({{"token", "abc"}}));
  spec.arguments = {"a"};
  spec.cluster_info = R"({"server":"https://h"})";
  const auto given = RunExecPlugin(spec, clock_);
  ASSERT_TRUE(given) << given.error().message;
  EXPECT_EQ(given->token.Reveal(), "abc");
  const json info = json::parse(test::ReadFile(folder_ / "n"));
  EXPECT_EQ(info.at("apiVersion"), kVersion);
  EXPECT_EQ(info.at("spec").at("interactive"), false);
  EXPECT_EQ(info.at("spec").at("cluster").at("server"), "https://h");
}

TEST_F(ExecPluginTest, Each_failure_says_what_to_do) {
  ExecSpec absent = Program("");
  absent.command = "no-such-program";
  absent.install_hint = "ask the platform team";
  auto failed = RunExecPlugin(absent, clock_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::NotFound);
  EXPECT_THAT(failed.error().message, HasSubstr("ask the platform team"));

  failed = RunExecPlugin(Program("exit 7"), clock_);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("exit status 7"));

  failed = RunExecPlugin(Program("echo very-secret"), clock_);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, Not(HasSubstr("very-secret")));

  failed = RunExecPlugin(Program("exec cat /dev/zero"), clock_);
  ASSERT_FALSE(failed) << "output without end";
  EXPECT_THAT(failed.error().message, HasSubstr("too much"));

  ExecSpec asks = Program(Echo({{"token", "abc"}}));
  asks.interactive = ExecSpec::Interactive::Always;
  failed = RunExecPlugin(asks, clock_);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("terminal"));
}

TEST_F(ExecPluginTest, It_runs_again_when_its_credential_expired_or_was_refused) {
  HandClock clock;
  const auto soon = clock.NowSeconds() + std::chrono::minutes{10};
  const auto expires = json{{"token", "abc"}, {"expirationTimestamp", FormatTime(soon)}};
  ClusterConfig config;
  config.server = "https://h";
  config.exec = Program("echo x >>$COUNT; " + Echo(expires));
  auto credentials = Credentials::Load(
      std::move(config), [](const TlsMaterial&) { return Result<void>{}; }, clock);
  ASSERT_TRUE(credentials) << credentials.error().message;
  const auto runs = [&] { return test::ReadFile(folder_ / "n").size() / 2; };
  EXPECT_EQ((*credentials)->Current()->token.Reveal(), "abc");
  clock.Advance(std::chrono::minutes{5});
  EXPECT_EQ((*credentials)->Current()->token.Reveal(), "abc");
  EXPECT_EQ(runs(), 1U);
  EXPECT_EQ((*credentials)->Refresh()->token.Reveal(), "abc");
  EXPECT_EQ(runs(), 2U);
  clock.Advance(std::chrono::minutes{6});
  EXPECT_EQ((*credentials)->Current()->token.Reveal(), "abc");
  EXPECT_EQ(runs(), 3U);
}

TEST(Impersonation, Several_groups_are_lines_of_their_own) {
  const auto headers = ImpersonationHeaders(
      {.user = "ann", .uid = "7", .groups = {"a", "b"}, .extra = {{"example.com/x", {"1"}}}});
  ASSERT_TRUE(headers) << headers.error().message;
  EXPECT_EQ(headers->at("Impersonate-User"), "ann");
  EXPECT_EQ(headers->at("Impersonate-Uid"), "7");
  EXPECT_EQ(headers->at("Impersonate-Group"), "a\r\nImpersonate-Group: b");
  EXPECT_EQ(headers->at("Impersonate-Extra-example.com%2Fx"), "1");
  EXPECT_TRUE(ImpersonationHeaders({})->empty());
}

TEST(Identity, A_text_that_could_begin_a_header_is_not_a_token) {
  for (const char* bad : {"", "a b", "a\r\nX: y", "a\n", "\x7f", "t\xc3\xb6ken"}) {
    const auto identity = Identity::OfToken(SecretString{std::string{bad}});
    ASSERT_FALSE(identity) << bad;
    EXPECT_EQ(identity.error().message, "the text cannot be a bearer token");
  }
  EXPECT_TRUE(Identity::OfToken(SecretString{std::string{"eyJhbGciOi.J-_~+/x=="}}));
  EXPECT_FALSE(Identity::Of({.user = "", .uid = {}, .groups = {"a"}, .extra = {}}));
}

TEST(Impersonation, No_value_can_begin_a_header_of_its_own) {
  EXPECT_FALSE(ImpersonationHeaders({.user = "ann\r\nAuthorization: x"}));
  EXPECT_FALSE(ImpersonationHeaders({.user = "ann", .groups = {"a\nb"}}));
  EXPECT_FALSE(ImpersonationHeaders({.user = "ann", .groups = {""}}));
}

}  // namespace
}  // namespace certpair::kube
