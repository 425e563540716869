#include "support/operator_process.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

namespace certpair::test {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);          // NOLINT: the sockets API
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);  // NOLINT: the sockets API
  close(fd);
  return ntohs(address.sin_port);
}

std::string HttpGet(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address = Loopback(port);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
      0) {  // NOLINT: the sockets API
    const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
    std::array<char, 65536> buffer{};
    if (write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()))
      for (ssize_t n = 0; (n = read(fd, buffer.data(), buffer.size())) > 0;)
        answer.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(fd);
  const std::size_t body = answer.find("\r\n\r\n");
  return body == std::string::npos ? std::string{} : answer.substr(body + 4);
}

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
