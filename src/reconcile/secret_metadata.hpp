// What stands on a pair's Secret beside its data: labels, annotations, owners. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/observation.hpp"
#include "core/text_map.hpp"
#include "reconcile/objects.hpp"

namespace certpair::reconcile {

/// The labels, annotations and owners that the Secret of `system` should have, but for receipt and
/// budget. Of spec.secret only what `installation` allows.
struct WantedMetadata {
  TextMap labels;
  TextMap annotations;
  std::optional<OwnerReference> owner;  ///< nothing where the Secret is retained
};
[[nodiscard]] WantedMetadata WantedMetadataOf(const StoredSystem& system,
                                              const core::Installation& installation);

/// What an earlier spec.secret put on the Secret, and the present one does not want any more, or
/// the installation does not allow any more. What others put there is never in it.
struct StaleMetadata {
  std::vector<std::string> labels;
  std::vector<std::string> annotations;
  [[nodiscard]] bool Empty() const { return labels.empty() && annotations.empty(); }
};
[[nodiscard]] StaleMetadata StaleMetadataOf(const SecretMetadata& metadata,
                                            const StoredSystem& system,
                                            const core::Installation& installation);

/// Whether a Relabel would change labels or annotations.
[[nodiscard]] bool MetadataDiffers(const SecretMetadata& metadata, const StoredSystem& system,
                                   const core::Installation& installation);

/// The owners of a Secret after ours was set or taken away; nothing if that changes nothing.
[[nodiscard]] std::optional<std::vector<OwnerReference>> OwnersAfter(
    const std::vector<OwnerReference>& now, const StoredSystem& system);

}  // namespace certpair::reconcile
