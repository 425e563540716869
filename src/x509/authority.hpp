// Signing: a CA's key pair held in memory, for as long as its Secret's resourceVersion stays.
#pragma once

#include <expected>
#include <memory>
#include <optional>
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
  std::string certificate_pem;  ///< tls.crt: the leaf, then the chain but for self-signed roots
  SecretString key_pem;         ///< tls.key: PKCS#8
  std::string ca_pem;           ///< ca.crt: the top of the chain that the authority's Secret gave
  core::Certificate details;    ///< as ReadSlot would answer
};

/// Why a Secret cannot be used as a CA. The names are the reasons of the condition, see ToString,
/// and docs/status.md is written from the comments (scripts/documents).
enum class AuthorityFault {
  /// The certificate or the key is missing, or both.
  Missing,
  /// A field is not PEM, holds no certificate or key, or is too large.
  Malformed,
  /// The key is encrypted. Store it without a password.
  KeyEncrypted,
  /// The key is weak or of another kind: RSA below 2048 bits, DSA, RSA-PSS and others.
  KeyUnsupported,
  /// The key does not belong to the first certificate.
  KeyMismatch,
  /// The certificate may not sign: CA:FALSE, no keyCertSign, or an extendedKeyUsage without
  /// clientAuth.
  NotACertificateAuthority,
  /// The chain is out of order, or longer than a pathLen allows.
  ChainBroken,
  /// A certificate of the chain becomes valid later.
  NotYetValid,
  /// A certificate of the chain has expired.
  Expired,
  /// Verifiers refuse everything that it signs: an unknown critical extension, an empty subject,
  /// SHA-1 in the chain, or a
  /// required policy.
  Unverifiable,
};

/// CamelCase, as core::CaUnusable::reason wants it.
[[nodiscard]] std::string_view ToString(AuthorityFault fault);

struct AuthorityError {
  AuthorityFault fault = AuthorityFault::Malformed;
  std::string message;  ///< for a person; names the field (tls.crt, tls.key, ca.crt), quotes no key
  std::optional<sys_seconds> usable_from =
      std::nullopt;  ///< NotYetValid: when that certificate begins
};

/// A certificate authority that can sign. Immutable; const use from several threads is safe.
class Signer {
 public:
  /// `certificate_pem` (tls.crt): the signing certificate first, then its chain upwards, if any;
  /// `key_pem` (tls.key): its key; `ca_pem` (ca.crt): the root, or empty, or more certificates
  /// from which the chain is continued upwards: up to kMaxBundle, in any order. Of certificates of
  /// one name and key that one counts which is valid at `now`. Every certificate of the chain must
  /// be a CA's, in order (each once, or again), and valid at `now`; verifiers must accept what it
  /// signs, but for what the names of each decide.
  [[nodiscard]] static std::expected<Signer, AuthorityError> Load(std::string_view certificate_pem,
                                                                  std::string_view key_pem,
                                                                  std::string_view ca_pem,
                                                                  sys_seconds now);

  /// `not_before` is the latest of the chain, `chain_end` the earliest end.
  [[nodiscard]] const core::CaUsable& Facts() const { return facts_; }

  /// Signs a client-auth leaf (RFC 5280): v3, 128-bit random serial, critical KeyUsage
  /// digitalSignature (and keyEncipherment for RSA), EKU clientAuth, critical basicConstraints
  /// CA:FALSE, SKI, AKI; UTF8String names (PrintableString for country). Signature: SHA-256 with
  /// RSA and P-256, SHA-384 with P-384, none named with Ed25519. The times are the order's, to the
  /// second. It is verified against the whole chain, as a peer would do. Invalid: a subject that
  /// cannot be encoded, a key that is not the order's, times outside of Facts(), and what verifiers
  /// would refuse. Internal: OpenSSL failed.
  [[nodiscard]] Result<IssuedCertificate> Issue(const core::CertificateOrder& order,
                                                const PrivateKey& key) const;

  /// Whether a certificate for `subject` can be issued, as far as that shows before there is a key.
  /// Invalid: it cannot be encoded, or a nameConstraints of the chain refuses it, which the message
  /// names.
  [[nodiscard]] Result<void> CheckSubject(const core::Subject& subject) const;

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
