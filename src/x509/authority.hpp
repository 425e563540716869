// Signing: a CA's key pair held in memory, for as long as its Secret's resourceVersion stays.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret_string.hpp"
#include "core/authority.hpp"
#include "core/certificate.hpp"
#include "x509/certificate.hpp"
#include "x509/key.hpp"

namespace certpair::x509 {

/// What one slot of a Secret holds after an issuance.
struct IssuedCertificate {
  std::string certificate_pem;  ///< tls.crt: the leaf, then intermediates, if any
  SecretString key_pem;         ///< tls.key: PKCS#8
  std::string ca_pem;           ///< ca.crt: the top of the chain that the authority's Secret gave
  core::Certificate details;    ///< as ReadSlot would answer
};

/// A certificate authority that can sign. Immutable; const use from several threads is safe.
class Signer {
 public:
  /// `certificate_pem`: the signing certificate first, then its chain upwards, if any; `key_pem`
  /// its key; `ca_pem` the root, or empty. Invalid, with a message that says which: nothing there,
  /// garbage, encrypted key, key does not match, CA:FALSE or no keyCertSign, a chain out of order,
  /// expired at `now` (any of the chain), a pathLen that forbids leaves.
  [[nodiscard]] static Result<Signer> Load(std::string_view certificate_pem,
                                           std::string_view key_pem, std::string_view ca_pem,
                                           sys_seconds now);

  [[nodiscard]] const core::CaUsable& Facts() const { return facts_; }

  /// Signs a client-auth leaf (RFC 5280): v3, 128-bit random serial, critical KeyUsage
  /// digitalSignature (and keyEncipherment for RSA), EKU clientAuth, critical basicConstraints
  /// CA:FALSE, SKI, AKI; UTF8String names (PrintableString for country). Signature: SHA-256 with
  /// RSA and P-256, SHA-384 with P-384, none named with Ed25519. The times are the order's, to the
  /// second. Internal: OpenSSL failed.
  [[nodiscard]] Result<IssuedCertificate> Issue(const core::CertificateOrder& order,
                                                const PrivateKey& key) const;

 private:
  struct Chain;
  Signer(std::shared_ptr<const Chain> chain, core::CaUsable facts)
      : chain_(std::move(chain)), facts_(std::move(facts)) {}
  std::shared_ptr<const Chain> chain_;
  core::CaUsable facts_;
};

/// A self-signed CA certificate for `key`: critical basicConstraints CA:TRUE pathlen:0, critical
/// keyCertSign and cRLSign, SKI.
[[nodiscard]] Result<std::string> MakeAuthorityCertificate(const core::GenerateAuthority& request,
                                                           const PrivateKey& key);

}  // namespace certpair::x509
