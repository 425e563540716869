// The real operator as a child process, for integration tests: started, asked over HTTP, signalled,
// ended.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "support/child.hpp"

namespace certpair::test {

struct OperatorOptions {
  std::string kubeconfig;
  std::vector<std::string> arguments{};    ///< on top of those that a test always wants
  std::vector<std::string> environment{};  ///< `NAME=value`
};

/// build/<preset>/bin/certpair-controller, on loopback ports of its own.
class OperatorProcess {
 public:
  explicit OperatorProcess(const OperatorOptions& options);

  void Signal(int signal) const { child_.Signal(signal); }
  int WaitForExit(std::chrono::seconds limit) { return child_.WaitForExit(limit); }
  [[nodiscard]] bool Running() { return child_.Running(); }
  [[nodiscard]] pid_t Pid() const { return child_.Pid(); }
  [[nodiscard]] std::string Log() const { return ReadFile(folder_ / "log"); }
  /// The body of /metrics or /readyz; empty if nobody answers.
  [[nodiscard]] std::string Metrics() const;
  [[nodiscard]] std::string Ready() const;
  /// Sum of the samples of `name` that have all of `labels` (`verb="PATCH"`).
  [[nodiscard]] double Metric(const std::string& name,
                              const std::vector<std::string>& labels = {}) const;
  /// Requests to the API server that change something, but for the Lease's, whatever came of them.
  [[nodiscard]] double Writes() const;
  [[nodiscard]] double Reads(const std::string& resource) const;

 private:
  ScratchFolder folder_;
  int metrics_port_;
  int health_port_;
  Child child_;
};

}  // namespace certpair::test
