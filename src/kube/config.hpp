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

namespace certpair::kube {

/// A text that stands inline or in a file which may change under us (service-account tokens
/// rotate).
struct Source {
  std::string path;  ///< set: read it again when it changes, at least every minute
  SecretString inline_text;
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
  std::string default_namespace;  ///< of the context, or of the service account; may be empty
  std::string description;        ///< for messages: `context "demo" of /path`, `in-cluster`
};

/// Reads what a process is given; tests hand in their own.
struct Environment {
  std::map<std::string, std::string>
      variables;  ///< KUBECONFIG, HOME, KUBERNETES_SERVICE_HOST, KUBERNETES_SERVICE_PORT
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};

/// `explicit_path` (from --kubeconfig), else in-cluster if KUBERNETES_SERVICE_HOST is set and the
/// token file is there, else kubectl's rules (KUBECONFIG, a list of files merged first-wins; else
/// $HOME/.kube/config). `context` empty: current-context. Invalid / NotFound with a message that
/// says which file and field, and what contexts there are.
[[nodiscard]] Result<ClusterConfig> LoadConfig(const Environment& environment,
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
