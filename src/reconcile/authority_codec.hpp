// CertificateAuthority: JSON to values, and its status as a merge patch. Pure, thread-safe.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "reconcile/objects.hpp"

namespace certpair::reconcile {

[[nodiscard]] StoredAuthority DecodeAuthority(const nlohmann::json& object);

/// What differs between the two, {"status": {…}}, or null.
[[nodiscard]] nlohmann::json AuthorityStatusPatch(const StoredAuthority& before,
                                                  const core::AuthorityStatus& after,
                                                  const std::string& secret_resource_version);

/// The authority as a system's Decide sees it; `authority` null: none has that name.
[[nodiscard]] core::AuthorityView ViewOf(const std::string& name, const StoredAuthority* authority);

}  // namespace certpair::reconcile
