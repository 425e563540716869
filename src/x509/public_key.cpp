#include "x509/public_key.hpp"

#include <array>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/objects.h>

#include "x509/openssl.hpp"

namespace certpair::x509 {
namespace {

using core::KeyAlgorithm;
using core::KeySpec;

std::optional<KeySpec> SpecOfCurve(int nid) {
  switch (nid) {
    case NID_X9_62_prime256v1:
      return KeySpec{KeyAlgorithm::Ecdsa, 256};
    case NID_secp384r1:
      return KeySpec{KeyAlgorithm::Ecdsa, 384};
    case NID_secp521r1:
      return KeySpec{KeyAlgorithm::Ecdsa, 521};
    default:
      return std::nullopt;
  }
}

std::optional<KeySpec> EcSpec(EVP_PKEY* key) {
  std::array<char, 64> text{};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, text.data(), text.size(),
                                     &size) != 1 ||
      std::string_view{text.data(), size} != OSSL_PKEY_EC_ENCODING_GROUP) {
    return std::nullopt;  // RFC 5480 §2.1.1: named curves only
  }
  if (EVP_PKEY_get_group_name(key, text.data(), text.size(), &size) != 1) return std::nullopt;
  return SpecOfCurve(OBJ_sn2nid(text.data()));
}

// X509_set_pubkey would encode the key, and then decode it again with a decoder that costs several
// signatures' time; the parts of an EC key are at hand.
bool SetEcKey(X509* certificate, EVP_PKEY* key, KeySpec spec) {
  unsigned char* point = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key, &point);
  if (size == 0) return false;
  const int curve = spec.size == 256 ? NID_X9_62_prime256v1 : NID_secp384r1;
  if (X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate),
                             OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
                             OBJ_nid2obj(curve), point, static_cast<int>(size)) != 1) {
    OPENSSL_free(point);
    return false;
  }
  return true;
}

}  // namespace

std::optional<KeySpec> SpecOf(EVP_PKEY* key) {
  if (key == nullptr) return std::nullopt;
  if (EVP_PKEY_is_a(key, "RSA") == 1) return KeySpec{KeyAlgorithm::Rsa, EVP_PKEY_get_bits(key)};
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeySpec{KeyAlgorithm::Ed25519, 256};
  return EVP_PKEY_is_a(key, "EC") == 1 ? EcSpec(key) : std::nullopt;
}

std::optional<KeySpec> SpecOfCertificate(X509* certificate) {
  // From the AlgorithmIdentifier, since decoding the key of a certificate that was just made costs
  // as much as making it. RSA has its size in the key alone.
  X509_ALGOR* algorithm = nullptr;
  if (X509_PUBKEY_get0_param(nullptr, nullptr, nullptr, &algorithm,
                             X509_get_X509_PUBKEY(certificate)) != 1) {
    return std::nullopt;
  }
  const ASN1_OBJECT* kind = nullptr;
  int parameter_type = V_ASN1_UNDEF;
  const void* parameter = nullptr;
  X509_ALGOR_get0(&kind, &parameter_type, &parameter, algorithm);
  if (OBJ_obj2nid(kind) != NID_X9_62_id_ecPublicKey) return SpecOf(X509_get0_pubkey(certificate));
  if (parameter_type != V_ASN1_OBJECT) return std::nullopt;
  return SpecOfCurve(OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(parameter)));
}

Result<void> SetPublicKey(X509* certificate, EVP_PKEY* key) {
  const auto spec = SpecOf(key);
  const bool is_short_way = spec && spec->algorithm == KeyAlgorithm::Ecdsa && spec->size <= 384;
  const bool done =
      is_short_way ? SetEcKey(certificate, key, *spec) : X509_set_pubkey(certificate, key) == 1;
  if (!done) return OpenSslFailed("put the public key into the certificate");
  return {};
}

}  // namespace certpair::x509
