#include "x509/pkcs12.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <openssl/objects.h>

#include "x509/certificate.hpp"
#include "x509/key.hpp"
#include "x509/openssl.hpp"
#include "x509/text.hpp"

namespace certpair::x509 {
namespace {

constexpr int kIterations = 10'000;  // as Java's keytool; the same key lies unencrypted beside it
constexpr std::size_t kMaxPassword = 256;
constexpr std::size_t kMaxName = 253;

Result<void> CheckTexts(const SecretString& password, const std::string& friendly_name) {
  if (auto good = CheckPkcs12Password(password); !good) return good;
  if (friendly_name.size() > kMaxName || !CountCharacters(friendly_name)) {
    return Fail(ErrorCode::Invalid, "the PKCS#12 alias is too long or not UTF-8");
  }
  return {};
}

bool Push(STACK_OF(X509) * stack, CertificateHandle certificate) {
  if (sk_X509_push(stack, certificate.get()) <= 0) return false;
  [[maybe_unused]] X509* owned_by_stack = certificate.release();
  return true;
}

// All certificates but the leaf, each once.
Result<Handle<STACK_OF(X509)>> Others(std::vector<CertificateHandle> chain,
                                      std::string_view ca_pem) {
  Handle<STACK_OF(X509)> others{sk_X509_new_null()};
  if (!ca_pem.empty()) {
    auto authorities = ParseCertificates(ca_pem);
    if (!authorities) {
      return Fail(ErrorCode::Invalid, "the CA certificate " + authorities.error().message);
    }
    for (CertificateHandle& authority : *authorities) {
      const bool is_there = std::ranges::any_of(chain, [&](const CertificateHandle& member) {
        return X509_cmp(member.get(), authority.get()) == 0;
      });
      if (!is_there) chain.push_back(std::move(authority));
    }
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (!others || !Push(others.get(), std::move(chain[i]))) return OpenSslFailed("list the chain");
  }
  return others;
}

Result<SecretString> ToBytes(PKCS12* store) {
  unsigned char* der = nullptr;
  const int size = i2d_PKCS12(store, &der);
  if (size <= 0) return OpenSslFailed("encode the PKCS#12 key store");
  SecretString bytes{std::string{der, der + size}};
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return bytes;
}

}  // namespace

Result<void> CheckPkcs12Password(const SecretString& password) {
  if (password.empty()) return Fail(ErrorCode::Invalid, "the PKCS#12 password is empty");
  // Java takes no other characters for the keys of PBES2 (its PBEKey), and says that the password
  // is wrong.
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (password.Reveal().size() > kMaxPassword ||
      !std::ranges::all_of(password.Reveal(), is_printable)) {
    return Fail(ErrorCode::Invalid,
                "the PKCS#12 password is longer than 256 octets, or it has other characters than "
                "printable ASCII (a newline at its end? an umlaut?), with which Java cannot open "
                "the key store");
  }
  return {};
}

Result<SecretString> EncodePkcs12(std::string_view certificate_pem, std::string_view key_pem,
                                  std::string_view ca_pem, const SecretString& password,
                                  const std::string& friendly_name) {
  const ErrorQueue errors;
  if (auto good = CheckTexts(password, friendly_name); !good) {
    return std::unexpected(std::move(good.error()));
  }
  auto chain = ParseCertificates(certificate_pem);
  if (!chain) return Fail(ErrorCode::Invalid, "the certificate " + chain.error().message);
  const auto key = ParseKey(key_pem);
  if (!key) return std::unexpected(key.error());
  const CertificateHandle leaf = std::move(chain->front());
  chain->front().reset(X509_dup(leaf.get()));  // Others compares with it
  if (X509_check_private_key(leaf.get(), key->get()) != 1) {
    return Fail(ErrorCode::Invalid, "the private key does not match the certificate");
  }
  const auto others = Others(std::move(*chain), ca_pem);
  if (!others) return std::unexpected(others.error());
  // A SecretString holds a std::string: its text ends with a NUL, as C wants it.
  const char* text = password.Reveal().data();
  const Handle<PKCS12> store{PKCS12_create(text, friendly_name.c_str(), key->get(), leaf.get(),
                                           others->get(), NID_aes_256_cbc, NID_aes_256_cbc,
                                           kIterations, -1, 0)};
  const int length = static_cast<int>(password.Reveal().size());
  if (!store || PKCS12_set_mac(store.get(), text, length, nullptr, 0, kIterations, Sha256()) != 1) {
    return OpenSslFailed("make the PKCS#12 key store");
  }
  return ToBytes(store.get());
}

}  // namespace certpair::x509
