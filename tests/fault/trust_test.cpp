// Who is at the other end, and who we say we are, also while files rotate.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "fault/fault_setup.hpp"

namespace certpair::kube {
namespace {

using test::Always;
using test::HttpAnswer;
using test::RawConnection;
using test::RawServer;
using test::RawServerTls;
using test::TlsAuthority;
using test::TlsSubject;
using testing::HasSubstr;
using testing::Not;

class FaultTrust : public testing::Test {
 protected:
  FaultTrust()
      : folder_(std::filesystem::temp_directory_path() /
                ("certpair-trust-" + std::to_string(getpid()) + "-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  ~FaultTrust() override { std::filesystem::remove_all(folder_); }
  FaultTrust(const FaultTrust&) = delete;
  FaultTrust& operator=(const FaultTrust&) = delete;

  std::string Write(const std::string& name, std::string_view text) const {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    return path.string();
  }
  ClusterConfig TrustingConfig(const RawServer& server) const {
    ClusterConfig config = ConfigOf(server);
    config.certificate_authority.inline_text = SecretString{authority_.Certificate()};
    return config;
  }
  // How a GET ends with a server that has a certificate like this.
  ApiResult<HttpResponse> Ask(const TlsSubject& subject, const std::string& tls_server_name = {},
                              bool insecure = false) {
    RawServer server({Always(HttpAnswer(200, "{}"))}, RawServerTls{authority_.Issue(subject), ""});
    ClusterConfig config = TrustingConfig(server);
    config.tls_server_name = tls_server_name;
    config.insecure_skip_tls_verify = insecure;
    config.token.inline_text = SecretString{"very-secret"};
    auto response = Connect(std::move(config), clock_)->Send(kGet, kPatience, {});
    if (!response) {
      EXPECT_TRUE(server.Requests().empty()) << "something was sent to a stranger";
    }
    return response;
  }

  HandClock clock_;
  TlsAuthority authority_;
  std::filesystem::path folder_;
};

TEST_F(FaultTrust, A_server_that_is_who_it_should_be_is_talked_to) {
  auto response = Ask({});
  EXPECT_TRUE(response) << response.error().message;
}

TEST_F(FaultTrust, A_certificate_for_another_name_or_address_is_refused) {
  for (const char* names : {"IP:127.0.0.2", "DNS:127.0.0.1", "DNS:localhost"}) {
    auto response = Ask({.alt_names = names});
    ASSERT_FALSE(response) << names;
    EXPECT_EQ(response.error().kind, ApiErrorKind::Transport);
    EXPECT_THAT(response.error().message, HasSubstr("for another name")) << names;
  }
}

TEST_F(FaultTrust, A_common_name_does_not_stand_in_for_a_SAN) {
  EXPECT_FALSE(Ask({.common_name = "127.0.0.1", .alt_names = ""}));
  EXPECT_FALSE(Ask({.common_name = "kubernetes", .alt_names = ""}, "kubernetes"));
  EXPECT_FALSE(Ask({.common_name = "kubernetes", .alt_names = "DNS:other"}, "kubernetes"));
}

TEST_F(FaultTrust, Tls_server_name_replaces_the_host_in_the_check) {
  EXPECT_TRUE(Ask({.alt_names = "DNS:kubernetes"}, "kubernetes"));
  EXPECT_FALSE(Ask({.alt_names = "IP:127.0.0.1"}, "kubernetes"));
}

TEST_F(FaultTrust, Names_are_asked_for_by_SNI_and_addresses_are_not) {
  std::vector<std::string> asked;
  RawServer server(
      {[&](RawConnection& connection) {
        asked.push_back(connection.RequestedName());
        connection.ReadRequest();
        connection.Write(HttpAnswer(200, "{}", "Connection: close\r\n"));
      }},
      RawServerTls{authority_.Issue({.alt_names = "IP:127.0.0.1,DNS:kubernetes"}), ""});
  for (const char* name : {"", "kubernetes"}) {
    ClusterConfig config = TrustingConfig(server);
    config.tls_server_name = name;
    ASSERT_TRUE(Connect(std::move(config), clock_)->Send(kGet, kPatience, {})) << name;
  }
  EXPECT_THAT(asked, testing::ElementsAre("", "kubernetes"));
}

TEST_F(FaultTrust, An_expired_certificate_is_refused) {
  auto response = Ask({.begins = std::chrono::hours{-48}, .ends = std::chrono::hours{-24}});
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("expired"));
}

TEST_F(FaultTrust, A_certificate_of_another_CA_is_refused) {
  TlsAuthority other("other CA");
  RawServer server({Always(HttpAnswer(200, "{}"))}, RawServerTls{other.Issue(), ""});
  auto response = Connect(TrustingConfig(server), clock_)->Send(kGet, kPatience, {});
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("TLS handshake failed"));
}

TEST_F(FaultTrust, Insecure_accepts_what_else_is_refused) {
  EXPECT_TRUE(Ask({.alt_names = "DNS:other"}, "", true));
}

TEST_F(FaultTrust, Material_that_cannot_be_used_is_refused_at_once_and_by_field) {
  RawServer server({Always(HttpAnswer(200, "{}"))}, RawServerTls{authority_.Issue(), ""});
  const auto mine = authority_.Issue({.common_name = "me"});
  const auto refusal = [&](auto change) {
    ClusterConfig config = TrustingConfig(server);
    config.client_certificate.inline_text = SecretString{mine.certificate};
    config.client_key.inline_text = SecretString{mine.key};
    change(config);
    auto transport = MakeTransport(std::move(config), clock_);
    EXPECT_FALSE(transport);
    return transport ? std::string{} : transport.error().message;
  };
  EXPECT_THAT(refusal([](ClusterConfig& c) {
                c.certificate_authority.inline_text = SecretString{"garbage"};
              }),
              HasSubstr("certificate-authority"));
  EXPECT_THAT(refusal([](ClusterConfig& c) { c.certificate_authority = {}; }),
              HasSubstr("no certificate-authority"));
  EXPECT_THAT(refusal([](ClusterConfig& c) {
                c.certificate_authority = {.path = "/nowhere/ca.crt", .inline_text = {}};
              }),
              HasSubstr("/nowhere/ca.crt"));
  EXPECT_THAT(
      refusal([](ClusterConfig& c) { c.client_certificate.inline_text = SecretString{"garbage"}; }),
      HasSubstr("client-certificate"));
  EXPECT_THAT(refusal([&](ClusterConfig& c) {
                c.client_key.inline_text = SecretString{authority_.Issue().key};
              }),
              HasSubstr("does not belong"));
  EXPECT_THAT(refusal([&](ClusterConfig& c) {
                c.client_key.inline_text = SecretString{test::EncryptTlsKey(mine.key, "pw")};
              }),
              HasSubstr("client-key"));
  EXPECT_THAT(
      refusal([](ClusterConfig& c) { c.token.inline_text = SecretString{"abc\r\nX-Evil: 1"}; }),
      testing::AllOf(HasSubstr("token"), Not(HasSubstr("Evil"))));
}

TEST_F(FaultTrust, A_rotated_token_is_used_without_its_white_space) {
  RawServer server({Always(HttpAnswer(200, "{}"))});
  ClusterConfig config = ConfigOf(server);
  config.token.path = Write("token", "first\n");
  const auto transport = Connect(std::move(config), clock_);
  const auto sent = [&] {
    EXPECT_TRUE(transport->Send(kGet, kPatience, {}));
    return server.Requests().back();
  };
  EXPECT_THAT(sent(), HasSubstr("Bearer first\r\n"));
  Write("token", " second \r\n");
  EXPECT_THAT(sent(), HasSubstr("Bearer first\r\n"));
  clock_.Advance(11s);
  EXPECT_THAT(sent(), HasSubstr("Bearer second\r\n"));
  Write("token", "bad\r\nX-Evil: 1");
  clock_.Advance(11s);
  EXPECT_THAT(sent(), HasSubstr("Bearer second\r\n")) << "a bad token replaced a good one";
}

TEST_F(FaultTrust, After_a_401_the_token_is_read_and_the_request_repeated) {
  RawServer server({[](RawConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();)
      connection.Write(
          HttpAnswer(request.find("Bearer second\r\n") == std::string::npos ? 401 : 200, "{}"));
  }});
  ClusterConfig config = ConfigOf(server);
  config.token.path = Write("token", "first");
  const auto transport = Connect(std::move(config), clock_);
  auto refused = transport->Send(kGet, kPatience, {});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(server.Requests().size(), 2U) << "once more, and only once";
  Write("token", "second");
  clock_.Advance(2s);
  auto accepted = transport->Send(kGet, kPatience, {});
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->status, 200);
  EXPECT_EQ(server.Requests().size(), 4U);
}

TEST_F(FaultTrust, A_401_on_a_watch_has_the_token_read_again_too) {
  RawServer server({[](RawConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();)
      connection.Write(request.find("Bearer second\r\n") == std::string::npos
                           ? HttpAnswer(401, "{}")
                           : HttpAnswer(200, "{}\n"));
  }});
  ClusterConfig config = ConfigOf(server);
  config.token.path = Write("token", "first");
  const auto transport = Connect(std::move(config), clock_);
  Write("token", "second");
  clock_.Advance(2s);
  auto ended = transport->Stream(kGet, kPatience, 1000, TakesEveryLine, {});
  EXPECT_TRUE(ended) << ended.error().message;
}

TEST_F(FaultTrust, A_rotated_client_certificate_counts_for_new_connections) {
  std::vector<std::string> peers;
  RawServer server({[&](RawConnection& connection) {
                     while (!connection.ReadRequest().empty()) {
                       peers.push_back(connection.PeerName());
                       connection.Write(HttpAnswer(200, "{}"));
                     }
                   }},
                   RawServerTls{authority_.Issue(), authority_.Certificate()});
  const auto old_one = authority_.Issue({.common_name = "old"});
  const auto new_one = authority_.Issue({.common_name = "new"});
  ClusterConfig config = TrustingConfig(server);
  config.client_certificate.path = Write("tls.crt", old_one.certificate);
  config.client_key.path = Write("tls.key", old_one.key);
  const auto transport = Connect(std::move(config), clock_);
  ASSERT_TRUE(transport->Send(kGet, kPatience, {}));

  Write("tls.crt", new_one.certificate);  // half a rotation: the key is still the old one's
  clock_.Advance(11s);
  ASSERT_TRUE(transport->Send(kGet, kPatience, {}));

  Write("tls.key", new_one.key);
  clock_.Advance(11s);
  ASSERT_TRUE(transport->Send(kGet, kPatience, {}));
  EXPECT_THAT(peers, testing::ElementsAre("old", "old", "new"));
}

TEST_F(FaultTrust, A_failed_handshake_is_a_transport_error) {
  RawServer server(
      {[](RawConnection& connection) { connection.Write("HTTP/1.1 400 Bad\r\n\r\n"); }});
  ClusterConfig config = TrustingConfig(server);
  config.server.replace(0, 4, "https");
  auto response = Connect(std::move(config), clock_)->Send(kGet, kPatience, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ApiErrorKind::Transport);
}

}  // namespace
}  // namespace certpair::kube
