#include "x509/name.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "support/certificates.hpp"
#include "x509/certificate.hpp"

namespace certpair::x509 {
namespace {

core::Subject Named(std::string common_name) {
  core::Subject subject;
  subject.common_name = std::move(common_name);
  return subject;
}

std::string IssuedSubject(const core::Subject& subject) {
  static const test::PemPair authority = test::MakeAuthority();
  const auto key = GenerateKey({core::KeyAlgorithm::Ecdsa, 256});
  const auto issued = test::MakeSigner(authority).Issue({.subject = subject,
                                                         .key = {core::KeyAlgorithm::Ecdsa, 256},
                                                         .not_before = test::kLongAgo,
                                                         .not_after = test::kFarAway},
                                                        *key);
  if (!issued) return issued.error().message;
  return SubjectOf(ParseCertificates(issued->certificate_pem)->front().get());
}

struct Row {
  const char* what;
  core::Subject subject;
  std::string text;
};

TEST(SubjectString, Is_RFC_4514_and_equals_the_subject_of_what_is_issued) {
  const std::vector<Row> table{
      {"a common name", Named("abap-prod"), "CN=abap-prod"},
      {"every attribute, in reverse order",
       {"abap-prod", {"Example"}, {"IdM"}, {"DE"}, {"Walldorf"}, {"Baden"}},
       "CN=abap-prod,OU=IdM,O=Example,L=Walldorf,ST=Baden,C=DE"},
      {"several of one kind",
       {"a", {"First", "Second", "Third"}, {"U1", "U2"}, {"DE", "FR"}, {}, {}},
       "CN=a,OU=U2,OU=U1,O=Third,O=Second,O=First,C=FR,C=DE"},
      {"no common name", {"", {"Example"}, {}, {}, {}, {}}, "O=Example"},
      {"letters of many scripts", Named("Zürich Ελλάδα 東京 \U0001F511"),
       "CN=Zürich Ελλάδα 東京 \U0001F511"},
      {"comma", Named("a,b"), "CN=a\\,b"},
      {"plus", Named("a+b"), "CN=a\\+b"},
      {"quote", Named("a\"b"), "CN=a\\\"b"},
      {"backslash", Named("a\\b"), "CN=a\\\\b"},
      {"less", Named("a<b"), "CN=a\\<b"},
      {"greater", Named("a>b"), "CN=a\\>b"},
      {"semicolon", Named("a;b"), "CN=a\\;b"},
      {"equals sign", Named("a=b"), "CN=a=b"},
      {"leading number sign", Named("#a"), "CN=\\#a"},
      {"number sign inside", Named("a#b"), "CN=a#b"},
      {"leading space", Named(" a"), "CN=\\ a"},
      {"trailing space", Named("a "), "CN=a\\ "},
      {"two spaces at each end", Named("  a  "), "CN=\\  a \\ "},
      {"space inside", Named("a b"), "CN=a b"},
      {"what looks like another attribute", Named("a,O=Evil"), "CN=a\\,O=Evil"},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.what);
    const auto text = SubjectString(row.subject);
    ASSERT_TRUE(text) << text.error().message;
    EXPECT_EQ(*text, row.text);
    EXPECT_EQ(IssuedSubject(row.subject), row.text);
  }
}

std::string Repeat(std::size_t count, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(SubjectString, Counts_characters_not_octets_against_the_upper_bounds) {
  EXPECT_TRUE(SubjectString(Named(std::string(64, 'x'))));
  EXPECT_TRUE(SubjectString(Named(Repeat(64, "ü"))));
  EXPECT_TRUE(SubjectString(Named(Repeat(64, "\U0001F511"))));
  EXPECT_FALSE(SubjectString(Named(std::string(65, 'x'))));
  EXPECT_FALSE(SubjectString(Named(Repeat(65, "ü"))));
  const std::string long128(128, 'x');
  EXPECT_TRUE(SubjectString({"a", {std::string(64, 'x')}, {std::string(64, 'x')}, {}, {}, {}}));
  EXPECT_TRUE(SubjectString({"a", {}, {}, {}, {long128}, {long128}}));
}

struct BadRow {
  const char* what;
  core::Subject subject;
  const char* named;  ///< stands in the message
};

TEST(SubjectString, Refuses_what_RFC_5280_does_not_allow_and_names_the_field) {
  const std::string long65(65, 'x');
  const std::string long129(129, 'x');
  const std::vector<BadRow> table{
      {"nothing", {}, "empty"},
      {"65 characters", Named(long65), "commonName"},
      {"1 MiB", Named(std::string(1 << 20, 'x')), "commonName"},
      {"a long organization", {"a", {"ok", long65}, {}, {}, {}, {}}, "organizations"},
      {"a long unit", {"a", {}, {long65}, {}, {}, {}}, "organizationalUnits"},
      {"a long locality", {"a", {}, {}, {}, {long129}, {}}, "localities"},
      {"a long province", {"a", {}, {}, {}, {}, {long129}}, "provinces"},
      {"an empty value in a list", {"a", {""}, {}, {}, {}, {}}, "organizations"},
      {"a country of three letters", {"a", {}, {}, {"DEU"}, {}, {}}, "countries"},
      {"a country of one letter", {"a", {}, {}, {"D"}, {}, {}}, "countries"},
      {"a country with a digit", {"a", {}, {}, {"D1"}, {}, {}}, "countries"},
      {"a country beyond ASCII", {"a", {}, {}, {"ü"}, {}, {}}, "countries"},
      {"an empty country", {"a", {}, {}, {""}, {}, {}}, "countries"},
      {"NUL", Named(std::string("a\0b", 3)), "commonName"},
      {"newline", Named("a\nb"), "commonName"},
      {"DEL", Named("a\x7F"), "commonName"},
      {"C1 control", Named("a\xC2\x85"), "commonName"},
      {"a lone continuation octet", Named("a\x80"), "commonName"},
      {"a cut sequence", Named("a\xE2\x82"), "commonName"},
      {"an overlong form", Named("a\xC0\xAF"), "commonName"},
      {"a surrogate", Named("a\xED\xA0\x80"), "commonName"},
      {"beyond Unicode", Named("a\xF4\x90\x80\x80"), "commonName"},
      {"Latin-1", Named("Z\xFCrich"), "commonName"},
      {"too many attributes", {"a", std::vector<std::string>(65, "o"), {}, {}, {}, {}}, "64"},
  };
  for (const BadRow& row : table) {
    SCOPED_TRACE(row.what);
    const auto text = SubjectString(row.subject);
    ASSERT_FALSE(text) << *text;
    EXPECT_EQ(text.error().code, ErrorCode::Invalid);
    EXPECT_NE(text.error().message.find(row.named), std::string::npos) << text.error().message;
    EXPECT_LT(text.error().message.size(), 200U);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST(EncodeName, Writes_C_ST_L_O_OU_CN_with_a_PrintableString_for_the_country) {
  const auto name = EncodeName({"cn", {"o1", "o2"}, {"ou"}, {"DE"}, {"l"}, {"st"}});
  ASSERT_TRUE(name);
  const std::vector<int> order{
      NID_countryName,      NID_stateOrProvinceName,    NID_localityName, NID_organizationName,
      NID_organizationName, NID_organizationalUnitName, NID_commonName};
  ASSERT_EQ(X509_NAME_entry_count(name->get()), static_cast<int>(order.size()));
  for (int i = 0; i < X509_NAME_entry_count(name->get()); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name->get(), i);
    EXPECT_EQ(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), order[static_cast<std::size_t>(i)]);
    EXPECT_EQ(X509_NAME_ENTRY_set(entry), i) << "an RDN of its own";
    EXPECT_EQ(ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry)),
              i == 0 ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING);
  }
}

}  // namespace
}  // namespace certpair::x509
