// As whom we speak to the API server, and through what: on the wire.
#include <mutex>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fault/fault_setup.hpp"

namespace certpair::kube {
namespace {

using test::Always;
using test::HttpAnswer;
using test::RawConnection;
using test::RawServer;
using testing::HasSubstr;
using testing::Not;

TEST(FaultIdentity, Each_group_is_a_header_line_of_its_own) {
  RawServer server({Always(HttpAnswer(200, "{}"))});
  ClusterConfig config = ConfigOf(server);
  config.impersonate = {.user = "ann", .uid = {}, .groups = {"a", "b"}, .extra = {}};
  const HandClock clock;
  const auto transport = Connect(std::move(config), clock);
  ASSERT_TRUE(transport->Send(kGet, kPatience, {}));
  ASSERT_TRUE(transport->Send(kPost, kPatience, {}));
  for (const std::string& request : server.Requests()) {
    EXPECT_THAT(request, HasSubstr("Impersonate-User:ann\r\n"));
    EXPECT_THAT(request, HasSubstr("Impersonate-Group:a\r\n"));
    EXPECT_THAT(request, HasSubstr("Impersonate-Group: b\r\n"));
  }
}

// What one GET as this user carries to a server that knows our client certificate.
class UserTest : public testing::Test {
 protected:
  UserTest()
      : server_({[this](RawConnection& connection) {
                  const std::string peer = connection.PeerName();
                  while (true) {
                    const std::string request = connection.ReadRequest();
                    if (request.empty()) return;
                    std::string answer;
                    {
                      const std::lock_guard lock{mutex_};
                      peers_.push_back(peer);
                      answer = HttpAnswer(status_, body_);
                    }
                    connection.Write(answer);
                  }
                }},
                test::RawServerTls{authority_.Issue(), authority_.Certificate()}) {
    const test::TlsIdentity ours = authority_.Issue({.common_name = "operator"});
    ClusterConfig config = ConfigOf(server_);
    config.certificate_authority.inline_text = SecretString{authority_.Certificate()};
    config.client_certificate.inline_text = SecretString{ours.certificate};
    config.client_key.inline_text = SecretString{ours.key};
    config.token.inline_text = SecretString{std::string{"token-of-the-operator"}};
    config.impersonate = {.user = "robot", .uid = {}, .groups = {}, .extra = {}};
    transport_ = Connect(std::move(config), clock_);
  }
  static std::shared_ptr<const Identity> Bearer(const std::string& token) {
    return Identity::OfToken(SecretString{token}).value();
  }
  std::string LastRequest(std::shared_ptr<const Identity> identity) {
    HttpRequest request = kGet;
    request.identity = std::move(identity);
    EXPECT_TRUE(transport_->Send(request, kPatience, {}));
    return server_.Requests().back();
  }
  void AnswerWith(int status, const std::string& body = "{}") {
    const std::lock_guard lock{mutex_};
    status_ = status;
    body_ = body;
  }
  std::string LastPeer() {
    const std::lock_guard lock{mutex_};
    return peers_.back();
  }

  const HandClock clock_;
  test::TlsAuthority authority_;
  std::mutex mutex_;
  std::vector<std::string> peers_;
  int status_ = 200;
  std::string body_ = "{}";
  RawServer server_;
  std::shared_ptr<HttpTransport> transport_;
};

TEST_F(UserTest, One_transport_serves_many_users) {
  EXPECT_THAT(LastRequest(nullptr), HasSubstr("Bearer token-of-the-operator"));
  EXPECT_EQ(LastPeer(), "operator");
  for (const char* user : {"ann", "bob", "ann"})
    EXPECT_THAT(LastRequest(Bearer(std::string{"token-of-"} + user)),
                HasSubstr(std::string{"Bearer token-of-"} + user + "\r\n"));
  EXPECT_THAT(LastRequest(nullptr), HasSubstr("Impersonate-User:robot"));
}

// The API server takes a client certificate before a token.
TEST_F(UserTest, A_users_token_goes_without_anything_of_ours) {
  LastRequest(nullptr);
  const std::string request = LastRequest(Bearer("token-of-ann"));
  EXPECT_THAT(request, Not(HasSubstr("token-of-the-operator")));
  EXPECT_THAT(request, Not(HasSubstr("Impersonate")));
  EXPECT_EQ(LastPeer(), "") << "our client certificate would make the user the operator";
}

TEST_F(UserTest, Impersonation_in_a_request_replaces_the_transports) {
  const auto ann = Identity::Of({.user = "ann", .uid = {}, .groups = {"idm"}, .extra = {}});
  const std::string request = LastRequest(*ann);
  EXPECT_THAT(request, HasSubstr("Impersonate-User:ann\r\n"));
  EXPECT_THAT(request, HasSubstr("Impersonate-Group:idm\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("robot")));
  EXPECT_THAT(request, HasSubstr("Bearer token-of-the-operator"));
  EXPECT_EQ(LastPeer(), "operator");
}

TEST_F(UserTest, A_token_that_is_refused_is_sent_once) {
  AnswerWith(401);
  LastRequest(Bearer("token-of-ann"));
  EXPECT_EQ(server_.Requests().size(), 1U);
}

TEST_F(UserTest, No_error_and_no_log_quotes_a_token) {
  testing::internal::CaptureStderr();
  const Client client = Client{transport_, clock_}.As(Bearer("token-of-ann"));
  for (const int status : {200, 401, 403, 404, 409, 500}) {
    AnswerWith(
        status,
        status == 200
            ? "token-of-ann"
            : R"({"kind":"Status","reason":"token-of-ann","message":"what is token-of-ann?"})");
    const auto got = client.Get({"", "v1", "things"}, "a", "b");
    ASSERT_FALSE(got) << status;
    EXPECT_THAT(got.error().message + got.error().reason, Not(HasSubstr("token-of-ann"))) << status;
    const auto watched =
        client.Watch({"", "v1", "things"}, {}, [](const WatchEvent&) { return true; }, {});
    EXPECT_EQ(watched.has_value(), status == 200) << "a line without its end is not read";
    if (!watched) {
      EXPECT_THAT(watched.error().message + watched.error().reason, Not(HasSubstr("token-of-ann")));
    }
  }
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("token-of")));
}

TEST(FaultIdentity, A_proxy_is_asked_to_tunnel_and_gets_its_password_alone) {
  RawServer proxy({[](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  }});
  test::TlsAuthority authority;
  ClusterConfig config;
  config.server = "https://api.example.test:6443";
  config.certificate_authority.inline_text = SecretString{authority.Certificate()};
  config.token.inline_text = SecretString{std::string{"bearer-of-the-api-server"}};
  config.proxy = Proxy{.host = "127.0.0.1",
                       .port = static_cast<std::uint16_t>(proxy.Port()),
                       .user = "ann",
                       .password = SecretString{std::string{"pass"}}};
  const HandClock clock;
  const auto refused = Connect(std::move(config), clock)->Send(kGet, kPatience, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ApiErrorKind::Transport) << refused.error().message;
  const auto requests = proxy.Requests();
  ASSERT_FALSE(requests.empty());
  EXPECT_THAT(requests.front(), HasSubstr("CONNECT api.example.test:6443 HTTP/1.1\r\n"));
  EXPECT_THAT(requests.front(), HasSubstr("Proxy-Authorization: Basic YW5uOnBhc3M="));
  EXPECT_THAT(requests.front(), Not(HasSubstr("bearer-of")));
}

}  // namespace
}  // namespace certpair::kube
