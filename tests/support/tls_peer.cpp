#include "support/tls_peer.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "support/source.hpp"

namespace certpair::test {
namespace {

std::vector<std::string> Command(const ControlPlane& control_plane, const ScratchFolder& folder,
                                 const std::string& namespace_, const std::string& secret,
                                 const std::vector<std::string>& more = {}) {
  std::vector<std::string> command{"/usr/bin/env", "python3",
                                   SourceDir() + "/tests/support/tls_peer.py"};
  for (std::string& word : AdministratorArguments(control_plane, folder))
    command.push_back(std::move(word));
  command.insert(command.end(),
                 {"--namespace", namespace_, "--secret", secret, "--out", folder / "result"});
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

}  // namespace

std::vector<std::string> AdministratorArguments(const ControlPlane& control_plane,
                                                const ScratchFolder& folder) {
  const auto view = control_plane.Kubectl({"config", "view", "--raw", "--minify", "-o", "json"});
  const auto config = nlohmann::json::parse(view.out);
  const auto& cluster = config.at("clusters").at(0).at("cluster");
  const auto& user = config.at("users").at(0).at("user");
  std::string ca_path = cluster.value("certificate-authority", "");
  if (cluster.contains("certificate-authority-data")) {
    ca_path = folder / "ca.crt";
    std::ofstream{ca_path}
        << DecodeBase64(cluster.at("certificate-authority-data").get<std::string>()).value_or("");
  }
  std::string token_path = user.value("tokenFile", "");
  if (user.contains("token")) {
    token_path = folder / "token";
    std::ofstream{token_path} << user.at("token").get<std::string>();
  }
  return {"--server", cluster.at("server").get<std::string>(), "--ca", ca_path, "--token-file",
          token_path};
}

TlsPeer::TlsPeer(const ControlPlane& control_plane, const std::string& namespace_,
                 const std::string& secret)
    : child_(Command(control_plane, folder_, namespace_, secret), folder_ / "log") {}

TlsPeer::TlsPeer(const ControlPlane& control_plane, const std::string& namespace_,
                 const std::string& secret, const std::string& url, const std::string& url_ca)
    : child_(
          Command(control_plane, folder_, namespace_, secret, {"--url", url, "--url-ca", url_ca}),
          folder_ / "log") {}

nlohmann::json TlsPeer::Told() const {
  const auto told = nlohmann::json::parse(ReadFile(folder_ / "result"), nullptr, false);
  return told.is_object() ? told : nlohmann::json{{"calls", 0}};
}

void TlsPeer::AwaitCalls(int more) {
  const auto calls = [&] { return Told().at("calls").get<int>(); };
  const int before = calls();
  EXPECT_TRUE(Eventually([&] { return calls() >= before + more; })) << ReadFile(folder_ / "log");
}

nlohmann::json TlsPeer::Finish() {
  child_.CloseInput();
  EXPECT_EQ(child_.WaitForExit(std::chrono::seconds{30}), 0) << ReadFile(folder_ / "log");
  return Told();
}

}  // namespace certpair::test
