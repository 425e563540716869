// A real API server for integration tests: one a test program, started by scripts/control-plane,
// gone when the program ends, however it ends.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "support/process.hpp"

namespace certpair::test {

/// etcd, kube-apiserver and (unless told otherwise) kube-controller-manager on loopback. Safe from
/// several threads.
class ControlPlane {
 public:
  /// `options`: more arguments for `scripts/control-plane up`, such as `--kcm-off`. Unavailable,
  /// with what the script said, where it cannot be had; nothing is built for it.
  [[nodiscard]] static Result<std::unique_ptr<ControlPlane>> Start(
      const std::vector<std::string>& options = {});

  /// The path of an administrator's kubeconfig.
  [[nodiscard]] const std::string& Kubeconfig() const { return kubeconfig_; }
  /// The folder of the programs, kubectl among them.
  [[nodiscard]] const std::string& Programs() const { return programs_; }

  /// Runs kubectl as an administrator, `input` on its standard input (`-f -`).
  [[nodiscard]] ProcessResult Kubectl(const std::vector<std::string>& arguments,
                                      const std::string& input = {}) const;

 private:
  ControlPlane(std::string folder, std::string programs);
  std::string folder_;
  std::string programs_;
  std::string kubeconfig_;
  AtExit down_;
};

/// A test that needs the program's control plane. Where there is none it is skipped and says why;
/// where the environment has CI, it fails.
class ControlPlaneTest : public testing::Test {
 protected:
  /// Before the first test of a program: options of its control plane.
  static void UseOptions(std::vector<std::string> options);
  void SetUp() override;

  [[nodiscard]] static const ControlPlane& TheControlPlane();
  [[nodiscard]] static ProcessResult Kubectl(const std::vector<std::string>& arguments,
                                             const std::string& input = {});
  /// Its standard output; the test fails, with what kubectl said, when kubectl does.
  static std::string MustKubectl(const std::vector<std::string>& arguments,
                                 const std::string& input = {});
  /// Installs crds/ and waits until the API server serves them. Once a program.
  static void InstallCrds();
};

/// Asks `holds` again and again until it is true; false when `limit` passed first.
[[nodiscard]] bool Eventually(const std::function<bool()>& holds,
                              std::chrono::seconds limit = std::chrono::seconds{30});

}  // namespace certpair::test
