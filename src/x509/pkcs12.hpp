// PKCS#12 (RFC 7292), for consumers that want a key store rather than PEM (R13). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret_string.hpp"

namespace certpair::x509 {

/// Invalid: empty, longer than 256 octets, or with other characters than printable ASCII: Java,
/// whose PBEKey takes no others, could not open a key store under it. The message holds nothing of
/// it.
[[nodiscard]] Result<void> CheckPkcs12Password(const SecretString& password);

/// The bytes of a key store with the leaf and its key under the alias `friendly_name`, and the rest
/// of `certificate_pem` and of `ca_pem` beside it. AES-256-CBC with PBKDF2 (HMAC-SHA-256), MAC with
/// HMAC-SHA-256: OpenSSL from 1.1, Java from 8u301 and Windows from Server 2019 read it. Salts are
/// random, so no two calls answer the same. Takes some milliseconds (the iterations). Invalid: what
/// cannot be read, a key that is not the leaf's, a password that is empty, longer than 256 octets,
/// or not printable ASCII. Messages hold nothing of key and password.
[[nodiscard]] Result<SecretString> EncodePkcs12(std::string_view certificate_pem,
                                                std::string_view key_pem, std::string_view ca_pem,
                                                const SecretString& password,
                                                const std::string& friendly_name);

}  // namespace certpair::x509
