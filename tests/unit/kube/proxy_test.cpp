#include "kube/proxy.hpp"

#include <gmock/gmock.h>

namespace certpair::kube {
namespace {

using testing::HasSubstr;
using testing::Not;

Endpoint At(const std::string& server) { return *ParseEndpoint(server); }

TEST(Proxy, Is_taken_apart) {
  const auto full = ParseProxy("http://ann:p%40ss@proxy.example:3128/");
  ASSERT_TRUE(full) << full.error().message;
  EXPECT_EQ(full->host, "proxy.example");
  EXPECT_EQ(full->port, 3128);
  EXPECT_EQ(full->user, "ann");
  EXPECT_EQ(full->password.Reveal(), "p@ss");
  EXPECT_EQ(ParseProxy("proxy")->port, 80);
  EXPECT_EQ(ParseProxy("10.0.0.1:8080")->host, "10.0.0.1");
}

TEST(Proxy, What_cannot_be_used_is_refused_without_its_password) {
  for (const char* bad : {"socks5://p:1", "https://p", "http://", "http://a b", "http://p:0",
                          "http://p:x", "http://u:geheim@p:99999", "http://u:geheim@p\r\nX: y"}) {
    const auto proxy = ParseProxy(bad);
    ASSERT_FALSE(proxy) << bad;
    EXPECT_THAT(proxy.error().message, Not(HasSubstr("geheim")));
  }
}

TEST(Proxy, NO_PROXY_exempts_as_Go_does) {
  struct Case {
    const char* server;
    const char* list;
    bool exempt;
  };
  const Case cases[] = {
      {"https://api.example.org", "example.org", true},
      {"https://api.example.org", ".example.org", true},
      {"https://api.example.org", "*.example.org", true},
      {"https://example.org", "example.org", true},
      {"https://example.org", ".example.org", false},
      {"https://badexample.org", "example.org", false},
      {"https://API.Example.org", "a, api.example.ORG ", true},
      {"https://api.example.org:6443", "api.example.org:6443", true},
      {"https://api.example.org:6443", "api.example.org:443", false},
      {"https://10.1.2.3", "10.0.0.0/8", true},
      {"https://11.1.2.3", "10.0.0.0/8", false},
      {"https://10.1.2.3", "0.0.0.0/0", true},
      {"https://10.1.2.3", "10.1.2.3", true},
      {"https://10.1.2.3", "10.1.2.3/33", false},
      {"https://10.1.2.3", "2.3", false},
      {"https://h", "*", true},
      {"https://h", "", false},
      {"https://h", ",,", false},
  };
  for (const Case& c : cases)
    EXPECT_EQ(IsExempt(At(c.server), c.list), c.exempt) << c.server << " " << c.list;
}

TEST(Proxy, The_kubeconfigs_proxy_goes_before_the_environments) {
  const std::map<std::string, std::string> variables{{"https_proxy", "http://env:1"},
                                                     {"NO_PROXY", "spared"}};
  EXPECT_EQ((*ProxyFor(At("https://h"), "", variables))->host, "env");
  EXPECT_EQ((*ProxyFor(At("https://h"), "http://file:2", variables))->host, "file");
  EXPECT_FALSE(*ProxyFor(At("https://spared"), "", variables));
  EXPECT_EQ((*ProxyFor(At("https://spared"), "http://file:2", variables))->host, "file");
  EXPECT_FALSE(*ProxyFor(At("https://127.0.0.1"), "", variables));
  EXPECT_FALSE(*ProxyFor(At("https://localhost"), "", variables));
  EXPECT_FALSE(*ProxyFor(At("http://127.0.0.1"), "", variables));
  EXPECT_FALSE(*ProxyFor(At("https://h"), "", {}));
  const auto bad = ProxyFor(At("https://h"), "", {{"HTTPS_PROXY", "socks5://x"}});
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("HTTPS_PROXY"));
}

}  // namespace
}  // namespace certpair::kube
