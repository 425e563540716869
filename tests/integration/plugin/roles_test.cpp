// Each command as a user with exactly the role meant for it, and with one right less.
#include <csignal>
#include <fstream>
#include <thread>
#include <tuple>

#include <gmock/gmock.h>

#include "integration/plugin/plugin_test.hpp"
#include "support/certificates.hpp"
#include "support/source.hpp"

namespace certpair::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Roles : public PluginTest {
 protected:
  void SetUp() override {
    PluginTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    MustKubectl({"apply", "-f", SourceDir() + "/config/roles.yaml"});
    for (const char* role : {"viewer", "operator", "admin"})
      std::ignore = Kubectl({"-n", "idm", "create", "rolebinding", std::string{"plugin-"} + role,
                             std::string{"--clusterrole=certpair-"} + role,
                             std::string{"--user="} + role + "@example.com"});
  }
  ScratchFolder folder_;
};

TEST_F(Roles, Each_command_needs_its_role_and_says_which_where_it_is_missing) {
  OperatorProcess op{WithAdmin()};
  std::ofstream(folder_ / "password") << "secret\n";
  MakeSystem("roles");
  MakeSystem("roles-delete");
  MustCertpair({"generate", "roles-delete"});
  const std::string inactive = PairOf("roles-delete").inactive;
  struct Case {
    std::vector<std::string> command;
    const char* role;
    const char* less;
    const char* verb;
    const char* resource;
  };
  const Case cases[] = {
      {{"list"}, "viewer", "nobody", "list", "provisioningsystems"},
      {{"describe", "roles"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"subscribers", "roles"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"simulate", "roles"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"download", "roles"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"generate", "roles"}, "operator", "viewer", "create", "certificateoperations"},
      {{"activate", "roles"}, "operator", "viewer", "create", "certificateoperations"},
      {{"delete", "roles-delete", inactive},
       "operator",
       "viewer",
       "create",
       "certificateoperations"},
      {{"auto", "on", "roles"}, "operator", "viewer", "patch", "provisioningsystems"},
      {{"auto", "off", "roles"}, "operator", "viewer", "patch", "provisioningsystems"},
      {{"set-authentication", "roles", "BasicAuthentication"},
       "operator",
       "viewer",
       "patch",
       "provisioningsystems"},
      {{"subscribe", "roles", "--me"}, "operator", "viewer", "patch", "provisioningsystems"},
      {{"subscribe", "roles", "--email", "viewer@example.com"},
       "operator",
       "viewer",
       "patch",
       "provisioningsystems"},
      {{"unsubscribe", "roles", "--email", "viewer@example.com"},
       "operator",
       "viewer",
       "patch",
       "provisioningsystems"},
      {{"download", "roles", "-o", "chain"}, "viewer", "nobody", "get", "provisioningsystems"},
      {{"download", "roles", "--key", "-o", "p12", "--password-file", folder_ / "password"},
       "admin",
       "operator",
       "get",
       "secrets"},
      {{"download", "roles", "--key"}, "admin", "operator", "get", "secrets"}};
  for (const Case& c : cases) {
    const std::string words = c.command.front() + " " + c.command.back();
    const ProcessResult refused = Certpair(c.command, std::string{c.less} + "@example.com");
    EXPECT_EQ(refused.exit_code, 1) << words;
    EXPECT_THAT(refused.err, HasSubstr(std::string{"you may not "} + c.verb + " " + c.resource));
    EXPECT_THAT(refused.err, HasSubstr(std::string{"The role certpair-"} + c.role)) << words;
    const ProcessResult done = Certpair(c.command, std::string{c.role} + "@example.com");
    EXPECT_EQ(done.exit_code, 0) << words << "\n" << done.err;
  }
  const std::string described = MustCertpair({"describe", "roles"}, "viewer@example.com");
  EXPECT_THAT(described, testing::ContainsRegex("roles-[a-z0-9]+ +Generate +Generated"));
  EXPECT_THAT(described, testing::ContainsRegex("Normal +Certificate"));
  EXPECT_THAT(described, Not(HasSubstr("you may not")));
}

TEST_F(Roles, Whoever_sees_the_system_gets_its_chain_and_of_an_earlier_CA_who_may_read_its_Secret) {
  OperatorProcess op{WithAdmin()};
  const PemPair root = MakeAuthority({.common_name = "Root"});
  const PemPair first = MakeAuthority({.common_name = "First"}, root);
  Apply(TlsSecret("rotated-ca", first.certificate + root.certificate, first.key));
  Apply(AuthorityFromSecret("rotated-ca", "rotated-ca"));
  Apply(System("rotated", "rotated-ca"));
  AwaitCondition("psys", "rotated", "Ready", "True", "", kSoon);
  const auto verifies = [&](const std::string& chain) {
    std::ofstream(folder_ / "root.pem") << root.certificate;
    std::ofstream(folder_ / "chain.pem") << chain;
    return RunProcess({"openssl", "verify", "-CAfile", folder_ / "root.pem", "-untrusted",
                       folder_ / "chain.pem", folder_ / "chain.pem"})
               .exit_code == 0;
  };
  const std::string chain =
      MustCertpair({"download", "rotated", "-o", "chain"}, "viewer@example.com");
  EXPECT_TRUE(verifies(chain)) << chain;
  EXPECT_TRUE(chain.ends_with(first.certificate + root.certificate));

  const PemPair second = MakeAuthority({.common_name = "Second"}, root);
  Apply(TlsSecret("rotated-ca", second.certificate + root.certificate, second.key));
  EXPECT_TRUE(Eventually(
      [&] { return ConditionOf(*Get("psys", "rotated"), "Ready").reason == "AuthorityChanged"; },
      kSoon));
  const ProcessResult refused =
      Certpair({"download", "rotated", "-o", "chain"}, "viewer@example.com");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("an earlier certificate of authority rotated-ca"),
                    HasSubstr("you may not get secrets"), HasSubstr("certpair-admin")));
  EXPECT_EQ(MustCertpair({"download", "rotated", "-o", "chain"}, "admin@example.com"), chain);
  MustCertpair({"generate", "rotated"}, "operator@example.com");
  EXPECT_TRUE(verifies(
      MustCertpair({"download", "rotated", "--inactive", "-o", "chain"}, "viewer@example.com")));
}

TEST_F(Roles, A_doctor_of_one_namespace_sees_the_authorities_that_its_systems_name) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("patient");
  const ProcessResult seen = Certpair({"doctor"}, "viewer@example.com");
  EXPECT_THAT(seen.out, testing::ContainsRegex("OK +authority plugin-ca +It can sign until"));
  EXPECT_THAT(seen.out, testing::ContainsRegex("OK +CRDs"));
  const ProcessResult blind = Certpair({"doctor"}, "nobody@example.com");
  EXPECT_EQ(blind.exit_code, 1);
  EXPECT_THAT(blind.out, AllOf(HasSubstr("you may not list provisioningsystems"),
                               HasSubstr("The role certpair-viewer")));
}

TEST_F(Roles, A_doctor_of_a_healthy_namespace_finds_nothing) {
  MustKubectl({"create", "namespace", "clinic"});
  MustKubectl({"-n", "clinic", "create", "rolebinding", "viewer", "--clusterrole=certpair-viewer",
               "--user=viewer@example.com"});
  // With leader election, for there to be a Lease: it goes with the test, or others would wait for
  // whoever held it.
  OperatorProcess op{{.kubeconfig = TheControlPlane().Kubeconfig()}};
  Json authority = GeneratedAuthority("clinic-ca");
  authority["spec"]["allow"][0]["namespaces"]["names"] = {"clinic"};
  Apply(authority);
  Json system = System("well", "clinic-ca");
  system["metadata"]["namespace"] = "clinic";
  Apply(system);
  ASSERT_TRUE(Eventually(
      [] {
        return ConditionOf(Get("psys", "well", "clinic").value_or(Json{}), "Ready").status ==
               "True";
      },
      kSoon))
      << op.Log();
  const auto doctor = [](const std::vector<std::string>& more) {
    std::vector<std::string> command{
        Program(), "--kubeconfig", TheControlPlane().Kubeconfig(), "-n",
        "clinic",  "--as",         "viewer@example.com",           "doctor"};
    command.insert(command.end(), more.begin(), more.end());
    return RunProcess(command);
  };
  const ProcessResult seen = doctor({});
  EXPECT_EQ(seen.exit_code, 0) << seen.out << seen.err;
  EXPECT_THAT(seen.out, testing::ContainsRegex("OK +operator"));
  EXPECT_THAT(seen.out, HasSubstr("1 system, no problems"));
  const Json findings = Json::parse(doctor({"-o", "json"}).out).at("findings");
  EXPECT_EQ(findings.size(), 4U) << findings.dump(2);
  for (const Json& finding : findings) EXPECT_EQ(finding.at("urgency"), "OK") << finding.dump();
  op.Signal(SIGTERM);
  EXPECT_EQ(op.WaitForExit(std::chrono::seconds{20}), 0);
  MustKubectl({"-n", "certpair-system", "delete", "lease", "certpair-controller"});
}

TEST_F(Roles, A_dry_run_is_judged_by_the_server_and_stores_nothing) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("dry");
  MustCertpair({"generate", "dry"});
  MustKubectl({"-n", "idm", "patch", "psys", "dry", "--type=merge", "-p",
               R"({"spec":{"notifications":{"subscribers":[
                    {"displayName":"From Git","email":"git@example.com"}]}}})"});
  const Pair pair = PairOf("dry");
  const auto everything = [] {
    return MustKubectl(
               {"-n", "idm", "get", "psys/dry", "-o", "jsonpath={.metadata.resourceVersion}"}) +
           MustKubectl({"-n", "idm", "get", "certop", "-o", "name"});
  };
  const std::string before = everything();
  for (const char* how : {"--dry-run=server", "--dry-run=client"})
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"activate", "dry"},
             {"delete", "dry", pair.inactive},
             {"auto", "on", "dry"},
             {"set-authentication", "dry", "BasicAuthentication"},
             {"subscribe", "dry", "--email", "ann@example.com"},
             {"unsubscribe", "dry", "--email", "git@example.com"}}) {
      std::vector<std::string> command = words;
      command.emplace_back(how);
      EXPECT_THAT(MustCertpair(command, "operator@example.com"), HasSubstr("dry run"));
    }
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(Certpair({"activate", "dry", "--dry-run=server"}, "viewer@example.com").exit_code, 1);
}

TEST_F(Roles, Kubernetes_own_roles_have_the_matching_rights) {
  const auto may = [](const std::string& role, const std::string& verb, const std::string& what) {
    std::ignore = Kubectl({"-n", "idm", "create", "rolebinding", "own-" + role,
                           "--clusterrole=" + role, "--user=own-" + role});
    return Kubectl({"auth", "can-i", verb, what, "-n", "idm", "--as", "own-" + role}).out ==
           "yes\n";
  };
  EXPECT_TRUE(Eventually([&] { return may("view", "list", "provisioningsystems.certpair.dev"); }));
  EXPECT_TRUE(
      Eventually([&] { return may("edit", "create", "certificateoperations.certpair.dev"); }));
  EXPECT_TRUE(
      Eventually([&] { return may("admin", "create", "provisioningsystems.certpair.dev"); }));
  EXPECT_FALSE(may("view", "create", "certificateoperations.certpair.dev"));
  EXPECT_FALSE(may("edit", "create", "provisioningsystems.certpair.dev"));
}

TEST_F(Roles, Two_people_who_subscribe_at_once_are_both_subscribed_and_leave_each_other_alone) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("crowd");
  constexpr int kPeople = 8;
  const auto all = [&](const std::string& command) {
    std::vector<std::jthread> people;
    for (int i = 0; i < kPeople; ++i)
      people.emplace_back([&, i] {
        MustCertpair({command, "crowd", "--email", "person" + std::to_string(i) + "@example.com"});
      });
  };
  all("subscribe");
  EXPECT_EQ(
      Json::parse(MustCertpair({"subscribers", "crowd", "-o", "json"})).at("subscribers").size(),
      std::size_t{kPeople});
  MustKubectl({"-n", "idm", "patch", "psys", "crowd", "--type=json", "-p",
               R"([{"op":"add","path":"/spec/notifications/subscribers/-",
                    "value":{"displayName":"From Git","email":"git@example.com"}}])"});
  all("unsubscribe");
  MustCertpair({"unsubscribe", "crowd", "--email", "git@example.com"});
  EXPECT_EQ(Json::parse(MustCertpair({"subscribers", "crowd", "-o", "json"})).at("subscribers"),
            Json::array());
}

}  // namespace
}  // namespace certpair::test
