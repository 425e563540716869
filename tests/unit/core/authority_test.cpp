#include "core/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

AuthorityObservation FromSecret(CaSecretState secret) {
  AuthorityObservation o;
  o.identity = {"ca-uid", "corporate-ca", false, 2};
  o.source = AuthorityFromSecret{"corporate-ca"};
  o.secret = std::move(secret);
  o.now = kNow;
  return o;
}
AuthorityObservation Generated(CaSecretState secret) {
  AuthorityObservation o = FromSecret(std::move(secret));
  o.source = AuthorityGenerated{"Demo CA", hours{87600}, {KeyAlgorithm::Ecdsa, 256}};
  return o;
}
CaUsable Usable(int n = 1) {
  return {"CN=Demo CA", Fingerprint(n), kNow - days{10}, kNow + days{3640}, {}};
}

std::string Ready(const AuthorityDecision& decision) {
  return fmt::format("{}/{}", ToString(decision.status.conditions.at(0).status),
                     decision.status.conditions.at(0).reason);
}
std::vector<std::string> Told(const AuthorityDecision& decision) {
  std::vector<std::string> told;
  for (const auto& event : decision.events) {
    told.push_back((event.warning ? "Warning " : "Normal ") + event.reason);
  }
  return told;
}
/// The status of a quiet pass goes into the next one.
void Settle(AuthorityObservation& o) { o.status = DecideAuthority(o).status; }

TEST(Authority, From_a_usable_secret_is_ready_and_says_so_once) {
  AuthorityObservation o = FromSecret(Usable());
  const AuthorityDecision decision = DecideAuthority(o);
  EXPECT_EQ(Ready(decision), "True/Usable");
  EXPECT_EQ(decision.status.subject, "CN=Demo CA");
  EXPECT_EQ(decision.status.fingerprint, Fingerprint(1));
  EXPECT_EQ(decision.status.not_after, kNow + days{3640});
  EXPECT_EQ(decision.status.observed_generation, 2);
  EXPECT_THAT(Told(decision), ElementsAre("Normal Ready"));
  Settle(o);
  EXPECT_THAT(Told(DecideAuthority(o)), IsEmpty());
  EXPECT_EQ(DecideAuthority(o).status, o.status);
}

struct Fault {
  std::string name;
  CaSecretState secret;
  std::string ready;
};
class FaultyAuthority : public ::testing::TestWithParam<Fault> {};
TEST_P(FaultyAuthority, Is_not_ready_and_warns) {
  const AuthorityDecision decision = DecideAuthority(FromSecret(GetParam().secret));
  EXPECT_EQ(Ready(decision), "False/" + GetParam().ready);
  EXPECT_FALSE(decision.generate);
  EXPECT_THAT(Told(decision), ::testing::Contains("Warning " + GetParam().ready));
}
INSTANTIATE_TEST_SUITE_P(
    R24, FaultyAuthority,
    ::testing::Values(
        Fault{"missing", CaMissing{}, "SecretNotFound"},
        Fault{"not_a_ca", CaUnusable{"NotACertificateAuthority", "CA:FALSE"},
              "NotACertificateAuthority"},
        Fault{"foreign", CaNotOurs{"it is Helm's"}, "SecretNotOurs"},
        Fault{"ended", CaUsable{"CN=x", Fingerprint(1), kNow - days{10}, kNow, {}}, "Expired"},
        Fault{"not_begun", CaUsable{"CN=x", Fingerprint(1), kNow + seconds{1}, kNow + days{10}, {}},
              "NotYetValid"}),
    [](const auto& test) { return test.param.name; });

TEST(Authority, That_begins_later_is_looked_at_again_when_it_does) {
  const sys_seconds begin = kNow + days{3};
  const AuthorityDecision decision =
      DecideAuthority(FromSecret(CaUnusable{"NotYetValid", "It begins later.", begin}));
  EXPECT_EQ(decision.wake_at, begin);
  EXPECT_FALSE(DecideAuthority(FromSecret(CaUnusable{"Malformed", "no PEM"})).wake_at);
}

TEST(Authority, That_is_generated_is_made_once_with_its_validity_and_key) {
  AuthorityObservation o = Generated(CaMissing{});
  const AuthorityDecision decision = DecideAuthority(o);
  ASSERT_TRUE(decision.generate);
  EXPECT_EQ(decision.generate->common_name, "Demo CA");
  EXPECT_EQ(decision.generate->not_before, kNow - minutes{5});
  EXPECT_EQ(decision.generate->not_after, kNow + hours{87600});
  EXPECT_EQ(Ready(decision), "False/Generating");
  EXPECT_THAT(decision.events, IsEmpty());
  o.secret = Usable();
  EXPECT_FALSE(DecideAuthority(o).generate);
}

TEST(Authority, That_was_generated_is_never_replaced_in_silence) {
  AuthorityObservation o = Generated(Usable());
  Settle(o);
  o.secret = CaMissing{};
  const AuthorityDecision lost = DecideAuthority(o);
  EXPECT_FALSE(lost.generate);
  EXPECT_EQ(Ready(lost), "False/SecretLost");
  EXPECT_THAT(Told(lost), ElementsAre("Warning SecretLost"));
  EXPECT_EQ(lost.status.fingerprint, Fingerprint(1));
}

TEST(Authority, A_replaced_key_adds_to_the_earlier_ones_newest_first) {
  AuthorityObservation o = FromSecret(Usable(1));
  Settle(o);
  o.secret = Usable(2);
  const AuthorityDecision rotated = DecideAuthority(o);
  EXPECT_THAT(rotated.status.earlier_fingerprints, ElementsAre(Fingerprint(1)));
  EXPECT_THAT(Told(rotated), ElementsAre("Normal AuthorityChanged"));
  Settle(o);
  o.secret = CaUnusable{"Garbage", "no PEM"};  // amid a careless rotation
  Settle(o);
  o.secret = Usable(3);
  Settle(o);
  EXPECT_THAT(o.status.earlier_fingerprints, ElementsAre(Fingerprint(2), Fingerprint(1)));
  o.secret = Usable(1);  // and back
  Settle(o);
  EXPECT_EQ(o.status.fingerprint, Fingerprint(1));
  EXPECT_THAT(o.status.earlier_fingerprints, ElementsAre(Fingerprint(3), Fingerprint(2)));
}

TEST(Authority, Remembers_at_most_sixteen) {
  AuthorityObservation o = FromSecret(Usable(0));
  for (int n = 0; n < 40; ++n) {
    o.secret = Usable(n);
    Settle(o);
  }
  ASSERT_EQ(o.status.earlier_fingerprints.size(), 16U);
  EXPECT_EQ(o.status.earlier_fingerprints.front(), Fingerprint(38));
}

TEST(Authority, Renewed_with_the_same_key_says_so_and_remembers_which) {
  AuthorityObservation o = FromSecret(Usable(1));
  Settle(o);
  o.secret = Usable(2);
  o.has_key_of_status = true;
  const AuthorityDecision renewed = DecideAuthority(o);
  EXPECT_THAT(Told(renewed), ElementsAre("Normal AuthorityChanged"));
  EXPECT_THAT(renewed.events[0].message, HasSubstr("renewed its certificate with the same key"));
  EXPECT_THAT(renewed.status.same_key_fingerprints, ElementsAre(Fingerprint(1)));
  Settle(o);
  o.secret = Usable(3);
  Settle(o);
  EXPECT_THAT(o.status.same_key_fingerprints, ElementsAre(Fingerprint(2), Fingerprint(1)));
  o.secret = Usable(4);
  o.has_key_of_status = false;
  EXPECT_THAT(DecideAuthority(o).events[0].message, HasSubstr("another key"));
  Settle(o);
  EXPECT_THAT(o.status.same_key_fingerprints, IsEmpty());
  EXPECT_THAT(o.status.earlier_fingerprints,
              ElementsAre(Fingerprint(3), Fingerprint(2), Fingerprint(1)));
}

TEST(Authority, Tells_its_chain_within_a_limit) {
  CaUsable ca = Usable();
  ca.chain = std::string(kLongestChain, 'x');
  EXPECT_EQ(DecideAuthority(FromSecret(ca)).status.chain, ca.chain);
  ca.chain += 'x';
  EXPECT_EQ(DecideAuthority(FromSecret(ca)).status.chain, "");
}

TEST(Authority, Of_another_certificate_tells_another_chain) {
  CaUsable ca = Usable(1);
  ca.chain = "first";
  AuthorityObservation o = FromSecret(ca);
  Settle(o);
  ca = Usable(2);
  ca.chain = "second";
  o.secret = ca;
  EXPECT_EQ(DecideAuthority(o).status.chain, "second");
  o.secret = CaMissing{};  // what peers trust stays known
  EXPECT_EQ(DecideAuthority(o).status.chain, "first");
}

TEST(Authority, Warns_a_year_before_its_end_once) {
  AuthorityObservation o = FromSecret(Usable());
  Settle(o);
  const AuthorityDecision quiet = DecideAuthority(o);
  const sys_seconds warning = kNow + days{3640 - 365};
  EXPECT_EQ(quiet.wake_at, warning);
  o.now = warning - seconds{1};
  EXPECT_THAT(Told(DecideAuthority(o)), IsEmpty());
  o.now = warning;
  const AuthorityDecision warned = DecideAuthority(o);
  EXPECT_EQ(warned.status.conditions.at(1).status, ConditionStatus::True);
  EXPECT_THAT(Told(warned), ElementsAre("Warning ExpiringSoon"));
  EXPECT_EQ(warned.wake_at, kNow + days{3640});
  Settle(o);
  EXPECT_THAT(Told(DecideAuthority(o)), IsEmpty());
}

TEST(Authority, Of_a_short_life_warns_in_its_last_third) {
  AuthorityObservation o = FromSecret(CaUsable{"CN=x", Fingerprint(1), kNow, kNow + hours{3}, {}});
  EXPECT_EQ(DecideAuthority(o).wake_at, kNow + hours{2});
}

TEST(Authority, That_is_being_deleted_makes_and_writes_nothing) {
  AuthorityObservation o = Generated(CaMissing{});
  o.identity.being_deleted = true;
  const AuthorityDecision decision = DecideAuthority(o);
  EXPECT_FALSE(decision.generate);
  EXPECT_EQ(decision.status, o.status);
}

TEST(Authority, A_renewal_with_the_same_key_is_not_a_new_key) {
  Observation o = WithPair(Fresh(), Made(1, kNow - days{10}));
  o.authority.earlier_fingerprints = {o.authority.fingerprint};
  o.authority.same_key_fingerprints = o.authority.earlier_fingerprints;
  o.authority.fingerprint = Fingerprint(777);
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  EXPECT_EQ(Says(decision.status, "Ready"), "True/Valid");
  EXPECT_THAT(MessageOf(decision.status, "Ready"), HasSubstr("with the same key"));
  EXPECT_THAT(decision.events, IsEmpty());
}

TEST(Authority, A_new_key_leaves_existing_certificates_and_says_so) {
  Observation o = WithPair(Fresh(), Made(1, kNow - days{10}));
  o.authority.earlier_fingerprints = {o.authority.fingerprint};
  o.authority.fingerprint = Fingerprint(777);
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  EXPECT_EQ(Says(decision.status, "Ready"), "True/AuthorityChanged");
  EXPECT_THAT(MessageOf(decision.status, "Ready"), HasSubstr("new key"));
  EXPECT_EQ(Reasons(decision.events), std::vector<std::string>{"Normal AuthorityChanged"});
}

}  // namespace
}  // namespace certpair::core::testing
