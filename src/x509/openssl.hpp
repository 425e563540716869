// What all files of this folder need of OpenSSL 3.0: owners, its error queue, digests fetched once.
// Private to this folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/result.hpp"
#include "x509/handle.hpp"

namespace certpair::x509 {

template <>
void Deleter<BIO>::operator()(BIO* object) const noexcept;
template <>
void Deleter<BIGNUM>::operator()(BIGNUM* object) const noexcept;
template <>
void Deleter<EVP_MD>::operator()(EVP_MD* object) const noexcept;
template <>
void Deleter<EVP_MD_CTX>::operator()(EVP_MD_CTX* object) const noexcept;
template <>
void Deleter<EVP_PKEY_CTX>::operator()(EVP_PKEY_CTX* object) const noexcept;
template <>
void Deleter<PKCS12>::operator()(PKCS12* object) const noexcept;
template <>
void Deleter<PKCS8_PRIV_KEY_INFO>::operator()(PKCS8_PRIV_KEY_INFO* object) const noexcept;
template <>
void Deleter<STACK_OF(X509)>::operator()(STACK_OF(X509) * object) const noexcept;
template <>
void Deleter<X509_EXTENSION>::operator()(X509_EXTENSION* object) const noexcept;
template <>
void Deleter<X509_NAME>::operator()(X509_NAME* object) const noexcept;

/// OpenSSL's errors are a queue a thread, which whoever asks next would take for its own: every
/// public function of this folder holds one of these, and so leaves the queue empty.
class ErrorQueue {
 public:
  ErrorQueue() noexcept;
  ~ErrorQueue();
  ErrorQueue(const ErrorQueue&) = delete;
  ErrorQueue& operator=(const ErrorQueue&) = delete;
};

/// Empties the queue into `reason; reason`. Only OpenSSL's own constant texts: the data beside them
/// may quote input.
[[nodiscard]] std::string DrainErrors();

/// Internal: `what` failed, with OpenSSL's reasons.
[[nodiscard]] std::unexpected<Error> OpenSslFailed(std::string_view what);

/// Fetched once a process: a fetch costs more than hashing a certificate.
[[nodiscard]] const EVP_MD* Sha1();
[[nodiscard]] const EVP_MD* Sha256();

/// What signatures of `key` are made over; nullptr for Ed25519, which hashes by itself.
[[nodiscard]] const EVP_MD* SignatureDigest(EVP_PKEY* key);

/// `AB:CD:…`
[[nodiscard]] std::string ColonHex(const unsigned char* bytes, std::size_t size);

/// The bytes that a memory BIO holds, valid until it changes.
[[nodiscard]] std::string_view BytesOf(BIO* memory);

/// Whether the private `key` signs what `public_key` verifies. Comparing the public halves says
/// nothing of a damaged private one.
[[nodiscard]] bool SignsFor(EVP_PKEY* key, EVP_PKEY* public_key);

}  // namespace certpair::x509
