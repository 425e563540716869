#include "x509/certificate.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/base64.hpp"
#include "support/certificates.hpp"

namespace certpair::x509 {
namespace {

using core::KeyAlgorithm;
using core::KeySpec;

std::string WithCrlf(const std::string& text) {
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? std::string{"\r\n"} : std::string{c};
  return crlf;
}

std::string WithoutLastNewline(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::string DecodePem(const std::string& pem) {
  std::string body;
  for (std::size_t at = 0; at < pem.size();) {
    const std::size_t end = std::min(pem.find('\n', at), pem.size());
    if (pem[at] != '-') body += pem.substr(at, end - at);
    at = end + 1;
  }
  return DecodeBase64(body).value_or("");
}

std::string EncodePem(const char* label, const std::string& der) {
  return fmt::format("-----BEGIN {0}-----\n{1}\n-----END {0}-----\n", label, EncodeBase64(der));
}

TEST(ParseCertificates, Reads_all_in_order_with_text_around_them) {
  const std::string a = test::MakeAuthority({.common_name = "a"}).certificate;
  const std::string b = test::MakeAuthority({.common_name = "b"}).certificate;
  for (const std::string& text :
       {a + b, WithCrlf(a + b), WithoutLastNewline(a + b), WithoutLastNewline(WithCrlf(a + b)),
        "subject=a\n\n" + a + "# the second\n" + b + "the end", "\n\n\n" + a + "\n\n" + b}) {
    const auto certificates = ParseCertificates(text);
    ASSERT_TRUE(certificates) << certificates.error().message;
    ASSERT_EQ(certificates->size(), 2U);
    EXPECT_EQ(SubjectOf((*certificates)[0].get()), "CN=a");
    EXPECT_EQ(SubjectOf((*certificates)[1].get()), "CN=b");
    EXPECT_EQ(ToPem((*certificates)[0].get()), a);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST(ParseCertificates, Reads_sixteen_and_no_more) {
  const std::string one = test::MakeAuthority().certificate;
  std::string many;
  for (std::size_t i = 0; i < kMaxChain; ++i) many += one;
  EXPECT_TRUE(ParseCertificates(many));
  EXPECT_FALSE(ParseCertificates(many + one));
}

struct BadText {
  const char* what;
  std::string text;
};

TEST(ParseCertificates, Refuses_bad_input_within_bounds) {
  const test::PemPair pair = test::MakeAuthority();
  const std::string& good = pair.certificate;
  std::string flipped = DecodePem(good);
  flipped[10] = static_cast<char>(flipped[10] ^ 0x55);
  std::string begins;
  while (begins.size() < 250'000) begins += "-----BEGIN CERTIFICATE-----\n";
  std::string empties;
  while (empties.size() < 250'000)
    empties += "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
  const BadText table[] = {
      {"nothing", ""},
      {"white space", " \n\r\n"},
      {"garbage", "garbage"},
      {"NUL octets", std::string(1000, '\0')},
      {"DER", DecodePem(good)},
      {"cut off", good.substr(0, good.size() / 2)},
      {"no END line", good.substr(0, good.rfind("-----END"))},
      {"a damaged octet", EncodePem("CERTIFICATE", flipped)},
      {"an octet behind the DER", EncodePem("CERTIFICATE", DecodePem(good) + "x")},
      {"empty DER", EncodePem("CERTIFICATE", "")},
      {"a private key", pair.key},
      {"a certificate and a private key", good + pair.key},
      {"a trusted certificate", EncodePem("TRUSTED CERTIFICATE", DecodePem(good))},
      {"a request", EncodePem("CERTIFICATE REQUEST", DecodePem(good))},
      {"RFC 1421 headers",
       "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
       "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n" +
           good.substr(28)},
      {"1 MiB of one letter", std::string(1 << 20, 'A')},
      {"1 MiB of lines", std::string(1 << 20, '\n')},
      {"256 KiB of BEGIN lines", begins},
      {"256 KiB of empty certificates", empties},
  };
  for (const BadText& row : table) {
    SCOPED_TRACE(row.what);
    const auto begin = std::chrono::steady_clock::now();
    const auto certificates = ParseCertificates(row.text);
    ASSERT_FALSE(certificates);
    EXPECT_EQ(certificates.error().code, ErrorCode::Invalid);
    EXPECT_LT(certificates.error().message.size(), 200U) << "quotes its input?";
    EXPECT_EQ(ERR_peek_error(), 0U);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
  }
}

TEST(Describe, Tells_key_and_signature_of_every_kind) {
  const struct {
    const char* kind;
    KeySpec key;
    const char* algorithm;
  } table[] = {{"RSA-2048", {KeyAlgorithm::Rsa, 2048}, "sha256WithRSAEncryption"},
               {"P-256", {KeyAlgorithm::Ecdsa, 256}, "ecdsa-with-SHA256"},
               {"P-384", {KeyAlgorithm::Ecdsa, 384}, "ecdsa-with-SHA256"},
               {"P-521", {KeyAlgorithm::Ecdsa, 521}, "ecdsa-with-SHA256"},
               {"ED25519", {KeyAlgorithm::Ed25519, 256}, "ED25519"},
               {"secp256k1", {KeyAlgorithm::Rsa, 0}, "ecdsa-with-SHA256"}};
  for (const auto& row : table) {
    SCOPED_TRACE(row.kind);
    const auto parsed = ParseCertificates(test::MakeAuthority({.key = row.kind}).certificate);
    ASSERT_TRUE(parsed);
    const core::Certificate details = Describe(parsed->front().get());
    EXPECT_EQ(details.key, row.key);
    EXPECT_EQ(details.signature_algorithm, row.algorithm);
    EXPECT_EQ(details.not_before, test::kLongAgo);
    EXPECT_EQ(details.not_after, test::kFarAway);
    EXPECT_EQ(details.fingerprint.size(), 32U * 3 - 1);
    EXPECT_EQ(details.fingerprint_sha1.size(), 20U * 3 - 1);
    EXPECT_EQ(details.fingerprint, Fingerprint(parsed->front().get()));
  }
}

class Slot : public testing::Test {
 protected:
  const test::PemPair authority_ = test::MakeAuthority();
  const IssuedCertificate issued_ = test::MakeClient(authority_, "abap-prod");
  const std::string key_{issued_.key_pem.Reveal()};
};

TEST_F(Slot, Of_a_good_pair_reads_as_it_was_issued) {
  for (const auto& [certificate, key, ca] :
       {std::tuple{issued_.certificate_pem, key_, issued_.ca_pem},
        std::tuple{WithCrlf(issued_.certificate_pem), WithCrlf(key_), WithCrlf(issued_.ca_pem)},
        std::tuple{WithoutLastNewline(issued_.certificate_pem), WithoutLastNewline(key_),
                   WithoutLastNewline(issued_.ca_pem)}}) {
    const auto slot = ReadSlot(certificate, key, ca);
    ASSERT_TRUE(slot) << slot.error().message;
    EXPECT_EQ(slot->fingerprint, issued_.details.fingerprint);
    EXPECT_EQ(slot->fingerprint_sha1, issued_.details.fingerprint_sha1);
    EXPECT_EQ(slot->subject, issued_.details.subject);
    EXPECT_EQ(slot->issuer, issued_.details.issuer);
    EXPECT_EQ(slot->serial_number, issued_.details.serial_number);
    EXPECT_EQ(slot->signature_algorithm, issued_.details.signature_algorithm);
    EXPECT_EQ(slot->key, issued_.details.key);
    EXPECT_EQ(slot->not_before, issued_.details.not_before);
    EXPECT_EQ(slot->not_after, issued_.details.not_after);
    EXPECT_EQ(slot->issuer_fingerprint, issued_.details.issuer_fingerprint);
    EXPECT_EQ(slot->pem, issued_.details.pem);
    EXPECT_EQ(slot->pem, issued_.certificate_pem) << "the leaf alone";
  }
}

TEST_F(Slot, With_an_intermediate_finds_its_own_issuer_behind_the_leaf) {
  const test::PemPair root = test::MakeAuthority({.common_name = "Root"});
  const test::PemPair middle = test::MakeAuthority({.common_name = "Middle"}, root);
  const auto issued = test::MakeClient(
      {.certificate = middle.certificate + root.certificate, .key = middle.key}, "a");
  const auto slot = ReadSlot(issued.certificate_pem, issued.key_pem.Reveal(), issued.ca_pem);
  ASSERT_TRUE(slot) << slot.error().message;
  EXPECT_EQ(issued.ca_pem, root.certificate);
  EXPECT_EQ(slot->issuer_fingerprint,
            Fingerprint(ParseCertificates(middle.certificate)->front().get()));
  EXPECT_EQ(slot->issuer, "CN=Middle");
}

TEST_F(Slot, A_chain_that_does_not_lead_from_it_is_told_by_the_names) {
  const test::PemPair stranger = test::MakeAuthority();  // of the same name, with another key
  EXPECT_TRUE(CheckChain(issued_.details.pem, authority_.certificate));
  for (const std::string& chain :
       {stranger.certificate, authority_.certificate + stranger.certificate, std::string{},
        std::string{"garbage"}, issued_.details.pem}) {
    EXPECT_FALSE(CheckChain(issued_.details.pem, chain)) << chain;
  }
  EXPECT_FALSE(CheckChain("garbage", authority_.certificate));
  EXPECT_NE(
      CheckChain(issued_.details.pem, stranger.certificate).error().message.find("did not sign"),
      std::string::npos);
  EXPECT_FALSE(FingerprintOf(""));
}

// A P-256 key in PKCS#8 has its scalar at offset 36, and the public point stands behind it.
std::string DamagePrivateHalf(const std::string& key_pem) {
  std::string der = DecodePem(key_pem);
  der[50] = static_cast<char>(der[50] ^ 0x01);
  return EncodePem("PRIVATE KEY", der);
}

TEST_F(Slot, That_is_damaged_is_refused_with_its_fault) {
  const IssuedCertificate other = test::MakeClient(authority_, "abap-prod");
  const test::PemPair stranger = test::MakeAuthority();  // of the same name, with another key
  std::string forged = DecodePem(issued_.certificate_pem);
  forged.back() = static_cast<char>(forged.back() ^ 1);
  const std::string& certificate = issued_.certificate_pem;
  const std::string& ca = issued_.ca_pem;
  const struct {
    const char* what;
    std::string certificate;
    std::string key;
    std::string ca;
    const char* message;
  } table[] = {
      {"no certificate", "", key_, ca, "the certificate is empty"},
      {"no key", certificate, "", ca, "the private key"},
      {"no CA", certificate, key_, "", "the CA certificate is empty"},
      {"garbage for a certificate", "x", key_, ca, "the certificate holds no PEM"},
      {"garbage for a key", certificate, "x", ca, "the private key holds no PEM"},
      {"garbage for a CA", certificate, key_, "x", "the CA certificate holds no PEM"},
      {"the key of another", certificate, std::string{other.key_pem.Reveal()}, ca,
       "does not match"},
      {"a key whose private half is damaged", certificate, DamagePrivateHalf(key_), ca,
       "does not match"},
      {"two keys", certificate, key_ + std::string{other.key_pem.Reveal()}, ca, "more than one"},
      {"an encrypted key", certificate, test::EncryptKey(key_), ca, "encrypted"},
      {"a CA of the same name with another key", certificate, key_, stranger.certificate,
       "not signed by"},
      {"a CA of another name", certificate, key_,
       test::MakeAuthority({.common_name = "Other"}).certificate, "not signed by"},
      {"the leaf for its own CA", certificate, key_, certificate, "not signed by"},
      {"another leaf behind the leaf", certificate + other.certificate_pem, key_, ca,
       "not signed by"},
      {"a signature that is forged", EncodePem("CERTIFICATE", forged), key_, ca, "not signed by"},
      {"1 MiB of junk everywhere", std::string(1 << 20, 'A'), std::string(1 << 20, 'A'),
       std::string(1 << 20, 'A'), "the certificate has 1048576 bytes"},
      {"a key of 1 MiB", certificate, std::string(1 << 20, 'A'), ca, "the private key has"},
      {"a CA of 1 MiB", certificate, key_, std::string(1 << 20, 'A'), "the CA certificate has"},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.what);
    const auto slot = ReadSlot(row.certificate, row.key, row.ca);
    ASSERT_FALSE(slot);
    EXPECT_EQ(slot.error().code, ErrorCode::Invalid);
    EXPECT_NE(slot.error().message.find(row.message), std::string::npos) << slot.error().message;
    EXPECT_EQ(slot.error().message.find(key_.substr(60, 20)), std::string::npos);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST_F(Slot, That_has_expired_is_still_read) {
  const auto expired =
      test::MakeClient(authority_, "a", test::kLongAgo, test::kLongAgo + std::chrono::minutes{2});
  EXPECT_TRUE(ReadSlot(expired.certificate_pem, expired.key_pem.Reveal(), expired.ca_pem));
}

}  // namespace
}  // namespace certpair::x509
