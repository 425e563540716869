// As whom we speak to the API server, and through what: on the wire.
#include <gmock/gmock.h>

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
