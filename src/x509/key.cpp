#include "x509/key.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "x509/openssl.hpp"
#include "x509/pem.hpp"
#include "x509/pkcs8.hpp"
#include "x509/public_key.hpp"

namespace certpair::x509 {
namespace {

using core::KeyAlgorithm;
using core::KeySpec;

constexpr const char* kOffered = "RSA 2048, 3072 and 4096, ECDSA P-256 and P-384, and Ed25519";

// OpenSSL asks between two prime tests whether to go on.
int GoOnUnlessStopped(EVP_PKEY_CTX* context) {
  const auto* stop = static_cast<const std::stop_token*>(EVP_PKEY_CTX_get_app_data(context));
  return stop->stop_requested() ? 0 : 1;
}

Result<PrivateKey> Generate(EVP_PKEY_CTX* context) {
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_generate(context, &key) != 1) return OpenSslFailed("make a key");
  return PrivateKey{KeyHandle{key}};
}

Result<PrivateKey> GenerateRsa(int bits, std::stop_token stop) {
  const Handle<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits) != 1) {
    return OpenSslFailed("prepare an RSA key");
  }
  EVP_PKEY_CTX_set_app_data(context.get(), &stop);
  EVP_PKEY_CTX_set_cb(context.get(), GoOnUnlessStopped);
  Result<PrivateKey> key = Generate(context.get());
  if (!key && stop.stop_requested()) {
    return Fail(ErrorCode::Cancelled, "making the RSA key was stopped");
  }
  return key;
}

Result<PrivateKey> GenerateEc(const char* curve) {
  const Handle<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_group_name(context.get(), curve) != 1 ||
      EVP_PKEY_CTX_set_ec_param_enc(context.get(), OPENSSL_EC_NAMED_CURVE) != 1) {
    return OpenSslFailed("prepare an ECDSA key");
  }
  return Generate(context.get());
}

Result<PrivateKey> GenerateEd25519() {
  const Handle<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new_from_name(nullptr, "ED25519", nullptr)};
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1) {
    return OpenSslFailed("prepare an Ed25519 key");
  }
  return Generate(context.get());
}

std::unexpected<KeyError> Refuse(KeyFault fault, std::string message) {
  return std::unexpected(KeyError{fault, std::move(message)});
}

// A key of one of the types that TLS knows, from DER of which all octets are used.
KeyHandle DecodeKey(const PemBlock& block) {
  const std::string_view der = block.der.Reveal();
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = begin;
  KeyHandle key;
  if (block.label == "PRIVATE KEY") {
    const Handle<PKCS8_PRIV_KEY_INFO> info{
        d2i_PKCS8_PRIV_KEY_INFO(nullptr, &end, static_cast<long>(der.size()))};
    if (info) key.reset(EVP_PKCS82PKEY(info.get()));
  } else {
    const int type = block.label == "EC PRIVATE KEY" ? EVP_PKEY_EC : EVP_PKEY_RSA;
    key.reset(d2i_PrivateKey(type, nullptr, &end, static_cast<long>(der.size())));
  }
  if (end != begin + der.size()) key.reset();
  return key;
}

// PKCS#1 or SEC 1 where the lines around it say PKCS#8: what a tool wrote with the wrong label.
bool IsTraditionalUnderPkcs8(const PemBlock& block) {
  if (block.label != "PRIVATE KEY") return false;
  const std::string_view der = block.der.Reveal();
  for (const int type : {EVP_PKEY_RSA, EVP_PKEY_EC}) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    if (KeyHandle{d2i_PrivateKey(type, nullptr, &at, static_cast<long>(der.size()))}) return true;
  }
  return false;
}

bool IsKeyLabel(std::string_view label) {
  return label == "PRIVATE KEY" || label == "RSA PRIVATE KEY" || label == "EC PRIVATE KEY" ||
         label == "ENCRYPTED PRIVATE KEY";
}

// The one block that is a key: `openssl ecparam -genkey` writes EC PARAMETERS before it.
std::expected<const PemBlock*, KeyError> OnlyKey(const std::vector<PemBlock>& blocks) {
  const PemBlock* found = nullptr;
  for (const PemBlock& block : blocks) {
    if (block.label == "EC PARAMETERS") continue;
    if (!IsKeyLabel(block.label)) {
      return Refuse(KeyFault::Malformed, "holds a PEM block that is not a private key");
    }
    if (found != nullptr) return Refuse(KeyFault::Malformed, "holds more than one private key");
    found = &block;
  }
  if (found == nullptr) return Refuse(KeyFault::Malformed, "holds no PEM private key");
  return found;
}

bool IsAllowed(KeySpec spec, KeyUse use) {
  if (IsOffered(spec)) return true;
  if (use != KeyUse::Authority) return false;
  // Beyond 16384 bits OpenSSL refuses to verify.
  return spec.algorithm == KeyAlgorithm::Rsa ? spec.size >= 2048 && spec.size <= 16384
                                             : spec == KeySpec{KeyAlgorithm::Ecdsa, 521};
}

}  // namespace

bool IsOffered(KeySpec spec) {
  switch (spec.algorithm) {
    case KeyAlgorithm::Rsa:
      return spec.size == 2048 || spec.size == 3072 || spec.size == 4096;
    case KeyAlgorithm::Ecdsa:
      return spec.size == 256 || spec.size == 384;
    case KeyAlgorithm::Ed25519:
      return spec.size == 256;
  }
  return false;
}

KeySpec PrivateKey::Spec() const { return SpecOf(get()).value_or(KeySpec{}); }

SecretString PrivateKey::ToPem() const {
  const ErrorQueue errors;
  const Handle<PKCS8_PRIV_KEY_INFO> info = ToPkcs8(get());
  unsigned char* der = nullptr;
  const int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info.get(), &der) : -1;
  if (size <= 0) return {};
  SecretString pem{WritePem("PRIVATE KEY", {der, static_cast<std::size_t>(size)})};
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return pem;
}

Result<PrivateKey> GenerateKey(KeySpec spec, std::stop_token stop) {
  const ErrorQueue errors;
  if (!IsOffered(spec)) {
    return Fail(ErrorCode::Invalid,
                fmt::format("a key of {} bits is not offered for this algorithm: choose among {}",
                            spec.size, kOffered));
  }
  switch (spec.algorithm) {
    case KeyAlgorithm::Rsa:
      return GenerateRsa(spec.size, std::move(stop));
    case KeyAlgorithm::Ecdsa:
      return GenerateEc(spec.size == 256 ? "P-256" : "P-384");
    case KeyAlgorithm::Ed25519:
      return GenerateEd25519();
  }
  return Fail(ErrorCode::Invalid, "the key algorithm is not known");
}

std::expected<PrivateKey, KeyError> ReadKey(std::string_view pem, KeyUse use) {
  const ErrorQueue errors;
  const auto blocks = ReadPem(pem, kMaxKeyBytes, 8);
  if (!blocks) return Refuse(KeyFault::Malformed, blocks.error().message);
  const auto block = OnlyKey(*blocks);
  if (!block) return std::unexpected(block.error());
  if ((*block)->is_encrypted || (*block)->label == "ENCRYPTED PRIVATE KEY") {
    return Refuse(KeyFault::Encrypted,
                  "is encrypted, and nobody is there to type a password: store it unencrypted");
  }
  KeyHandle key = DecodeKey(**block);
  if (!key && IsTraditionalUnderPkcs8(**block)) {
    return Refuse(KeyFault::Malformed,
                  "holds a PKCS#1 or SEC 1 key between the lines of PKCS#8 (BEGIN PRIVATE KEY): "
                  "name it BEGIN RSA PRIVATE KEY or BEGIN EC PRIVATE KEY, or convert it with "
                  "openssl pkcs8 -topk8 -nocrypt");
  }
  if (!key) return Refuse(KeyFault::Malformed, "is not a private key that OpenSSL can read");
  const auto spec = SpecOf(key.get());
  if (!spec || !IsAllowed(*spec, use)) {
    return Refuse(KeyFault::Unsupported,
                  fmt::format("is of a kind or size that is not offered: use one of {}", kOffered));
  }
  return PrivateKey{std::move(key)};
}

Result<PrivateKey> ParseKey(std::string_view pem) {
  auto key = ReadKey(pem, KeyUse::System);
  if (!key) return Fail(ErrorCode::Invalid, "the private key " + key.error().message);
  return std::move(*key);
}

}  // namespace certpair::x509
