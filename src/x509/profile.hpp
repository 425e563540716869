// The profile of the certificates that we sign (RFC 5280 §4). Private to this folder.
#pragma once

#include <string>

#include "base/result.hpp"
#include "core/certificate.hpp"
#include "x509/openssl.hpp"

namespace certpair::x509 {

/// What stands in every certificate before its extensions.
struct Body {
  const X509_NAME* subject;
  const X509_NAME* issuer;
  sys_seconds not_before;
  sys_seconds not_after;
  EVP_PKEY* key;
};

/// v3, with a random serial number of 128 bits (§4.1.2.2: positive, at most 20 octets).
[[nodiscard]] Result<CertificateHandle> MakeBody(const Body& body);

/// A TLS client's: see Signer::Issue. `authority_key_id`: the issuer's subject key identifier.
[[nodiscard]] Result<void> AddClientExtensions(X509* certificate, core::KeyAlgorithm algorithm,
                                               const std::string& authority_key_id);

/// A CA's that signs leaves only: see MakeAuthorityCertificate.
[[nodiscard]] Result<void> AddAuthorityExtensions(X509* certificate);

/// The octets of `certificate`'s subject key identifier; where it has none, what §4.2.1.2 (1) would
/// give it: SHA-1 of the public key. Empty if OpenSSL fails.
[[nodiscard]] std::string KeyIdentifier(X509* certificate);

/// The last step. Internal: OpenSSL failed.
[[nodiscard]] Result<void> Sign(X509* certificate, EVP_PKEY* key);

}  // namespace certpair::x509
