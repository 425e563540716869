#include "support/control_plane.hpp"

#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "support/source.hpp"

namespace certpair::test {
namespace {

constexpr std::chrono::seconds kStartLimit{300};

std::string Script() { return SourceDir() + "/scripts/control-plane"; }

std::string Trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

std::vector<std::string>& SharedOptions() {
  static std::vector<std::string> options;
  return options;
}

// Function-local, so that it is gone before the program is, and only made where it is used.
const Result<std::unique_ptr<ControlPlane>>& Shared() {
  static const Result<std::unique_ptr<ControlPlane>> shared = ControlPlane::Start(SharedOptions());
  return shared;
}

}  // namespace

Result<std::unique_ptr<ControlPlane>> ControlPlane::Start(const std::vector<std::string>& options) {
  const ProcessResult programs =
      RunProcess({Script(), "path", "--no-build"}, {.timeout = kStartLimit});
  if (programs.exit_code != 0) {
    return Fail(ErrorCode::Unavailable, Trimmed(programs.err));
  }
  std::string folder = (std::filesystem::temp_directory_path() / "certpair-test-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    return Fail(ErrorCode::Unavailable, "cannot make a folder " + folder);
  }
  // Before `up`, so that a crash meanwhile leaves nothing either.
  std::unique_ptr<ControlPlane> started(new ControlPlane(folder, Trimmed(programs.out)));
  std::vector<std::string> command{Script(), "up", "--no-build", "--dir", folder};
  command.insert(command.end(), options.begin(), options.end());
  const ProcessResult up = RunProcess(command, {.timeout = kStartLimit});
  if (up.exit_code != 0) {
    return Fail(ErrorCode::Unavailable, Trimmed(up.err));
  }
  return started;
}

ControlPlane::ControlPlane(std::string folder, std::string programs)
    : folder_(std::move(folder)),
      programs_(std::move(programs)),
      kubeconfig_(folder_ + "/kubeconfig"),
      down_({Script(), "down", "--quiet", "--dir", folder_}) {}

ProcessResult ControlPlane::Kubectl(const std::vector<std::string>& arguments,
                                    const std::string& input) const {
  std::vector<std::string> command{programs_ + "/kubectl", "--kubeconfig", kubeconfig_,
                                   "--cache-dir", folder_ + "/kubectl-cache"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  // A person's own preferences must not change what a test sees.
  return RunProcess(command, {.input = input, .environment = {"KUBERC=off"}});
}

void ControlPlaneTest::UseOptions(std::vector<std::string> options) {
  SharedOptions() = std::move(options);
}

void ControlPlaneTest::SetUp() {
  if (Shared()) {
    return;
  }
  const std::string reason = "no control plane: " + Shared().error().message;
  if (std::getenv("CI") != nullptr) {
    FAIL() << reason;
  }
  GTEST_SKIP() << reason;
}

const ControlPlane& ControlPlaneTest::TheControlPlane() { return **Shared(); }

ProcessResult ControlPlaneTest::Kubectl(const std::vector<std::string>& arguments,
                                        const std::string& input) {
  return TheControlPlane().Kubectl(arguments, input);
}

std::string ControlPlaneTest::MustKubectl(const std::vector<std::string>& arguments,
                                          const std::string& input) {
  ProcessResult result = Kubectl(arguments, input);
  std::string words;
  for (const std::string& argument : arguments) {
    words += " " + argument;
  }
  EXPECT_EQ(result.exit_code, 0) << "kubectl" << words << "\n" << result.err;
  return std::move(result.out);
}

void ControlPlaneTest::InstallCrds() {
  static const bool installed = [] {
    const std::string crds = SourceDir() + "/crds";
    MustKubectl({"apply", "--server-side", "-f", crds});
    MustKubectl({"wait", "--for=condition=Established", "--timeout=30s", "-f", crds});
    return true;
  }();
  EXPECT_TRUE(installed);
}

bool Eventually(const std::function<bool()>& holds, std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
  return true;
}

}  // namespace certpair::test
