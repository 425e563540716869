#include "x509/profile.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "x509/public_key.hpp"
#include "x509/validity.hpp"

namespace certpair::x509 {
namespace {

using Der = std::span<const unsigned char>;

// KeyUsage is a BIT STRING: the count of unused bits, then the bits from the left (§4.2.1.3).
constexpr std::array<unsigned char, 4> kSigns{0x03, 0x02, 0x07, 0x80};
constexpr std::array<unsigned char, 4> kSignsAndEnciphersKeys{0x03, 0x02, 0x05, 0xA0};
constexpr std::array<unsigned char, 4> kSignsCertificatesAndLists{0x03, 0x02, 0x01, 0x06};
// SEQUENCE OF one OID, id-kp-clientAuth (§4.2.1.12).
constexpr std::array<unsigned char, 12> kClientAuth{0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06,
                                                    0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
// An empty SEQUENCE: cA is FALSE by default, and DER leaves defaults out (§4.2.1.9).
constexpr std::array<unsigned char, 2> kIsNoAuthority{0x30, 0x00};
constexpr std::array<unsigned char, 8> kIsAuthorityOfLeaves{0x30, 0x06, 0x01, 0x01,
                                                            0xFF, 0x02, 0x01, 0x00};

enum class Criticality { Critical, Ignorable };

bool Add(X509* certificate, int nid, Criticality criticality, Der der) {
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  if (value == nullptr) return false;
  ASN1_OCTET_STRING_set(value, der.data(), static_cast<int>(der.size()));
  const int is_critical = criticality == Criticality::Critical ? 1 : 0;
  const Handle<X509_EXTENSION> extension{
      X509_EXTENSION_create_by_NID(nullptr, nid, is_critical, value)};
  ASN1_OCTET_STRING_free(value);
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// `OCTET STRING`, or another type of one octet's tag, around up to 127 octets.
std::string Wrap(char tag, std::string_view octets) {
  std::string der{tag, static_cast<char>(octets.size())};
  return der += octets;
}

Der Octets(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

std::string PublicKeyDigest(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (X509_pubkey_digest(certificate, Sha1(), bytes.data(), &size) != 1) return {};
  return {bytes.begin(), bytes.begin() + size};
}

bool AddSubjectKeyId(X509* certificate) {
  const std::string id = PublicKeyDigest(certificate);
  return !id.empty() && Add(certificate, NID_subject_key_identifier, Criticality::Ignorable,
                            Octets(Wrap(V_ASN1_OCTET_STRING, id)));
}

bool AddAuthorityKeyId(X509* certificate, std::string_view id) {
  constexpr char kKeyIdentifier = '\x80';  // [0] IMPLICIT OCTET STRING
  constexpr char kSequence = '\x30';
  return Add(certificate, NID_authority_key_identifier, Criticality::Ignorable,
             Octets(Wrap(kSequence, Wrap(kKeyIdentifier, id))));
}

bool SetSerialNumber(X509* certificate) {
  std::array<unsigned char, 16> octets{};
  do {
    if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) return false;
  } while (std::ranges::all_of(octets, [](unsigned char octet) { return octet == 0; }));
  const Handle<BIGNUM> number{BN_bin2bn(octets.data(), static_cast<int>(octets.size()), nullptr)};
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

}  // namespace

Result<CertificateHandle> MakeBody(const Body& body) {
  CertificateHandle certificate{X509_new()};
  if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !SetSerialNumber(certificate.get()) ||
      X509_set_subject_name(certificate.get(), body.subject) != 1 ||
      X509_set_issuer_name(certificate.get(), body.issuer) != 1) {
    return OpenSslFailed("make a certificate");
  }
  if (auto done = SetValidity(certificate.get(), body.not_before, body.not_after); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto done = SetPublicKey(certificate.get(), body.key); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return certificate;
}

Result<void> AddClientExtensions(X509* certificate, core::KeyAlgorithm algorithm,
                                 const std::string& authority_key_id) {
  // Only RSA can encipher a session's key.
  const Der usage = algorithm == core::KeyAlgorithm::Rsa ? kSignsAndEnciphersKeys : kSigns;
  if (!Add(certificate, NID_basic_constraints, Criticality::Critical, kIsNoAuthority) ||
      !Add(certificate, NID_key_usage, Criticality::Critical, usage) ||
      !Add(certificate, NID_ext_key_usage, Criticality::Ignorable, kClientAuth) ||
      !AddSubjectKeyId(certificate) || !AddAuthorityKeyId(certificate, authority_key_id)) {
    return OpenSslFailed("add the extensions of a client certificate");
  }
  return {};
}

Result<void> AddAuthorityExtensions(X509* certificate) {
  if (!Add(certificate, NID_basic_constraints, Criticality::Critical, kIsAuthorityOfLeaves) ||
      !Add(certificate, NID_key_usage, Criticality::Critical, kSignsCertificatesAndLists) ||
      !AddSubjectKeyId(certificate)) {
    return OpenSslFailed("add the extensions of a CA certificate");
  }
  return {};
}

std::string KeyIdentifier(X509* certificate) {
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(certificate);
  // Longer ones than a digest (RFC 7093 knows 64 octets at most) are nobody's; peers that compare
  // would compare with ours, and those that do not build chains by name.
  if (id == nullptr || ASN1_STRING_length(id) > 64) return PublicKeyDigest(certificate);
  const auto* begin = ASN1_STRING_get0_data(id);
  return {begin, begin + ASN1_STRING_length(id)};
}

Result<void> Sign(X509* certificate, EVP_PKEY* key) {
  if (X509_sign(certificate, key, SignatureDigest(key)) <= 0) {
    return OpenSslFailed("sign a certificate");
  }
  return {};
}

}  // namespace certpair::x509
