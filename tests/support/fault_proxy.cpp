#include "support/fault_proxy.hpp"

#include <arpa/inet.h>
#include <array>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/source.hpp"
#include "support/tls_peer.hpp"

namespace certpair::test {
namespace {

std::vector<std::string> Command(const ControlPlane& control_plane, const ScratchFolder& folder) {
  std::vector<std::string> command{"/usr/bin/env", "python3",
                                   SourceDir() + "/tests/support/fault_proxy.py"};
  for (std::string& word : AdministratorArguments(control_plane, folder))
    command.push_back(std::move(word));
  command.insert(command.end(), {"--ports", folder.Path()});
  return command;
}

}  // namespace

FaultProxy::FaultProxy(const ControlPlane& control_plane)
    : child_(Command(control_plane, folder_), folder_ / "log") {
  const bool open = Eventually([&] { return !ReadFile(folder_ / "control").empty(); });
  EXPECT_TRUE(open) << ReadFile(folder_ / "log");
  if (!open) return;
  control_port_ = std::stoi(ReadFile(folder_ / "control"));
  const std::string server = "http://127.0.0.1:" + ReadFile(folder_ / "port");
  std::ofstream{Kubeconfig()} << nlohmann::json{
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"clusters", {{{"name", "c"}, {"cluster", {{"server", server}}}}}},
      {"users", {{{"name", "u"}, {"user", nlohmann::json::object()}}}},
      {"contexts", {{{"name", "x"}, {"context", {{"cluster", "c"}, {"user", "u"}}}}}},
      {"current-context", "x"}};
}

nlohmann::json FaultProxy::Do(const nlohmann::json& command) const {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(control_port_));
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
      0) {  // NOLINT: the sockets API
    const std::string line = command.dump() + "\n";
    std::array<char, 4096> buffer{};
    if (write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()))
      for (ssize_t n = 0; (n = read(fd, buffer.data(), buffer.size())) > 0;)
        answer.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(fd);
  auto parsed = nlohmann::json::parse(answer, nullptr, false);
  EXPECT_TRUE(parsed.is_object() && !parsed.contains("error")) << answer;
  return parsed;
}

int FaultProxy::Writes() const { return Do({{"do", "counts"}}).value("writes", -1); }

}  // namespace certpair::test
