#include <algorithm>
#include <filesystem>
#include <optional>
#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "base/base64.hpp"
#include "base/file_text.hpp"
#include "kube/config.hpp"
#include "kube/endpoint.hpp"
#include "kube/kubeconfig_yaml.hpp"

namespace certpair::kube {
namespace {

// An entry of a kubeconfig list, and the file it stands in (relative paths start there).
struct Entry {
  YAML::Node body;
  std::string file;
};

// All files as one, as kubectl merges them: the first file that says something wins.
struct Merged {
  std::map<std::string, Entry> clusters;
  std::map<std::string, Entry> users;
  std::map<std::string, Entry> contexts;
  std::string current_context;
  std::string files;
};

// Why a kubeconfig is refused. Caught in ParseKubeconfig; never leaves this file.
struct Refusal {
  ErrorCode code;
  std::string message;
};

[[noreturn]] void Refuse(std::string message) {
  throw Refusal{ErrorCode::Invalid, std::move(message)};
}

YamlMembers MembersOf(const YAML::Node& map, std::string_view where) {
  if (!map.IsMap()) Refuse(fmt::format("{} is not a map", where));
  auto members = YamlMembersOf(map);
  if (!members)
    Refuse(
        fmt::format("{}: a merge key (<<) needs a map or a list of maps, at most 64 deep, that "
                    "do not hold themselves",
                    where));
  return std::move(*members);
}

// Undefined where there is none, as YAML::Node says it.
YAML::Node FieldOf(const YAML::Node& map, std::string_view key, std::string_view where) {
  for (const auto& [name, value] : MembersOf(map, where) | std::views::reverse)
    if (name.IsScalar() && name.Scalar() == key) return value;
  return YAML::Node{YAML::NodeType::Undefined};
}

std::string ScalarOf(const YAML::Node& map, const std::string& key, std::string_view where) {
  const YAML::Node value = FieldOf(map, key, where);
  if (!value.IsDefined() || value.IsNull()) return {};
  if (!value.IsScalar()) Refuse(fmt::format("{}: {} is not a text", where, key));
  auto text = YamlText(value);
  if (!text) Refuse(fmt::format("{}: {} is marked !!binary and is not base64", where, key));
  return std::move(*text);
}

void MergeEntries(const YAML::Node& root, const char* list, const char* body,
                  const std::string& file, std::map<std::string, Entry>& into) {
  const YAML::Node entries = FieldOf(root, list, file);
  if (!entries.IsDefined() || entries.IsNull()) return;
  if (!entries.IsSequence()) Refuse(fmt::format("{}: {} is not a list", file, list));
  for (const YAML::Node& entry : entries) {
    if (!entry.IsMap()) Refuse(fmt::format("{}: {} has an entry that is not a map", file, list));
    const std::string name = ScalarOf(entry, "name", fmt::format("{}: {}", file, list));
    if (name.empty()) Refuse(fmt::format("{}: {} has an entry without a name", file, list));
    const YAML::Node content = FieldOf(entry, body, fmt::format("{}: {}", file, list));
    if (content.IsDefined() && !content.IsNull() && !content.IsMap())
      Refuse(fmt::format("{}: {} {:?}: {} is not a map", file, list, name, body));
    into.emplace(
        name,
        Entry{content.IsDefined() && content.IsMap() ? content : YAML::Node(YAML::NodeType::Map),
              file});
  }
}

void MergeFile(const KubeconfigFile& file, Merged& merged) {
  YAML::Node root;
  try {
    root = YAML::Load(file.text);
  } catch (const YAML::Exception& error) {
    // Only the place: the parser's text may quote the file, keys and all.
    Refuse(fmt::format("{} is not YAML: line {}, column {}", file.path, error.mark.line + 1,
                       error.mark.column + 1));
  }
  if (root.IsNull()) return;  // kubectl accepts an empty file
  if (!root.IsMap()) Refuse(fmt::format("{} is not a kubeconfig", file.path));
  MergeEntries(root, "clusters", "cluster", file.path, merged.clusters);
  MergeEntries(root, "users", "user", file.path, merged.users);
  MergeEntries(root, "contexts", "context", file.path, merged.contexts);
  if (merged.current_context.empty())
    merged.current_context = ScalarOf(root, "current-context", file.path);
}

std::string NamesOf(const std::map<std::string, Entry>& entries) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const auto& [name, entry] : entries) names.push_back(name);
  return names.empty() ? "there are none" : fmt::format("there are: {}", fmt::join(names, ", "));
}

std::string Absolute(const std::string& path, const std::string& file) {
  const std::filesystem::path given(path);
  if (path.empty() || given.is_absolute()) return path;
  return (std::filesystem::path(file).parent_path() / given).lexically_normal().string();
}

// `<field>-data` is base64 and wins over the path in `<field>`, as in kubectl.
Source SourceOf(const Entry& entry, const std::string& field, std::string_view where) {
  Source source;
  const std::string data = ScalarOf(entry.body, field + "-data", where);
  if (data.empty()) {
    source.path = Absolute(ScalarOf(entry.body, field, where), entry.file);
    return source;
  }
  auto text = DecodeBase64Lines(data);
  if (!text) Refuse(fmt::format("{}: {}-data is not base64", where, field));
  source.inline_text = SecretString{std::move(*text)};
  return source;
}

bool IsTrue(const YAML::Node& map, const char* field, std::string_view where) {
  if (ScalarOf(map, field, where).empty()) return false;
  const auto flag = YamlBool(FieldOf(map, field, where));
  if (!flag) Refuse(fmt::format("{}: {} is neither true nor false", where, field));
  return *flag;
}

// Said aloud, since leaving one out would end in a puzzling 401.
void RefuseUnsupported(const Entry& entry, std::string_view where,
                       std::initializer_list<std::pair<const char*, const char*>> fields) {
  for (const auto& [field, advice] : fields) {
    const YAML::Node value = FieldOf(entry.body, field, where);
    const bool empty = value.IsDefined() && value.IsScalar() && value.Scalar().empty();
    if (value.IsDefined() && !value.IsNull() && !empty)
      Refuse(fmt::format("{}: {} is not supported yet; {}", where, field, advice));
  }
}

void ReadCluster(const Entry& entry, std::string_view where, ClusterConfig& config) {
  config.proxy_url = ScalarOf(entry.body, "proxy-url", where);
  if (!config.proxy_url.empty())
    if (auto proxy = ParseProxy(config.proxy_url); !proxy)
      Refuse(fmt::format("{}: proxy-url: {}", where, proxy.error().message));
  config.server = ScalarOf(entry.body, "server", where);
  if (config.server.empty()) Refuse(fmt::format("{}: server is missing", where));
  if (auto endpoint = ParseEndpoint(config.server); !endpoint)
    Refuse(fmt::format("{}: {}", where, endpoint.error().message));
  config.tls_server_name = ScalarOf(entry.body, "tls-server-name", where);
  config.certificate_authority = SourceOf(entry, "certificate-authority", where);
  config.insecure_skip_tls_verify = IsTrue(entry.body, "insecure-skip-tls-verify", where);
  if (config.insecure_skip_tls_verify && config.certificate_authority.Given())
    Refuse(fmt::format(
        "{}: insecure-skip-tls-verify together with a certificate-authority makes no sense",
        where));
}

std::vector<std::string> TextsOf(const YAML::Node& map, const std::string& key,
                                 std::string_view where) {
  const YAML::Node list = FieldOf(map, key, where);
  std::vector<std::string> texts;
  if (!list.IsDefined() || list.IsNull()) return texts;
  if (!list.IsSequence()) Refuse(fmt::format("{}: {} is not a list", where, key));
  for (const YAML::Node& entry : list) {
    auto text = entry.IsScalar() ? YamlText(entry) : std::nullopt;
    if (!text) Refuse(fmt::format("{}: {} has an entry that is not a text", where, key));
    texts.push_back(std::move(*text));
  }
  return texts;
}

void ReadImpersonation(const Entry& entry, std::string_view where, Impersonation& who) {
  who.user = ScalarOf(entry.body, "as", where);
  who.uid = ScalarOf(entry.body, "as-uid", where);
  who.groups = TextsOf(entry.body, "as-groups", where);
  const YAML::Node extra = FieldOf(entry.body, "as-user-extra", where);
  if (extra.IsDefined() && extra.IsMap())
    for (const auto& [name, values] : MembersOf(extra, where))
      who.extra[name.Scalar()] = TextsOf(extra, name.Scalar(), where);
  if (who.user.empty() && !(who.uid.empty() && who.groups.empty() && who.extra.empty()))
    Refuse(fmt::format("{}: as-uid, as-groups and as-user-extra go with as", where));
}

ExecSpec::Interactive InteractiveOf(const YAML::Node& exec, std::string_view where) {
  const std::string mode = ScalarOf(exec, "interactiveMode", where);
  if (mode == "Never") return ExecSpec::Interactive::Never;
  if (mode == "Always") return ExecSpec::Interactive::Always;
  if (!mode.empty() && mode != "IfAvailable")
    Refuse(fmt::format("{}: interactiveMode is none of Never, IfAvailable, Always", where));
  return ExecSpec::Interactive::IfAvailable;
}

ExecSpec ReadExec(const YAML::Node& exec, const std::string& file, std::string_view user) {
  const std::string where = fmt::format("{}: exec", user);
  if (!exec.IsMap()) Refuse(fmt::format("{} is not a map", where));
  ExecSpec spec;
  spec.command = ScalarOf(exec, "command", where);
  if (spec.command.empty()) Refuse(fmt::format("{}: command is missing", where));
  if (spec.command.find('/') != std::string::npos) spec.command = Absolute(spec.command, file);
  spec.api_version = ScalarOf(exec, "apiVersion", where);
  if (spec.api_version != "client.authentication.k8s.io/v1" &&
      spec.api_version != "client.authentication.k8s.io/v1beta1")
    Refuse(fmt::format("{}: apiVersion must be client.authentication.k8s.io/v1 or v1beta1", where));
  spec.arguments = TextsOf(exec, "args", where);
  spec.install_hint = ScalarOf(exec, "installHint", where);
  spec.interactive = InteractiveOf(exec, where);
  const YAML::Node env = FieldOf(exec, "env", where);
  if (env.IsDefined() && env.IsSequence())
    for (const YAML::Node& variable : env)
      spec.environment[ScalarOf(variable, "name", where)] = ScalarOf(variable, "value", where);
  if (IsTrue(exec, "provideClusterInfo", where)) spec.cluster_info = "{}";
  return spec;
}

// What the cluster's entry holds for credential programs; null where there is nothing.
nlohmann::json ExtensionForExec(const Entry& cluster, std::string_view where) {
  const YAML::Node extensions = FieldOf(cluster.body, "extensions", where);
  if (!extensions.IsDefined() || !extensions.IsSequence()) return nullptr;
  for (const YAML::Node& extension : extensions) {
    if (!extension.IsMap() ||
        ScalarOf(extension, "name", where) != "client.authentication.k8s.io/exec")
      continue;
    const YAML::Node content = FieldOf(extension, "extension", where);
    if (!content.IsDefined()) return nullptr;
    auto value = YamlJson(content);
    if (!value)
      Refuse(
          fmt::format("{}: the extension client.authentication.k8s.io/exec is too large, or has "
                      "a key that is not a text",
                      where));
    return std::move(*value);
  }
  return nullptr;
}

// What a credential program may want to know of the cluster (client-go: Cluster).
std::string ClusterInfoOf(const Entry& cluster, std::string_view where) {
  nlohmann::json info{{"server", ScalarOf(cluster.body, "server", where)}};
  for (const char* field : {"tls-server-name", "proxy-url"})
    if (const std::string text = ScalarOf(cluster.body, field, where); !text.empty())
      info[field] = text;
  const Source authority = SourceOf(cluster, "certificate-authority", where);
  if (!authority.inline_text.empty())
    info["certificate-authority-data"] = EncodeBase64(authority.inline_text.Reveal());
  if (!authority.path.empty())
    if (const auto text = ReadFileText(authority.path))
      info["certificate-authority-data"] = EncodeBase64(*text);
  for (const char* field : {"insecure-skip-tls-verify", "disable-compression"})
    if (IsTrue(cluster.body, field, where)) info[field] = true;
  if (auto config = ExtensionForExec(cluster, where); !config.is_null())
    info["config"] = std::move(config);
  return info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void ReadUser(const Entry& entry, std::string_view where, ClusterConfig& config) {
  constexpr const char* kAdvice = "give a token or a client certificate";
  RefuseUnsupported(entry, where,
                    {{"auth-provider", kAdvice}, {"username", kAdvice}, {"password", kAdvice}});
  ReadImpersonation(entry, where, config.impersonate);
  config.client_certificate = SourceOf(entry, "client-certificate", where);
  config.client_key = SourceOf(entry, "client-key", where);
  if (config.client_certificate.Given() != config.client_key.Given())
    Refuse(fmt::format("{}: client-certificate and client-key go together", where));
  config.token.path = Absolute(ScalarOf(entry.body, "tokenFile", where), entry.file);
  config.token.inline_text = SecretString{ScalarOf(entry.body, "token", where)};
  const YAML::Node exec = FieldOf(entry.body, "exec", where);
  if (exec.IsDefined() && !exec.IsNull()) config.exec = ReadExec(exec, entry.file, where);
  // As in kubectl: with credentials at hand the program is not run.
  if (config.token.Given() || config.client_certificate.Given()) config.exec.reset();
}

const Entry& Find(const std::map<std::string, Entry>& entries, const std::string& name,
                  std::string_view kind, std::string_view where) {
  const auto found = entries.find(name);
  if (found == entries.end())
    throw Refusal{ErrorCode::NotFound,
                  fmt::format("{}: there is no {} {:?}; {}", where, kind, name, NamesOf(entries))};
  return found->second;
}

ClusterConfig Resolve(const Merged& merged, const std::string& wanted) {
  const std::string& name = wanted.empty() ? merged.current_context : wanted;
  if (name.empty())
    throw Refusal{ErrorCode::NotFound,
                  fmt::format("{}: there is no current-context, and none was named; contexts: {}",
                              merged.files, NamesOf(merged.contexts))};
  const Entry& context = Find(merged.contexts, name, "context", merged.files);
  const std::string where = fmt::format("{}: context {:?}", context.file, name);
  ClusterConfig config;
  config.description = fmt::format("context {:?} of {}", name, context.file);
  config.default_namespace = ScalarOf(context.body, "namespace", where);
  const std::string cluster = ScalarOf(context.body, "cluster", where);
  if (cluster.empty()) Refuse(fmt::format("{}: cluster is missing", where));
  const Entry& found = Find(merged.clusters, cluster, "cluster", where);
  ReadCluster(found, fmt::format("{}: cluster {:?}", found.file, cluster), config);
  const std::string user = ScalarOf(context.body, "user", where);
  if (user.empty()) return config;  // anonymous, as kubectl allows
  const Entry& who = Find(merged.users, user, "user", where);
  ReadUser(who, fmt::format("{}: user {:?}", who.file, user), config);
  if (config.exec && !config.exec->cluster_info.empty())
    config.exec->cluster_info = ClusterInfoOf(found, where);
  return config;
}

}  // namespace

Result<ClusterConfig> ParseKubeconfig(const std::vector<KubeconfigFile>& files,
                                      const std::string& context) {
  try {
    Merged merged;
    for (const KubeconfigFile& file : files) {
      MergeFile(file, merged);
      merged.files += (merged.files.empty() ? "" : ", ") + file.path;
    }
    return Resolve(merged, context);
  } catch (const Refusal& refusal) {
    return Fail(refusal.code, refusal.message);
  } catch (const YAML::Exception& error) {
    return Fail(ErrorCode::Invalid, fmt::format("the kubeconfig has an unexpected form at line {}",
                                                error.mark.line + 1));
  }
}

}  // namespace certpair::kube
