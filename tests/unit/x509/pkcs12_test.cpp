#include "x509/pkcs12.hpp"

#include <string>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "support/certificates.hpp"
#include "x509/certificate.hpp"
#include "x509/openssl.hpp"

namespace certpair::x509 {
namespace {

// What a key store holds, by OpenSSL's reader.
struct Contents {
  Handle<EVP_PKEY> key;
  CertificateHandle leaf;
  Handle<STACK_OF(X509)> others;
};

Contents Open(std::string_view bytes, const char* password) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const Handle<PKCS12> store{d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size()))};
  EVP_PKEY* key = nullptr;
  X509* leaf = nullptr;
  STACK_OF(X509)* others = nullptr;
  if (!store || PKCS12_parse(store.get(), password, &key, &leaf, &others) != 1) {
    ERR_clear_error();
    return {};
  }
  return {Handle<EVP_PKEY>{key}, CertificateHandle{leaf}, Handle<STACK_OF(X509)>{others}};
}

TEST(EncodePkcs12, Holds_key_leaf_and_each_other_certificate_once) {
  const test::PemPair root = test::MakeAuthority({.common_name = "Root"});
  const test::PemPair middle = test::MakeAuthority({.common_name = "Middle"}, root);
  const IssuedCertificate issued =
      test::MakeClient({middle.certificate + root.certificate, middle.key}, "abap-prod");
  for (const std::string& password :
       {std::string{"changeit"}, std::string{"p"},
        std::string{" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}, std::string(256, 'x')}) {
    const auto bytes = EncodePkcs12(issued.certificate_pem, issued.key_pem.Reveal(), issued.ca_pem,
                                    SecretString{password}, "abap-prod");
    ASSERT_TRUE(bytes) << bytes.error().message;
    const Contents contents = Open(bytes->Reveal(), password.c_str());
    ASSERT_TRUE(contents.key && contents.leaf && contents.others);
    EXPECT_EQ(Fingerprint(contents.leaf.get()), issued.details.fingerprint);
    EXPECT_EQ(X509_check_private_key(contents.leaf.get(), contents.key.get()), 1);
    int length = 0;
    const unsigned char* alias = X509_alias_get0(contents.leaf.get(), &length);
    EXPECT_EQ((std::string{alias, alias + length}), "abap-prod");
    ASSERT_EQ(sk_X509_num(contents.others.get()), 2);
    EXPECT_FALSE(Open(bytes->Reveal(), "another").key) << "opens with any password";
    EXPECT_FALSE(Open(bytes->Reveal(), "").key);
  }
}

TEST(EncodePkcs12, Holds_no_certificate_twice_where_tls_crt_and_ca_crt_overlap) {
  const test::PemPair root = test::MakeAuthority();
  const IssuedCertificate issued = test::MakeClient(root, "a");
  const auto bytes =
      EncodePkcs12(issued.certificate_pem + issued.ca_pem, issued.key_pem.Reveal(),
                   issued.ca_pem + issued.certificate_pem, SecretString{"changeit"}, "a");
  ASSERT_TRUE(bytes) << bytes.error().message;
  const Contents contents = Open(bytes->Reveal(), "changeit");
  ASSERT_TRUE(contents.others);
  EXPECT_EQ(sk_X509_num(contents.others.get()), 1);
}

TEST(EncodePkcs12, Refuses_what_no_reader_could_open_or_trust) {
  const test::PemPair authority = test::MakeAuthority();
  const IssuedCertificate issued = test::MakeClient(authority, "a");
  const std::string key{issued.key_pem.Reveal()};
  const std::string& leaf = issued.certificate_pem;
  const std::string& ca = issued.ca_pem;
  const struct {
    const char* what;
    std::string certificate, key, ca, password, name;
  } table[] = {
      {"no password", leaf, key, ca, "", "a"},
      {"a newline at the password's end", leaf, key, ca, "changeit\n", "a"},
      {"a NUL in the password", leaf, key, ca, std::string("a\0b", 3), "a"},
      {"an umlaut, which Java refuses", leaf, key, ca, "p\u00E4ss", "a"},
      {"an emoji", leaf, key, ca, "\U0001F511", "a"},
      {"a password in Latin-1", leaf, key, ca, "p\xE4ss", "a"},
      {"a long password", leaf, key, ca, std::string(257, 'x'), "a"},
      {"a long alias", leaf, key, ca, "changeit", std::string(300, 'x')},
      {"no certificate", "", key, ca, "changeit", "a"},
      {"no key", leaf, "", ca, "changeit", "a"},
      {"the key of another", leaf, authority.key, ca, "changeit", "a"},
      {"garbage for a CA", leaf, key, "junk", "changeit", "a"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.what);
    const auto bytes =
        EncodePkcs12(row.certificate, row.key, row.ca, SecretString{row.password}, row.name);
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().code, ErrorCode::Invalid) << bytes.error().message;
    EXPECT_EQ(bytes.error().message.find("changeit"), std::string::npos);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
  EXPECT_TRUE(EncodePkcs12(leaf, key, "", SecretString{"changeit"}, "a")) << "without a CA";
}

}  // namespace
}  // namespace certpair::x509
