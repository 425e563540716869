#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include "base/base64.hpp"
#include "kube/config.hpp"
#include "kube/endpoint.hpp"

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

std::string ScalarOf(const YAML::Node& map, const std::string& key, std::string_view where) {
  const YAML::Node value = map[key];
  if (!value.IsDefined() || value.IsNull()) return {};
  if (!value.IsScalar()) Refuse(fmt::format("{}: {} is not a text", where, key));
  return value.Scalar();
}

void MergeEntries(const YAML::Node& root, const char* list, const char* body,
                  const std::string& file, std::map<std::string, Entry>& into) {
  const YAML::Node entries = root[list];
  if (!entries.IsDefined() || entries.IsNull()) return;
  if (!entries.IsSequence()) Refuse(fmt::format("{}: {} is not a list", file, list));
  for (const YAML::Node& entry : entries) {
    if (!entry.IsMap()) Refuse(fmt::format("{}: {} has an entry that is not a map", file, list));
    const std::string name = ScalarOf(entry, "name", fmt::format("{}: {}", file, list));
    if (name.empty()) Refuse(fmt::format("{}: {} has an entry without a name", file, list));
    const YAML::Node content = entry[body];
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
  auto text = DecodeBase64(data);
  if (!text) Refuse(fmt::format("{}: {}-data is not base64", where, field));
  source.inline_text = SecretString{std::move(*text)};
  return source;
}

bool IsTrue(const Entry& entry, const char* field, std::string_view where) {
  const std::string text = ScalarOf(entry.body, field, where);
  if (!text.empty() && text != "true" && text != "false")
    Refuse(fmt::format("{}: {} is neither true nor false", where, field));
  return text == "true";
}

// Said aloud, since leaving one out would end in a puzzling 401.
void RefuseUnsupported(const Entry& entry, std::string_view where,
                       std::initializer_list<std::pair<const char*, const char*>> fields) {
  for (const auto& [field, advice] : fields) {
    const YAML::Node value = entry.body[field];
    if (value.IsDefined() && !value.IsNull())
      Refuse(fmt::format("{}: {} is not supported yet; {}", where, field, advice));
  }
}

void ReadCluster(const Entry& entry, std::string_view where, ClusterConfig& config) {
  RefuseUnsupported(entry, where, {{"proxy-url", "give a server that is reached directly"}});
  config.server = ScalarOf(entry.body, "server", where);
  if (config.server.empty()) Refuse(fmt::format("{}: server is missing", where));
  if (auto endpoint = ParseEndpoint(config.server); !endpoint)
    Refuse(fmt::format("{}: {}", where, endpoint.error().message));
  config.tls_server_name = ScalarOf(entry.body, "tls-server-name", where);
  config.certificate_authority = SourceOf(entry, "certificate-authority", where);
  config.insecure_skip_tls_verify = IsTrue(entry, "insecure-skip-tls-verify", where);
  if (config.insecure_skip_tls_verify && config.certificate_authority.Given())
    Refuse(fmt::format(
        "{}: insecure-skip-tls-verify together with a certificate-authority makes no sense",
        where));
}

void ReadUser(const Entry& entry, std::string_view where, ClusterConfig& config) {
  constexpr const char* kAdvice = "give a token or a client certificate";
  RefuseUnsupported(entry, where,
                    {{"exec", kAdvice},
                     {"auth-provider", kAdvice},
                     {"username", kAdvice},
                     {"password", kAdvice},
                     {"as", "give the credentials of the user itself"}});
  config.client_certificate = SourceOf(entry, "client-certificate", where);
  config.client_key = SourceOf(entry, "client-key", where);
  if (config.client_certificate.Given() != config.client_key.Given())
    Refuse(fmt::format("{}: client-certificate and client-key go together", where));
  config.token.path = Absolute(ScalarOf(entry.body, "tokenFile", where), entry.file);
  if (config.token.path.empty())
    config.token.inline_text = SecretString{ScalarOf(entry.body, "token", where)};
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
