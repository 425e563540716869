// What a pair's Secret means: whose it is, what each slot holds, what is broken (R5, R20, R24).
// Pure but for the reader handed in.
#pragma once

#include "core/observation.hpp"
#include "reconcile/ports.hpp"
#include "reconcile/secret_metadata.hpp"

namespace certpair::reconcile {

struct SecretReading {
  core::SecretState state;
  std::string resource_version;
  bool metadata_differs = false;  ///< labels or annotations
  bool owner_differs = false;
  std::optional<core::Receipt> receipt;
  core::Budget budget;
  std::string renewed;  ///< the certificate that last replaced another one automatically
  std::optional<core::Keystore> keystore;
  bool keystore_damaged = false;
};

/// In depth: keys, signatures, names. `secret` null: none exists. A slot counts if one of the
/// authority's CAs signed it, present or earlier, or (in a Secret that is ours) one that signed
/// what the system's status lists. Ours, and a system without any status: any CA whose certificate
/// stands in the slot, since nothing is left that could tell.
[[nodiscard]] SecretReading ReadSecretInDepth(const LiveSecret* secret, const StoredSystem& system,
                                              const core::AuthorityView& authority,
                                              const core::Installation& installation,
                                              const CertificateSource& source);

/// From its metadata, and the pair that status tells of: for a Secret whose very version the status
/// describes.
[[nodiscard]] SecretReading ReadSecretByStatus(const SecretMetadata& metadata,
                                               const StoredSystem& system,
                                               const core::Installation& installation);

/// Whether the annotation says that the Secret is this system's: the only proof (R20).
[[nodiscard]] bool IsOurs(const SecretMetadata& metadata, const core::SystemIdentity& identity);

[[nodiscard]] std::string FormatBudget(const core::Budget& budget);
[[nodiscard]] core::Budget ParseBudget(std::string_view text);

}  // namespace certpair::reconcile
