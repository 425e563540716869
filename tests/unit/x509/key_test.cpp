#include "x509/key.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ui.h>

#include "base/base64.hpp"
#include "support/certificates.hpp"

namespace certpair::x509 {
namespace {

using core::KeyAlgorithm;
using core::KeySpec;

std::string FirstLine(std::string_view text) {
  return std::string{text.substr(0, text.find('\n'))};
}

// What OpenSSL's own encoder writes.
std::string ReferencePem(const PrivateKey& key) {
  const std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free_all(b); })> bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_ctrl(bio.get(), BIO_CTRL_INFO, 0, static_cast<void*>(&data));
  return {data, static_cast<std::size_t>(size)};
}

TEST(GenerateKey, Makes_every_offered_algorithm_and_size_and_reads_it_back) {
  for (const KeySpec spec :
       {KeySpec{KeyAlgorithm::Rsa, 2048}, KeySpec{KeyAlgorithm::Rsa, 3072},
        KeySpec{KeyAlgorithm::Rsa, 4096}, KeySpec{KeyAlgorithm::Ecdsa, 256},
        KeySpec{KeyAlgorithm::Ecdsa, 384}, KeySpec{KeyAlgorithm::Ed25519, 256}}) {
    SCOPED_TRACE(spec.size);
    const auto key = GenerateKey(spec);
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->Spec(), spec);
    const SecretString pem = key->ToPem();
    EXPECT_EQ(FirstLine(pem.Reveal()), "-----BEGIN PRIVATE KEY-----");
    EXPECT_TRUE(pem.Reveal() == ReferencePem(*key)) << "not the octets that OpenSSL writes";
    const auto again = ParseKey(pem.Reveal());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(EVP_PKEY_eq(key->get(), again->get()), 1);
    EXPECT_EQ(again->Spec(), spec);
  }
}

// About one scalar in 256 starts with a zero octet, and one in 65,536 with two.
TEST(GenerateKey, Writes_small_ECDSA_scalars_with_their_leading_zeros) {
  for (int i = 0; i < 1500; ++i) {
    const auto key = GenerateKey({KeyAlgorithm::Ecdsa, 256});
    ASSERT_TRUE(key);
    ASSERT_TRUE(key->ToPem().Reveal() == ReferencePem(*key));
  }
}

TEST(GenerateKey, Refuses_what_is_not_offered) {
  for (const KeySpec spec :
       {KeySpec{KeyAlgorithm::Rsa, 1024}, KeySpec{KeyAlgorithm::Rsa, 2049},
        KeySpec{KeyAlgorithm::Rsa, 8192}, KeySpec{KeyAlgorithm::Rsa, 0},
        KeySpec{KeyAlgorithm::Rsa, -1}, KeySpec{KeyAlgorithm::Ecdsa, 224},
        KeySpec{KeyAlgorithm::Ecdsa, 521}, KeySpec{KeyAlgorithm::Ed25519, 448}}) {
    const auto key = GenerateKey(spec);
    ASSERT_FALSE(key) << spec.size;
    EXPECT_EQ(key.error().code, ErrorCode::Invalid);
  }
}

TEST(GenerateKey, Gives_a_different_key_each_time) {
  const auto one = GenerateKey({KeyAlgorithm::Ed25519, 256});
  const auto other = GenerateKey({KeyAlgorithm::Ed25519, 256});
  EXPECT_NE(EVP_PKEY_eq(one->get(), other->get()), 1);
}

TEST(GenerateKey, Is_cancelled_by_a_stop_request_that_came_before) {
  std::stop_source stop;
  stop.request_stop();
  const auto key = GenerateKey({KeyAlgorithm::Rsa, 4096}, stop.get_token());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ErrorCode::Cancelled);
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(GenerateKey, Is_cancelled_in_the_middle) {
  // A key may be done before the stop comes, so: until one was not.
  for (int attempt = 0; attempt < 50; ++attempt) {
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    const auto begin = std::chrono::steady_clock::now();
    const auto key = GenerateKey({KeyAlgorithm::Rsa, 4096}, stop.get_token());
    if (key) continue;
    EXPECT_EQ(key.error().code, ErrorCode::Cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{10});
    return;
  }
  FAIL() << "no stop request ended the generation";
}

TEST(ParseKey, Accepts_the_forms_that_tools_write) {
  for (const char* kind : {"RSA-2048", "P-256", "P-384", "ED25519"}) {
    SCOPED_TRACE(kind);
    const std::string pem = test::MakeKeyPem(kind);
    std::string crlf;
    for (const char c : pem) crlf += c == '\n' ? std::string{"\r\n"} : std::string{c};
    EXPECT_TRUE(ParseKey(pem));
    EXPECT_TRUE(ParseKey(crlf));
    EXPECT_TRUE(ParseKey(pem.substr(0, pem.size() - 1))) << "without the last newline";
    EXPECT_TRUE(ParseKey("Bag Attributes\n  friendlyName: x\n" + pem));
    if (std::string_view{kind} != "ED25519") {
      const std::string traditional = test::ToTraditionalKey(pem);
      EXPECT_TRUE(ParseKey(traditional));
      EXPECT_EQ(FirstLine(traditional), kind[0] == 'R' ? "-----BEGIN RSA PRIVATE KEY-----"
                                                       : "-----BEGIN EC PRIVATE KEY-----");
    }
  }
}

TEST(ParseKey, Skips_the_parameters_that_ecparam_writes_before_the_key) {
  const std::string key = test::ToTraditionalKey(test::MakeKeyPem("P-256"));
  EXPECT_TRUE(
      ParseKey("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
               "-----END EC PARAMETERS-----\n" +
               key));
}

bool somebody_was_asked = false;

TEST(ParseKey, Refuses_an_encrypted_key_and_asks_nobody_for_a_password) {
  const std::unique_ptr<UI_METHOD, decltype([](UI_METHOD* m) { UI_destroy_method(m); })> method{
      UI_create_method("refuse")};
  UI_method_set_opener(method.get(), [](UI*) {
    somebody_was_asked = true;
    return 0;
  });
  const UI_METHOD* before = UI_get_default_method();
  UI_set_default_method(method.get());
  const std::string rsa = test::MakeKeyPem("RSA-2048");
  const std::string ec = test::MakeKeyPem("P-256");
  std::string disguised = test::EncryptKey(ec);
  for (std::size_t at = 0; (at = disguised.find("ENCRYPTED ", at)) != std::string::npos;) {
    disguised.erase(at, 10);
  }
  for (const std::string& pem :
       {test::EncryptKey(rsa), test::EncryptKey(ec), test::EncryptKeyTraditionally(rsa),
        test::EncryptKeyTraditionally(ec)}) {
    const auto key = ReadKey(pem, KeyUse::System);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().fault, KeyFault::Encrypted);
    EXPECT_NE(key.error().message.find("encrypted"), std::string::npos);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
  EXPECT_FALSE(ParseKey(disguised)) << "encrypted, under the label of one that is not";
  EXPECT_FALSE(somebody_was_asked);
  UI_set_default_method(before);
}

struct BadKey {
  const char* what;
  std::function<std::string()> pem;
  KeyFault fault;
};

TEST(ParseKey, Refuses_bad_input_and_quotes_nothing_of_it) {
  const std::string good = test::MakeKeyPem("P-256");
  const std::string secret = good.substr(40, 40);
  const BadKey table[] = {
      {"nothing", [] { return std::string{}; }, KeyFault::Malformed},
      {"garbage", [] { return std::string{"not a key at all"}; }, KeyFault::Malformed},
      {"NUL octets", [] { return std::string(100, '\0'); }, KeyFault::Malformed},
      {"cut off", [&] { return good.substr(0, good.size() / 2); }, KeyFault::Malformed},
      {"a flipped tag", [&] { return "-----BEGIN PRIVATE KEY-----\nAAAA" + good.substr(32); },
       KeyFault::Malformed},
      {"a certificate", [] { return test::MakeAuthority().certificate; }, KeyFault::Malformed},
      {"two keys", [&] { return good + good; }, KeyFault::Malformed},
      {"a certificate behind the key", [&] { return good + test::MakeAuthority().certificate; },
       KeyFault::Malformed},
      {"the wrong label",
       [&] {
         std::string pem = good;
         for (std::size_t at = 0; (at = pem.find("PRIVATE", at)) != std::string::npos; ++at) {
           pem.replace(at, 7, "PUBLIC");
         }
         return pem;
       },
       KeyFault::Malformed},
      {"more than 16 KiB", [&] { return good + std::string(kMaxKeyBytes, '\n'); },
       KeyFault::Malformed},
      {"1 MiB", [] { return std::string(1 << 20, 'A'); }, KeyFault::Malformed},
      {"RSA-1024", [] { return test::MakeKeyPem("RSA-1024"); }, KeyFault::Unsupported},
      {"RSA-2056", [] { return test::MakeKeyPem("RSA-2056"); }, KeyFault::Unsupported},
      {"P-521", [] { return test::MakeKeyPem("P-521"); }, KeyFault::Unsupported},
      {"secp256k1", [] { return test::MakeKeyPem("secp256k1"); }, KeyFault::Unsupported},
      {"Ed448", [] { return test::MakeKeyPem("ED448"); }, KeyFault::Unsupported},
  };
  for (const BadKey& row : table) {
    SCOPED_TRACE(row.what);
    const auto key = ReadKey(row.pem(), KeyUse::System);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().fault, row.fault) << key.error().message;
    EXPECT_FALSE(key.error().message.empty());
    EXPECT_EQ(key.error().message.find(secret), std::string::npos);
    EXPECT_EQ(ERR_peek_error(), 0U) << "the error queue is not empty";
    EXPECT_EQ(ParseKey(row.pem()).error().code, ErrorCode::Invalid);
  }
}

TEST(ReadKey, Lets_a_given_authority_have_sizes_that_systems_cannot_choose) {
  EXPECT_TRUE(ReadKey(test::MakeKeyPem("P-521"), KeyUse::Authority));
  EXPECT_TRUE(ReadKey(test::MakeKeyPem("RSA-2056"), KeyUse::Authority));
  EXPECT_FALSE(ReadKey(test::MakeKeyPem("RSA-1024"), KeyUse::Authority));
  EXPECT_FALSE(ReadKey(test::MakeKeyPem("secp256k1"), KeyUse::Authority));
}

TEST(ReadKey, Says_what_a_PKCS1_key_under_the_label_of_PKCS8_is) {
  for (const char* kind : {"RSA-2048", "P-256"}) {
    std::string pem = test::ToTraditionalKey(test::MakeKeyPem(kind));
    const std::string label = kind[0] == 'R' ? "RSA PRIVATE KEY" : "EC PRIVATE KEY";
    for (auto at = pem.find(label); at != std::string::npos; at = pem.find(label))
      pem.replace(at, label.size(), "PRIVATE KEY");
    const auto key = ReadKey(pem, KeyUse::Authority);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().fault, KeyFault::Malformed);
    EXPECT_NE(key.error().message.find("PKCS#1 or SEC 1"), std::string::npos)
        << key.error().message;
  }
}

}  // namespace
}  // namespace certpair::x509
