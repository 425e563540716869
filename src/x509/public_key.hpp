// The public half of keys, in and out of certificates. Private to this folder.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "core/certificate.hpp"
#include "x509/handle.hpp"

namespace certpair::x509 {

/// Algorithm and size; nothing for what TLS clients do not use (DSA, RSA-PSS, other curves, curves
/// with explicit parameters, …).
[[nodiscard]] std::optional<core::KeySpec> SpecOf(evp_pkey_st* key);

/// As SpecOf, of the key in `certificate`.
[[nodiscard]] std::optional<core::KeySpec> SpecOfCertificate(x509_st* certificate);

/// Puts the public half of `key` into `certificate`. Internal: OpenSSL failed.
[[nodiscard]] Result<void> SetPublicKey(x509_st* certificate, evp_pkey_st* key);

}  // namespace certpair::x509
