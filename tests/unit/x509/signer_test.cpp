// Which CA Secrets are of use, and what is said of the others.
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "support/certificates.hpp"
#include "x509/authority.hpp"
#include "x509/certificate.hpp"

namespace certpair::x509 {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr sys_seconds kNow = test::kLongAgo + days{2000};

struct CaSecret {
  std::string certificate;
  std::string key;
  std::string ca;
};

auto Load(const CaSecret& secret, sys_seconds now = kNow) {
  return Signer::Load(secret.certificate, secret.key, secret.ca, now);
}

CaSecret SelfSigned(const test::CertificateOptions& options = {}) {
  const test::PemPair pair = test::MakeAuthority(options);
  return {pair.certificate, pair.key, {}};
}

TEST(AuthorityFault, Is_a_CamelCase_reason_each_its_own) {
  EXPECT_EQ(ToString(AuthorityFault::Missing), "Missing");
  EXPECT_EQ(ToString(AuthorityFault::Malformed), "Malformed");
  EXPECT_EQ(ToString(AuthorityFault::KeyEncrypted), "KeyEncrypted");
  EXPECT_EQ(ToString(AuthorityFault::KeyUnsupported), "KeyUnsupported");
  EXPECT_EQ(ToString(AuthorityFault::KeyMismatch), "KeyMismatch");
  EXPECT_EQ(ToString(AuthorityFault::NotACertificateAuthority), "NotACertificateAuthority");
  EXPECT_EQ(ToString(AuthorityFault::ChainBroken), "ChainBroken");
  EXPECT_EQ(ToString(AuthorityFault::NotYetValid), "NotYetValid");
  EXPECT_EQ(ToString(AuthorityFault::Expired), "Expired");
  EXPECT_EQ(ToString(AuthorityFault::Unverifiable), "Unverifiable");
}

TEST(Signer, Loads_a_CA_of_every_kind_of_key_that_peers_know) {
  for (const char* kind : {"RSA-2048", "RSA-2056", "P-256", "P-384", "P-521", "ED25519"}) {
    SCOPED_TRACE(kind);
    const CaSecret secret = SelfSigned({.key = kind});
    const auto signer = Load(secret);
    ASSERT_TRUE(signer) << signer.error().message;
    EXPECT_EQ(signer->Facts().subject, "CN=Test CA");
    EXPECT_EQ(signer->Facts().not_before, test::kLongAgo);
    EXPECT_EQ(signer->Facts().chain_end, test::kFarAway);
    EXPECT_EQ(signer->Facts().fingerprint,
              Fingerprint(ParseCertificates(secret.certificate)->front().get()));
  }
}

TEST(Signer, Loads_a_CA_whose_optional_extensions_are_absent) {
  EXPECT_TRUE(Load(SelfSigned({.key_usage = ""})));
  EXPECT_TRUE(Load(SelfSigned({.has_subject_key_id = false})));
  EXPECT_TRUE(Load(SelfSigned({.extended_key_usage = "serverAuth,clientAuth"})));
  EXPECT_TRUE(Load(SelfSigned({.basic_constraints = "critical,CA:TRUE,pathlen:0"})));
  EXPECT_TRUE(Load(SelfSigned({.basic_constraints = "CA:TRUE"}))) << "not critical";
}

TEST(Signer, Loads_a_traditional_key_and_CRLF) {
  CaSecret secret = SelfSigned({.key = "RSA-2048"});
  secret.key = test::ToTraditionalKey(secret.key);
  for (std::string* text : {&secret.certificate, &secret.key}) {
    std::string crlf;
    for (const char c : *text) crlf += c == '\n' ? std::string{"\r\n"} : std::string{c};
    *text = crlf;
  }
  EXPECT_TRUE(Load(secret));
}

struct BadSecret {
  const char* what;
  std::function<CaSecret()> make;
  AuthorityFault fault;
  const char* message;
};

void ExpectRefusals(const std::vector<BadSecret>& table) {
  for (const BadSecret& row : table) {
    SCOPED_TRACE(row.what);
    const CaSecret secret = row.make();
    const auto signer = Load(secret);
    if (signer) {
      ADD_FAILURE() << "was accepted";
      continue;
    }
    EXPECT_EQ(ToString(signer.error().fault), ToString(row.fault)) << signer.error().message;
    EXPECT_NE(signer.error().message.find(row.message), std::string::npos)
        << signer.error().message;
    EXPECT_LT(signer.error().message.size(), 300U);
    if (secret.key.size() > 80) {
      EXPECT_EQ(signer.error().message.find(secret.key.substr(60, 20)), std::string::npos);
    }
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

CaSecret With(CaSecret secret, std::string CaSecret::* field, std::string text) {
  secret.*field = std::move(text);
  return secret;
}

TEST(Signer, Says_what_is_wrong_with_the_fields_of_a_Secret) {
  const CaSecret good = SelfSigned();
  const CaSecret other = SelfSigned();
  const std::string junk(1 << 20, 'A');
  ExpectRefusals({
      {"nothing", [] { return CaSecret{}; }, AuthorityFault::Missing, "tls.crt is empty"},
      {"no certificate", [&] { return With(good, &CaSecret::certificate, ""); },
       AuthorityFault::Missing, "tls.crt is empty"},
      {"no key", [&] { return With(good, &CaSecret::key, ""); }, AuthorityFault::Missing,
       "tls.key is empty"},
      {"garbage for a certificate", [&] { return With(good, &CaSecret::certificate, "junk"); },
       AuthorityFault::Malformed, "tls.crt holds no PEM certificate"},
      {"garbage for a key", [&] { return With(good, &CaSecret::key, "junk"); },
       AuthorityFault::Malformed, "tls.key holds no PEM private key"},
      {"garbage for a root", [&] { return With(good, &CaSecret::ca, "junk"); },
       AuthorityFault::Malformed, "ca.crt holds no PEM certificate"},
      {"1 MiB for a certificate", [&] { return With(good, &CaSecret::certificate, junk); },
       AuthorityFault::Malformed, "tls.crt has 1048576 bytes"},
      {"1 MiB for a key", [&] { return With(good, &CaSecret::key, junk); },
       AuthorityFault::Malformed, "tls.key has 1048576 bytes"},
      {"1 MiB for a root", [&] { return With(good, &CaSecret::ca, junk); },
       AuthorityFault::Malformed, "ca.crt has 1048576 bytes"},
      {"the fields exchanged", [&] { return CaSecret{good.key, good.certificate, {}}; },
       AuthorityFault::Malformed, "tls.crt holds a PEM block (number 1) that is not a certificate"},
      {"the key of another CA", [&] { return With(good, &CaSecret::key, other.key); },
       AuthorityFault::KeyMismatch, "tls.key is not the key of"},
      {"a key of another algorithm",
       [&] { return With(good, &CaSecret::key, test::MakeKeyPem("RSA-2048")); },
       AuthorityFault::KeyMismatch, "tls.key is not the key of"},
      {"an encrypted key", [&] { return With(good, &CaSecret::key, test::EncryptKey(good.key)); },
       AuthorityFault::KeyEncrypted, "tls.key is encrypted"},
      {"a traditionally encrypted key",
       [&] { return With(good, &CaSecret::key, test::EncryptKeyTraditionally(good.key)); },
       AuthorityFault::KeyEncrypted, "tls.key is encrypted"},
      {"RSA-1024", [] { return SelfSigned({.key = "RSA-1024"}); }, AuthorityFault::KeyUnsupported,
       "RSA"},
      {"secp256k1", [] { return SelfSigned({.key = "secp256k1"}); }, AuthorityFault::KeyUnsupported,
       "tls.key"},
      {"Ed448", [] { return SelfSigned({.key = "ED448"}); }, AuthorityFault::KeyUnsupported,
       "tls.key"},
  });
}

TEST(Signer, Says_why_a_certificate_is_no_CA) {
  const auto no = AuthorityFault::NotACertificateAuthority;
  ExpectRefusals({
      {"CA:FALSE", [] { return SelfSigned({.basic_constraints = "critical,CA:FALSE"}); }, no,
       "lack CA:TRUE"},
      {"no basicConstraints", [] { return SelfSigned({.basic_constraints = ""}); }, no,
       "lack CA:TRUE"},
      {"no basicConstraints nor anything",
       [] {
         return SelfSigned({.basic_constraints = "", .key_usage = "", .has_subject_key_id = false});
       },
       no, "lack CA:TRUE"},
      {"no keyCertSign",
       [] { return SelfSigned({.key_usage = "critical,digitalSignature,cRLSign"}); }, no,
       "keyCertSign"},
      {"for servers only", [] { return SelfSigned({.extended_key_usage = "serverAuth"}); }, no,
       "clientAuth"},
  });
}

TEST(Signer, Says_why_verifiers_refuse_all_that_a_CA_signs) {
  const auto no = AuthorityFault::Unverifiable;
  const test::PemPair root = test::MakeAuthority({.common_name = "Root"});
  const auto below = [&](const test::CertificateOptions& options) {
    const test::PemPair pair = test::MakeAuthority(options, root);
    return CaSecret{pair.certificate, pair.key, root.certificate};
  };
  ExpectRefusals({
      {"an empty subject", [] { return SelfSigned({.common_name = ""}); }, no, "an empty subject"},
      {"an unknown critical extension", [] { return SelfSigned({.has_unknown_critical = true}); },
       no, "(1.3.6.1.4.1.99999.1)"},
      {"one below a root", [&] { return below({.has_unknown_critical = true}); }, no,
       "(1.3.6.1.4.1.99999.1)"},
      {"one above",
       [&] {
         const test::PemPair odd = test::MakeAuthority({.has_unknown_critical = true});
         const test::PemPair pair = test::MakeAuthority({.common_name = "Lower"}, odd);
         return CaSecret{pair.certificate, pair.key, odd.certificate};
       },
       no, "(1.3.6.1.4.1.99999.1)"},
      {"an intermediate signed with SHA-1", [&] { return below({.digest = "SHA1"}); }, no, "weak"},
      {"a policy that no certificate of ours has",
       [&] { return below({.policy_constraints = "critical,requireExplicitPolicy:0"}); }, no,
       "policy"},
      {"an intermediate with a name that its root excludes",
       [&] {
         const test::PemPair strict = test::MakeAuthority(
             {.common_name = "Strict", .name_constraints = "critical,permitted;dirName:name"});
         const test::PemPair pair = test::MakeAuthority({.common_name = "Lower"}, strict);
         return CaSecret{pair.certificate, pair.key, strict.certificate};
       },
       no, "CN=Lower"},
  });
}

Result<IssuedCertificate> IssueFor(const Signer& signer, core::Subject subject) {
  constexpr core::KeySpec kKey{core::KeyAlgorithm::Ecdsa, 256};
  const auto key = GenerateKey(kKey);
  return signer.Issue(
      {.subject = std::move(subject), .key = kKey, .not_before = kNow, .not_after = kNow + days{1}},
      *key);
}

// RFC 5280, 4.2.1.10. Which names they let through only each subject shows.
TEST(Signer, Refuses_a_subject_that_the_nameConstraints_of_its_chain_exclude) {
  core::Subject inside{.common_name = "abap"};
  inside.organizations = {"Example"};
  core::Subject outside = inside;
  outside.organizations = {"Other"};
  const CaSecret strict = SelfSigned({.name_constraints = "critical,permitted;dirName:name"});
  const CaSecret excluding = SelfSigned({.name_constraints = "critical,excluded;dirName:name"});
  const struct {
    const CaSecret& ca;
    const core::Subject& subject;
    bool accepted;
  } table[] = {{strict, inside, true},
               {strict, outside, false},
               {excluding, inside, false},
               {excluding, outside, true}};
  for (const auto& row : table) {
    SCOPED_TRACE(row.subject.organizations[0]);
    const auto signer = Load(row.ca);
    ASSERT_TRUE(signer) << signer.error().message;
    const auto early = signer->CheckSubject(row.subject);
    const auto issued = IssueFor(*signer, row.subject);
    EXPECT_EQ(early.has_value(), row.accepted);
    ASSERT_EQ(issued.has_value(), row.accepted) << issued.error().message;
    if (row.accepted) continue;
    EXPECT_EQ(issued.error().code, ErrorCode::Invalid);
    for (const char* part : {"nameConstraints", "CN=Test CA", "O = Example", "CN=abap"}) {
      EXPECT_NE(issued.error().message.find(part), std::string::npos) << issued.error().message;
    }
    EXPECT_EQ(early.error().message, issued.error().message);
    EXPECT_EQ(ERR_peek_error(), 0U);
  }
}

TEST(Signer, Takes_a_common_name_for_a_DNS_name_as_verifiers_do) {
  const auto signer = Load(SelfSigned({.name_constraints = "critical,permitted;DNS:example.com"}));
  ASSERT_TRUE(signer) << signer.error().message;
  EXPECT_TRUE(signer->CheckSubject({.common_name = "abap"}));
  EXPECT_TRUE(IssueFor(*signer, {.common_name = "a.example.com"}));
  EXPECT_FALSE(signer->CheckSubject({.common_name = "a.example.org"}));
  EXPECT_FALSE(IssueFor(*signer, {.common_name = "a.example.org"}));
}

TEST(Signer, Of_a_CA_without_a_well_defined_end_issues) {
  const sys_seconds forever = std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} +
                              std::chrono::hours{24} - seconds{1};
  const auto signer = Load(SelfSigned({.not_after = forever}));
  ASSERT_TRUE(signer) << signer.error().message;
  EXPECT_EQ(signer->Facts().chain_end, forever);
  EXPECT_TRUE(IssueFor(*signer, {.common_name = "abap"}));
}

TEST(Signer, Judges_times_to_the_second_and_of_the_whole_chain) {
  const sys_seconds start = kNow;
  const sys_seconds end = kNow + days{30};
  const CaSecret short_lived = SelfSigned({.not_before = start, .not_after = end});
  EXPECT_TRUE(Load(short_lived, start));
  EXPECT_TRUE(Load(short_lived, end));
  const auto early = Load(short_lived, start - seconds{1});
  ASSERT_FALSE(early);
  EXPECT_EQ(ToString(early.error().fault), "NotYetValid");
  EXPECT_NE(early.error().message.find("2025-06-23T00:00:00Z"), std::string::npos)
      << early.error().message;
  const auto late = Load(short_lived, end + seconds{1});
  ASSERT_FALSE(late);
  EXPECT_EQ(ToString(late.error().fault), "Expired");
  EXPECT_NE(late.error().message.find("2025-07-23T00:00:00Z"), std::string::npos)
      << late.error().message;

  const test::PemPair root =
      test::MakeAuthority({.common_name = "Short Root", .not_before = start, .not_after = end});
  const test::PemPair middle = test::MakeAuthority({.common_name = "Long Middle"}, root);
  const CaSecret chain{middle.certificate, middle.key, root.certificate};
  const auto signer = Load(chain, start);
  ASSERT_TRUE(signer) << signer.error().message;
  EXPECT_EQ(signer->Facts().not_before, start) << "the latest start of the chain";
  EXPECT_EQ(signer->Facts().chain_end, end) << "the earliest end of the chain";
  EXPECT_EQ(signer->Facts().subject, "CN=Long Middle");
  const auto expired = Load(chain, end + seconds{1});
  ASSERT_FALSE(expired);
  EXPECT_EQ(ToString(expired.error().fault), "Expired");
  EXPECT_NE(expired.error().message.find("CN=Short Root"), std::string::npos);
  EXPECT_EQ(ToString(Load(chain, start - seconds{1}).error().fault), "NotYetValid");
}

class Chain : public testing::Test {
 protected:
  const test::PemPair root_ = test::MakeAuthority({.common_name = "Root"});
  const test::PemPair upper_ = test::MakeAuthority({.common_name = "Upper", .key = "P-384"}, root_);
  const test::PemPair lower_ = test::MakeAuthority({.common_name = "Lower"}, upper_);
  const test::PemPair stranger_ = test::MakeAuthority({.common_name = "Stranger"});

  // tls.crt (but for the leaf) and ca.crt of what a CA with these fields issues.
  static std::pair<std::string, std::string> IssuedBy(const CaSecret& secret) {
    const auto signer = Load(secret);
    if (!signer) return {"refused", signer.error().message};
    const auto key = GenerateKey({core::KeyAlgorithm::Ecdsa, 256});
    core::Subject subject;
    subject.common_name = "a";
    const auto issued = signer->Issue({.subject = subject,
                                       .key = {core::KeyAlgorithm::Ecdsa, 256},
                                       .not_before = kNow,
                                       .not_after = kNow + days{1}},
                                      *key);
    if (!issued) return {"not issued", issued.error().message};
    EXPECT_TRUE(issued->certificate_pem.starts_with(issued->details.pem));
    return {issued->certificate_pem.substr(issued->details.pem.size()), issued->ca_pem};
  }
};

TEST_F(Chain, Goes_into_tls_crt_without_its_root_which_goes_into_ca_crt) {
  const std::string root = root_.certificate;
  const std::string upper = upper_.certificate;
  const std::string lower = lower_.certificate;
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(IssuedBy({root, root_.key, {}}), (Pair{"", root})) << "a root alone";
  EXPECT_EQ(IssuedBy({root, root_.key, root}), (Pair{"", root})) << "a root given twice";
  EXPECT_EQ(IssuedBy({upper, upper_.key, root}), (Pair{upper, root})) << "root in ca.crt";
  EXPECT_EQ(IssuedBy({upper + root, upper_.key, {}}), (Pair{upper, root})) << "root in tls.crt";
  EXPECT_EQ(IssuedBy({upper + root, upper_.key, root}), (Pair{upper, root})) << "root in both";
  EXPECT_EQ(IssuedBy({lower + upper, lower_.key, root}), (Pair{lower + upper, root}));
  EXPECT_EQ(IssuedBy({lower, lower_.key, root + upper}), (Pair{lower + upper, root}))
      << "a bundle in any order";
  EXPECT_EQ(IssuedBy({lower, lower_.key, upper}), (Pair{lower + upper, upper}))
      << "no root is known: the topmost";
  EXPECT_EQ(IssuedBy({lower, lower_.key, {}}), (Pair{lower, lower}));
  EXPECT_EQ(IssuedBy({upper, upper_.key, stranger_.certificate + root}), (Pair{upper, root}))
      << "a bundle with strangers";
}

TEST_F(Chain, Is_told_whole_from_the_signing_certificate_up_and_leads_from_what_it_signs) {
  const std::string root = root_.certificate;
  const std::string upper = upper_.certificate;
  const std::string lower = lower_.certificate;
  const auto signer = Load({lower + upper, lower_.key, root});
  ASSERT_TRUE(signer) << signer.error().message;
  EXPECT_EQ(signer->Facts().chain, lower + upper + root);
  EXPECT_EQ(FingerprintOf(signer->Facts().chain), signer->Facts().fingerprint);
  const auto issued = test::MakeClient({lower + upper + root, lower_.key}, "a");
  EXPECT_TRUE(CheckChain(issued.details.pem, signer->Facts().chain));
}

TEST_F(Chain, That_is_broken_is_refused) {
  const std::string root = root_.certificate;
  const std::string upper = upper_.certificate;
  const std::string lower = lower_.certificate;
  const test::PemPair impostor = test::MakeAuthority({.common_name = "Root"});
  const auto broken = AuthorityFault::ChainBroken;
  ExpectRefusals({
      {"a link is missing", [&] { return CaSecret{lower + root, lower_.key, {}}; }, broken,
       "CN=Root"},
      {"the wrong way round", [&] { return CaSecret{root + upper, root_.key, {}}; }, broken,
       "did not sign"},
      {"the root first, with the key of the second",
       [&] { return CaSecret{root + upper, upper_.key, {}}; }, broken, "did not sign"},
      {"something behind the root",
       [&] { return CaSecret{upper + root + stranger_.certificate, upper_.key, {}}; }, broken,
       "CN=Stranger"},
      {"a root of the same name and another key",
       [&] { return CaSecret{upper + impostor.certificate, upper_.key, {}}; }, broken,
       "did not sign"},
      {"a ca.crt of somebody else",
       [&] { return CaSecret{upper, upper_.key, stranger_.certificate}; }, broken, "ca.crt"},
      {"a ca.crt of somebody else beside a root",
       [&] { return CaSecret{root, root_.key, stranger_.certificate}; }, broken, "ca.crt"},
  });
}

// A CA that was renewed with its key: peers hold either certificate.
TEST_F(Chain, Takes_of_two_certificates_of_one_key_the_valid_one_wherever_it_stands) {
  const auto renewed = [](const test::PemPair& pair, const std::string& name, sys_seconds from,
                          sys_seconds until) {
    return test::MakeCertificate({.common_name = name, .not_before = from, .not_after = until},
                                 pair.key);
  };
  const std::string root = root_.certificate;
  const std::string upper = upper_.certificate;
  const std::string old = renewed(root_, "Root", test::kLongAgo, kNow - days{1});
  const std::string next = renewed(root_, "Root", kNow + days{1}, test::kFarAway);
  using Pair = std::pair<std::string, std::string>;
  for (const std::string& other : {old, next}) {
    for (const std::string& bundle : {root + other, other + root}) {
      EXPECT_EQ(IssuedBy({upper, upper_.key, bundle}), (Pair{upper, root})) << "in ca.crt";
      EXPECT_EQ(IssuedBy({upper + bundle, upper_.key, {}}), (Pair{upper, root})) << "in tls.crt";
      EXPECT_EQ(IssuedBy({bundle, root_.key, {}}), (Pair{"", root})) << "as the signing one";
    }
    EXPECT_EQ(IssuedBy({upper + other, upper_.key, root}), (Pair{upper, root})) << "one in each";
  }
  EXPECT_EQ(ToString(Load({upper, upper_.key, old}).error().fault), "Expired");
  const std::string longer = renewed(root_, "Root", test::kLongAgo, test::kFarAway + days{1});
  EXPECT_EQ(IssuedBy({upper, upper_.key, root + longer}), (Pair{upper, longer}));
  EXPECT_EQ(IssuedBy({upper, upper_.key, longer + root}), (Pair{upper, longer}));
  EXPECT_EQ(IssuedBy({upper + root, upper_.key, longer}), (Pair{upper, root}))
      << "the order of tls.crt is the owner's";
}

TEST_F(Chain, With_a_certificate_that_stands_there_twice_is_read_as_with_one) {
  const std::string root = root_.certificate;
  const std::string upper = upper_.certificate;
  const std::string lower = lower_.certificate;
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(IssuedBy({lower + upper + upper, lower_.key, root}), (Pair{lower + upper, root}));
  EXPECT_EQ(IssuedBy({lower + lower + upper, lower_.key, root + root}),
            (Pair{lower + upper, root}));
  EXPECT_EQ(IssuedBy({lower + upper + root + upper, lower_.key, {}}), (Pair{lower + upper, root}));
  const auto issued = test::MakeClient({lower + upper + root, lower_.key}, "a");
  EXPECT_TRUE(CheckChain(issued.details.pem, lower + upper + upper + root));
}

TEST_F(Chain, May_have_its_root_in_a_bundle_of_many) {
  std::string bundle;
  for (std::size_t i = 0; i < kMaxBundle - 1; ++i) bundle += stranger_.certificate;
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(IssuedBy({upper_.certificate, upper_.key, bundle + root_.certificate}),
            (Pair{upper_.certificate, root_.certificate}));
  ExpectRefusals({{"too many in ca.crt",
                   [&] {
                     return CaSecret{upper_.certificate, upper_.key,
                                     bundle + root_.certificate + root_.certificate};
                   },
                   AuthorityFault::Malformed, "ca.crt holds more than 256 certificates"},
                  {"too many in tls.crt",
                   [&] {
                     std::string many = upper_.certificate;
                     for (std::size_t i = 0; i < kMaxChain; ++i) many += root_.certificate;
                     return CaSecret{many, upper_.key, {}};
                   },
                   AuthorityFault::Malformed, "tls.crt holds more than 16 certificates"}});
}

TEST_F(Chain, With_an_upper_certificate_that_is_no_CA_is_refused) {
  const test::PemPair fake =
      test::MakeAuthority({.common_name = "Fake", .basic_constraints = "CA:FALSE"}, root_);
  const test::PemPair below = test::MakeAuthority({.common_name = "Below"}, fake);
  const auto signer = Load({below.certificate + fake.certificate, below.key, root_.certificate});
  ASSERT_FALSE(signer);
  EXPECT_EQ(ToString(signer.error().fault), "NotACertificateAuthority");
  EXPECT_NE(signer.error().message.find("CN=Fake"), std::string::npos);
}

TEST_F(Chain, Longer_than_a_pathLen_allows_is_refused) {
  const test::PemPair root =
      test::MakeAuthority({.common_name = "R", .basic_constraints = "critical,CA:TRUE,pathlen:1"});
  const test::PemPair one = test::MakeAuthority({.common_name = "One"}, root);
  const test::PemPair two = test::MakeAuthority({.common_name = "Two"}, one);
  EXPECT_TRUE(Load({root.certificate, root.key, {}}));
  EXPECT_TRUE(Load({one.certificate, one.key, root.certificate}));
  const auto signer = Load({two.certificate + one.certificate, two.key, root.certificate});
  ASSERT_FALSE(signer);
  EXPECT_EQ(ToString(signer.error().fault), "ChainBroken");
  EXPECT_NE(signer.error().message.find("CN=R allows 1 CA"), std::string::npos)
      << signer.error().message;
}

}  // namespace
}  // namespace certpair::x509
