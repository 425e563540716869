#include "x509/pkcs8.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include <openssl/core_names.h>
#include <openssl/objects.h>

#include "x509/public_key.hpp"

namespace certpair::x509 {
namespace {

// ECPrivateKey (RFC 5915 §3) as it stands in PKCS#8, without the parameters that are outside: the
// octets before the scalar and those between it and the point.
struct Curve {
  int nid;
  std::size_t scalar_size;
  std::array<unsigned char, 8> before;
  std::size_t before_size;
  std::array<unsigned char, 7> between;
  std::size_t between_size;
  [[nodiscard]] std::size_t PointSize() const { return 2 * scalar_size + 1; }
  [[nodiscard]] std::size_t Size() const {
    return before_size + scalar_size + between_size + PointSize();
  }
};
// SEQUENCE { INTEGER 1, OCTET STRING scalar, [1] { BIT STRING point } }
constexpr Curve kP256{
    NID_X9_62_prime256v1,           32, {0x30, 0x6B, 0x02, 0x01, 0x01, 0x04, 0x20}, 7,
    {0xA1, 0x44, 0x03, 0x42, 0x00}, 5};
constexpr Curve kP384{NID_secp384r1,
                      48,
                      {0x30, 0x81, 0x9B, 0x02, 0x01, 0x01, 0x04, 0x30},
                      8,
                      {0xA1, 0x64, 0x03, 0x62, 0x00},
                      5};

const Curve* CurveOf(EVP_PKEY* key) {
  const auto spec = SpecOf(key);
  if (spec == core::KeySpec{core::KeyAlgorithm::Ecdsa, 256}) return &kP256;
  if (spec == core::KeySpec{core::KeyAlgorithm::Ecdsa, 384}) return &kP384;
  return nullptr;
}

// Fills `der`, of curve.Size() octets.
bool WriteKey(EVP_PKEY* key, const Curve& curve, unsigned char* der) {
  BIGNUM* secret = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &secret) != 1) return false;
  const Handle<BIGNUM> scalar{secret};
  der = std::copy_n(curve.before.begin(), curve.before_size, der);
  const int size = static_cast<int>(curve.scalar_size);
  if (BN_bn2binpad(scalar.get(), der, size) != size) return false;
  der = std::copy_n(curve.between.begin(), curve.between_size, der + curve.scalar_size);
  std::size_t point_size = 0;
  return EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, der, curve.PointSize(),
                                         &point_size) == 1 &&
         point_size == curve.PointSize();
}

Handle<PKCS8_PRIV_KEY_INFO> EcToPkcs8(EVP_PKEY* key, const Curve& curve) {
  Handle<PKCS8_PRIV_KEY_INFO> info{PKCS8_PRIV_KEY_INFO_new()};
  auto* der = static_cast<unsigned char*>(OPENSSL_malloc(curve.Size()));
  if (info && der != nullptr && WriteKey(key, curve, der) &&
      PKCS8_pkey_set0(info.get(), OBJ_nid2obj(NID_X9_62_id_ecPublicKey), 0, V_ASN1_OBJECT,
                      OBJ_nid2obj(curve.nid), der, static_cast<int>(curve.Size())) == 1) {
    return info;  // it owns `der` now, and wipes it
  }
  OPENSSL_clear_free(der, curve.Size());
  return {};
}

}  // namespace

Handle<PKCS8_PRIV_KEY_INFO> ToPkcs8(EVP_PKEY* key) {
  if (const Curve* curve = CurveOf(key)) {
    if (auto info = EcToPkcs8(key, *curve)) return info;
  }
  return Handle<PKCS8_PRIV_KEY_INFO>{EVP_PKEY2PKCS8(key)};
}

}  // namespace certpair::x509
