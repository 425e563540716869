#include "support/tls_identity.hpp"

#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace certpair::test {
namespace {

template <auto F>
struct Freer {
  template <class T>
  void operator()(T* handle) const {
    F(handle);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Handle = std::unique_ptr<X509, Freer<X509_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free_all>>;

void Require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL failed in a test's preparation");
}

std::string TextOf(const Memory& memory) {
  BUF_MEM* content = nullptr;
  BIO_get_mem_ptr(memory.get(), &content);
  return {content->data, content->length};
}

std::string PemOf(X509* certificate) {
  Memory memory(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_X509(memory.get(), certificate) == 1);
  return TextOf(memory);
}

std::string PemOf(EVP_PKEY* key) {
  Memory memory(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return TextOf(memory);
}

void SetName(X509_NAME* name, const std::string& common_name) {
  Require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(common_name.c_str()),
                                     -1, -1, 0) == 1);
}

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  Require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

Handle Unsigned(const TlsSubject& subject, EVP_PKEY* key) {
  Handle certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  unsigned char serial[8];
  RAND_bytes(serial, sizeof serial);
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
  BN_free(number);
  const auto seconds = [](std::chrono::hours hours) {
    return static_cast<long>(std::chrono::seconds{hours}.count());
  };
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), seconds(subject.begins));
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds(subject.ends));
  X509_set_pubkey(certificate.get(), key);
  SetName(X509_get_subject_name(certificate.get()), subject.common_name);
  return certificate;
}

Key NewKey() {
  Key key(EVP_EC_gen("P-256"));
  Require(key != nullptr);
  return key;
}

}  // namespace

struct TlsAuthority::Keys {
  Key key;
  Handle certificate;
};

TlsAuthority::TlsAuthority(const std::string& common_name) : keys_(std::make_unique<Keys>()) {
  keys_->key = NewKey();
  keys_->certificate = Unsigned({.common_name = common_name, .alt_names = ""}, keys_->key.get());
  X509* certificate = keys_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate, NID_key_usage, "critical,keyCertSign");
  Require(X509_sign(certificate, keys_->key.get(), EVP_sha256()) > 0);
  certificate_ = PemOf(certificate);
}

TlsAuthority::~TlsAuthority() = default;

TlsIdentity TlsAuthority::Issue(const TlsSubject& subject) {
  const Key key = NewKey();
  const Handle certificate = Unsigned(subject, key.get());
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(keys_->certificate.get()));
  if (!subject.alt_names.empty())
    AddExtension(certificate.get(), NID_subject_alt_name, subject.alt_names);
  Require(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()) > 0);
  return {PemOf(certificate.get()), PemOf(key.get())};
}

std::string EncryptTlsKey(std::string_view key, const std::string& password) {
  Memory input(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const Key parsed(PEM_read_bio_PrivateKey(input.get(), nullptr, nullptr, nullptr));
  Require(parsed != nullptr);
  Memory output(BIO_new(BIO_s_mem()));
  Require(PEM_write_bio_PKCS8PrivateKey(output.get(), parsed.get(), EVP_aes_256_cbc(),
                                        password.data(), static_cast<int>(password.size()), nullptr,
                                        nullptr) == 1);
  return TextOf(output);
}

}  // namespace certpair::test
