// ProvisioningSystem: JSON to values, and a status as the smallest merge patch. Pure, thread-safe.
// Fields: crds/.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "reconcile/objects.hpp"

namespace certpair::reconcile {

/// Never fails: what does not fit is told in `undecodable`, naming the field.
[[nodiscard]] StoredSystem DecodeSystem(const nlohmann::json& object);

/// The fields of `status` in which `after` differs from what `before` has, as a merge patch body
/// {"status": {…}} (RFC 7386); null where nothing differs. Certificates are written only where
/// `after` holds their PEM.
[[nodiscard]] nlohmann::json StatusPatch(const StoredSystem& before,
                                         const core::SystemStatus& after);
/// Whether `after` has certificates to be written in place of those of `before`.
[[nodiscard]] bool CertificatesDiffer(const StoredSystem& before, const core::SystemStatus& after);

/// Shared by all kinds: metav1.Condition.
[[nodiscard]] nlohmann::json EncodeConditions(const std::vector<core::Condition>& conditions);
[[nodiscard]] std::vector<core::Condition> DecodeConditions(const nlohmann::json& list);
[[nodiscard]] std::optional<core::KeySpec> DecodeKeySpec(const nlohmann::json& key,
                                                         core::KeySpec otherwise);

}  // namespace certpair::reconcile
