// Private keys. The only place where key material is an object; elsewhere it is a SecretString on
// its way to a Secret.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "base/secret_string.hpp"
#include "core/certificate.hpp"
#include "x509/handle.hpp"

namespace certpair::x509 {

inline constexpr std::size_t kMaxKeyBytes =
    std::size_t{16} * 1024;  ///< of one PEM private key that we read

/// One private key. Move-only; the memory is wiped when it is freed (OpenSSL's CRYPTO_clear_free).
/// Const use from several threads is safe.
class PrivateKey {
 public:
  explicit PrivateKey(KeyHandle handle) : handle_(std::move(handle)) {}
  [[nodiscard]] evp_pkey_st* get() const { return handle_.get(); }
  /// Algorithm and size in bits, as the API names them.
  [[nodiscard]] core::KeySpec Spec() const;
  /// PKCS#8 PEM, unencrypted (`BEGIN PRIVATE KEY`), as kubernetes.io/tls wants it. Empty if OpenSSL
  /// fails.
  [[nodiscard]] SecretString ToPem() const;

 private:
  KeyHandle handle_;
};

/// Makes a key; RSA-4096 takes a second or more of a core. Invalid: a size that R14 does not list.
/// A stop request ends RSA generation early (Cancelled).
[[nodiscard]] Result<PrivateKey> GenerateKey(core::KeySpec spec, std::stop_token stop = {});

/// Whether R14 lists it: RSA 2048|3072|4096, ECDSA 256|384, Ed25519 (256).
[[nodiscard]] bool IsOffered(core::KeySpec spec);

/// Which keys ParseKey lets through.
enum class KeyUse {
  System,     ///< what GenerateKey makes
  Authority,  ///< and what a given CA may have besides: other RSA sizes from 2048 on, P-521
};

enum class KeyFault { Malformed, Encrypted, Unsupported };

struct KeyError {
  KeyFault fault = KeyFault::Malformed;
  std::string message;
};

/// Reads PKCS#8, PKCS#1 or SEC 1 PEM: exactly one key. Nothing can make it ask for a password. The
/// message never holds any of the input.
[[nodiscard]] std::expected<PrivateKey, KeyError> ReadKey(std::string_view pem, KeyUse use);

/// ReadKey for a system's key. Invalid: encrypted, not a private key, an algorithm or size that is
/// not offered, more than 16 KiB.
[[nodiscard]] Result<PrivateKey> ParseKey(std::string_view pem);

}  // namespace certpair::x509
