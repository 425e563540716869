#include "x509/certificate.hpp"

#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "x509/chain.hpp"
#include "x509/key.hpp"
#include "x509/name.hpp"
#include "x509/openssl.hpp"
#include "x509/pem.hpp"
#include "x509/public_key.hpp"
#include "x509/validity.hpp"

namespace certpair::x509 {
namespace {

std::string Digest(X509* certificate, const EVP_MD* digest) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (X509_digest(certificate, digest, bytes.data(), &size) != 1) return {};
  return ColonHex(bytes.data(), size);
}

std::string SerialNumber(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  const std::string digits =
      ColonHex(ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial)));
  const bool is_negative = ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER;
  return is_negative ? "-" + digits : digits;
}

std::string AlgorithmName(const ASN1_OBJECT* algorithm) {
  if (const int nid = OBJ_obj2nid(algorithm); nid != NID_undef) return OBJ_nid2ln(nid);
  std::array<char, 128> dotted{};
  OBJ_obj2txt(dotted.data(), static_cast<int>(dotted.size()), algorithm, 1);
  return dotted.data();
}

std::string SignatureAlgorithm(const X509* certificate) {
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, certificate);
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return AlgorithmName(object);
}

Result<CertificateHandle> Decode(const PemBlock& block, std::size_t number) {
  if (block.label != "CERTIFICATE" || block.has_headers) {
    return Fail(ErrorCode::Invalid,
                fmt::format("holds a PEM block (number {}) that is not a certificate", number));
  }
  const std::string_view der = block.der.Reveal();
  const auto* begin = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* end = begin;
  CertificateHandle certificate{d2i_X509(nullptr, &end, static_cast<long>(der.size()))};
  if (!certificate || end != begin + der.size()) {
    return Fail(ErrorCode::Invalid,
                fmt::format("holds a certificate (number {}) that cannot be read", number));
  }
  return certificate;
}

// The CA that signed the leaf of a slot, where tls.crt and ca.crt say that it stands.
Result<CertificateHandle> IssuerOf(std::vector<CertificateHandle>& certificates,
                                   std::string_view ca_pem) {
  if (certificates.size() > 1) return std::move(certificates[1]);
  auto authorities = ParseCertificates(ca_pem);
  if (!authorities) {
    return Fail(authorities.error().code, "the CA certificate " + authorities.error().message);
  }
  return std::move(authorities->front());
}

}  // namespace

Result<std::vector<CertificateHandle>> ParseCertificates(std::string_view pem, std::size_t most) {
  const ErrorQueue errors;
  if (pem.empty()) return Fail(ErrorCode::Invalid, "is empty");
  const auto blocks = ReadPem(pem, kMaxPemBytes, most + 1);
  if (!blocks) return std::unexpected(blocks.error());
  if (blocks->size() > most) {
    return Fail(ErrorCode::Invalid,
                fmt::format("holds more than {} certificates, the most that are read there: leave "
                            "those of the chain, and take the others out",
                            most));
  }
  if (blocks->empty()) return Fail(ErrorCode::Invalid, "holds no PEM certificate");
  std::vector<CertificateHandle> certificates;
  for (const PemBlock& block : *blocks) {
    auto certificate = Decode(block, certificates.size() + 1);
    if (!certificate) return std::unexpected(std::move(certificate.error()));
    certificates.push_back(std::move(*certificate));
  }
  return certificates;
}

core::Certificate Describe(X509* certificate) {
  const ErrorQueue errors;
  core::Certificate details;
  details.fingerprint = Digest(certificate, Sha256());
  details.fingerprint_sha1 = Digest(certificate, Sha1());
  details.subject = NameString(X509_get_subject_name(certificate));
  details.issuer = NameString(X509_get_issuer_name(certificate));
  details.serial_number = SerialNumber(certificate);
  details.signature_algorithm = SignatureAlgorithm(certificate);
  details.key = SpecOfCertificate(certificate).value_or(core::KeySpec{.size = 0});
  details.not_before = NotBefore(certificate);
  details.not_after = NotAfter(certificate);
  return details;
}

std::string Fingerprint(X509* certificate) {
  const ErrorQueue errors;
  return Digest(certificate, Sha256());
}

Result<std::string> FingerprintOf(std::string_view pem) {
  const auto certificates = ParseCertificates(pem);
  if (!certificates) return std::unexpected(certificates.error());
  return Fingerprint(certificates->front().get());
}

bool HaveSameKey(std::string_view one_pem, std::string_view other_pem) {
  const ErrorQueue errors;
  const auto one = ParseCertificates(one_pem);
  const auto other = ParseCertificates(other_pem);
  if (!one || !other) return false;
  const EVP_PKEY* key = X509_get0_pubkey(one->front().get());
  const EVP_PKEY* other_key = X509_get0_pubkey(other->front().get());
  return key != nullptr && other_key != nullptr && EVP_PKEY_eq(key, other_key) == 1;
}

Result<void> CheckChain(std::string_view certificate_pem, std::string_view chain_pem) {
  const ErrorQueue errors;
  const auto leaf = ParseCertificates(certificate_pem);
  if (!leaf) return std::unexpected(leaf.error());
  const auto chain = ParseCertificates(chain_pem);
  if (!chain) return std::unexpected(chain.error());
  X509* below = leaf->front().get();
  for (const CertificateHandle& issuer : *chain) {
    if (issuer != chain->front() && X509_cmp(issuer.get(), below) == 0) continue;
    if (!IsIssuer(issuer.get(), below)) {
      return Fail(ErrorCode::Invalid, fmt::format("holds {}, which did not sign {}",
                                                  SubjectOf(issuer.get()), SubjectOf(below)));
    }
    below = issuer.get();
  }
  return {};
}

std::string ToPem(X509* certificate) {
  const ErrorQueue errors;
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  std::string pem = WritePem("CERTIFICATE", {der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return pem;
}

std::string SubjectOf(X509* certificate) {
  const ErrorQueue errors;
  return NameString(X509_get_subject_name(certificate));
}

Result<core::Certificate> ReadSlot(std::string_view certificate_pem, std::string_view key_pem,
                                   std::string_view ca_pem) {
  const ErrorQueue errors;
  auto certificates = ParseCertificates(certificate_pem);
  if (!certificates) {
    return Fail(certificates.error().code, "the certificate " + certificates.error().message);
  }
  const auto key = ParseKey(key_pem);
  if (!key) return std::unexpected(key.error());
  X509* leaf = certificates->front().get();
  EVP_PKEY* public_key = X509_get0_pubkey(leaf);
  if (public_key == nullptr || EVP_PKEY_eq(public_key, key->get()) != 1 ||
      !SignsFor(key->get(), public_key)) {
    return Fail(ErrorCode::Invalid, "the private key does not match the certificate");
  }
  core::Certificate details = Describe(leaf);
  details.pem = ToPem(leaf);
  const auto issuer = IssuerOf(*certificates, ca_pem);
  if (!issuer) return std::unexpected(issuer.error());
  if (!IsIssuer(issuer->get(), leaf)) {
    return Fail(ErrorCode::Invalid,
                fmt::format("the certificate was not signed by the CA beside it, {}",
                            SubjectOf(issuer->get())));
  }
  details.issuer_fingerprint = Fingerprint(issuer->get());
  return details;
}

Result<std::string> SubjectString(const core::Subject& subject) {
  const ErrorQueue errors;
  const auto name = EncodeName(subject);
  if (!name) return std::unexpected(name.error());
  return NameString(name->get());
}

}  // namespace certpair::x509
