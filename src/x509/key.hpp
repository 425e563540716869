// Private keys. The only place where key material is an object; elsewhere it is a SecretString on
// its way to a Secret.
#pragma once

#include <memory>
#include <stop_token>

#include "base/result.hpp"
#include "base/secret_string.hpp"
#include "core/certificate.hpp"

struct evp_pkey_st;

namespace certpair::x509 {

struct HandleDeleter {
  void operator()(evp_pkey_st* key) const noexcept;
};

/// One private key. Move-only; the memory is wiped when it is freed (OpenSSL's CRYPTO_clear_free).
/// Const use from several threads is safe.
class PrivateKey {
 public:
  explicit PrivateKey(std::unique_ptr<evp_pkey_st, HandleDeleter> handle)
      : handle_(std::move(handle)) {}
  [[nodiscard]] evp_pkey_st* get() const { return handle_.get(); }
  /// Algorithm and size in bits, as the API names them.
  [[nodiscard]] core::KeySpec Spec() const;
  /// PKCS#8 PEM, unencrypted (`BEGIN PRIVATE KEY`), as kubernetes.io/tls wants it.
  [[nodiscard]] SecretString ToPem() const;

 private:
  std::unique_ptr<evp_pkey_st, HandleDeleter> handle_;
};

/// Makes a key; RSA-4096 takes a second or more of a core. Invalid: a size that R14 does not list.
/// A stop request ends RSA generation early (Cancelled).
[[nodiscard]] Result<PrivateKey> GenerateKey(core::KeySpec spec, std::stop_token stop = {});

/// Reads PKCS#8, PKCS#1 or SEC 1 PEM. Invalid: encrypted, not a private key, an algorithm or size
/// that is not offered, more than 16 KiB. The message never holds any of the input.
[[nodiscard]] Result<PrivateKey> ParseKey(std::string_view pem);

}  // namespace certpair::x509
