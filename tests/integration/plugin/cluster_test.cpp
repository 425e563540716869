// What only a real API server shows: one without certpair, an operation that the operator refuses,
// completion as kubectl asks for it, and a key store.
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "integration/plugin/plugin_test.hpp"

namespace certpair::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Cluster : public PluginTest {
 protected:
  ScratchFolder folder_;
};

TEST_F(Cluster, That_does_not_know_certpair_is_told_by_each_command) {
  const auto bare = ControlPlane::Start({"--kcm-off"});
  ASSERT_TRUE(bare) << bare.error().message;
  const auto run = [&](std::vector<std::string> words) {
    std::vector<std::string> command{Program(), "--kubeconfig", (*bare)->Kubeconfig()};
    command.insert(command.end(), words.begin(), words.end());
    return RunProcess(command);
  };
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"list", "-A"},
                                             {"list", "-w"},
                                             {"list", "-o", "json"},
                                             {"describe", "x"},
                                             {"generate", "x"},
                                             {"download", "x"},
                                             {"auto", "on", "x"},
                                             {"subscribe", "x", "--email", "a@example.com"},
                                             {"simulate", "x"}}) {
    const ProcessResult told = run(words);
    EXPECT_EQ(told.exit_code, 1) << words.front() << told.out;
    EXPECT_THAT(told.err, AllOf(HasSubstr("certpair is not installed there"), HasSubstr("CRDs")))
        << words.front();
  }
  const ProcessResult doctor = run({"doctor"});
  EXPECT_EQ(doctor.exit_code, 1);
  EXPECT_THAT(doctor.out, HasSubstr("kubectl apply -f crds/"));
  EXPECT_EQ(run({"version"}).exit_code, 0);
}

TEST_F(Cluster, An_operation_that_the_operator_refuses_ends_with_3_its_reason_and_its_name) {
  Apply(GeneratedAuthority("plugin-ca"));
  {
    OperatorProcess op{WithAdmin()};
    MakeSystem("full");
  }
  // Two see one certificate, and ask for the second one.
  MustCertpair({"generate", "full", "--wait=false"});
  ProcessResult late;
  std::jthread person{[&] { late = Certpair({"generate", "full"}); }};
  ASSERT_TRUE(Eventually([] {
    const Json all = Json::parse(MustKubectl({"-n", "idm", "get", "certop", "-o", "json"}));
    int mine = 0;
    for (const Json& item : all.at("items"))
      mine += item.at("spec").at("systemRef").at("name") == "full" ? 1 : 0;
    return mine == 2;
  }));
  OperatorProcess op{WithAdmin()};
  person.join();
  EXPECT_EQ(late.exit_code, 3) << late.err;
  EXPECT_THAT(late.err, AllOf(HasSubstr("refused (LimitReached)"), HasSubstr("Nothing was changed"),
                              HasSubstr("full-")));
}

TEST_F(Cluster, What_an_admission_policy_denies_ends_with_3_and_the_policys_own_words) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("guarded");
  MustKubectl({"apply", "-f", "-"},
              R"({"apiVersion":"v1","kind":"List","items":[
    {"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy",
     "metadata":{"name":"guard"},
     "spec":{"failurePolicy":"Fail",
       "matchConstraints":{"resourceRules":[{"apiGroups":["certpair.dev"],"apiVersions":["v1"],
         "resources":["provisioningsystems"],"operations":["UPDATE"]}]},
       "validations":[{"expression":"object.metadata.name != 'guarded'","reason":"Forbidden",
         "message":"guarded is left alone on Fridays"}]}},
    {"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding",
     "metadata":{"name":"guard"},
     "spec":{"policyName":"guard","validationActions":["Deny"]}}]})");
  ProcessResult told;
  EXPECT_TRUE(Eventually(
      [&] {
        told = Certpair({"set-authentication", "guarded", "BasicAuthentication"});
        return told.exit_code != 0;
      },
      kSoon));
  MustKubectl({"delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "guard"});
  EXPECT_EQ(told.exit_code, 3);
  EXPECT_THAT(told.err, AllOf(HasSubstr("the API server refuses it"), HasSubstr("on Fridays"),
                              Not(HasSubstr("you may not"))));
}

TEST_F(Cluster, Kubectls_completion_offers_commands_names_fingerprints_and_flags) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("complete-a");
  MakeSystem("complete-b");
  const Pair pair = PairOf("complete-a");
  std::ofstream(folder_ / "kubectl_complete-certpair") << RunProcess({Program(), "completion"}).out;
  std::filesystem::permissions(folder_ / "kubectl_complete-certpair",
                               std::filesystem::perms::owner_all);
  const std::string path = folder_.Path() + ":" + TheControlPlane().Programs() + ":" +
                           std::filesystem::path{Program()}.parent_path().string() + ":" +
                           std::getenv("PATH");
  const auto offered = [&](std::vector<std::string> words) {
    std::vector<std::string> command{TheControlPlane().Programs() + "/kubectl", "__complete",
                                     "certpair"};
    command.insert(command.end(), words.begin(), words.end());
    return RunProcess(command, {.environment = {"PATH=" + path, "KUBERC=off",
                                                "KUBECONFIG=" + TheControlPlane().Kubeconfig()}})
        .out;
  };
  EXPECT_THAT(offered({"act"}), AllOf(HasSubstr("activate\t"), Not(HasSubstr("list"))));
  const std::string names = offered({"-n", "idm", "describe", "complete-"});
  EXPECT_THAT(names, AllOf(HasSubstr("complete-a\t"), HasSubstr("complete-b\t"), HasSubstr(":4")));
  EXPECT_THAT(offered({"describe", "-n", "idm", "complete-b"}),
              AllOf(HasSubstr("complete-b\t"), Not(HasSubstr("complete-a"))));
  EXPECT_THAT(offered({"delete", "-n", "idm", "complete-a", ""}),
              HasSubstr(pair.active + "\tActive"));
  EXPECT_THAT(offered({"delete", "-n", "idm", "complete-a", pair.active.substr(0, 5)}),
              HasSubstr(pair.active));
  EXPECT_EQ(offered({"describe", "-n", ""}), ":4\n");
  EXPECT_EQ(offered({"download", "-n", "idm", "-o", "p"}), "pem\np12\n:4\n");
  EXPECT_EQ(offered({"ls", "-n", "idm", ""}), ":4\n");
  EXPECT_THAT(offered({"list", "--expir"}), HasSubstr("--expiring-within"));
  EXPECT_THAT(offered({"auto", ""}), AllOf(HasSubstr("on\n"), HasSubstr("off\n")));
  EXPECT_THAT(offered({"download", "x", "--to", ""}), HasSubstr(":0")) << "files";
  EXPECT_EQ(offered({"describe", "--context", "nowhere", ""}), ":4\n") << "no error on the screen";
}

TEST_F(Cluster, A_key_store_of_the_pair_is_read_back_by_openssl) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("store");
  std::ofstream(folder_ / "password") << "open sesame\n";
  MustCertpair({"download", "store", "-o", "p12", "--key", "--password-file", folder_ / "password",
                "--to", folder_ / "store.p12"});
  const auto open = [&](const std::string& password) {
    return RunProcess({"openssl", "pkcs12", "-in", folder_ / "store.p12", "-nodes", "-passin",
                       "pass:" + password});
  };
  const ProcessResult opened = open("open sesame");
  ASSERT_EQ(opened.exit_code, 0) << opened.err;
  EXPECT_THAT(opened.out, AllOf(HasSubstr("BEGIN PRIVATE KEY"), HasSubstr("friendlyName: store")));
  const auto told =
      RunProcess({"openssl", "x509", "-noout", "-fingerprint", "-sha256"}, {.input = opened.out});
  EXPECT_THAT(told.out, HasSubstr(PairOf("store").active));
  EXPECT_NE(open("guessed").exit_code, 0);
}

}  // namespace
}  // namespace certpair::test
