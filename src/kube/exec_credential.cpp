#include "kube/exec_credential.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/descriptor.hpp"
#include "base/time_format.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxOutput = std::size_t{1} << 20;
constexpr std::chrono::seconds kLimit{60};
constexpr std::chrono::seconds kLimitWithPerson{300};

std::string TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// posix_spawnp would search our own PATH; the program's counts, and a missing one is said.
std::string FindProgram(const ExecSpec& spec) {
  if (spec.command.find('/') != std::string::npos) return spec.command;
  const auto path = spec.environment.find("PATH");
  std::string_view rest = path == spec.environment.end() ? "" : std::string_view{path->second};
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string candidate =
        (std::filesystem::path{rest.substr(0, colon)} / spec.command).string();
    if (colon > 0 && access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return {};
}

std::string ExecInfo(const ExecSpec& spec, bool interactive) {
  json info{{"apiVersion", spec.api_version},
            {"kind", "ExecCredential"},
            {"spec", {{"interactive", interactive}}}};
  const json cluster = json::parse(spec.cluster_info, nullptr, false);
  if (cluster.is_object()) info["spec"]["cluster"] = cluster;
  return info.dump();
}

// A process group of its own, unless it may ask a person: only the foreground group can read from
// a terminal.
pid_t Spawn(const ExecSpec& spec, const std::string& program, bool interactive, int out) {
  std::vector<std::string> arguments{spec.command};
  arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<std::string> environment;
  environment.reserve(spec.environment.size() + 1);
  for (const auto& [name, value] : spec.environment)
    environment.push_back(fmt::format("{}={}", name, value));
  environment.push_back("KUBERNETES_EXEC_INFO=" + ExecInfo(spec, interactive));

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (!interactive)
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;  // ours are blocked: one thread waits for them
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSIGMASK | (interactive ? 0 : POSIX_SPAWN_SETPGROUP)));
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, program.c_str(), &actions, &attributes,
                                 PointersTo(arguments).data(), PointersTo(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  errno = failed;
  return failed == 0 ? pid : -1;
}

// All that comes until the end; nothing where the limit of time or size passed first.
std::optional<SecretString> ReadAll(int fd, const Clock& clock, std::chrono::seconds limit) {
  const auto until = clock.Steady() + limit;
  std::string text;
  std::array<char, 4096> block{};
  while (text.size() <= kMaxOutput) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock.Steady());
    if (left.count() <= 0) return std::nullopt;
    pollfd wait{fd, POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    const ssize_t size = read(fd, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return SecretString{std::move(text)};
    text.append(block.data(), static_cast<std::size_t>(size));
  }
  return std::nullopt;
}

int AwaitEnd(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<ExecCredential> ParseExecCredential(std::string_view text, std::string_view api_version) {
  const json answer = json::parse(text, nullptr, false);
  if (!answer.is_object() || TextAt(answer, "kind") != "ExecCredential")
    return Fail(ErrorCode::Invalid, "it did not print an ExecCredential");
  if (TextAt(answer, "apiVersion") != api_version)
    return Fail(ErrorCode::Invalid,
                fmt::format("it printed another apiVersion than {}", api_version));
  const auto status = answer.find("status");
  if (status == answer.end() || !status->is_object())
    return Fail(ErrorCode::Invalid, "its ExecCredential has no status");
  ExecCredential credential{.token = SecretString{TextAt(*status, "token")},
                            .certificate = TextAt(*status, "clientCertificateData"),
                            .key = SecretString{TextAt(*status, "clientKeyData")},
                            .expires = std::nullopt};
  if (credential.certificate.empty() != credential.key.empty())
    return Fail(ErrorCode::Invalid,
                "its clientCertificateData and clientKeyData do not come together");
  if (credential.token.empty() && credential.certificate.empty())
    return Fail(ErrorCode::Invalid, "it printed neither a token nor a certificate");
  const std::string expires = TextAt(*status, "expirationTimestamp");
  credential.expires = ParseTime(expires);
  if (!expires.empty() && !credential.expires)
    return Fail(ErrorCode::Invalid, "its expirationTimestamp is not an RFC 3339 time");
  return credential;
}

Result<ExecCredential> RunExecPlugin(const ExecSpec& spec, const Clock& clock) {
  const auto failed = [&](ErrorCode code, std::string_view why) {
    return Fail(code, fmt::format("exec: the credential program {}: {}", spec.command, why));
  };
  const bool interactive =
      spec.interactive != ExecSpec::Interactive::Never && spec.stdin_is_terminal;
  if (spec.interactive == ExecSpec::Interactive::Always && !spec.stdin_is_terminal)
    return failed(ErrorCode::Invalid, "it wants a terminal (interactiveMode: Always)");
  const std::string program = FindProgram(spec);
  std::array<int, 2> ends{-1, -1};
  if (!program.empty() && pipe2(ends.data(), O_CLOEXEC) != 0)
    return failed(ErrorCode::Internal, "no pipe can be made");
  const Descriptor out{ends[0]};
  Descriptor its_out{ends[1]};
  const pid_t pid = program.empty() ? -1 : Spawn(spec, program, interactive, its_out.Get());
  its_out.Close();
  if (pid < 0)
    return failed(ErrorCode::NotFound,
                  fmt::format("the program does not exist or cannot be run{}{}",
                              spec.install_hint.empty() ? "" : ". ", spec.install_hint));
  const auto text = ReadAll(out.Get(), clock, interactive ? kLimitWithPerson : kLimit);
  if (!text) {
    kill(interactive ? pid : -pid, SIGKILL);
    AwaitEnd(pid);
    return failed(ErrorCode::Unavailable, "it printed too much, or took too long");
  }
  if (const int status = AwaitEnd(pid); status != 0)
    return failed(ErrorCode::Unavailable, fmt::format("it failed with exit status {}", status));
  auto credential = ParseExecCredential(text->Reveal(), spec.api_version);
  if (!credential) return failed(credential.error().code, credential.error().message);
  return credential;
}

}  // namespace certpair::kube
