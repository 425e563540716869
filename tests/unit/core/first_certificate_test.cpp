#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FirstCertificate, A_new_system_gets_an_active_certificate_at_once) {
  Observation o = Fresh();
  const Decision decision = Decide(o);
  ASSERT_TRUE(decision.change);
  const SlotChange& issue = decision.change->slots;
  ASSERT_EQ(issue.active, From::New);
  EXPECT_EQ(issue.order->subject, o.spec.subject);
  EXPECT_EQ(issue.order->key, o.spec.key);
  EXPECT_EQ(issue.order->not_before, kNow - minutes{5});
  EXPECT_EQ(issue.order->not_after, kNow + o.spec.validity);
  EXPECT_FALSE(decision.change->receipt);
  EXPECT_THAT(decision.change->budget.automatic, ElementsAre(kNow));
  EXPECT_EQ(Says(decision.status, "Ready"), "False/Issuing");
}

TEST(FirstCertificate, After_the_write_it_is_ready_and_one_event_says_so) {
  Observation o = Fresh();
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_FALSE(pass.last.change);
  EXPECT_THAT(Reasons(pass.last.events), ElementsAre("Normal CertificateIssued"));
  EXPECT_EQ(Says(o.status, "Ready"), "True/Valid");
  EXPECT_EQ(Says(o.status, "ExpiringSoon"), "False/NotYet");
  EXPECT_EQ(Says(o.status, "AutomaticRegeneration"), "False/Off");
  EXPECT_EQ(Says(o.status, "InUse"), "True/ClientCertificateAuthentication");
  EXPECT_EQ(o.status.observed_generation, 3);
  EXPECT_EQ(o.status.secret_resource_version, o.secret_resource_version);
  ASSERT_TRUE(o.status.active);
  EXPECT_FALSE(o.status.inactive);
}

TEST(FirstCertificate, A_second_pass_changes_nothing_and_says_nothing) {
  Observation o = Fresh();
  Signer signer;
  const SystemStatus written = RunPass(o, signer).last.status;
  o.now += hours{1};
  const Decision quiet = Decide(o);
  EXPECT_FALSE(quiet.change);
  EXPECT_THAT(quiet.events, IsEmpty());
  EXPECT_EQ(quiet.status, written);
  EXPECT_GT(quiet.wake_at, o.now);
}

TEST(FirstCertificate, With_manual_issuance_it_waits_for_a_generate) {
  Observation o = Fresh();
  o.spec.issuance = Issuance::Manual;
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  EXPECT_EQ(Says(decision.status, "Ready"), "False/WaitingForGenerate");
  EXPECT_THAT(MessageOf(decision.status, "Ready"), HasSubstr("action: Generate"));
  EXPECT_GT(decision.wake_at, kNow + days{300});
}

struct Hindrance {
  std::string name;
  void (*put)(Observation&);
  std::string ready;
  std::string says;
  bool watched = false;  // whatever ends it brings an event of its own
};
class Hindered : public ::testing::TestWithParam<Hindrance> {};

TEST_P(Hindered, Nothing_is_made_and_the_condition_says_why) {
  Observation o = Fresh();
  GetParam().put(o);
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  EXPECT_EQ(Says(decision.status, "Ready"), GetParam().ready);
  EXPECT_THAT(MessageOf(decision.status, "Ready"), HasSubstr(GetParam().says));
  EXPECT_GT(decision.wake_at, o.now);
  if (GetParam().watched) {
    EXPECT_GT(decision.wake_at, o.now + days{300}) << "it is polled for";
  }
  EXPECT_TRUE(decision.status.secret_resource_version.empty());
}

INSTANTIATE_TEST_SUITE_P(
    R1, Hindered,
    ::testing::Values(
        Hindrance{"absent", [](Observation& o) { o.authority = AuthorityView{}; },
                  "False/AuthorityNotFound", "corporate-ca", true},
        Hindrance{"not_ready",
                  [](Observation& o) {
                    o.authority.state = AuthorityView::State::NotReady;
                    o.authority.message = "its Secret is garbage";
                  },
                  "False/AuthorityNotReady", "its Secret is garbage", true},
        Hindrance{"nobody_allowed", [](Observation& o) { o.authority.allow.clear(); },
                  "False/NotAllowed", "add to its spec.allow", true},
        Hindrance{"ended", [](Observation& o) { o.authority.chain_end = o.now; },
                  "False/AuthorityExpiresFirst", "corporate-ca"},
        Hindrance{"foreign", [](Observation& o) { o.secret = NotOurs{"it is Helm's", false}; },
                  "False/SecretNotOurs", "it is Helm's"},
        Hindrance{"being_removed", [](Observation& o) { o.secret = NotOurs{"", true}; },
                  "False/WaitingForRemoval", "earlier system"},
        Hindrance{"unfit", [](Observation& o) { o.secret = Retained{std::nullopt, "another DN"}; },
                  "False/SecretNotOurs", "another DN"},
        Hindrance{"immutable", [](Observation& o) { o.secret = Immutable{}; },
                  "False/SecretImmutable", "immutable"}),
    [](const auto& test) { return test.param.name; });

TEST(FirstCertificate, A_failed_write_is_told_and_tried_again) {
  Observation o = Fresh();
  o.write_failure = "exceeded quota: secrets=10";
  const Decision decision = Decide(o);
  EXPECT_TRUE(decision.change);
  EXPECT_EQ(Says(decision.status, "Ready"), "False/SecretWriteFailed");
  EXPECT_THAT(MessageOf(decision.status, "Ready"), HasSubstr("exceeded quota"));
  EXPECT_THAT(Reasons(decision.events), Contains("Warning SecretWriteFailed"));
}

TEST(FirstCertificate, Is_issued_but_not_in_use_with_other_authentication) {
  Observation o = Fresh();
  o.spec.authentication = "BasicAuthentication";
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(Says(pass.last.status, "Ready"), "True/Valid");
  EXPECT_EQ(Says(pass.last.status, "InUse"), "False/OtherAuthentication");
}

TEST(FirstCertificate, It_is_clipped_to_its_authority_and_says_so) {
  Observation o = Fresh();
  o.authority.chain_end = kNow + days{100};
  o.authority.not_before = kNow - minutes{2};
  Signer signer;
  const Pass pass = RunPass(o, signer);
  const auto& order = pass.first.change->slots.order.value();
  EXPECT_EQ(order.not_after, o.authority.chain_end);
  EXPECT_EQ(order.not_before, o.authority.not_before);
  EXPECT_EQ(Says(o.status, "Ready"), "True/ValidityClipped");
}

class Leaving : public ::testing::TestWithParam<bool> {};
TEST_P(Leaving, Nothing_is_created_nor_written_for_what_is_being_deleted) {
  Observation o = Fresh();
  (GetParam() ? o.identity.being_deleted : o.identity.namespace_terminating) = true;
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  EXPECT_EQ(decision.status, o.status);
  EXPECT_THAT(decision.events, IsEmpty());
  EXPECT_GT(decision.wake_at, kNow + days{300});
}
INSTANTIATE_TEST_SUITE_P(R21, Leaving, ::testing::Bool());

Observation WithRetained() {
  Observation o = Fresh();
  o.spec.secret.deletion_policy = DeletionPolicy::Retain;
  o.secret = Retained{CertificatePair{Made(1, kNow - days{10}), Made(2, kNow - days{5})}, ""};
  o.secret_resource_version = "7";
  return o;
}

TEST(FirstCertificate, A_retained_pair_that_fits_is_adopted_with_its_labels_alone) {
  Observation o = WithRetained();
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), "Relabel");
  EXPECT_FALSE(pass.last.change);
  EXPECT_EQ(signer.Issued(), 0);
  EXPECT_EQ(o.status.active->fingerprint, Fingerprint(1));
  EXPECT_THAT(Reasons(pass.last.events), Contains("Normal CertificateAdopted"));
}

struct Refusal {
  std::string name;
  void (*change)(Observation&);
  std::string ready;
  std::string message;
};
class AdoptionRefused : public ::testing::TestWithParam<Refusal> {};
TEST_P(AdoptionRefused, A_retained_pair_is_left_alone_and_Ready_says_why) {
  Observation o = WithRetained();
  GetParam().change(o);
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  EXPECT_FALSE(decision.status.active);
  EXPECT_EQ(Says(decision.status, "Ready"), GetParam().ready);
  EXPECT_THAT(MessageOf(decision.status, "Ready"), HasSubstr(GetParam().message));
}
INSTANTIATE_TEST_SUITE_P(
    R20, AdoptionRefused,
    ::testing::Values(
        Refusal{"authority_absent", [](Observation& o) { o.authority = AuthorityView{}; },
                "False/AuthorityNotFound", "is not adopted. CertificateAuthority"},
        Refusal{"authority_not_ready",
                [](Observation& o) { o.authority.state = AuthorityView::State::NotReady; },
                "False/AuthorityNotReady", "is not adopted"},
        Refusal{"not_ready_and_unfit",
                [](Observation& o) {
                  o.authority.state = AuthorityView::State::NotReady;
                  o.secret = Retained{std::nullopt, "another DN"};
                },
                "False/AuthorityNotReady", "is not adopted"},
        Refusal{"nobody_allowed", [](Observation& o) { o.authority.allow.clear(); },
                "False/NotAllowed", "add to its spec.allow"},
        Refusal{"another_name_allowed",
                [](Observation& o) { o.authority.allow[0].common_names = {"sap-*"}; },
                "False/NotAllowed", "commonName \"abap-prod\""},
        Refusal{"it_would_be_deleted",
                [](Observation& o) { o.spec.secret.deletion_policy = DeletionPolicy::Delete; },
                "False/SecretRetained", "Set spec.secret.deletionPolicy to Retain"}),
    [](const auto& test) { return test.param.name; });

TEST(FirstCertificate, Operations_wait_for_the_authority_of_a_retained_pair) {
  Observation o = WithRetained();
  o.operations = {Op(OperationAction::Generate, 1)};
  o.authority.state = AuthorityView::State::NotReady;
  EXPECT_THAT(Decide(o).verdicts, IsEmpty());
  o.authority.allow.clear();
  ASSERT_EQ(Decide(o).verdicts.size(), 1U);
  EXPECT_EQ(Decide(o).verdicts[0].reason, "NotAllowed");
}

}  // namespace
}  // namespace certpair::core::testing
