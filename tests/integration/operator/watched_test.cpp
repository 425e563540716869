// Only some namespaces are watched, with rights that are a Role in each and go with it.
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>

#include "support/operator_test.hpp"

namespace certpair::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kUser = "watched-operator";
constexpr std::chrono::seconds kSoon{60};

class Watched : public OperatorTest {
 protected:
  static Json Rule(const std::string& group, const std::vector<std::string>& resources,
                   const std::vector<std::string>& verbs) {
    return {{"apiGroups", {group}}, {"resources", resources}, {"verbs", verbs}};
  }
  static Json Object(const std::string& kind, const std::string& namespace_) {
    Json object{{"apiVersion", "rbac.authorization.k8s.io/v1"},
                {"kind", kind},
                {"metadata", {{"name", kUser}}}};
    if (!namespace_.empty()) object["metadata"]["namespace"] = namespace_;
    return object;
  }
  // A Role in `namespace_`, or a ClusterRole, and its binding to the operator's user.
  static void Grant(const std::string& namespace_, const Json& rules) {
    const std::string kind = namespace_.empty() ? "ClusterRole" : "Role";
    Json role = Object(kind, namespace_);
    role["rules"] = rules;
    Apply(role);
    Json binding = Object(kind + "Binding", namespace_);
    binding["roleRef"] = {
        {"apiGroup", "rbac.authorization.k8s.io"}, {"kind", kind}, {"name", kUser}};
    binding["subjects"] = Json::array(
        {{{"kind", "User"}, {"apiGroup", "rbac.authorization.k8s.io"}, {"name", kUser}}});
    Apply(binding);
  }
  static void MakeNamespace(const std::string& name) {
    MustKubectl({"create", "namespace", name});
    Grant(name, Json::array({Rule("", {"secrets"}, {"get", "list", "watch", "create", "patch"}),
                             Rule("", {"events"}, {"create", "patch"}),
                             Rule("certpair.dev",
                                  {"provisioningsystems", "certificateoperations",
                                   "provisioningsystems/status", "certificateoperations/status"},
                                  {"get", "list", "watch", "update", "patch", "delete"})}));
  }
  void SetUp() override {
    OperatorTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    Grant("", Json::array(
                  {Rule("", {"namespaces"}, {"get", "list", "watch"}),
                   Rule("certpair.dev", {"certificateauthorities", "certificateauthorities/status"},
                        {"get", "list", "watch", "update", "patch"})}));
    Grant("certpair-system",
          Json::array({Rule("", {"secrets"}, {"get", "list", "watch", "create", "patch"})}));
    Grant("default", Json::array({Rule("", {"events"}, {"create", "patch"})}));
    Json config = Json::parse(
        MustKubectl({"config", "view", "--raw", "--flatten", "--minify", "-o", "json"}));
    config["users"][0]["user"]["as"] = kUser;
    std::ofstream{folder_ / "kubeconfig"} << config.dump();
  }
  [[nodiscard]] OperatorProcess Start() const {
    return OperatorProcess{
        {.kubeconfig = folder_ / "kubeconfig",
         .arguments = {"--leader-elect=false", "--watch-namespaces=watched-a,watched-b"}}};
  }
  static Json SystemIn(const std::string& namespace_, const std::string& name) {
    Json system = System(name, "watched-ca");
    system["metadata"]["namespace"] = namespace_;
    return system;
  }
  static void AwaitReady(const std::string& namespace_, const std::string& name) {
    EXPECT_TRUE(Eventually(
        [&] {
          const auto system = Get("psys", name, namespace_);
          return system && ConditionOf(*system, "Ready").status == "True";
        },
        kSoon))
        << namespace_ << "/" << name;
  }

  ScratchFolder folder_;
};

TEST_F(Watched, One_that_is_deleted_stops_nobody_and_is_served_when_it_comes_back) {
  Json authority = GeneratedAuthority("watched-ca");
  authority["spec"]["allow"][0]["namespaces"]["names"] = {"watched-a", "watched-b"};
  Apply(authority);
  MakeNamespace("watched-a");
  MakeNamespace("watched-b");
  {
    OperatorProcess op = Start();
    for (const char* home : {"watched-a", "watched-b"}) {
      Apply(SystemIn(home, "first"));
      AwaitReady(home, "first");
    }
    MustKubectl({"delete", "namespace", "watched-b", "--timeout=60s"});
    Apply(SystemIn("watched-a", "second"));
    AwaitReady("watched-a", "second");
  }
  OperatorProcess again = Start();
  EXPECT_TRUE(Eventually([&] { return again.Ready().starts_with("ok"); }, kSoon)) << again.Ready();
  EXPECT_THAT(again.Ready(), HasSubstr("note: namespace watched-b does not exist"));
  Apply(SystemIn("watched-a", "third"));
  AwaitReady("watched-a", "third");
  EXPECT_THAT(again.Log(), HasSubstr("a watched namespace is not served"));

  MakeNamespace("watched-b");
  Apply(SystemIn("watched-b", "first"));
  AwaitReady("watched-b", "first");
  EXPECT_TRUE(Eventually([&] { return again.Ready() == "ok\n"; })) << again.Ready();
}

TEST_F(Watched, One_without_the_rights_holds_the_others_up_for_half_a_minute_at_most) {
  const std::string kubeconfig = folder_ / "kubeconfig";
  for (const char* name : {"watched-c", "watched-d"}) MustKubectl({"create", "namespace", name});
  Grant("watched-c",
        Json::array({Rule("", {"secrets"}, {"get", "list", "watch"}),
                     Rule("certpair.dev", {"provisioningsystems", "certificateoperations"},
                          {"get", "list", "watch"})}));
  OperatorProcess op{
      {.kubeconfig = kubeconfig,
       .arguments = {"--leader-elect=false", "--watch-namespaces=watched-c,watched-d"}}};
  EXPECT_TRUE(Eventually([&] { return op.Ready().find("of watched-d") != std::string::npos; }));
  EXPECT_THAT(op.Ready(), StartsWith("not ready"));
  EXPECT_TRUE(Eventually([&] { return op.Ready().starts_with("ok"); }, kSoon)) << op.Ready();
  EXPECT_THAT(op.Ready(), HasSubstr("of watched-d may not be listed"));
}

}  // namespace
}  // namespace certpair::test
