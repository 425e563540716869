// Which labels and annotations of spec.secret reach the pair's Secret. Other controllers act on
// such keys (they copy Secrets into other namespaces, or hand them out), so the installation lists
// the keys that it allows, and certpair writes no others. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/observation.hpp"
#include "core/text_map.hpp"

namespace certpair::core {

/// Why `pattern` cannot stand in the installation's list, as the end of a sentence; nothing: it
/// can. A pattern is a key (`team.example.com/cost-centre`), or the beginning of keys followed by
/// `*` (`team.example.com/*`).
[[nodiscard]] std::optional<std::string> FaultOfKeyPattern(std::string_view pattern);

/// Whether the installation allows a label or annotation of this key. The domains certpair.dev,
/// *kubernetes.io and *k8s.io are never allowed, as the CRD says.
[[nodiscard]] bool IsAllowedOnSecret(std::string_view key, const Installation& installation);

/// `spec.secret.labels` and `.annotations` without the keys that the installation does not allow.
struct AllowedMetadata {
  TextMap labels;
  TextMap annotations;
};
[[nodiscard]] AllowedMetadata AllowedMetadataOf(const SecretSpec& secret,
                                                const Installation& installation);

/// The keys that are left out, as `label "a"` and `annotation "b"`; empty: none is.
[[nodiscard]] std::vector<std::string> RefusedMetadata(const SecretSpec& secret,
                                                       const Installation& installation);

}  // namespace certpair::core
