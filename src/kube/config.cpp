#include "kube/config.hpp"

#include <algorithm>
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

std::string HomeFile(const Environment& environment) {
  const std::string home = Variable(environment, "HOME");
  return home.empty() ? home : home + "/.kube/config";
}

// KUBECONFIG, else the file at home.
Result<ClusterConfig> FromUsersFiles(const Environment& environment, const std::string& context) {
  const auto listed = SplitPaths(Variable(environment, "KUBECONFIG"));
  if (!listed.empty()) return FromFiles(listed, false, "KUBECONFIG", context);
  const std::string home = HomeFile(environment);
  if (home.empty())
    return Fail(ErrorCode::NotFound,
                "there is no kubeconfig: neither KUBECONFIG nor HOME is set; give --kubeconfig, or "
                "run in a cluster");
  return FromFiles({home}, false, "HOME", context);
}

bool HasUsersFiles(const Environment& environment) {
  auto paths = SplitPaths(Variable(environment, "KUBECONFIG"));
  if (paths.empty()) paths.push_back(HomeFile(environment));
  std::error_code ignored;
  return std::ranges::any_of(
      paths, [&](const std::string& path) { return std::filesystem::exists(path, ignored); });
}

// What depends on the environment and not on the files.
Result<ClusterConfig> Complete(Result<ClusterConfig> config, const Environment& environment) {
  if (!config) return config;
  if (config->exec) {
    auto variables = environment.variables;
    for (auto& [name, value] : config->exec->environment) variables[name] = value;
    config->exec->environment = std::move(variables);
    config->exec->stdin_is_terminal = environment.stdin_is_terminal;
  }
  auto endpoint = ParseEndpoint(config->server);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto proxy = ProxyFor(*endpoint, config->proxy_url, environment.variables);
  if (!proxy)
    return Fail(proxy.error().code,
                fmt::format("{}: {}", config->description, proxy.error().message));
  config->proxy = std::move(*proxy);
  return config;
}

// Where distributions keep the bundle, as Go looks for it.
std::string SystemBundle(const Environment& environment) {
  std::vector<std::string> places{Variable(environment, "SSL_CERT_FILE")};
  for (const char* place :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem"})
    places.emplace_back(place);
  std::error_code ignored;
  const auto found = std::ranges::find_if(places, [&](const std::string& place) {
    return !place.empty() && std::filesystem::is_regular_file(place, ignored);
  });
  return found == places.end() ? "" : *found;
}

}  // namespace

Environment EnvironmentOf(const char* const* entries) {
  Environment environment;
  for (; *entries != nullptr; ++entries) {
    const std::string_view text{*entries};
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.variables[std::string{text.substr(0, equals)}] = text.substr(equals + 1);
  }
  return environment;
}

Result<ClusterConfig> LoadConfig(const Environment& environment, const std::string& explicit_path,
                                 const std::string& context) {
  if (!explicit_path.empty())
    return Complete(FromFiles({explicit_path}, true, "--kubeconfig", context), environment);
  if (RunsInCluster(environment)) return Complete(InCluster(environment), environment);
  return Complete(FromUsersFiles(environment, context), environment);
}

Result<ClusterConfig> LoadUserConfig(const Environment& environment,
                                     const std::string& explicit_path, const std::string& context) {
  const bool in_cluster =
      explicit_path.empty() && !HasUsersFiles(environment) && RunsInCluster(environment);
  auto config =
      in_cluster ? Complete(InCluster(environment), environment)
      : explicit_path.empty()
          ? Complete(FromUsersFiles(environment, context), environment)
          : Complete(FromFiles({explicit_path}, true, "--kubeconfig", context), environment);
  if (config && !config->certificate_authority.Given() && !config->insecure_skip_tls_verify)
    config->certificate_authority.path = SystemBundle(environment);
  return config;
}

}  // namespace certpair::kube
