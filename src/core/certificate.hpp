// What the domain knows of keys, names and certificates. Values only; the bytes are made and read
// in src/x509.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace certpair::core {

enum class KeyAlgorithm { Rsa, Ecdsa, Ed25519 };

/// RSA 2048|3072|4096, ECDSA 256|384 (P-256, P-384), Ed25519 256. `size` in bits.
struct KeySpec {
  KeyAlgorithm algorithm = KeyAlgorithm::Rsa;
  int size = 3072;
  friend bool operator==(const KeySpec&, const KeySpec&) = default;
};

/// The subject DN that the spec asks for; attributes in the order in which they were given.
struct Subject {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> organizational_units;
  std::vector<std::string> countries;
  std::vector<std::string> localities;
  std::vector<std::string> provinces;
  friend bool operator==(const Subject&, const Subject&) = default;
};

/// What is asked of a signer: everything that is decided about a certificate before its key exists
/// (R22).
struct CertificateOrder {
  Subject subject;
  KeySpec key;
  sys_seconds not_before;
  sys_seconds not_after;
  /// When the certificate ends that this one replaces, once its window has begun; the time of the
  /// order where it cannot be used already. Says whose key is made first where keys are scarce.
  /// Nothing: no certificate is missed yet.
  std::optional<sys_seconds> needed_by;
  friend bool operator==(const CertificateOrder&, const CertificateOrder&) = default;
};

/// One issued certificate, as R14 shows it. Fingerprints identify it: `fingerprint` is the SHA-256
/// of the DER, upper-case hex with colons (canonical); `fingerprint_sha1` the same of SHA-1.
struct Certificate {
  std::string fingerprint;
  std::string fingerprint_sha1;
  std::string subject;        ///< RFC 4514
  std::string issuer;         ///< RFC 4514
  std::string serial_number;  ///< upper-case hex with colons
  std::string signature_algorithm;
  KeySpec key;
  sys_seconds not_before;
  sys_seconds not_after;
  std::string issuer_fingerprint;  ///< of the CA certificate that signed it (R24)
  std::string pem;                 ///< the leaf alone; empty where only the status was read
  /// Identity is the fingerprint: two of the same are the same certificate.
  friend bool operator==(const Certificate& a, const Certificate& b) {
    return a.fingerprint == b.fingerprint;
  }
};

/// R5: exactly one active once any exists, never more than two.
struct CertificatePair {
  Certificate active;
  std::optional<Certificate> inactive;
  friend bool operator==(const CertificatePair&, const CertificatePair&) = default;
};

/// `AB:CD:…` (32 octets) from either case, with or without colons; nothing for anything else.
[[nodiscard]] std::optional<std::string> CanonicalFingerprint(std::string_view text);

/// `RSA`, `ECDSA`, `Ed25519`, as the API spells them.
[[nodiscard]] std::string_view ToString(KeyAlgorithm algorithm);

}  // namespace certpair::core
