#include "support/operator_process.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "support/loopback.hpp"

namespace certpair::test {
namespace {

std::string ProgramPath() {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  return (self.parent_path() / "certpair-controller").string();
}

std::vector<std::string> Command(const OperatorOptions& options, int metrics_port,
                                 int health_port) {
  std::vector<std::string> command{
      ProgramPath(), "--kubeconfig=" + options.kubeconfig, "--namespace=certpair-system",
      "--metrics-bind-address=127.0.0.1:" + std::to_string(metrics_port),
      "--health-probe-bind-address=127.0.0.1:" + std::to_string(health_port)};
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  return command;
}

}  // namespace

OperatorProcess::OperatorProcess(const OperatorOptions& options)
    : metrics_port_(FreePort()),
      health_port_(FreePort()),
      child_(Command(options, metrics_port_, health_port_), folder_ / "log", options.environment) {}

std::string OperatorProcess::Metrics() const { return HttpGet(metrics_port_, "/metrics"); }
std::string OperatorProcess::Ready() const { return HttpGet(health_port_, "/readyz"); }

double OperatorProcess::Metric(const std::string& name,
                               const std::vector<std::string>& labels) const {
  std::istringstream text{Metrics()};
  std::string line;
  double sum = 0;
  while (std::getline(text, line)) {
    const bool of_name = line.starts_with(name + "{") || line.starts_with(name + " ");
    const auto stands_there = [&](const std::string& label) {
      return line.find(label) != std::string::npos;
    };
    if (of_name && std::ranges::all_of(labels, stands_there))
      sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  return sum;
}

double OperatorProcess::Writes() const {
  double writes = 0;
  for (const char* verb : {"CREATE", "UPDATE", "PATCH", "DELETE"})
    writes += Metric("certpair_api_requests_total", {std::string{"verb=\""} + verb + "\""}) -
              Metric("certpair_api_requests_total",
                     {std::string{"verb=\""} + verb + "\"", "resource=\"leases\""});
  return writes;
}

double OperatorProcess::Reads(const std::string& resource) const {
  return Metric("certpair_api_requests_total", {"verb=\"GET\"", "resource=\"" + resource + "\""});
}

}  // namespace certpair::test
