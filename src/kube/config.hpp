// Where the API server is and who we are: kubeconfig or in-cluster. Reads files; not thread-safe,
// call it once at start.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret_string.hpp"
#include "kube/exec_credential.hpp"
#include "kube/identity.hpp"
#include "kube/proxy.hpp"

namespace certpair::kube {

/// A text that stands inline or in a file which may change under us (service-account tokens
/// rotate).
struct Source {
  std::string path;          ///< set: read it again when it changes, at least every minute
  SecretString inline_text;  ///< where there is no path; beside one, while that cannot be read
  [[nodiscard]] bool Given() const { return !path.empty() || !inline_text.empty(); }
};

struct ClusterConfig {
  std::string server;           ///< https://host:port[/prefix]; http only for loopback
  std::string tls_server_name;  ///< empty: the host of `server`
  bool insecure_skip_tls_verify = false;
  Source certificate_authority;
  Source client_certificate;
  Source client_key;
  Source token;
  std::optional<ExecSpec> exec;  ///< a program that gives credentials
  Impersonation impersonate;
  std::string proxy_url;          ///< as the kubeconfig has it
  std::optional<Proxy> proxy;     ///< the one that counts; LoadConfig sets it
  std::string default_namespace;  ///< of the context, or of the service account; may be empty
  std::string description;        ///< for messages: `context "demo" of /path`, `in-cluster`
};

/// Reads what a process is given; tests hand in their own.
struct Environment {
  /// KUBECONFIG, HOME, KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT, the proxies' (proxy.hpp);
  /// and all others, for a credential program.
  std::map<std::string, std::string> variables;
  bool stdin_is_terminal = false;  ///< a credential program may ask a person
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};

/// The variables of a process: `NAME=value` each, and a null pointer at the end (POSIX `environ`).
[[nodiscard]] Environment EnvironmentOf(const char* const* entries);

/// `explicit_path` (from --kubeconfig), else in-cluster if KUBERNETES_SERVICE_HOST is set and the
/// token file is there, else kubectl's rules (KUBECONFIG, a list of files merged first-wins; else
/// $HOME/.kube/config). `context` empty: current-context. Invalid / NotFound with a message that
/// says which file and field, and what contexts there are.
[[nodiscard]] Result<ClusterConfig> LoadConfig(const Environment& environment,
                                               const std::string& explicit_path,
                                               const std::string& context);

/// The same for a person's program, in kubectl's order: a kubeconfig first, in-cluster only where
/// there is none. A server without certificate-authority is checked by the system's.
[[nodiscard]] Result<ClusterConfig> LoadUserConfig(const Environment& environment,
                                                   const std::string& explicit_path,
                                                   const std::string& context);

/// The kubeconfig part alone, from texts already read (`path` resolves relative file names).
struct KubeconfigFile {
  std::string path;
  std::string text;
};
[[nodiscard]] Result<ClusterConfig> ParseKubeconfig(const std::vector<KubeconfigFile>& files,
                                                    const std::string& context);

}  // namespace certpair::kube
