#include "kube/config.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "kube/endpoint.hpp"

namespace certpair::kube {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTwoContexts = R"(
apiVersion: v1
kind: Config
current-context: demo
clusters:
- name: here
  cluster: {server: "https://127.0.0.1:6443", certificate-authority: pki/ca.crt}
- name: there
  cluster:
    server: https://api.example.org/prefix/
    certificate-authority-data: Q0E=
    tls-server-name: kubernetes
users:
- name: me
  user: {client-certificate: /abs/me.crt, client-key-data: S0VZ}
- name: robot
  user: {token: abc}
contexts:
- name: demo
  context: {cluster: here, user: me, namespace: team}
- name: live
  context: {cluster: there, user: robot}
)";

ErrorCode CodeOf(const Result<ClusterConfig>& config) {
  return config ? ErrorCode::Internal : config.error().code;
}
std::string MessageOf(const Result<ClusterConfig>& config) {
  return config ? "(no error)" : config.error().message;
}
Result<ClusterConfig> Parse(const std::string& text, const std::string& context = "") {
  return ParseKubeconfig({{"/home/me/config", text}}, context);
}

TEST(Kubeconfig, The_current_context_is_taken) {
  const auto config = Parse(kTwoContexts);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://127.0.0.1:6443");
  EXPECT_EQ(config->certificate_authority.path, "/home/me/pki/ca.crt");
  EXPECT_EQ(config->client_certificate.path, "/abs/me.crt");
  EXPECT_EQ(config->client_key.inline_text.Reveal(), "KEY");
  EXPECT_EQ(config->default_namespace, "team");
  EXPECT_FALSE(config->token.Given());
  EXPECT_THAT(config->description, AllOf(HasSubstr("demo"), HasSubstr("/home/me/config")));
}

TEST(Kubeconfig, Another_context_can_be_named) {
  const auto config = Parse(kTwoContexts, "live");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://api.example.org/prefix/");
  EXPECT_EQ(config->certificate_authority.inline_text.Reveal(), "CA");
  EXPECT_EQ(config->tls_server_name, "kubernetes");
  EXPECT_EQ(config->token.inline_text.Reveal(), "abc");
}

TEST(Kubeconfig, A_missing_context_is_not_found_and_the_others_are_named) {
  const auto config = Parse(kTwoContexts, "prod");
  EXPECT_EQ(CodeOf(config), ErrorCode::NotFound);
  EXPECT_THAT(MessageOf(config), AllOf(HasSubstr("prod"), HasSubstr("demo, live")));
}

TEST(Kubeconfig, Without_a_current_context_the_choices_are_named) {
  std::string text = kTwoContexts;
  text.replace(text.find("current-context: demo"), 21, "");
  EXPECT_THAT(MessageOf(Parse(text)), AllOf(HasSubstr("current-context"), HasSubstr("demo, live")));
}

TEST(Kubeconfig, Of_several_files_the_first_that_says_something_wins) {
  const std::string first = R"(
clusters: [{name: here, cluster: {server: "https://first:1", certificate-authority: ca.crt}}]
)";
  const auto config =
      ParseKubeconfig({{"/a/first", first}, {"/b/second", kTwoContexts}, {"/c/empty", ""}}, "");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://first:1");
  EXPECT_EQ(config->certificate_authority.path, "/a/ca.crt") << "relative to its own file";
  EXPECT_EQ(config->client_certificate.path, "/abs/me.crt");
}

TEST(Kubeconfig, Inline_data_wins_over_a_path_and_a_token_file_over_a_token) {
  const auto config = Parse(R"(
current-context: c
clusters: [{name: k, cluster: {server: "https://h", certificate-authority: x, certificate-authority-data: Q0E=}}]
users: [{name: u, user: {token: abc, tokenFile: rel/token}}]
contexts: [{name: c, context: {cluster: k, user: u}}]
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->certificate_authority.path, "");
  EXPECT_EQ(config->certificate_authority.inline_text.Reveal(), "CA");
  EXPECT_EQ(config->token.path, "/home/me/rel/token");
}

struct BadUser {
  const char* cluster;
  const char* user;
  const char* says;
};

TEST(Kubeconfig, What_cannot_work_is_refused_by_field) {
  const BadUser cases[] = {
      {"server: \"https://h\"", "exec: aws", "exec is not a map"},
      {"server: \"https://h\"", "exec: {apiVersion: client.authentication.k8s.io/v1}",
       "command is missing"},
      {"server: \"https://h\"", "exec: {command: aws}", "apiVersion must be"},
      {"server: \"https://h\"",
       "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1alpha1}",
       "apiVersion must be"},
      {"server: \"https://h\"",
       "exec: {command: a, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Maybe}",
       "interactiveMode"},
      {"server: \"https://h\"", "token: t, exec: {command: a}", "apiVersion must be"},
      {"server: \"https://h\"", "token: !!binary 'a%'", "token is marked !!binary"},
      {"server: \"https://h\", certificate-authority-data: 'Q0 E='", "token: a",
       "authority-data is not"},
      {"server: \"https://h\"", "auth-provider: {name: oidc}", "auth-provider is not supported"},
      {"server: \"https://h\"", "username: a, password: b", "username is not supported"},
      {"server: \"https://h\"", "username: '', password: b", "password is not supported"},
      {"server: \"https://h\"", "as-groups: [a]", "go with as"},
      {"server: \"https://h\"", "as: ann, as-groups: a", "as-groups is not a list"},
      {"server: \"https://h\"", "client-certificate: a", "client-certificate and client-key"},
      {"server: \"https://h\"", "client-key-data: '!!'", "client-key-data is not base64"},
      {"server: \"https://h\"", "token: [a]", "token is not a text"},
      {"server: \"https://h\", certificate-authority-data: '%'", "token: a",
       "authority-data is not"},
      {"server: \"https://h\", proxy-url: 'socks5://p'", "token: a", "socks5 proxy"},
      {"server: \"https://[::1]:6443\"", "token: a", "IPv6"},
      {"server: \"http://example.org\"", "token: a", "loopback"},
      {"server: \"ftp://h\"", "token: a", "https://"},
      {"x: y", "token: a", "server is missing"},
      {"server: \"https://h\", insecure-skip-tls-verify: true, certificate-authority: a",
       "token: a", "makes no sense"},
      {"server: \"https://h\", insecure-skip-tls-verify: maybe", "token: a", "neither true nor"},
  };
  for (const BadUser& bad : cases) {
    const std::string text = std::string{"current-context: c\nclusters: [{name: k, cluster: {"} +
                             bad.cluster + "}}]\nusers: [{name: u, user: {" + bad.user +
                             "}}]\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n";
    const auto config = Parse(text);
    EXPECT_EQ(CodeOf(config), ErrorCode::Invalid) << text;
    EXPECT_THAT(MessageOf(config), AllOf(HasSubstr(bad.says), HasSubstr("/home/me/config")));
  }
}

// One context of one cluster and one user.
std::string Small(const std::string& cluster, const std::string& user) {
  return "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
         "clusters:\n- name: k\n  cluster:\n    server: https://h\n" +
         cluster + "users:\n- name: u\n  user:\n" + user;
}

// Each row is one that kubectl takes, and means the same by.
TEST(Kubeconfig, What_kubectl_takes_is_taken) {
  struct Row {
    const char* what;
    std::string cluster;
    std::string user;
    std::string authority;
    std::string token;
    bool insecure = false;
  };
  const std::string ca = "    certificate-authority-data: ";
  const std::vector<Row> rows{
      {"base64 on several lines", ca + "|\n      Q0\n      E=\n", "    token: a\n", "CA", "a"},
      {"base64 with Windows' line ends", ca + "\"Q0\\r\\nE=\\r\\n\"\n", "    token: a\n", "CA",
       "a"},
      {"base64 with stray bits", ca + "Q0F=\n", "    token: a\n", "CA", "a"},
      {"a token in !!binary", "", "    token: !!binary YWJj\n", "", "abc"},
      {"!!binary on several lines", "", "    token: !!binary |\n      YW\n      Jj\n", "", "abc"},
      {"base64 in !!binary", ca + "!!binary UTBFPQ==\n", "    token: a\n", "CA", "a"},
      {"empty fields of other ways to log in", "    proxy-url: ''\n    tls-server-name:\n",
       "    token: a\n    username: ''\n    password: \"\"\n    auth-provider:\n    tokenFile: ''\n"
       "    client-certificate: ''\n    client-key-data: ''\n    exec: null\n    as: ''\n"
       "    as-groups: []\n    as-user-extra: {}\n",
       "", "a"},
      {"words of YAML 1.1", "    insecure-skip-tls-verify: yes\n", "    token: a\n", "", "a", true},
      {"no in YAML 1.1", "    insecure-skip-tls-verify: Off\n", "    token: a\n", "", "a"},
      {"a token beside a program", "",
       "    token: a\n    exec: {command: x, apiVersion: client.authentication.k8s.io/v1, "
       "interactiveMode: Never}\n",
       "", "a"},
      {"fields that we do not know", "    extensions: [{name: x, extension: {a: b}}]\n",
       "    token: a\n    extensions: []\n    new-field: {x: [1]}\n", "", "a"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const auto config = Parse(Small(row.cluster, row.user));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->certificate_authority.inline_text.Reveal(), row.authority);
    EXPECT_EQ(config->token.inline_text.Reveal(), row.token);
    EXPECT_EQ(config->insecure_skip_tls_verify, row.insecure);
    EXPECT_FALSE(config->exec);
  }
}

TEST(Kubeconfig, JSON_with_tabs_and_a_byte_order_mark_are_taken) {
  const std::string json =
      "{\n\t\"current-context\": \"c\",\n\t\"contexts\": [{\"name\": \"c\", \"context\": "
      "{\"cluster\": "
      "\"k\"}}],\n\t\"clusters\": [\n\t\t{\"name\": \"k\",\t\"cluster\": {\"server\": "
      "\"https://h\"}}\n\t]\n}\n";
  for (const std::string& text : {json, "\xEF\xBB\xBF" + std::string{kTwoContexts}}) {
    const auto config = Parse(text);
    EXPECT_TRUE(config) << config.error().message;
  }
}

// client-go (plugin/pkg/client/auth/exec): who has credentials does not run the program.
TEST(Kubeconfig, A_program_is_not_run_where_a_token_or_a_certificate_is_given) {
  const std::string exec =
      "    exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: "
      "Never}\n";
  for (const char* user : {"    token: a\n", "    tokenFile: /t\n",
                           "    client-certificate-data: Q0E=\n    client-key-data: S0VZ\n"}) {
    const auto config = Parse(Small("", user + exec));
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_FALSE(config->exec) << user;
  }
  const auto config = Parse(Small("", exec));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->exec);
}

TEST(Kubeconfig, A_program_is_told_of_the_cluster_what_its_extension_says) {
  const auto config = Parse(Small(R"(    certificate-authority-data: |
      Q0
      E=
    disable-compression: true
    extensions:
    - name: other
      extension: {audience: no}
    - name: client.authentication.k8s.io/exec
      extension:
        audience: 06e3fbd18de8
        count: 7
        mask: 0x1F
        mode: 017
        plus: +5
        million: 1_000_000
        exponent: 06e3
        date: 2020-01-01
        ratio: -1.5
        on: yes
        quoted: "7"
        version: 1.2.3
        none: ~
        list: [a, {b: !!str 2}]
)",
                                  R"(    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: login
      interactiveMode: Never
      provideClusterInfo: on
)"));
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_TRUE(config->exec);
  EXPECT_EQ(nlohmann::json::parse(config->exec->cluster_info), nlohmann::json::parse(R"({
    "server": "https://h", "certificate-authority-data": "Q0E=", "disable-compression": true,
    "config": {"audience": "06e3fbd18de8", "count": 7, "mask": 31, "ratio": -1.5, "true": true,
               "mode": 15, "plus": 5, "million": 1000000, "exponent": 6000.0, "date": "2020-01-01",
               "quoted": "7", "version": "1.2.3", "none": null, "list": ["a", {"b": "2"}]}})"));
}

TEST(Kubeconfig, An_extension_that_grows_without_end_is_refused) {
  std::string bomb =
      "    extensions:\n    - name: a\n      extension: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "    - name: a\n      extension: &a" + std::to_string(i) + " [" + before;
    for (int j = 0; j < 9; ++j) bomb += ", " + before;
    bomb += "]\n";
  }
  bomb += "    - name: client.authentication.k8s.io/exec\n      extension: *a9\n";
  const auto config = Parse(Small(bomb,
                                  "    exec: {command: x, apiVersion: "
                                  "client.authentication.k8s.io/v1, provideClusterInfo: true}\n"));
  EXPECT_EQ(CodeOf(config), ErrorCode::Invalid);
  EXPECT_THAT(MessageOf(config), HasSubstr("is too large"));
}

// The server of a cluster whose entry has these lines, with two maps to merge.
Result<ClusterConfig> WithCluster(const std::string& lines) {
  return Parse(R"(
base: &base {server: "https://base", tls-server-name: base}
other: &other {server: "https://other", proxy-url: "http://other:1"}
current-context: c
contexts: [{name: c, context: {cluster: k}}]
clusters:
- name: k
  cluster:
)" + lines);
}

// As kubectl reads them: tests/integration/plugin/kubeconfig_test.cpp compares the two.
TEST(Kubeconfig, Merge_keys_are_resolved_where_they_stand) {
  struct Row {
    const char* lines;
    const char* server;
    const char* tls_name;
    const char* proxy;
  };
  const Row rows[] = {
      {"    <<: *base\n    server: https://own\n", "https://own", "base", ""},
      {"    server: https://own\n    <<: *base\n", "https://base", "base", ""},
      {"    <<: [*base, *other]\n", "https://base", "base", "http://other:1"},
      {"    <<: [*other, *base]\n", "https://other", "base", "http://other:1"},
      {"    <<: {server: \"https://inline\"}\n", "https://inline", "", ""},
      {"    <<: &deep {<<: *base, tls-server-name: deep}\n", "https://base", "deep", ""},
      {"    !!merge \"<<\": *base\n", "https://base", "base", ""},
      {"    \"<<\": *base\n    server: https://own\n", "https://own", "", ""},
      {"    <<: *base\n    <<: *other\n", "https://other", "base", "http://other:1"},
      {"    server: https://first\n    server: https://last\n", "https://last", "", ""},
      {"    <<: []\n    server: https://own\n", "https://own", "", ""}};
  for (const Row& row : rows) {
    const auto config = WithCluster(row.lines);
    ASSERT_TRUE(config) << row.lines << config.error().message;
    EXPECT_EQ(config->server, row.server) << row.lines;
    EXPECT_EQ(config->tls_server_name, row.tls_name) << row.lines;
    EXPECT_EQ(config->proxy_url, row.proxy) << row.lines;
  }
}

TEST(Kubeconfig, Merge_keys_count_in_lists_and_at_the_root) {
  const auto config = Parse(R"(
root: &root
  current-context: c
  clusters: [&entry {name: k, cluster: {server: "https://h"}}, {<<: *entry, name: l}]
contexts: [{name: c, context: {cluster: l, user: u}}]
users: [{name: u, user: {as: ann, as-user-extra: {<<: {reason: [audit]}}}}]
<<: *root
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://h");
  EXPECT_THAT(config->impersonate.extra.at("reason"), testing::ElementsAre("audit"));
}

TEST(Kubeconfig, A_merge_of_something_else_than_maps_is_refused) {
  for (const char* lines : {"    <<: 3\n", "    <<: [3]\n", "    <<: [[{server: x}]]\n",
                            "    <<: null\n", "    <<:\n"}) {
    const auto config = WithCluster(std::string{lines} + "    server: https://own\n");
    EXPECT_EQ(CodeOf(config), ErrorCode::Invalid) << lines;
    EXPECT_THAT(MessageOf(config), HasSubstr("merge key")) << lines;
  }
}

TEST(Kubeconfig, Merges_that_hold_themselves_or_grow_without_end_are_refused) {
  for (const std::string body :
       {"&own {<<: *own, server: x}", "&own {<<: [*own]}", "&own {<<: {<<: *own}}"}) {
    const auto config = Parse(
        "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
        "clusters: [{name: k, cluster: " +
        body + "}]\n");
    EXPECT_EQ(CodeOf(config), ErrorCode::Invalid) << body;
  }
  for (const char* leaf : {"{}", "{server: \"https://h\"}"}) {
    std::string bomb = std::string{"a0: &a0 "} + leaf + "\n";
    for (int i = 1; i < 12; ++i) {
      const std::string before = "*a" + std::to_string(i - 1);
      bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + "\n  <<: [" + before;
      for (int j = 0; j < 9; ++j) bomb += ", " + before;
      bomb += "]\n";
    }
    const auto config = Parse(bomb +
                              "current-context: c\ncontexts: [{name: c, context: {cluster: "
                              "k}}]\nclusters: [{name: k, cluster: *a11}]\n");
    EXPECT_EQ(CodeOf(config), ErrorCode::Invalid) << leaf;
    EXPECT_THAT(MessageOf(config), HasSubstr("merge key"));
  }
}

TEST(Kubeconfig, A_credential_program_and_an_impersonation_are_read) {
  const auto config = Parse(R"(
current-context: c
clusters: [{name: k, cluster: {server: "https://h", proxy-url: "http://proxy:3128"}}]
contexts: [{name: c, context: {cluster: k, user: u}}]
users:
- name: u
  user:
    as: ann
    as-groups: [a, b]
    as-user-extra: {reason: [audit]}
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: ./login
      args: [--cluster, c]
      env: [{name: MODE, value: quiet}]
      interactiveMode: Never
      provideClusterInfo: true
      installHint: ask the platform team
)");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->proxy_url, "http://proxy:3128");
  EXPECT_EQ(config->impersonate.user, "ann");
  EXPECT_THAT(config->impersonate.groups, testing::ElementsAre("a", "b"));
  EXPECT_THAT(config->impersonate.extra.at("reason"), testing::ElementsAre("audit"));
  ASSERT_TRUE(config->exec);
  EXPECT_EQ(config->exec->command, "/home/me/login");
  EXPECT_THAT(config->exec->arguments, testing::ElementsAre("--cluster", "c"));
  EXPECT_EQ(config->exec->environment.at("MODE"), "quiet");
  EXPECT_EQ(config->exec->interactive, ExecSpec::Interactive::Never);
  EXPECT_THAT(config->exec->cluster_info, HasSubstr("https://h"));
}

TEST(Kubeconfig, Dangling_references_are_not_found) {
  EXPECT_EQ(CodeOf(Parse("current-context: c\ncontexts: [{name: c, context: {cluster: k}}]")),
            ErrorCode::NotFound);
  EXPECT_EQ(
      CodeOf(Parse("current-context: c\nclusters: [{name: k, cluster: {server: 'https://h'}}]\n"
                   "contexts: [{name: c, context: {cluster: k, user: nobody}}]")),
      ErrorCode::NotFound);
}

TEST(Kubeconfig, What_is_not_one_is_refused_without_quoting_it) {
  for (const char* text : {"token: very-secret: x", "- a", "just text", "clusters: 7",
                           "clusters: [7]", "clusters: [{cluster: {}}]", "users: [{name: [x]}]",
                           "contexts: [{name: c, context: 7}]", "{", "\t- x"}) {
    const auto config = Parse(text);
    EXPECT_FALSE(config) << text;
    EXPECT_THAT(MessageOf(config), Not(HasSubstr("very-secret")));
  }
}

class LoadConfigTest : public testing::Test {
 protected:
  LoadConfigTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("certpair-config-" + std::to_string(getpid()) + "-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
    environment_.service_account_dir = (folder_ / "sa").string();
    environment_.variables["HOME"] = folder_.string();
  }
  ~LoadConfigTest() override { std::filesystem::remove_all(folder_); }
  LoadConfigTest(const LoadConfigTest&) = delete;
  LoadConfigTest& operator=(const LoadConfigTest&) = delete;

  std::string Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  void BePod() {
    environment_.variables["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
    environment_.variables["KUBERNETES_SERVICE_PORT"] = "443";
    Write("sa/token", "abc");
    Write("sa/namespace", "certpair-system\n");
  }
  std::filesystem::path folder_;
  Environment environment_;
};

TEST_F(LoadConfigTest, In_a_pod_the_service_account_is_used) {
  BePod();
  const auto config = LoadConfig(environment_, "", "");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://10.0.0.1:443");
  EXPECT_EQ(config->token.path, environment_.service_account_dir + "/token");
  EXPECT_EQ(config->certificate_authority.path, environment_.service_account_dir + "/ca.crt");
  EXPECT_EQ(config->default_namespace, "certpair-system");
  EXPECT_EQ(config->description, "in-cluster");
}

TEST_F(LoadConfigTest, An_IPv6_cluster_is_reached_by_its_name) {
  BePod();
  environment_.variables["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  const auto config = LoadConfig(environment_, "", "");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://kubernetes.default.svc:443");
}

TEST_F(LoadConfigTest, A_file_that_is_named_goes_before_the_pod) {
  BePod();
  const auto config = LoadConfig(environment_, Write("mine", kTwoContexts), "live");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, "https://api.example.org/prefix/");
}

TEST_F(LoadConfigTest, A_file_that_is_named_must_be_there) {
  const auto config = LoadConfig(environment_, (folder_ / "nowhere").string(), "");
  EXPECT_EQ(CodeOf(config), ErrorCode::NotFound);
  EXPECT_THAT(MessageOf(config), AllOf(HasSubstr("--kubeconfig"), HasSubstr("nowhere")));
}

TEST_F(LoadConfigTest, KUBECONFIG_lists_files_of_which_some_may_be_missing) {
  environment_.variables["KUBECONFIG"] =
      (folder_ / "nowhere").string() + "::" + Write("mine", kTwoContexts);
  EXPECT_TRUE(LoadConfig(environment_, "", ""));
  environment_.variables["KUBECONFIG"] = (folder_ / "nowhere").string();
  const auto none = LoadConfig(environment_, "", "");
  EXPECT_EQ(CodeOf(none), ErrorCode::NotFound);
  EXPECT_THAT(MessageOf(none), AllOf(HasSubstr("KUBECONFIG"), HasSubstr("nowhere")));
}

TEST_F(LoadConfigTest, Else_the_one_at_home_is_read) {
  EXPECT_THAT(MessageOf(LoadConfig(environment_, "", "")), HasSubstr("/.kube/config"));
  Write(".kube/config", kTwoContexts);
  EXPECT_TRUE(LoadConfig(environment_, "", ""));
  environment_.variables.clear();
  EXPECT_EQ(CodeOf(LoadConfig(environment_, "", "")), ErrorCode::NotFound);
}

TEST_F(LoadConfigTest, A_kubeconfig_goes_before_the_service_account) {
  BePod();
  const auto in_cluster = LoadUserConfig(environment_, "", "");
  ASSERT_TRUE(in_cluster) << in_cluster.error().message;
  EXPECT_EQ(in_cluster->description, "in-cluster");
  environment_.variables["KUBECONFIG"] = Write("mine", kTwoContexts);
  EXPECT_EQ(LoadUserConfig(environment_, "", "live")->server, "https://api.example.org/prefix/");
}

TEST_F(LoadConfigTest, A_credential_program_gets_our_environment_and_its_own) {
  environment_.variables["PATH"] = "/bin";
  environment_.variables["MODE"] = "loud";
  const auto config = LoadConfig(environment_, Write("mine", R"(
current-context: c
clusters: [{name: k, cluster: {server: "https://h"}}]
contexts: [{name: c, context: {cluster: k, user: u}}]
users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: login,
  env: [{name: MODE, value: quiet}]}}}]
)"),
                                 "");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->exec->environment.at("PATH"), "/bin");
  EXPECT_EQ(config->exec->environment.at("MODE"), "quiet");
}

TEST_F(LoadConfigTest, The_environments_proxy_counts_unless_NO_PROXY_matches) {
  environment_.variables["HTTPS_PROXY"] = "http://proxy:3128";
  const std::string path = Write("mine", kTwoContexts);
  EXPECT_EQ(LoadConfig(environment_, path, "live")->proxy->host, "proxy");
  environment_.variables["NO_PROXY"] = "example.org";
  EXPECT_FALSE(LoadConfig(environment_, path, "live")->proxy);
}

TEST_F(LoadConfigTest, A_folder_is_not_a_kubeconfig) {
  EXPECT_EQ(CodeOf(LoadConfig(environment_, folder_.string(), "")), ErrorCode::Invalid);
}

TEST(Endpoint, Is_taken_apart) {
  const auto full = ParseEndpoint("https://api.example.org:6443/k8s/c-1/");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->host, "api.example.org");
  EXPECT_EQ(full->port, 6443);
  EXPECT_EQ(full->prefix, "/k8s/c-1");
  EXPECT_FALSE(full->host_is_ip);
  EXPECT_EQ(ParseEndpoint("https://h")->port, 443);
  EXPECT_TRUE(ParseEndpoint("https://10.0.0.1")->host_is_ip);
  EXPECT_FALSE(ParseEndpoint("http://127.0.0.1:8080")->tls);
  EXPECT_TRUE(ParseEndpoint("http://localhost:8080"));
}

TEST(Endpoint, What_cannot_be_connected_to_is_refused) {
  for (const char* server : {"", "h", "https://", "https://:1", "https://h:0", "https://h:65536",
                             "https://h:1x", "https://u:p@h", "https://h/a b", "https://h?x",
                             "http://10.0.0.1", "http://h", "https://[::1]:1", "https://h\r\nX: y"})
    EXPECT_FALSE(ParseEndpoint(server)) << server;
}

TEST(Endpoint, Only_four_numbers_are_an_address) {
  for (const char* yes : {"127.0.0.1", "0.0.0.0", "255.255.255.255"}) EXPECT_TRUE(IsIpAddress(yes));
  for (const char* no : {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "a.b.c.d", "1.2.3.", "1..2.3",
                         "0001.2.3.4", "+1.2.3.4"})
    EXPECT_FALSE(IsIpAddress(no)) << no;
}

}  // namespace
}  // namespace certpair::kube
