#include "reconcile/keystore.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/schedule.hpp"
#include "reconcile/names.hpp"
#include "x509/pkcs12.hpp"

namespace certpair::reconcile {
namespace {

using State = core::PasswordView::State;

// The four words of the annotation; nothing where there are others.
std::optional<std::array<std::string_view, 4>> Words(std::string_view text) {
  if (std::ranges::count(text, ' ') != 3) return std::nullopt;
  std::array<std::string_view, 4> words;
  for (std::string_view& word : words) {
    const std::size_t end = std::min(text.find(' '), text.size());
    word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string DigestOf(std::string_view bytes) {
  return fmt::format("{:016x}", core::StableHash(bytes));
}

PasswordReading Trouble(State state, std::string problem) {
  return {.view = {.state = state, .version = {}, .problem = std::move(problem)}, .password = {}};
}

}  // namespace

std::string FormatKeystore(const core::Keystore& keystore, std::string_view bytes) {
  return fmt::format("{} {}/{} {} {}", keystore.fingerprint, keystore.password.name,
                     keystore.password.key, keystore.password_version, DigestOf(bytes));
}

std::optional<core::Keystore> ParseKeystore(std::string_view text) {
  const auto words = Words(text);
  if (!words) return std::nullopt;
  const auto& [fingerprint, reference, version, digest] = *words;
  const std::size_t slash = reference.find('/');
  if (fingerprint.empty() || slash == std::string_view::npos) return std::nullopt;
  return core::Keystore{.fingerprint = std::string{fingerprint},
                        .password = {.name = std::string{reference.substr(0, slash)},
                                     .key = std::string{reference.substr(slash + 1)}},
                        .password_version = std::string{version}};
}

bool IsKeystoreIntact(std::string_view text, std::string_view bytes) {
  const auto words = Words(text);
  return words && !bytes.empty() && words->back() == DigestOf(bytes);
}

PasswordReading ReadPassword(const core::PasswordReference& reference,
                             const kube::ApiResult<std::optional<LiveSecret>>& secret) {
  constexpr std::string_view kAsked = "spec.secret.pkcs12.passwordSecretRef";
  if (!secret)
    return Trouble(State::Unusable, fmt::format("Secret \"{}\", which {} names, cannot be read: {}",
                                                reference.name, kAsked, secret.error().message));
  if (!*secret)
    return Trouble(State::Missing,
                   fmt::format("Secret \"{}\", which {} names, does not exist. Create it, with the "
                               "password of the key store under \"{}\".",
                               reference.name, kAsked, reference.key));
  const std::string_view text = (*secret)->Data(reference.key);
  if (text.empty())
    return Trouble(State::Missing,
                   fmt::format("Secret \"{}\", which {} names, has {} \"{}\". Put the password of "
                               "the key store there.",
                               reference.name, kAsked,
                               (*secret)->data.contains(reference.key) ? "nothing under" : "no key",
                               reference.key));
  SecretString password{std::string{text}};
  if (const auto good = x509::CheckPkcs12Password(password); !good)
    return Trouble(State::Unusable,
                   fmt::format("\"{}\" in Secret \"{}\" cannot be used: {}. Put another one there.",
                               reference.key, reference.name, good.error().message));
  return {.view = {.state = State::There,
                   .version = (*secret)->metadata.resource_version,
                   .problem = {}},
          .password = std::move(password)};
}

}  // namespace certpair::reconcile
