// Objects of the API as the reconciler holds them: decoded, small, without keys and without
// managedFields.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/secret_string.hpp"
#include "core/authority.hpp"
#include "core/observation.hpp"
#include "core/operation.hpp"
#include "core/system.hpp"
#include "core/text_map.hpp"

namespace certpair::reconcile {

struct StoredSystem {
  core::SystemIdentity identity;  ///< without what the Namespace knows
  core::SystemSpec spec;
  core::SystemStatus status;  ///< without PEMs
  std::string resource_version;
  std::uint64_t pems_digest = 0;  ///< of the PEMs in the status, to notice an edit
  /// The object breaks the schema that this program knows (an older or newer CRD), in the field
  /// that is named: nothing is done but to say so.
  std::string undecodable;
  [[nodiscard]] bool HasStatus() const { return status.observed_generation > 0; }
};

struct StoredOperation {
  core::Operation operation;
  std::string namespace_;
  std::string system;  ///< spec.systemRef.name
  std::string resource_version;
};

struct StoredAuthority {
  core::AuthorityIdentity identity;
  core::AuthoritySource source;
  std::vector<core::AllowRule> allow;
  core::AuthorityStatus status;
  std::string secret_resource_version;  ///< the version of the CA's Secret that status describes
  std::string resource_version;
  [[nodiscard]] std::string SecretName() const;
};

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool blocks_deletion = false;  ///< blockOwnerDeletion: never set by us, kept for others
  friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};

/// A Secret's metadata, as the watch brings it.
struct SecretMetadata {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string resource_version;
  TextMap labels;
  TextMap annotations;
  std::vector<OwnerReference> owners;
  bool being_deleted = false;

  [[nodiscard]] std::string Annotation(std::string_view name) const;
  [[nodiscard]] std::string Label(std::string_view name) const;
};

/// A Secret read live. Short-lived: it holds a key. Move-only for that reason.
struct LiveSecret {
  SecretMetadata metadata;
  std::string type;
  bool immutable = false;
  std::map<std::string, SecretString, std::less<>> data;  ///< base64 removed

  [[nodiscard]] std::string_view Data(std::string_view key) const;
};

struct StoredNamespace {
  TextMap labels;
  bool terminating = false;
};

/// Kubernetes' resourceVersions of one kind grow; they are compared as numbers (officially so
/// since 1.35, in fact always). Whether `seen` is `wanted` or newer; true too where one of them is
/// not a number, since waiting could then never end.
[[nodiscard]] bool HasReached(const std::string& seen, const std::string& wanted);

/// The order in which operations of one system are judged: that of their creation. Times are whole
/// seconds; within one, the resourceVersion tells of those that were written only once, at their
/// creation. A strict weak order.
[[nodiscard]] bool CreatedBefore(const StoredOperation& a, const StoredOperation& b);

/// What identifies a status as the one that we wrote: every field, and the PEMs through
/// `pems_digest`. Stable in this process only.
[[nodiscard]] std::uint64_t StatusDigest(const core::SystemStatus& status,
                                         std::uint64_t pems_digest);
[[nodiscard]] std::uint64_t PemsDigest(const core::SystemStatus& status);

}  // namespace certpair::reconcile
