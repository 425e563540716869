#include "kube/credentials.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/file_text.hpp"
#include "base/log.hpp"

namespace certpair::kube {
namespace {

Result<std::string> ReadSource(const Source& source, std::string_view field) {
  if (source.path.empty()) return std::string{source.inline_text.Reveal()};
  auto text = ReadFileText(source.path);
  if (!text && !source.inline_text.empty()) return std::string{source.inline_text.Reveal()};
  if (!text) return Fail(text.error().code, fmt::format("{}: {}", field, text.error().message));
  if (text->empty())
    return Fail(ErrorCode::Invalid, fmt::format("{}: {} is empty", field, source.path));
  return text;
}

// A line end in a header value would end the header: the library does not look.
Result<SecretString> CleanToken(const SecretString& raw, const Source& source) {
  const std::string_view token = Trimmed(raw.Reveal());
  const auto usable = [](char c) { return c > 0x20 && c < 0x7f; };
  const std::string place =
      source.path.empty() ? "given as text" : fmt::format("in {}", source.path);
  if (token.empty())
    return Fail(ErrorCode::Invalid, fmt::format("token: the token {} is empty", place));
  if (!std::ranges::all_of(token, usable))
    return Fail(ErrorCode::Invalid,
                fmt::format("token: the token {} has spaces or control characters in it", place));
  return SecretString{std::string{token}};
}

bool ReadsFiles(const ClusterConfig& config) {
  return !config.certificate_authority.path.empty() || !config.client_certificate.path.empty() ||
         !config.client_key.path.empty() || !config.token.path.empty();
}

Result<TlsMaterial> ReadTls(const ClusterConfig& config) {
  TlsMaterial tls;
  auto authority = ReadSource(config.certificate_authority, "certificate-authority");
  if (!authority) return std::unexpected(authority.error());
  auto certificate = ReadSource(config.client_certificate, "client-certificate");
  if (!certificate) return std::unexpected(certificate.error());
  auto key = ReadSource(config.client_key, "client-key");
  if (!key) return std::unexpected(key.error());
  tls.authority = std::move(*authority);
  tls.certificate = std::move(*certificate);
  tls.key = SecretString{std::move(*key)};
  return tls;
}

}  // namespace

Credentials::Credentials(ClusterConfig config, TlsCheck check, const Clock& clock)
    : config_(std::move(config)),
      check_(std::move(check)),
      clock_(clock),
      from_files_(ReadsFiles(config_)) {}

Result<std::unique_ptr<Credentials>> Credentials::Load(ClusterConfig config, TlsCheck check,
                                                       const Clock& clock) {
  std::unique_ptr<Credentials> credentials{
      new Credentials(std::move(config), std::move(check), clock)};
  auto set = credentials->Read(nullptr, Program::Run);
  if (!set) return std::unexpected(set.error());
  auto state = credentials->state_.Lock();
  state->set = std::move(*set);
  state->looked = clock.Steady();
  return credentials;
}

Result<std::shared_ptr<const CredentialSet>> Credentials::Read(const CredentialSet* before,
                                                               Program program) const {
  auto set = std::make_shared<CredentialSet>();
  auto tls = ReadTls(config_);
  if (!tls) return std::unexpected(tls.error());
  if (config_.exec && (program == Program::Run || before == nullptr)) {
    auto given = RunExecPlugin(*config_.exec, clock_);
    if (!given) return std::unexpected(given.error());
    tls->certificate = std::move(given->certificate);
    tls->key = std::move(given->key);
    set->expires = given->expires;
    if (!given->token.empty()) {
      auto token = CleanToken(given->token, config_.token);
      if (!token) return Fail(token.error().code, "exec: " + token.error().message);
      set->token = std::move(*token);
    }
  } else if (config_.exec) {
    tls->certificate = before->tls->certificate;
    tls->key = before->tls->key.Clone();
    set->expires = before->expires;
    set->token = before->token.Clone();
  }
  if (before != nullptr && *before->tls == *tls) {
    set->tls = before->tls;
  } else {
    // A rotation that is half done (new certificate, old key) fails here and is tried again.
    if (auto usable = check_(*tls); !usable) return std::unexpected(usable.error());
    set->tls = std::make_shared<const TlsMaterial>(std::move(*tls));
  }
  const bool same_authority =
      before != nullptr && before->tls_of_users->authority == set->tls->authority;
  set->tls_of_users =
      same_authority
          ? before->tls_of_users
          : std::make_shared<const TlsMaterial>(TlsMaterial{.authority = set->tls->authority});
  if (config_.token.Given()) {
    auto raw = ReadSource(config_.token, "token");
    if (!raw) return std::unexpected(raw.error());
    auto token = CleanToken(SecretString{std::move(*raw)}, config_.token);
    if (!token) return std::unexpected(token.error());
    set->token = std::move(*token);
  }
  return std::shared_ptr<const CredentialSet>{std::move(set)};
}

std::shared_ptr<const CredentialSet> Credentials::ReadIfOlder(std::chrono::seconds age,
                                                              Program program) {
  std::shared_ptr<const CredentialSet> before;
  {
    auto state = state_.Lock();
    const auto now = clock_.Steady();
    const std::chrono::seconds wanted = program == Program::Run ? std::chrono::seconds{1} : age;
    const bool runs = config_.exec && program == Program::Run;
    if (!(from_files_ || runs) || now - state->looked < wanted) return state->set;
    state->looked = now;  // the others go on with what there is while we read
    before = state->set;
  }
  auto read = Read(before.get(), program);
  if (!read) {
    log::Warn("credentials could not be read again; the last good ones are used",
              {{"error", read.error().message}});
    return before;
  }
  auto state = state_.Lock();
  state->set = std::move(*read);
  return state->set;
}

std::shared_ptr<const CredentialSet> Credentials::Current() {
  const bool expired = [&] {
    auto state = state_.Lock();
    return state->set->expires && *state->set->expires <= clock_.NowSeconds();
  }();
  return ReadIfOlder(kLookInterval, expired ? Program::Run : Program::Keep);
}

std::shared_ptr<const CredentialSet> Credentials::Refresh() {
  return ReadIfOlder(std::chrono::seconds{1}, Program::Run);
}

}  // namespace certpair::kube
