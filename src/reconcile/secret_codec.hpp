// Secrets: JSON to values, and the one write in which a pair changes. Pure, thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "reconcile/objects.hpp"

namespace certpair::reconcile {

/// Of the annotations only ours, and those that a system's spec put there: others may hold a copy
/// of the whole object, its keys included.
[[nodiscard]] SecretMetadata DecodeSecretMetadata(const nlohmann::json& object);
/// Empties the values of `object` as it goes, so that a key stands in memory once.
[[nodiscard]] LiveSecret DecodeSecret(nlohmann::json& object);

/// What is to be written: a new Secret, or the changes of one that was read. Nothing in `data` and
/// the maps means: remove.
struct SecretDraft {
  std::string namespace_;
  std::string name;
  std::string resource_version;  ///< precondition; empty: create
  std::string uid;               ///< precondition beside it
  std::map<std::string, std::optional<SecretString>> data;
  std::map<std::string, std::optional<std::string>> labels;
  std::map<std::string, std::optional<std::string>> annotations;
  std::optional<std::vector<OwnerReference>> owners;  ///< the whole list; nothing: leave as it is
};
/// The body of a POST (kubernetes.io/tls) or of a merge PATCH.
[[nodiscard]] nlohmann::json EncodeNewSecret(const SecretDraft& draft);
[[nodiscard]] nlohmann::json EncodeSecretPatch(const SecretDraft& draft);

}  // namespace certpair::reconcile
