// Credentials from a program of the user's: client.authentication.k8s.io/v1 (and v1beta1), as
// kubectl runs it. Used by Credentials.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/secret_string.hpp"

namespace certpair::kube {

/// `users[].user.exec` of a kubeconfig.
struct ExecSpec {
  enum class Interactive { Never, IfAvailable, Always };
  std::string command;  ///< a path, or a name that is searched in PATH
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  ///< all of it, ours and what `env` adds
  std::string api_version;
  std::string install_hint;  ///< for a person who does not have the program
  Interactive interactive = Interactive::IfAvailable;
  bool stdin_is_terminal = false;  ///< there is a person whom the program can ask
  /// KUBERNETES_EXEC_INFO's spec.cluster as JSON, where `provideClusterInfo` asks for it.
  std::string cluster_info;
};

/// What the program answered: a token, a client certificate with its key, or both.
struct ExecCredential {
  SecretString token;
  std::string certificate;  ///< PEM
  SecretString key;         ///< PEM
  std::optional<sys_seconds> expires;
};

/// Reads an ExecCredential. Invalid, quoting nothing of it: garbage, another apiVersion than asked
/// for, neither token nor certificate, a certificate without its key. Pure.
[[nodiscard]] Result<ExecCredential> ParseExecCredential(std::string_view text,
                                                         std::string_view api_version);

/// Runs the program and reads what it prints, at most 1 MiB, in at most a minute (five where it may
/// ask a person); then it is killed with its process group. What it says on standard error goes to
/// ours. NotFound (with the install hint), Unavailable (it failed), Invalid (what it printed).
[[nodiscard]] Result<ExecCredential> RunExecPlugin(const ExecSpec& spec, const Clock& clock);

}  // namespace certpair::kube
