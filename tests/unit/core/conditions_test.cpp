// R7, R9, R14, R26: what status and Events say, and when.
#include "core/conditions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time_format.hpp"
#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Certificate kActive = Made(1, kNow);
sys_seconds BeforeEnd(seconds time) { return kActive.not_after - time; }

Observation Quiet(bool regeneration = false) {
  Observation o = Fresh();
  o.spec.regeneration_enabled = regeneration;
  return WithPair(std::move(o), kActive);
}

TEST(Ready, Becomes_False_at_the_second_of_the_end) {
  Observation o = Quiet();
  o.now = BeforeEnd(seconds{1});
  const Decision before = Decide(o);
  EXPECT_EQ(Says(before.status, "Ready"), "True/Valid");
  EXPECT_EQ(before.wake_at, kActive.not_after);
  o.status = before.status;
  o.now = kActive.not_after;
  const Decision after = Decide(o);
  EXPECT_EQ(Says(after.status, "Ready"), "False/Expired");
  EXPECT_EQ(Says(after.status, "ExpiringSoon"), "True/Expired");
  EXPECT_FALSE(after.change);
  EXPECT_THAT(Reasons(after.events), ElementsAre("Warning Expired"));
  EXPECT_THAT(MessageOf(after.status, "Ready"),
              AllOf(HasSubstr("action: Generate"), HasSubstr("systemRef.name: abap-prod")));
}

TEST(Ready, Is_False_before_the_beginning_and_wakes_for_it) {
  Observation o = Quiet();
  o.now = kActive.not_before - hours{1};  // a clock went back
  const Decision decision = Decide(o);
  EXPECT_EQ(Says(decision.status, "Ready"), "False/NotYetValid");
  EXPECT_EQ(decision.wake_at, kActive.not_before);
  EXPECT_FALSE(decision.change);
}

TEST(Ready, Stays_True_while_a_regeneration_fails) {
  Observation o = Quiet(true);
  o.now = BeforeEnd(days{1});
  o.write_failure = "exceeded quota";
  const Decision decision = Decide(o);
  EXPECT_TRUE(decision.change);
  EXPECT_EQ(Says(decision.status, "Ready"), "True/Valid");
  EXPECT_EQ(Says(decision.status, "AutomaticRegeneration"), "False/SecretWriteFailed");
  EXPECT_EQ(Says(decision.status, "ExpiringSoon"), "True/ActionNeeded");
  EXPECT_THAT(MessageOf(decision.status, "Ready"), HasSubstr("exceeded quota"));
}

TEST(Ready, Distinguishes_a_failed_signature_from_a_failed_write) {
  Observation o = Fresh();
  o.write_failure = "nameConstraints";
  o.signing_failed = true;
  const Decision first = Decide(o);
  EXPECT_EQ(Says(first.status, "Ready"), "False/SigningFailed");
  EXPECT_THAT(MessageOf(first.status, "Ready"),
              HasSubstr("did not sign a certificate: nameConstraints"));
  EXPECT_EQ(Reasons(first.events), std::vector<std::string>{"Warning SigningFailed"});
  o = Quiet(true);
  o.now = BeforeEnd(days{1});
  o.write_failure = "nameConstraints";
  o.signing_failed = true;
  const Decision later = Decide(o);
  EXPECT_EQ(Says(later.status, "Ready"), "True/Valid");
  EXPECT_EQ(Says(later.status, "AutomaticRegeneration"), "False/SigningFailed");
}

TEST(Ready, Says_that_the_spec_asks_for_another_key) {
  Observation o = Quiet();
  EXPECT_THAT(MessageOf(Decide(o).status, "Ready"), Not(HasSubstr("Its key")));
  o.spec.key = {.algorithm = KeyAlgorithm::Ed25519, .size = 256};
  const Decision decision = Decide(o);
  EXPECT_EQ(Says(decision.status, "Ready"), "True/Valid");
  EXPECT_THAT(MessageOf(decision.status, "Ready"),
              HasSubstr("Its key is ECDSA 256. The next certificate has Ed25519"));
}

TEST(Ready, Names_the_damage_and_an_immutable_Secret) {
  Observation o = Quiet();
  o.secret = Damaged{kActive, std::nullopt, "the inactive key does not match"};
  EXPECT_EQ(Says(Decide(o).status, "Ready"), "True/InactiveDamaged");
  EXPECT_THAT(MessageOf(Decide(o).status, "Ready"), HasSubstr("does not match"));
  EXPECT_THAT(Reasons(Decide(o).events), ElementsAre("Warning InactiveDamaged"));
  o.secret = Immutable{CertificatePair{kActive, std::nullopt}};
  EXPECT_EQ(Says(Decide(o).status, "Ready"), "True/SecretImmutable");
  EXPECT_THAT(Reasons(Decide(o).events), ElementsAre("Warning SecretImmutable"));
}

TEST(Ready, A_foreign_Secret_warns_once_and_backs_off) {
  Observation o = Fresh();
  o.secret = NotOurs{"it is Helm's", false};
  Decision decision = Decide(o);
  EXPECT_THAT(Reasons(decision.events), ElementsAre("Warning SecretNotOurs"));
  seconds last{0};
  for (int look = 0; look < 12; ++look) {
    const seconds wait = decision.wake_at - o.now;
    EXPECT_GE(wait, last);
    EXPECT_LE(wait, minutes{10});
    last = wait;
    o.status = decision.status;
    o.now = decision.wake_at;
    decision = Decide(o);
    EXPECT_THAT(decision.events, IsEmpty());
    EXPECT_EQ(decision.status, o.status);
  }
  EXPECT_EQ(last, minutes{10});
}

TEST(Transition, Times_change_only_when_the_status_does) {
  Observation o = Fresh();
  o.authority.state = AuthorityView::State::NotReady;
  o.status = Decide(o).status;
  o.now += hours{1};
  o.authority = AuthorityView{};  // another reason, still False
  o.status = Decide(o).status;
  EXPECT_EQ(o.status.Find("Ready")->reason, "AuthorityNotFound");
  EXPECT_EQ(o.status.Find("Ready")->last_transition, kNow);
  o.secret = CertificatePair{kActive, std::nullopt};
  o.status = Decide(o).status;
  EXPECT_EQ(o.status.Find("Ready")->last_transition, kNow + hours{1});
}

TEST(Transition, Conditions_of_others_stay_behind_ours) {
  Observation o = Quiet();
  o.status.conditions.insert(o.status.conditions.begin(),
                             Condition{"PeerAccepted", ConditionStatus::True, "Sent", "", 1, kNow});
  const SystemStatus status = Decide(o).status;
  std::vector<std::string> types;
  for (const Condition& condition : status.conditions) types.push_back(condition.type);
  EXPECT_THAT(types, ElementsAre("Ready", "ExpiringSoon", "AutomaticRegeneration", "InUse",
                                 "PeerAccepted"));
  EXPECT_EQ(status.conditions.back().observed_generation, 1);
  EXPECT_EQ(status.conditions.front().observed_generation, 3);
}

TEST(Notifications, Who_subscribed_is_told_that_no_mail_is_sent) {
  Observation o = Quiet();
  EXPECT_EQ(Decide(o).status.Find("NotificationsDelivered"), nullptr) << "it concerns nobody";
  o.spec.subscribers = {{"Identity team", "idm@example.com"}};
  const SystemStatus subscribed = Decide(o).status;
  const Condition* told = subscribed.Find("NotificationsDelivered");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->status, ConditionStatus::False);
  EXPECT_EQ(told->reason, "MailNotConfigured");
  EXPECT_EQ(told->message.find("idm@example.com"), std::string::npos) << "no address in a status";
  o.status = subscribed;
  o.spec.subscribers.clear();
  const SystemStatus nobody = Decide(o).status;
  EXPECT_EQ(nobody.Find("NotificationsDelivered")->reason, "NoSubscribers");
}

struct Step {
  seconds before_end;
  std::string condition;
  std::vector<std::string> events;
};
void Walk(Observation o, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    o.now = BeforeEnd(step.before_end);
    const Decision decision = Decide(o);
    SCOPED_TRACE(FormatDuration(step.before_end));
    EXPECT_EQ(Says(decision.status, "ExpiringSoon"), step.condition);
    EXPECT_EQ(Reasons(decision.events), step.events);
    o.status = decision.status;
    EXPECT_THAT(Decide(o).events, IsEmpty());  // also after a restart
    EXPECT_EQ(Decide(o).status, o.status);
  }
}

TEST(Warnings, With_OFF_come_once_a_threshold_and_ask_for_action) {
  Walk(Quiet(), {{hours{720} + seconds{1}, "False/NotYet", {}},
                 {hours{720}, "True/ActionNeeded", {"Warning ExpiringSoon"}},
                 {hours{400}, "True/ActionNeeded", {}},
                 {hours{336}, "True/ActionNeeded", {"Warning ExpiringSoon"}},
                 {hours{72}, "True/ActionNeeded", {"Warning ExpiringSoon"}},
                 {seconds{1}, "True/ActionNeeded", {}},
                 {seconds{0}, "True/Expired", {"Warning Expired"}},
                 {-hours{1000}, "True/Expired", {}}});
}

TEST(Warnings, A_threshold_with_ON_is_a_normal_Event) {
  Walk(Quiet(true), {{hours{720}, "True/WillBeRegenerated", {"Normal ExpiringSoon"}},
                     {hours{500}, "True/WillBeRegenerated", {}}});
}

TEST(Warnings, After_downtime_only_the_most_urgent_one_comes) {
  Walk(Quiet(), {{hours{24}, "True/ActionNeeded", {"Warning ExpiringSoon"}}});
}

TEST(Warnings, Do_not_come_twice_when_a_clock_goes_back_and_forth) {
  Walk(Quiet(), {{hours{720}, "True/ActionNeeded", {"Warning ExpiringSoon"}},
                 {hours{800}, "False/NotYet", {}},
                 {hours{720}, "True/ActionNeeded", {}}});
}

TEST(Warnings, Name_the_certificate_the_time_and_what_to_do) {
  Observation o = Quiet();
  o.now = BeforeEnd(days{29});
  const Decision decision = Decide(o);
  ASSERT_EQ(decision.events.size(), 1U);
  EXPECT_THAT(decision.events[0].message,
              AllOf(HasSubstr(kActive.fingerprint), HasSubstr(FormatTime(kActive.not_after)),
                    HasSubstr("in 29 days"), HasSubstr("action: Generate")));
  EXPECT_THAT(MessageOf(decision.status, "ExpiringSoon"), HasSubstr("in less than 30 days"));
}

TEST(Warnings, Name_the_inactive_certificate_to_activate) {
  Observation o = WithPair(Fresh(), kActive, Made(2, kNow + days{300}));
  o.now = BeforeEnd(days{20});
  EXPECT_THAT(MessageOf(Decide(o).status, "ExpiringSoon"),
              HasSubstr("action: Activate, fingerprint: " + Fingerprint(2)));
}

TEST(Warnings, That_are_switched_off_stay_off_but_the_end_is_told) {
  Observation o = Quiet();
  o.spec.warn_before.clear();
  Walk(o,
       {{hours{72}, "False/WarningsOff", {}}, {seconds{0}, "True/Expired", {"Warning Expired"}}});
}

TEST(Ledger, Has_an_entry_for_each_threshold_while_its_certificate_lasts) {
  Observation o = Quiet();
  o.status.ledger = LedgerOf({"mail-hash-of-another", "event/0000000000000000/72h"});
  o.now = BeforeEnd(hours{300});
  o.status = Decide(o).status;
  EXPECT_THAT(Lines(o.status.ledger),
              ElementsAre("mail-hash-of-another", "event/0000000100000000/720h",
                          "event/0000000100000000/336h"));
  o.secret = CertificatePair{Made(2, o.now), std::nullopt};
  EXPECT_THAT(Lines(Decide(o).status.ledger), ElementsAre("mail-hash-of-another"));
}

TEST(Events, Of_a_regeneration_name_all_three_certificates) {
  Observation o = Fresh();
  o.spec.regeneration_enabled = true;
  o = WithPair(std::move(o), kActive, Made(2, kNow));
  o.now = kActive.not_after;
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_THAT(Reasons(pass.last.events), ElementsAre("Normal CertificateRegenerated"));
  EXPECT_THAT(pass.last.events[0].message,
              AllOf(HasSubstr(o.status.active->fingerprint), HasSubstr(Fingerprint(1)),
                    HasSubstr(Fingerprint(2) + " was deleted")));
}

TEST(Status, Keeps_the_PEM_where_only_the_status_was_read) {
  Observation o = Quiet();
  Certificate bare = kActive;
  bare.pem.clear();
  o.secret = CertificatePair{bare, std::nullopt};
  EXPECT_EQ(Decide(o).status.active->pem, "PEM 1");
}

struct NextCase {
  std::string name;
  bool on;
  bool fingerprint;
  seconds before_end;
  std::string action;
  seconds at_before_end;
};
class Next : public ::testing::TestWithParam<NextCase> {};
TEST_P(Next, Is_what_happens_automatically) {
  Observation o = Quiet(GetParam().on);
  if (GetParam().fingerprint) o.spec.peer_matching = PeerMatching::Fingerprint;
  o.now = BeforeEnd(GetParam().before_end);
  const auto next = Decide(o).status.next;
  if (GetParam().action.empty()) {
    EXPECT_FALSE(next);
    return;
  }
  ASSERT_TRUE(next);
  EXPECT_EQ(next->action, GetParam().action);
  EXPECT_EQ(kActive.not_after - next->at, GetParam().at_before_end);
}
seconds Start() { return hours{336} - StartOffset(Fresh().identity.uid, hours{336}); }
INSTANTIATE_TEST_SUITE_P(
    R8, Next,
    ::testing::Values(NextCase{"ON", true, false, days{300}, "Regenerate", Start()},
                      NextCase{"fingerprint", true, true, days{300}, "Issue", Start()},
                      NextCase{"OFF_early", false, false, days{300}, "Warn", hours{720}},
                      NextCase{"OFF_later", false, false, days{20}, "Warn", hours{336}},
                      NextCase{"OFF_late", false, false, days{1}, "Expire", seconds{0}},
                      NextCase{"OFF_over", false, false, seconds{0}, "", seconds{0}}),
    [](const auto& test) { return test.param.name; });

TEST(Regeneration, Begins_at_the_second_that_status_names) {
  Observation o = Quiet(true);
  const sys_seconds start = Decide(o).status.next->at;
  o.now = start - seconds{1};
  EXPECT_FALSE(Decide(o).change);
  EXPECT_EQ(Decide(o).wake_at, start);
  o.now = start;
  EXPECT_EQ(NameOf(Decide(o).change), "Regenerate");
}

TEST(Steady, Hour_by_hour_nothing_is_written) {
  for (const bool on : {false, true}) {
    Observation o = Quiet(on);
    o.now = BeforeEnd(hours{600});
    o.status = Decide(o).status;
    for (int hour = 0; hour < 24; ++hour) {
      o.now += hours{1};
      const Decision decision = Decide(o);
      EXPECT_EQ(decision.status, o.status);
      EXPECT_THAT(decision.events, IsEmpty());
    }
  }
}

TEST(Conditions, Quote_others_without_what_acts_on_a_terminal) {
  Observation o = WithPair(Fresh(), Made(1, kNow));
  o.write_failure = "admission said: \x1b[2J\nReady\u202E";
  o.secret_metadata_differs = true;
  const Decision decision = Decide(o);
  const std::string message = MessageOf(decision.status, "Ready");
  EXPECT_THAT(message, ::testing::HasSubstr("admission said:  [2J Ready\uFFFD"));
  o.status = decision.status;
  EXPECT_EQ(Decide(o).status, decision.status) << "what went through once stays as it is";
}

}  // namespace
}  // namespace certpair::core::testing
