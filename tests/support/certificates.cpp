#include "support/certificates.hpp"

#include <memory>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace certpair::test {
namespace {

using Bio = std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free_all(b); })>;
using Key = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* k) { EVP_PKEY_free(k); })>;
using Certificate = std::unique_ptr<X509, decltype([](X509* c) { X509_free(c); })>;
using Extension =
    std::unique_ptr<X509_EXTENSION, decltype([](X509_EXTENSION* e) { X509_EXTENSION_free(e); })>;

void Want(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string{"cannot make a test certificate: "} + what);
}

Bio Reader(const std::string& text) {
  return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string TextOf(const Bio& bio) {
  const char* data = nullptr;
  const long size = BIO_ctrl(bio.get(), BIO_CTRL_INFO, 0, static_cast<void*>(&data));
  return {data, static_cast<std::size_t>(size)};
}

Key MakeKey(const std::string& kind) {
  Key key;
  if (kind.starts_with("RSA-")) {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::stoul(kind.substr(4))));
  } else if (kind.starts_with("ED")) {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str()));
  } else {
    key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.c_str()));
  }
  Want(key != nullptr, "key");
  return key;
}

Key ReadKey(const std::string& pem) {
  const Bio bio = Reader(pem);
  Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr)};
  Want(key != nullptr, "key of PEM");
  return key;
}

std::string WriteKey(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
  const Bio bio{BIO_new(BIO_s_mem())};
  std::string password = "secret";
  Want(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, cipher, cipher ? password.data() : nullptr,
                                     cipher ? 6 : 0, nullptr, nullptr) == 1,
       "key to PEM");
  return TextOf(bio);
}

std::string WriteTraditional(const std::string& key_pem, const EVP_CIPHER* cipher) {
  const Key key = ReadKey(key_pem);
  const Bio bio{BIO_new(BIO_s_mem())};
  static constexpr unsigned char kPassword[] = "secret";
  Want(PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), cipher,
                                            cipher ? kPassword : nullptr, cipher ? 6 : 0, nullptr,
                                            nullptr) == 1,
       "traditional key");
  return TextOf(bio);
}

void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<CONF, decltype([](CONF* c) { NCONF_free(c); })> sections{
      NCONF_new(nullptr)};
  static const std::string kSections = "[name]\nO = Example\n";
  const Bio names = Reader(kSections);
  long line = 0;
  Want(NCONF_load_bio(sections.get(), names.get(), &line) == 1, "section");
  X509V3_set_nconf(&context, sections.get());
  const Extension extension{X509V3_EXT_nconf_nid(sections.get(), &context, nid, value.c_str())};
  Want(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

void AddUnknownCritical(X509* certificate) {
  const std::unique_ptr<ASN1_OBJECT, decltype([](ASN1_OBJECT* o) { ASN1_OBJECT_free(o); })> oid{
      OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1)};
  const std::unique_ptr<ASN1_OCTET_STRING,
                        decltype([](ASN1_OCTET_STRING* o) { ASN1_OCTET_STRING_free(o); })>
      value{ASN1_OCTET_STRING_new()};
  static constexpr unsigned char kNull[] = {0x05, 0x00};
  ASN1_OCTET_STRING_set(value.get(), kNull, sizeof kNull);
  const Extension extension{X509_EXTENSION_create_by_OBJ(nullptr, oid.get(), 1, value.get())};
  Want(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "unknown extension");
}

bool IsEdwards(EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1;
}

// `issuer` is empty for a self-signed one.
std::string Make(const CertificateOptions& options, EVP_PKEY* key, X509* issuer,
                 EVP_PKEY* issuer_key) {
  const Certificate certificate{X509_new()};
  X509* made = certificate.get();
  X509* signer = issuer != nullptr ? issuer : made;
  X509_set_version(made, X509_VERSION_3);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial);
  if (!options.common_name.empty())
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                               -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(signer));
  ASN1_TIME_set(X509_getm_notBefore(made), options.not_before.time_since_epoch().count());
  ASN1_TIME_set(X509_getm_notAfter(made), options.not_after.time_since_epoch().count());
  Want(X509_set_pubkey(made, key) == 1, "public key");
  Extend(made, signer, NID_basic_constraints, options.basic_constraints);
  Extend(made, signer, NID_key_usage, options.key_usage);
  Extend(made, signer, NID_ext_key_usage, options.extended_key_usage);
  Extend(made, signer, NID_name_constraints, options.name_constraints);
  Extend(made, signer, NID_policy_constraints, options.policy_constraints);
  if (options.has_unknown_critical) AddUnknownCritical(made);
  if (options.has_subject_key_id) Extend(made, signer, NID_subject_key_identifier, "hash");
  if (issuer != nullptr && X509_get0_subject_key_id(issuer) != nullptr) {
    Extend(made, signer, NID_authority_key_identifier, "keyid");
  }
  Want(
      X509_sign(made, issuer_key,
                IsEdwards(issuer_key) ? nullptr : EVP_get_digestbyname(options.digest.c_str())) > 0,
      "sign");
  const Bio bio{BIO_new(BIO_s_mem())};
  Want(PEM_write_bio_X509(bio.get(), made) == 1, "certificate to PEM");
  return TextOf(bio);
}

}  // namespace

std::string MakeKeyPem(const std::string& kind) { return WriteKey(MakeKey(kind).get()); }

PemPair MakeAuthority(const CertificateOptions& options) {
  const Key key = MakeKey(options.key);
  return {.certificate = Make(options, key.get(), nullptr, key.get()), .key = WriteKey(key.get())};
}

std::string MakeCertificate(const CertificateOptions& options, const std::string& key_pem) {
  const Key key = ReadKey(key_pem);
  return Make(options, key.get(), nullptr, key.get());
}

PemPair MakeAuthority(const CertificateOptions& options, const PemPair& issuer) {
  const Key key = MakeKey(options.key);
  const Key issuer_key = ReadKey(issuer.key);
  const Bio bio = Reader(issuer.certificate);
  const Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
  Want(certificate != nullptr, "issuer");
  return {.certificate = Make(options, key.get(), certificate.get(), issuer_key.get()),
          .key = WriteKey(key.get())};
}

std::string EncryptKey(const std::string& key_pem) {
  return WriteKey(ReadKey(key_pem).get(), EVP_aes_256_cbc());
}

std::string EncryptKeyTraditionally(const std::string& key_pem) {
  return WriteTraditional(key_pem, EVP_aes_256_cbc());
}

std::string ToTraditionalKey(const std::string& key_pem) {
  return WriteTraditional(key_pem, nullptr);
}

x509::Signer MakeSigner(const PemPair& pair, const std::string& ca_pem) {
  auto signer =
      x509::Signer::Load(pair.certificate, pair.key, ca_pem, kLongAgo + std::chrono::days{366 * 7});
  Want(signer.has_value(), signer ? "" : signer.error().message.c_str());
  return std::move(*signer);
}

x509::IssuedCertificate MakeClient(const PemPair& authority, const std::string& common_name,
                                   sys_seconds not_before, sys_seconds not_after,
                                   core::KeySpec key_spec) {
  core::CertificateOrder order;
  order.subject.common_name = common_name;
  order.key = key_spec;
  order.not_before = not_before;
  order.not_after = not_after;
  const auto key = x509::GenerateKey(key_spec);
  Want(key.has_value(), "client key");
  auto issued = MakeSigner(authority).Issue(order, *key);
  Want(issued.has_value(), issued ? "" : issued.error().message.c_str());
  return std::move(*issued);
}

}  // namespace certpair::test
