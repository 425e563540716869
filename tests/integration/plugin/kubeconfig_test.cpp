// A kubeconfig with merge keys, as the real kubectl reads it and as this client does.
#include <fstream>

#include <gmock/gmock.h>

#include "integration/plugin/plugin_test.hpp"
#include "kube/config.hpp"

namespace certpair::test {
namespace {

constexpr const char* kMerging = R"(apiVersion: v1
kind: Config
base: &base {server: "https://base", tls-server-name: base}
other: &other {server: "https://other", proxy-url: "http://other:1"}
clusters:
- {name: own-last, cluster: {<<: *base, server: "https://own"}}
- {name: own-first, cluster: {server: "https://own", <<: *base}}
- {name: list, cluster: {<<: [*base, *other]}}
- {name: list-turned, cluster: {<<: [*other, *base]}}
- {name: inline, cluster: {<<: {server: "https://inline"}}}
- {name: nested, cluster: {<<: &deep {<<: *base, tls-server-name: deep}}}
- {name: anchored-within, cluster: {<<: *deep}}
- {name: tagged, cluster: {!!merge "<<": *base}}
- {name: quoted, cluster: {"<<": *base, server: "https://own"}}
- {name: twice, cluster: {<<: *base, <<: *other}}
- {name: repeated, cluster: {server: "https://first", server: "https://last"}}
- {name: nothing, cluster: {<<: [], server: "https://own"}}
users: [{name: ann, user: {token: abc}}]
)";

class KubeconfigTest : public PluginTest {
 protected:
  Json AsKubectlReads(const std::string& text) {
    const std::string path = folder_ / "config";
    std::ofstream(path) << text;
    const ProcessResult told = RunProcess({TheControlPlane().Programs() + "/kubectl", "config",
                                           "view", "--raw", "-o", "json", "--kubeconfig", path});
    return told.exit_code == 0 ? Json::parse(told.out) : Json{};
  }
  ScratchFolder folder_;
};

TEST_F(KubeconfigTest, Merge_keys_mean_what_they_mean_to_kubectl) {
  std::string text = kMerging;
  const Json clusters = AsKubectlReads(text).at("clusters");
  ASSERT_EQ(clusters.size(), 12U);
  text += "contexts:\n";
  for (const Json& entry : clusters) {
    const std::string name = entry.at("name");
    text += "- {name: " + name + ", context: {cluster: " + name + ", user: ann}}\n";
  }
  for (const Json& entry : clusters) {
    const std::string name = entry.at("name");
    const Json& cluster = entry.at("cluster");
    const auto config = kube::ParseKubeconfig({{"/config", text}}, name);
    ASSERT_TRUE(config) << name << ": " << config.error().message;
    EXPECT_EQ(config->server, cluster.value("server", "")) << name;
    EXPECT_EQ(config->tls_server_name, cluster.value("tls-server-name", "")) << name;
    EXPECT_EQ(config->proxy_url, cluster.value("proxy-url", "")) << name;
  }
}

TEST_F(KubeconfigTest, Both_refuse_the_same_merges) {
  for (const char* merged : {"3", "[3]", "[[{server: x}]]", "null", "*own"}) {
    const std::string text = std::string{"clusters: [{name: k, cluster: &own {<<: "} + merged +
                             ", server: \"https://own\"}}]\n"
                             "contexts: [{name: c, context: {cluster: k}}]\ncurrent-context: c\n";
    EXPECT_TRUE(AsKubectlReads(text).is_null()) << merged;
    EXPECT_FALSE(kube::ParseKubeconfig({{"/config", text}}, "")) << merged;
  }
}

}  // namespace
}  // namespace certpair::test
