// What stands in the certificates that we sign.
#include <array>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "support/certificates.hpp"
#include "x509/authority.hpp"
#include "x509/certificate.hpp"
#include "x509/openssl.hpp"

namespace certpair::x509 {
namespace {

using core::KeyAlgorithm;
using core::KeySpec;
using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

constexpr KeySpec kP256{KeyAlgorithm::Ecdsa, 256};
constexpr sys_seconds kStart = test::kLongAgo + seconds{12345};
constexpr sys_seconds kEnd = kStart + days{365};

core::CertificateOrder OrderOf(KeySpec key, sys_seconds start = kStart, sys_seconds end = kEnd) {
  core::CertificateOrder order{.key = key, .not_before = start, .not_after = end};
  order.subject.common_name = "abap-prod";
  return order;
}

CertificateHandle LeafOf(const IssuedCertificate& issued) {
  return std::move(ParseCertificates(issued.certificate_pem)->front());
}

IssuedCertificate Issue(const Signer& signer, const core::CertificateOrder& order) {
  const auto key = GenerateKey(order.key);
  EXPECT_TRUE(key);
  auto issued = signer.Issue(order, *key);
  EXPECT_TRUE(issued) << issued.error().message;
  return issued ? std::move(*issued) : IssuedCertificate{};
}

std::string ExtensionOf(X509* certificate, int index) {
  X509_EXTENSION* extension = X509_get_ext(certificate, index);
  const Handle<BIO> text{BIO_new(BIO_s_mem())};
  X509V3_EXT_print(text.get(), extension, 0, 0);
  const std::string name = OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(extension)));
  const bool is_critical = X509_EXTENSION_get_critical(extension) == 1;
  return name + (is_critical ? "! " : " ") + std::string{BytesOf(text.get())};
}

std::vector<std::string> ExtensionsOf(X509* certificate) {
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(X509_get_ext_count(certificate)));
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    all.push_back(ExtensionOf(certificate, i));
  }
  return all;
}

// RFC 5280 §4.2.1.2 (1), computed here from the octets.
std::string KeyDigest(X509* certificate) {
  const ASN1_BIT_STRING* bits = X509_get0_pubkey_bitstr(certificate);
  std::array<unsigned char, 20> digest{};
  EVP_Digest(ASN1_STRING_get0_data(bits), static_cast<std::size_t>(ASN1_STRING_length(bits)),
             digest.data(), nullptr, EVP_sha1(), nullptr);
  return ColonHex(digest.data(), digest.size());
}

TEST(Issue, Follows_the_profile_of_a_TLS_client_and_adds_nothing) {
  const test::PemPair authority = test::MakeAuthority();
  const Signer signer = test::MakeSigner(authority);
  const auto ca = std::move(ParseCertificates(authority.certificate)->front());
  for (const KeySpec spec :
       {kP256, KeySpec{KeyAlgorithm::Ecdsa, 384}, KeySpec{KeyAlgorithm::Ed25519, 256},
        KeySpec{KeyAlgorithm::Rsa, 2048}}) {
    SCOPED_TRACE(spec.size);
    const IssuedCertificate issued = Issue(signer, OrderOf(spec));
    const CertificateHandle leaf = LeafOf(issued);
    EXPECT_EQ(X509_get_version(leaf.get()), X509_VERSION_3);
    const char* usage = spec.algorithm == KeyAlgorithm::Rsa ? "Digital Signature, Key Encipherment"
                                                            : "Digital Signature";
    EXPECT_EQ(
        ExtensionsOf(leaf.get()),
        (std::vector<std::string>{"basicConstraints! CA:FALSE", std::string{"keyUsage! "} + usage,
                                  "extendedKeyUsage TLS Web Client Authentication",
                                  "subjectKeyIdentifier " + KeyDigest(leaf.get()),
                                  "authorityKeyIdentifier " + KeyDigest(ca.get())}));
    EXPECT_EQ(issued.details.key, spec);
    EXPECT_EQ(issued.details.subject, "CN=abap-prod");
    EXPECT_EQ(issued.details.issuer, "CN=Test CA");
    EXPECT_EQ(issued.details.not_before, kStart);
    EXPECT_EQ(issued.details.not_after, kEnd);
    const auto slot = ReadSlot(issued.certificate_pem, issued.key_pem.Reveal(), issued.ca_pem);
    ASSERT_TRUE(slot) << slot.error().message;
    EXPECT_EQ(slot->fingerprint, issued.details.fingerprint);
    EXPECT_EQ(slot->key, spec);
  }
}

TEST(Issue, Names_the_authority_by_its_own_key_identifier_or_else_by_its_key) {
  const test::PemPair authority = test::MakeAuthority({.has_subject_key_id = false});
  const auto ca = std::move(ParseCertificates(authority.certificate)->front());
  const auto leaf = LeafOf(Issue(test::MakeSigner(authority), OrderOf(kP256)));
  EXPECT_EQ(ExtensionsOf(leaf.get()).back(), "authorityKeyIdentifier " + KeyDigest(ca.get()));
}

TEST(Issue, Signs_with_the_digest_that_fits_the_key_of_the_CA) {
  const struct {
    const char* kind;
    const char* algorithm;
  } table[] = {{"RSA-2048", "sha256WithRSAEncryption"},
               {"P-256", "ecdsa-with-SHA256"},
               {"P-384", "ecdsa-with-SHA384"},
               {"P-521", "ecdsa-with-SHA512"},
               {"ED25519", "ED25519"}};
  for (const auto& row : table) {
    SCOPED_TRACE(row.kind);
    const IssuedCertificate issued =
        Issue(test::MakeSigner(test::MakeAuthority({.key = row.kind})), OrderOf(kP256));
    EXPECT_EQ(issued.details.signature_algorithm, row.algorithm);
    EXPECT_TRUE(ReadSlot(issued.certificate_pem, issued.key_pem.Reveal(), issued.ca_pem));
  }
}

TEST(Issue, Draws_all_128_bits_of_the_serial_number_and_keeps_it_positive) {
  const Signer signer = test::MakeSigner(test::MakeAuthority());
  const auto key = GenerateKey(kP256);
  std::array<unsigned char, 16> ones{};
  std::array<unsigned char, 16> zeros{};
  std::set<std::string> serials;
  constexpr int kCount = 100;
  for (int i = 0; i < kCount; ++i) {
    const auto issued = signer.Issue(OrderOf(kP256), *key);
    ASSERT_TRUE(issued);
    const auto leaf = LeafOf(*issued);
    const ASN1_INTEGER* serial = X509_get0_serialNumber(leaf.get());
    ASSERT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER) << "negative";
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(serial));
    ASSERT_LE(size, 16U);
    ASSERT_GE(size, 1U);
    for (std::size_t at = 0; at < size; ++at) {
      const unsigned char octet = ASN1_STRING_get0_data(serial)[size - 1 - at];
      ones[at] = static_cast<unsigned char>(ones[at] | octet);
      zeros[at] = static_cast<unsigned char>(zeros[at] | ~octet);
    }
    EXPECT_EQ(issued->details.serial_number, ColonHex(ASN1_STRING_get0_data(serial), size));
    serials.insert(issued->details.serial_number);
  }
  EXPECT_EQ(serials.size(), static_cast<std::size_t>(kCount));
  for (std::size_t at = 0; at < ones.size(); ++at) {
    EXPECT_EQ(ones[at], 0xFF) << "a bit that is never set, octet " << at;
    EXPECT_EQ(zeros[at], 0xFF) << "a bit that is always set, octet " << at;
  }
}

constexpr sys_seconds At(int y, unsigned m, unsigned d, int hour = 0, int minute = 0, int s = 0) {
  return sys_days{year{y} / std::chrono::month{m} / std::chrono::day{d}} +
         std::chrono::hours{hour} + std::chrono::minutes{minute} + seconds{s};
}

TEST(Issue, Writes_times_as_RFC_5280_wants_them_on_both_sides_of_2050) {
  const Signer signer = test::MakeSigner(test::MakeAuthority(
      {.not_before = At(1950, 1, 1), .not_after = At(9999, 12, 31, 23, 59, 59)}));
  const struct {
    sys_seconds time;
    const char* text;
  } table[] = {{At(1950, 1, 1), "500101000000Z"},
               {At(1969, 12, 31, 23, 59, 59), "691231235959Z"},
               {At(1970, 1, 1), "700101000000Z"},
               {At(2000, 2, 29, 12, 34, 56), "000229123456Z"},
               {At(2038, 1, 19, 3, 14, 8), "380119031408Z"},
               {At(2049, 12, 31, 23, 59, 58), "491231235958Z"},
               {At(2050, 1, 1), "20500101000000Z"},
               {At(2100, 3, 1), "21000301000000Z"},
               {At(9999, 12, 31, 23, 59, 58), "99991231235958Z"}};
  for (const auto& row : table) {
    SCOPED_TRACE(row.text);
    const IssuedCertificate issued = Issue(signer, OrderOf(kP256, row.time, row.time + seconds{1}));
    const auto leaf = LeafOf(issued);
    const ASN1_TIME* time = X509_get0_notBefore(leaf.get());
    EXPECT_EQ(ASN1_STRING_type(time),
              std::string_view{row.text}.size() == 13 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
    EXPECT_EQ((std::string{reinterpret_cast<const char*>(ASN1_STRING_get0_data(time)),
                           static_cast<std::size_t>(ASN1_STRING_length(time))}),
              row.text);
    EXPECT_EQ(Describe(leaf.get()).not_before, row.time);
    EXPECT_EQ(Describe(leaf.get()).not_after, row.time + seconds{1});
  }
}

TEST(Issue, Refuses_an_order_that_breaks_a_rule) {
  const Signer signer = test::MakeSigner(test::MakeAuthority());
  const auto key = GenerateKey(kP256);
  auto unnamed = OrderOf(kP256);
  unnamed.subject.common_name.clear();
  const struct {
    const char* what;
    core::CertificateOrder order;
  } table[] = {
      {"another algorithm than the key's", OrderOf({KeyAlgorithm::Rsa, 2048})},
      {"another size than the key's", OrderOf({KeyAlgorithm::Ecdsa, 384})},
      {"no name", unnamed},
      {"an end before the start", OrderOf(kP256, kStart, kStart - seconds{1})},
      {"no time at all", OrderOf(kP256, kStart, kStart)},
      {"a start before the CA's", OrderOf(kP256, test::kLongAgo - seconds{1}, kEnd)},
      {"an end after the CA's", OrderOf(kP256, kStart, test::kFarAway + seconds{1})},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.what);
    const auto issued = signer.Issue(row.order, *key);
    ASSERT_FALSE(issued);
    EXPECT_EQ(issued.error().code, ErrorCode::Invalid) << issued.error().message;
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
  EXPECT_TRUE(signer.Issue(OrderOf(kP256, test::kLongAgo, test::kFarAway), *key))
      << "the CA's own time is allowed";
}

TEST(Issue, Works_from_several_threads_at_once) {
  for (const char* kind : {"P-256", "RSA-2048"}) {
    const Signer signer = test::MakeSigner(test::MakeAuthority({.key = kind}));
    std::vector<std::jthread> threads;
    std::array<int, 4> good{};
    threads.reserve(good.size());
    for (int& count : good) {
      threads.emplace_back([&signer, &count] {
        for (int i = 0; i < 20; ++i) {
          const auto issued = Issue(signer, OrderOf(kP256));
          if (ReadSlot(issued.certificate_pem, issued.key_pem.Reveal(), issued.ca_pem)) ++count;
        }
      });
    }
    threads.clear();
    EXPECT_EQ(good, (std::array{20, 20, 20, 20}));
  }
}

TEST(MakeAuthorityCertificate, Follows_the_profile_of_a_CA_that_signs_leaves_only) {
  for (const KeySpec spec :
       {kP256, KeySpec{KeyAlgorithm::Ecdsa, 384}, KeySpec{KeyAlgorithm::Ed25519, 256},
        KeySpec{KeyAlgorithm::Rsa, 2048}}) {
    SCOPED_TRACE(spec.size);
    const auto key = GenerateKey(spec);
    const auto pem = MakeAuthorityCertificate(
        {.common_name = "Demo CA", .key = spec, .not_before = kStart, .not_after = kEnd}, *key);
    ASSERT_TRUE(pem) << pem.error().message;
    const auto parsed = ParseCertificates(*pem);
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->size(), 1U);
    X509* certificate = parsed->front().get();
    EXPECT_EQ(ExtensionsOf(certificate),
              (std::vector<std::string>{"basicConstraints! CA:TRUE, pathlen:0",
                                        "keyUsage! Certificate Sign, CRL Sign",
                                        "subjectKeyIdentifier " + KeyDigest(certificate)}));
    const core::Certificate details = Describe(certificate);
    EXPECT_EQ(details.subject, "CN=Demo CA");
    EXPECT_EQ(details.issuer, "CN=Demo CA");
    EXPECT_EQ(details.key, spec);
    EXPECT_EQ(details.not_before, kStart);
    EXPECT_EQ(details.not_after, kEnd);
    EXPECT_EQ(X509_self_signed(certificate, 1), 1);
    const auto signer = Signer::Load(*pem, key->ToPem().Reveal(), {}, kStart);
    ASSERT_TRUE(signer) << signer.error().message;
    EXPECT_EQ(signer->Facts().fingerprint, details.fingerprint);
  }
}

TEST(MakeAuthorityCertificate, Refuses_a_request_that_breaks_a_rule) {
  const auto key = GenerateKey(kP256);
  const core::GenerateAuthority good{
      .common_name = "Demo CA", .key = kP256, .not_before = kStart, .not_after = kEnd};
  ASSERT_TRUE(MakeAuthorityCertificate(good, *key));
  auto unnamed = good;
  unnamed.common_name = "";
  auto other_key = good;
  other_key.key = {KeyAlgorithm::Rsa, 2048};
  auto backwards = good;
  backwards.not_after = kStart;
  auto too_far = good;
  too_far.not_after = At(9999, 12, 31, 23, 59, 59) + seconds{1};
  auto too_early = good;
  too_early.not_before = At(1950, 1, 1) - seconds{1};
  for (const auto& request : {unnamed, other_key, backwards, too_far, too_early}) {
    const auto pem = MakeAuthorityCertificate(request, *key);
    ASSERT_FALSE(pem);
    EXPECT_EQ(pem.error().code, ErrorCode::Invalid);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

}  // namespace
}  // namespace certpair::x509
