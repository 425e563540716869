#include "kube/config.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "base/file_text.hpp"
#include "kube/endpoint.hpp"

namespace certpair::kube {
namespace {

std::string Variable(const Environment& environment, const std::string& name) {
  const auto found = environment.variables.find(name);
  return found == environment.variables.end() ? "" : found->second;
}

std::string WithoutLineEnds(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

bool RunsInCluster(const Environment& environment) {
  std::error_code ignored;
  return !Variable(environment, "KUBERNETES_SERVICE_HOST").empty() &&
         std::filesystem::exists(environment.service_account_dir + "/token", ignored);
}

Result<ClusterConfig> InCluster(const Environment& environment) {
  std::string host = Variable(environment, "KUBERNETES_SERVICE_HOST");
  std::string port = Variable(environment, "KUBERNETES_SERVICE_PORT");
  // The HTTP library cannot connect to IPv6 literals; the API server's certificate has this name.
  if (host.find(':') != std::string::npos) host = "kubernetes.default.svc";
  ClusterConfig config;
  config.server = fmt::format("https://{}:{}", host, port.empty() ? "443" : port);
  if (auto endpoint = ParseEndpoint(config.server); !endpoint)
    return Fail(ErrorCode::Invalid,
                fmt::format("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: {}",
                            endpoint.error().message));
  config.certificate_authority.path = environment.service_account_dir + "/ca.crt";
  config.token.path = environment.service_account_dir + "/token";
  config.description = "in-cluster";
  if (auto text = ReadFileText(environment.service_account_dir + "/namespace"))
    config.default_namespace = WithoutLineEnds(std::move(*text));
  return config;
}

Result<ClusterConfig> FromFiles(const std::vector<std::string>& paths, bool all_needed,
                                std::string_view from, const std::string& context) {
  std::vector<KubeconfigFile> files;
  std::string tried;
  for (const std::string& path : paths) {
    auto text = ReadFileText(path);
    if (!text && (all_needed || text.error().code != ErrorCode::NotFound))
      return Fail(text.error().code, fmt::format("{}: {}", from, text.error().message));
    tried += (tried.empty() ? "" : ", ") + path;
    if (text) files.push_back({path, std::move(*text)});
  }
  if (files.empty())
    return Fail(ErrorCode::NotFound,
                fmt::format("there is no kubeconfig: {} names {}; give --kubeconfig, or run in a "
                            "cluster",
                            from, tried));
  return ParseKubeconfig(files, context);
}

std::vector<std::string> SplitPaths(std::string_view list) {
  std::vector<std::string> paths;
  while (!list.empty()) {
    const std::size_t colon = list.find(':');
    if (colon != 0) paths.emplace_back(list.substr(0, colon));
    if (colon == std::string_view::npos) break;
    list.remove_prefix(colon + 1);
  }
  return paths;
}

}  // namespace

Result<ClusterConfig> LoadConfig(const Environment& environment, const std::string& explicit_path,
                                 const std::string& context) {
  if (!explicit_path.empty()) return FromFiles({explicit_path}, true, "--kubeconfig", context);
  if (RunsInCluster(environment)) return InCluster(environment);
  const auto listed = SplitPaths(Variable(environment, "KUBECONFIG"));
  if (!listed.empty()) return FromFiles(listed, false, "KUBECONFIG", context);
  const std::string home = Variable(environment, "HOME");
  if (home.empty())
    return Fail(ErrorCode::NotFound,
                "there is no kubeconfig: neither KUBECONFIG nor HOME is set; give --kubeconfig, or "
                "run in a cluster");
  return FromFiles({home + "/.kube/config"}, false, "HOME", context);
}

}  // namespace certpair::kube
