// How the operator starts, and what it says where it cannot: its program, as a person runs it.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "support/operator_test.hpp"
#include "support/source.hpp"

namespace certpair::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// A cluster of its own: on the one that the others share, the kinds are there already.
TEST(Start, Before_the_CRDs_are_there_it_names_them_and_goes_on_when_they_come) {
  const auto cluster = ControlPlane::Start({"--kcm-off"});
  if (!cluster && std::getenv("CI") == nullptr) GTEST_SKIP() << cluster.error().message;
  ASSERT_TRUE(cluster) << cluster.error().message;
  const auto must = [&](const std::vector<std::string>& arguments) {
    const ProcessResult told = (*cluster)->Kubectl(arguments);
    EXPECT_EQ(told.exit_code, 0) << told.err;
    return told.out;
  };
  const std::string sources = test::SourceDir();
  OperatorProcess op{
      {.kubeconfig = (*cluster)->Kubeconfig(), .arguments = {"--leader-elect=false"}}};
  EXPECT_TRUE(Eventually([&] {
    return op.Ready().find("CRD") != std::string::npos &&
           op.Log().find("provisioningsystems") != std::string::npos;
  })) << op.Ready()
      << op.Log();
  EXPECT_THAT(op.Ready(), testing::StartsWith("not ready"));

  must({"apply", "--server-side", "-f", sources + "/crds"});
  EXPECT_TRUE(Eventually([&] { return op.Ready().starts_with("ok"); }, std::chrono::seconds{60}))
      << op.Ready() << op.Log();
  must({"wait", "--for=condition=Established", "--timeout=30s", "-f", sources + "/crds"});
  for (const char* name : {"certpair-system", "idm"}) must({"create", "namespace", name});
  must({"apply", "-f", sources + "/examples"});
  must({"wait", "-n", "idm", "psys", "--all", "--for=condition=Ready", "--timeout=60s"});
  EXPECT_TRUE(op.Running());
}

class StartRefused : public testing::Test {
 protected:
  struct Row {
    const char* what;
    std::vector<std::string> arguments;
    int exit_code;
    std::string said;
  };
  std::string File(const std::string& name, const std::string& content) const {
    std::ofstream{folder_ / name} << content;
    return folder_ / name;
  }
  // Nothing of this machine's: neither a pod's files nor a person's kubeconfig.
  [[nodiscard]] ProcessResult Run(std::vector<std::string> arguments) const {
    arguments.insert(
        arguments.begin(),
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "certpair-controller")
            .string());
    return RunProcess(arguments, {.environment = {"KUBECONFIG=", "HOME=" + folder_.Path(),
                                                  "KUBERNETES_SERVICE_HOST="}});
  }

  ScratchFolder folder_;
};

TEST_F(StartRefused, With_a_status_and_a_message_that_names_what_to_mend) {
  const std::string two = R"(
apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}, {name: b, cluster: {server: "https://127.0.0.1:2"}}]
users: [{name: u, user: {token: none}}]
contexts: [{name: here, context: {cluster: a, user: u}}, {name: there, context: {cluster: b, user: u}}]
)";
  const std::string bad_ca = R"(
apiVersion: v1
kind: Config
clusters: [{name: a, cluster: {server: "https://127.0.0.1:1", certificate-authority-data: Z2FyYmFnZQ==}}]
users: [{name: u, user: {token: none}}]
contexts: [{name: here, context: {cluster: a, user: u}}]
current-context: here
)";
  const std::vector<Row> rows{
      {"no kubeconfig at all", {}, 1, "kubeconfig"},
      {"a kubeconfig that is not there",
       {"--kubeconfig", folder_ / "missing"},
       1,
       folder_ / "missing"},
      {"two contexts and none is current", {"--kubeconfig", File("two", two)}, 1, "there"},
      {"a context that is not there",
       {"--kubeconfig", File("two", two), "--context", "nowhere"},
       1,
       "nowhere"},
      {"a CA that is none",
       {"--kubeconfig", File("ca", bad_ca)},
       1,
       "certificate-authority: it contains no usable PEM certificate"},
      {"a folder for a kubeconfig", {"--kubeconfig", folder_.Path()}, 1, folder_.Path()},
      {"an unknown flag", {"--kubeconfg", "x"}, 2, "--kubeconfg"},
      {"workers that are no number", {"--workers", "many"}, 2, "--workers"},
      {"a log level that does not exist", {"--log-level", "loud"}, 2, "--log-level"},
      {"mail without a sender", {"--smtp-server", "mail.example.com:25"}, 1, "--smtp-from"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    const ProcessResult told = Run(row.arguments);
    EXPECT_FALSE(told.timed_out);
    EXPECT_EQ(told.exit_code, row.exit_code) << told.err;
    EXPECT_THAT(told.err, HasSubstr(row.said));
    EXPECT_THAT(told.err, Not(HasSubstr("terminate called")));
  }
}

}  // namespace
}  // namespace certpair::test
