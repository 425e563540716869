#include "core/secret_metadata.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/conditions.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

constexpr std::size_t kLongestKey = 317;  // a domain of 253, a slash, a name of 63
constexpr std::size_t kMostNamed = 5;     // in a message

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool IsReserved(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view domain = key.substr(0, slash);
  return domain == "certpair.dev" || domain.ends_with(".certpair.dev") ||
         domain.ends_with("kubernetes.io") || domain.ends_with("k8s.io");
}

bool Matches(std::string_view pattern, std::string_view key) {
  if (!pattern.ends_with('*')) return pattern == key;
  pattern.remove_suffix(1);
  return key.starts_with(pattern);
}

}  // namespace

std::optional<std::string> FaultOfKeyPattern(std::string_view pattern) {
  if (pattern == "*")
    return "would allow every key: name the beginning, such as team.example.com/*";
  const std::string_view key = pattern.substr(0, pattern.size() - (pattern.ends_with('*') ? 1 : 0));
  const bool well_formed =
      !key.empty() && pattern.size() <= kLongestKey && IsLetterOrDigit(key.front()) &&
      std::ranges::count(key, '/') <= 1 && std::ranges::all_of(key, [](char c) {
        return IsLetterOrDigit(c) || c == '-' || c == '_' || c == '.' || c == '/';
      });
  if (!well_formed) {
    return "must be the key of a label or annotation, or the beginning of keys followed by *, such "
           "as team.example.com/*";
  }
  if (IsReserved(key)) {
    return "is reserved: keys of certpair.dev, *kubernetes.io and *k8s.io are never written";
  }
  return std::nullopt;
}

bool IsAllowedOnSecret(std::string_view key, const Installation& installation) {
  return !IsReserved(key) &&
         std::ranges::any_of(installation.secret_metadata_allow,
                             [&](const std::string& pattern) { return Matches(pattern, key); });
}

AllowedMetadata AllowedMetadataOf(const SecretSpec& secret, const Installation& installation) {
  AllowedMetadata allowed;
  const auto copy = [&](const TextMap& from, TextMap& to) {
    for (const auto& [key, value] : from) {
      if (IsAllowedOnSecret(key, installation)) to.emplace_hint(to.end(), key, value);
    }
  };
  copy(secret.labels, allowed.labels);
  copy(secret.annotations, allowed.annotations);
  return allowed;
}

std::vector<std::string> RefusedMetadata(const SecretSpec& secret,
                                         const Installation& installation) {
  std::vector<std::string> refused;
  const auto add = [&](std::string_view kind, const TextMap& entries) {
    for (const auto& entry : entries) {
      if (!IsAllowedOnSecret(entry.first, installation)) {
        refused.push_back(fmt::format("{} \"{}\"", kind, entry.first));
      }
    }
  };
  add("label", secret.labels);
  add("annotation", secret.annotations);
  return refused;
}

std::optional<Statement> DescribeSecretMetadata(const Observation& o) {
  const SecretSpec& secret = o.spec.secret;
  if (secret.labels.empty() && secret.annotations.empty()) return std::nullopt;
  const auto refused = RefusedMetadata(secret, o.installation);
  if (refused.empty()) {
    return Statement{condition::kSecretMetadataAllowed, ConditionStatus::True, reason::kAllowed,
                     "This installation allows all labels and annotations of spec.secret."};
  }
  std::string keys;
  for (std::size_t i = 0; i < std::min(refused.size(), kMostNamed); ++i) {
    keys += (i == 0 ? "" : ", ") + refused[i];
  }
  if (refused.size() > kMostNamed) keys += fmt::format(" and {} more", refused.size() - kMostNamed);
  return Statement{
      condition::kSecretMetadataAllowed, ConditionStatus::False, reason::kKeyNotAllowed,
      fmt::format("spec.secret has {}, which this installation does not allow, so Secret \"{}\" "
                  "goes without. Remove the key from spec.secret, or ask the administrator of "
                  "certpair to allow it: --secret-metadata-allow, controller.secretMetadataAllow "
                  "of the chart.",
                  keys, secret.name)};
}

}  // namespace certpair::core
