#include "x509/openssl.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/err.h>

namespace certpair::x509 {

template <>
void Deleter<EVP_PKEY>::operator()(EVP_PKEY* object) const noexcept {
  EVP_PKEY_free(object);
}
template <>
void Deleter<X509>::operator()(X509* object) const noexcept {
  X509_free(object);
}
template <>
void Deleter<BIO>::operator()(BIO* object) const noexcept {
  BIO_free_all(object);
}
template <>
void Deleter<BIGNUM>::operator()(BIGNUM* object) const noexcept {
  BN_clear_free(object);
}
template <>
void Deleter<EVP_MD>::operator()(EVP_MD* object) const noexcept {
  EVP_MD_free(object);
}
template <>
void Deleter<EVP_MD_CTX>::operator()(EVP_MD_CTX* object) const noexcept {
  EVP_MD_CTX_free(object);
}
template <>
void Deleter<EVP_PKEY_CTX>::operator()(EVP_PKEY_CTX* object) const noexcept {
  EVP_PKEY_CTX_free(object);
}
template <>
void Deleter<PKCS12>::operator()(PKCS12* object) const noexcept {
  PKCS12_free(object);
}
template <>
void Deleter<PKCS8_PRIV_KEY_INFO>::operator()(PKCS8_PRIV_KEY_INFO* object) const noexcept {
  PKCS8_PRIV_KEY_INFO_free(object);
}
template <>
void Deleter<STACK_OF(X509)>::operator()(STACK_OF(X509) * object) const noexcept {
  sk_X509_pop_free(object, X509_free);
}
template <>
void Deleter<X509_EXTENSION>::operator()(X509_EXTENSION* object) const noexcept {
  X509_EXTENSION_free(object);
}
template <>
void Deleter<X509_NAME>::operator()(X509_NAME* object) const noexcept {
  X509_NAME_free(object);
}

ErrorQueue::ErrorQueue() noexcept { ERR_clear_error(); }
ErrorQueue::~ErrorQueue() { ERR_clear_error(); }

std::string DrainErrors() {
  std::string reasons;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!reasons.empty()) reasons += "; ";
    reasons += reason != nullptr ? reason : "unknown";
  }
  return reasons.empty() ? "no reason given" : reasons;
}

std::unexpected<Error> OpenSslFailed(std::string_view what) {
  return Fail(ErrorCode::Internal, fmt::format("OpenSSL failed to {}: {}", what, DrainErrors()));
}

const EVP_MD* Sha1() {
  static const Handle<EVP_MD> digest{EVP_MD_fetch(nullptr, "SHA1", nullptr)};
  return digest.get();
}

const EVP_MD* Sha256() {
  static const Handle<EVP_MD> digest{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  return digest.get();
}

const EVP_MD* SignatureDigest(EVP_PKEY* key) {
  static const Handle<EVP_MD> sha384{EVP_MD_fetch(nullptr, "SHA384", nullptr)};
  static const Handle<EVP_MD> sha512{EVP_MD_fetch(nullptr, "SHA512", nullptr)};
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return nullptr;
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    if (EVP_PKEY_get_bits(key) > 384) return sha512.get();
    if (EVP_PKEY_get_bits(key) > 256) return sha384.get();
  }
  return Sha256();
}

std::string ColonHex(const unsigned char* bytes, std::size_t size) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  text.reserve(size * 3);
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += kDigits[bytes[i] >> 4U];
    text += kDigits[bytes[i] & 0xFU];
  }
  return text;
}

std::string_view BytesOf(BIO* memory) {
  const char* bytes = nullptr;
  // The macro BIO_get_mem_data, without its C cast.
  const long size = BIO_ctrl(memory, BIO_CTRL_INFO, 0, static_cast<void*>(&bytes));
  return bytes == nullptr || size <= 0 ? std::string_view{}
                                       : std::string_view{bytes, static_cast<std::size_t>(size)};
}

bool SignsFor(EVP_PKEY* key, EVP_PKEY* public_key) {
  static constexpr std::array<unsigned char, 16> kProbe{'c', 'e', 'r', 't', 'p', 'a', 'i', 'r'};
  const EVP_MD* digest = SignatureDigest(key);
  std::array<unsigned char, 2048> signature{};  // of RSA-16384
  std::size_t size = signature.size();
  const Handle<EVP_MD_CTX> signing{EVP_MD_CTX_new()};
  const Handle<EVP_MD_CTX> verifying{EVP_MD_CTX_new()};
  return signing && verifying &&
         EVP_DigestSignInit(signing.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestSign(signing.get(), signature.data(), &size, kProbe.data(), kProbe.size()) ==
             1 &&
         EVP_DigestVerifyInit(verifying.get(), nullptr, digest, nullptr, public_key) == 1 &&
         EVP_DigestVerify(verifying.get(), signature.data(), size, kProbe.data(), kProbe.size()) ==
             1;
}

}  // namespace certpair::x509
