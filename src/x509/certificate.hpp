// Reading certificates, with limits. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/certificate.hpp"
#include "x509/handle.hpp"

namespace certpair::x509 {

inline constexpr std::size_t kMaxPemBytes =
    std::size_t{256} * 1024;                  ///< of one PEM field that we read
inline constexpr std::size_t kMaxChain = 16;  ///< certificates in one PEM field
/// Certificates in a field that may be a bundle of many CAs, as systems have one (the ca.crt of an
/// authority): kMaxPemBytes is about as many.
inline constexpr std::size_t kMaxBundle = 256;

/// All certificates of a PEM text, in order. Invalid: none, more than `most`, too large, anything
/// that is not a certificate between the BEGIN/END lines (explanatory text outside of them is
/// allowed, RFC 7468 §2; CRLF and a missing last newline too). Messages quote nothing of the input,
/// and lack the name of what was read: `is empty`, `holds …`.
[[nodiscard]] Result<std::vector<CertificateHandle>> ParseCertificates(
    std::string_view pem, std::size_t most = kMaxChain);

/// What R14 shows; the algorithm's name is OpenSSL's long one (`sha256WithRSAEncryption`,
/// `ecdsa-with-SHA256`, `ED25519`). `key` is KeySpec{Rsa, 0} for a kind of key that we do not know.
/// `issuer_fingerprint` and `pem` are set by the caller's context: see ReadSlot.
[[nodiscard]] core::Certificate Describe(x509_st* certificate);

/// SHA-256 of the DER, canonical.
[[nodiscard]] std::string Fingerprint(x509_st* certificate);

/// PEM with one LF at each line's end.
[[nodiscard]] std::string ToPem(x509_st* certificate);

/// SHA-256 of the first certificate of a PEM text, canonical. Invalid: as ParseCertificates.
[[nodiscard]] Result<std::string> FingerprintOf(std::string_view pem);

/// Whether the first certificates of two PEM texts have the same public key. False where one of
/// them cannot be read.
[[nodiscard]] bool HaveSameKey(std::string_view one_pem, std::string_view other_pem);

/// Whether `chain_pem` leads upwards from a certificate: its first one signed that of
/// `certificate_pem`, and each one the one before it (one that comes twice counts once). Validity
/// is not judged. Invalid: what is wrong, without the name of what was read.
[[nodiscard]] Result<void> CheckChain(std::string_view certificate_pem, std::string_view chain_pem);

/// RFC 4514 §2, UTF-8 unescaped, attributes in reverse order of the encoding (`CN=…,OU=…,O=…,C=…`).
[[nodiscard]] std::string SubjectOf(x509_st* certificate);

/// One slot of a pair's Secret, checked in depth (R5): the leaf parses, the key matches it, its own
/// CA (the first certificate after the leaf, else of `ca_pem`) signed it. The answer has
/// `issuer_fingerprint` and `pem` (the leaf alone). Validity is not judged: that is Decide's.
/// Invalid: what is wrong, without any of the key.
[[nodiscard]] Result<core::Certificate> ReadSlot(std::string_view certificate_pem,
                                                 std::string_view key_pem, std::string_view ca_pem);

/// The RFC 4514 string that a certificate issued for `subject` will have: to compare a Secret's DN
/// with the spec.
[[nodiscard]] Result<std::string> SubjectString(const core::Subject& subject);

}  // namespace certpair::x509
