// What the plugin's integration tests share: the real program, as one user or another, on a real
// API server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/pair_test.hpp"
#include "support/source.hpp"

namespace certpair::test {

class PluginTest : public PairTest {
 protected:
  static std::string Program() {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "kubectl-certpair")
        .string();
  }
  static std::vector<std::string> CommandLine(const std::vector<std::string>& arguments) {
    std::vector<std::string> command{Program(), "--kubeconfig", TheControlPlane().Kubeconfig(),
                                     "-n", "idm"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  /// As the administrator, or as `user`.
  static ProcessResult Certpair(std::vector<std::string> arguments, const std::string& user = {}) {
    if (!user.empty()) arguments.insert(arguments.end(), {"--as", user});
    return RunProcess(CommandLine(arguments));
  }
  /// Its standard output; the test fails, with what was said, where it does.
  static std::string MustCertpair(const std::vector<std::string>& arguments,
                                  const std::string& user = {}) {
    ProcessResult result = Certpair(arguments, user);
    std::string words;
    for (const std::string& argument : arguments) words += " " + argument;
    EXPECT_EQ(result.exit_code, 0) << "certpair" << words << " as " << user << "\n" << result.err;
    return std::move(result.out);
  }
  /// The program on a terminal: what was printed there, and its exit status.
  struct Session {
    std::string screen;
    int exit = -1;
  };
  using Steps = std::vector<std::pair<std::string, std::string>>;
  static Session OnTerminal(const Steps& steps, const std::vector<std::string>& arguments,
                            const std::vector<std::string>& environment = {}) {
    std::vector<std::string> command{"python3", SourceDir() + "/tests/support/terminal.py",
                                     Json(steps).dump()};
    for (const std::string& word : CommandLine(arguments)) command.push_back(word);
    std::vector<std::string> variables{"TERM=xterm", "NO_COLOR="};
    variables.insert(variables.end(), environment.begin(), environment.end());
    const ProcessResult result =
        RunProcess(command, {.environment = variables, .timeout = std::chrono::seconds{90}});
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    const Json told = Json::parse(result.out, nullptr, false);
    if (!told.is_object()) return {};
    return {told.value("screen", ""), told.value("exit", -1)};
  }
  /// A system with its first certificate.
  static void MakeSystem(const std::string& name, bool by_fingerprint = false) {
    Apply(GeneratedAuthority("plugin-ca"));
    Json system = System(name, "plugin-ca");
    if (by_fingerprint) system["spec"]["peerMatching"] = "Fingerprint";
    Apply(system);
    AwaitCondition("psys", name, "Ready", "True", "", kSoon);
  }
};

}  // namespace certpair::test
