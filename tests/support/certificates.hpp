// Certificates for tests, good and broken, made at run time with OpenSSL directly: what src/x509
// makes is not judged by itself.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "core/certificate.hpp"
#include "x509/authority.hpp"

namespace certpair::test {

/// 2020-01-01 and 2120-01-01: wide enough for any clock a test may meet.
inline constexpr sys_seconds kLongAgo = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
inline constexpr sys_seconds kFarAway = std::chrono::sys_days{std::chrono::year{2120} / 1 / 1};

/// PEM, as a kubernetes.io/tls Secret has it.
struct PemPair {
  std::string certificate;
  std::string key;  ///< PKCS#8
};

/// A certificate of any kind; as it stands, a good CA's.
struct CertificateOptions {
  std::string common_name = "Test CA";  ///< empty: an empty subject
  /// `P-256`, `P-384`, `P-521`, `secp256k1`, `ED25519`, `ED448`, or RSA with its bits: `RSA-1024`.
  std::string key = "P-256";
  sys_seconds not_before = kLongAgo;
  sys_seconds not_after = kFarAway;
  /// Extensions in OpenSSL's notation; empty leaves one out.
  std::string basic_constraints = "critical,CA:TRUE";
  std::string key_usage = "critical,keyCertSign,cRLSign";
  std::string extended_key_usage;
  bool has_subject_key_id = true;
  std::string name_constraints = {};  ///< `permitted;dirName:name` is the subject O=Example
  bool has_unknown_critical = false;  ///< a critical extension 1.3.6.1.4.1.99999.1
  std::string policy_constraints = {};
  std::string digest = "SHA256";
};

/// A PKCS#8 key in PEM; `kind` as CertificateOptions::key.
[[nodiscard]] std::string MakeKeyPem(const std::string& kind);

/// Self-signed, with a new key or the one given.
[[nodiscard]] PemPair MakeAuthority(const CertificateOptions& options = {});
[[nodiscard]] std::string MakeCertificate(const CertificateOptions& options,
                                          const std::string& key_pem);

/// Signed by `issuer` (its first certificate).
[[nodiscard]] PemPair MakeAuthority(const CertificateOptions& options, const PemPair& issuer);

/// The same key under a password: PKCS#8 (`ENCRYPTED PRIVATE KEY`), or PKCS#1/SEC 1 with RFC 1421
/// headers.
[[nodiscard]] std::string EncryptKey(const std::string& key_pem);
[[nodiscard]] std::string EncryptKeyTraditionally(const std::string& key_pem);
/// `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
[[nodiscard]] std::string ToTraditionalKey(const std::string& key_pem);

/// A signer of `pair`; the test fails if it is none.
[[nodiscard]] x509::Signer MakeSigner(const PemPair& pair, const std::string& ca_pem = {});

/// One client certificate with a new key (P-256 by default), as the operator would issue it. The
/// times must lie within the CA's.
[[nodiscard]] x509::IssuedCertificate MakeClient(
    const PemPair& authority, const std::string& common_name, sys_seconds not_before = kLongAgo,
    sys_seconds not_after = kFarAway, core::KeySpec key = {core::KeyAlgorithm::Ecdsa, 256});

}  // namespace certpair::test
