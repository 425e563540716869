// PKCS#8 (RFC 5958) of private keys. Private to this folder.
#pragma once

#include "x509/openssl.hpp"

namespace certpair::x509 {

/// Empty if OpenSSL fails. P-256 and P-384 are put together from their parts: OpenSSL 3.0's encoder
/// costs more than twice what making the key does.
[[nodiscard]] Handle<PKCS8_PRIV_KEY_INFO> ToPkcs8(EVP_PKEY* key);

}  // namespace certpair::x509
