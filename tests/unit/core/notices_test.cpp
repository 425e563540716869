// R10, R11, R15: which mails are due to whom, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time_format.hpp"
#include "unit/core/correspondent.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Mails = std::vector<std::string>;

const Certificate kActive = Made(1, kNow);
sys_seconds BeforeEnd(seconds time) { return kActive.not_after - time; }

// `regeneration` ON or OFF, anna subscribed, everything quiet.
Correspondent Quiet(bool regeneration, PeerMatching matching = PeerMatching::SubjectAndIssuer) {
  Observation o = Fresh();
  o.spec.regeneration_enabled = regeneration;
  o.spec.peer_matching = matching;
  o.installation.mail_configured = true;
  o.spec.subscribers = {{"anna", "anna@example.com"}};
  return Correspondent(WithPair(std::move(o), kActive));
}
Correspondent Fingerprinted() { return Quiet(true, PeerMatching::Fingerprint); }

Operation ActivateInactive(const Observation& o) {
  Operation op = Op(OperationAction::Activate, 1);
  op.fingerprint = o.status.inactive->fingerprint;
  return op;
}

TEST(NoticesOff, Come_at_each_threshold_once_and_between_them_none) {
  Correspondent mail = Quiet(false);
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{720} + seconds{1})), Mails{});
  EXPECT_EQ(mail.last.wake_at, BeforeEnd(hours{720}));
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{720})), Mails{"Expiring 720h to anna"});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{500})), Mails{});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{336})), Mails{"Expiring 336h to anna"});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})), Mails{"Expiring 72h to anna"});
  EXPECT_EQ(mail.PassAt(BeforeEnd(seconds{0})), Mails{}) << "the last one has said it";
  EXPECT_EQ(mail.PassAt(BeforeEnd(-hours{1000})), Mails{});
}

TEST(NoticesOff, Can_wait_and_a_regeneration_cannot) {
  EXPECT_FALSE(Quiet(false).LookAt(BeforeEnd(hours{800})).urgent);
  EXPECT_TRUE(Quiet(false).LookAt(BeforeEnd(hours{1})).urgent) << "the end itself";
  EXPECT_FALSE(Quiet(true).LookAt(BeforeEnd(hours{800})).urgent);
  EXPECT_TRUE(Quiet(true).LookAt(BeforeEnd(hours{336})).urgent) << "the window has opened";
}

TEST(NoticesOff, After_downtime_only_the_most_urgent_one_comes) {
  EXPECT_EQ(Quiet(false).PassAt(BeforeEnd(hours{24})), Mails{"Expiring 72h to anna"});
  EXPECT_EQ(Quiet(false).PassAt(BeforeEnd(hours{100})), Mails{"Expiring 336h to anna"});
}

TEST(NoticesOff, That_come_after_the_end_say_so) {
  EXPECT_EQ(Quiet(false).PassAt(BeforeEnd(-hours{1})), Mails{"Expired 72h to anna"});
}

TEST(NoticesOff, Do_not_come_twice_when_a_clock_goes_back_and_forth) {
  Correspondent mail = Quiet(false);
  EXPECT_THAT(mail.PassAt(BeforeEnd(hours{72})), SizeIs(1));
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{400})), Mails{"Expiring 720h to anna"});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})), Mails{});
}

TEST(NoticesOff, Go_to_each_subscriber_and_to_late_ones_the_most_urgent_alone) {
  Correspondent mail = Quiet(false);
  mail.PassAt(BeforeEnd(hours{720}));
  mail.PassAt(BeforeEnd(hours{336}));
  mail.Subscribe("bert");
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{300})), Mails{"Expiring 336h to bert"});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})),
            (Mails{"Expiring 72h to anna", "Expiring 72h to bert"}));
}

TEST(NoticesOff, Do_not_come_again_to_who_unsubscribed_and_came_back) {
  Correspondent mail = Quiet(false);
  mail.PassAt(BeforeEnd(hours{720}));
  mail.Unsubscribe("anna");
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{700})), Mails{});
  mail.Subscribe("anna");
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{690})), Mails{});
}

TEST(NoticesOff, Come_once_to_an_address_in_two_spellings) {
  Correspondent mail = Quiet(false);
  mail.o.spec.subscribers.push_back({"anna again", "ANNA@Example.com"});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})), Mails{"Expiring 72h to anna"});
}

TEST(NoticesOff, Are_none_where_warnBefore_is_empty) {
  Correspondent mail = Quiet(false);
  mail.o.spec.warn_before.clear();
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{1})), Mails{});
  EXPECT_EQ(mail.PassAt(BeforeEnd(-hours{1})), Mails{});
}

TEST(NoticesOff, Come_a_third_of_the_life_before_where_no_threshold_fits) {
  Correspondent mail = Quiet(false);
  mail.o.secret = CertificatePair{Made(2, kNow, std::chrono::minutes{3}), std::nullopt};
  mail.o.spec.validity = std::chrono::minutes{3};
  EXPECT_EQ(mail.PassAt(kNow + std::chrono::minutes{2}), Mails{"Expiring 1m to anna"});
}

TEST(NoticesOff, Say_what_to_do_and_of_what) {
  Correspondent mail = Quiet(false);
  mail.PassAt(BeforeEnd(hours{72}));
  const Notice& notice = mail.last.notices.at(0);
  EXPECT_EQ(notice.recipient, (Subscriber{"anna", "anna@example.com"}));
  EXPECT_EQ(notice.system_name, "abap-prod");
  EXPECT_EQ(notice.system_namespace, "idm");
  EXPECT_EQ(notice.display_name, "ABAP Production");
  EXPECT_EQ(notice.active, kActive);
  EXPECT_FALSE(notice.inactive);
  EXPECT_FALSE(notice.regeneration_enabled);
  EXPECT_EQ(notice.decided_at, BeforeEnd(hours{72}));
  EXPECT_THAT(notice.what_to_do, HasSubstr("action: Generate"));
  EXPECT_EQ(notice.why, "");
}

TEST(NoticesOff, Remark_that_the_certificate_is_not_in_use) {
  Correspondent mail = Quiet(false);
  mail.o.spec.authentication = "BasicAuthentication";
  mail.PassAt(BeforeEnd(hours{72}));
  EXPECT_THAT(mail.last.notices.at(0).what_to_do, HasSubstr("BasicAuthentication"));
}

TEST(NoticesOff, Come_with_Manual_issuance_and_without_support_for_ON) {
  Correspondent manual = Quiet(false);
  manual.o.spec.issuance = Issuance::Manual;
  EXPECT_EQ(manual.PassAt(BeforeEnd(hours{72})), Mails{"Expiring 72h to anna"});
  Correspondent unsupported = Quiet(true);
  unsupported.o.installation.regeneration_supported = false;
  EXPECT_EQ(unsupported.PassAt(BeforeEnd(hours{336})), Mails{"Expiring 336h to anna"});
}

TEST(NoticesOff, Follow_the_switch_of_regeneration_within_the_window) {
  Correspondent mail = Quiet(true);
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{400})), Mails{});
  mail.o.spec.regeneration_enabled = false;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{350})), Mails{"Expiring 720h to anna"});
  mail.o.spec.regeneration_enabled = true;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{100})), Mails{"Renewed renewed to anna"});
}

TEST(NoticesOff, Are_withdrawn_for_a_system_that_is_being_deleted) {
  Correspondent mail = Quiet(false);
  const Decision due = mail.LookAt(BeforeEnd(hours{72}));
  mail.o.status = due.status;
  mail.o.identity.being_deleted = true;
  mail.o.mail.under_way = {due.notices.at(0).id};
  const Decision leaving = mail.LookAt(BeforeEnd(hours{71}));
  EXPECT_THAT(leaving.notices, IsEmpty());
  EXPECT_THAT(leaving.withdrawn, ElementsAre(due.notices.at(0).id));
}

TEST(NoticesOn, Announce_the_new_certificate_and_no_threshold) {
  Correspondent mail = Quiet(true);
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{720})), Mails{});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{312})), Mails{"Renewed renewed to anna"});
  const Notice& notice = mail.last.notices.at(0);
  EXPECT_EQ(notice.active, *mail.o.status.active);
  EXPECT_NE(notice.active.pem, "");
  EXPECT_EQ(notice.inactive, kActive);
  EXPECT_TRUE(notice.regeneration_enabled);
  EXPECT_THAT(notice.what_to_do, HasSubstr("no action is needed"));
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{311})), Mails{});
}

TEST(NoticesOn, Tell_a_late_subscriber_nothing) {
  Correspondent mail = Quiet(true);
  mail.PassAt(BeforeEnd(hours{312}));
  mail.Subscribe("bert");
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{300})), Mails{});
}

TEST(NoticesOn, Tell_nothing_of_the_first_certificate) {
  Observation o = Fresh();
  o.spec.regeneration_enabled = true;
  o.spec.subscribers = {{"anna", "anna@example.com"}};
  Correspondent mail(std::move(o));
  EXPECT_EQ(mail.PassAt(kNow), Mails{});
  EXPECT_NE(mail.o.status.active, std::nullopt);
}

TEST(NoticesOn, Tell_of_one_that_replaces_a_lost_or_damaged_one) {
  Correspondent lost = Quiet(true);
  lost.o.secret = Missing{};
  lost.o.secret_resource_version.clear();
  EXPECT_EQ(lost.PassAt(kNow + hours{1}), Mails{"Renewed renewed to anna"});
  Correspondent damaged = Quiet(true);
  damaged.o.secret = Damaged{std::nullopt, std::nullopt, "garbage"};
  EXPECT_EQ(damaged.PassAt(kNow + hours{1}), Mails{"Renewed renewed to anna"});
}

TEST(NoticesOn, Tell_nothing_of_what_a_person_activates_or_swaps_by_hand) {
  Correspondent mail = Quiet(true);
  const Certificate other = Made(2, kNow);
  mail.o.secret = CertificatePair{kActive, other};
  mail.PassAt(kNow + hours{1});
  mail.o.operations = {ActivateInactive(mail.o)};
  EXPECT_EQ(mail.PassAt(kNow + hours{2}), Mails{});
  EXPECT_EQ(mail.o.status.active, other);
  mail.o.secret = CertificatePair{kActive, other};
  EXPECT_EQ(mail.PassAt(kNow + hours{3}), Mails{});
  EXPECT_EQ(mail.o.status.active, kActive);
}

TEST(NoticesOn, Survive_a_crash_between_Secret_and_status_and_come_once) {
  Correspondent mail = Quiet(true);
  mail.o.now = BeforeEnd(hours{312});
  const SystemStatus before = mail.o.status;
  const Pass died = RunPass(mail.o, mail.signer);
  ASSERT_THAT(died.last.notices, SizeIs(1));
  mail.o.status = before;  // it was not written
  EXPECT_EQ(mail.PassAt(mail.o.now + std::chrono::minutes{1}), Mails{"Renewed renewed to anna"});
  EXPECT_EQ(mail.last.notices.at(0).id, died.last.notices.at(0).id);
  EXPECT_EQ(mail.PassAt(mail.o.now + std::chrono::minutes{2}), Mails{});
}

TEST(NoticesOn, That_cannot_regenerate_say_why_at_the_last_threshold) {
  Correspondent mail = Quiet(true);
  mail.o.authority.state = AuthorityView::State::NotReady;
  mail.o.authority.message = "its Secret is gone";
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{200})), Mails{});
  EXPECT_EQ(mail.last.wake_at, BeforeEnd(hours{84})) << "the last quarter, and then the threshold";
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})), Mails{"Failing 72h to anna"});
  EXPECT_THAT(mail.last.notices.at(0).why, HasSubstr("its Secret is gone"));
  EXPECT_THAT(mail.last.notices.at(0).what_to_do, HasSubstr("fixed"));
  mail.o.spec.regeneration_enabled = false;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{71})), Mails{}) << "of this threshold she was told";
  mail.o.spec.regeneration_enabled = true;
  mail.o.authority.state = AuthorityView::State::Ready;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{10})), Mails{"Renewed renewed to anna"});
}

TEST(NoticesOn, Name_a_failed_write_or_a_used_up_budget) {
  Correspondent refused = Quiet(true);
  refused.o.write_failure = "exceeded quota";
  const Decision decision = refused.LookAt(BeforeEnd(hours{72}));
  ASSERT_THAT(decision.notices, SizeIs(1));
  EXPECT_THAT(decision.notices[0].why, HasSubstr("exceeded quota"));
  Correspondent spent = Quiet(true);
  for (int n = 1; n <= 6; ++n) spent.o.budget.automatic.push_back(BeforeEnd(hours{72} + hours{n}));
  EXPECT_EQ(spent.PassAt(BeforeEnd(hours{72})), Mails{"Failing 72h to anna"});
}

TEST(NoticesOn, Name_a_passing_failure_only_once_it_has_lasted) {
  Correspondent mail = Quiet(true);
  mail.o.write_failure = "PATCH /api/v1/…/secrets: 500";
  mail.o.write_fails_since = BeforeEnd(hours{72}) - std::chrono::minutes{9};
  Decision decision = mail.LookAt(BeforeEnd(hours{72}));
  EXPECT_THAT(decision.notices, IsEmpty());
  EXPECT_FALSE(decision.tells_failure);
  decision = mail.LookAt(BeforeEnd(hours{72}) + std::chrono::minutes{1});
  ASSERT_THAT(decision.notices, SizeIs(1));
  EXPECT_THAT(decision.notices[0].why, HasSubstr("secrets: 500"));
  EXPECT_TRUE(decision.tells_failure);
}

TEST(NoticesOn, Are_as_impatient_as_a_short_life_demands) {
  EXPECT_EQ(Patience(std::nullopt), std::chrono::minutes{10});
  Correspondent mail = Quiet(true);
  mail.o.spec.regenerate_before = std::chrono::minutes{8};
  EXPECT_EQ(Patience(RegenerationWindow(mail.o.identity.uid, mail.o.spec, kActive)),
            std::chrono::minutes{1});
}

TEST(NoticesOn, Do_not_cry_over_what_is_in_the_way_for_a_moment) {
  Correspondent mail = Quiet(true);
  mail.o.spec.regenerate_before = hours{24};  // the last threshold is long over by then
  mail.o.authority.state = AuthorityView::State::NotReady;
  const Window window = RegenerationWindow(mail.o.identity.uid, mail.o.spec, kActive);
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})), Mails{});
  EXPECT_EQ(mail.PassAt(window.starts), Mails{});
  EXPECT_EQ(mail.PassAt(window.starts + hours{3}), Mails{"Failing 72h to anna"});
}

TEST(NoticesOn, Announce_renewals_also_where_warnBefore_is_empty) {
  Correspondent mail = Quiet(true);
  mail.o.spec.warn_before.clear();
  mail.o.authority.state = AuthorityView::State::NotReady;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{1})), Mails{});
  mail.o.authority.state = AuthorityView::State::Ready;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{1})), Mails{"Renewed renewed to anna"});
}

TEST(NoticesHeld, Ask_for_the_upload_and_again_when_the_held_one_was_replaced) {
  Correspondent mail = Fingerprinted();
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{312})), Mails{"Held held to anna"});
  const Notice first = mail.last.notices.at(0);
  EXPECT_EQ(first.inactive, mail.o.status.inactive);
  EXPECT_NE(first.inactive->pem, "");
  EXPECT_THAT(first.what_to_do, AllOf(HasSubstr("tell it"), HasSubstr("action: Activate")));
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{300})), Mails{});
  mail.o.spec.at_expiry = AtExpiry::Hold;
  mail.o.spec.warn_before.clear();
  const Certificate held = *mail.o.status.inactive;
  EXPECT_EQ(mail.PassAt(held.not_after - hours{312}), Mails{"Held held to anna"});
  EXPECT_NE(mail.last.notices.at(0).inactive, held);
}

TEST(NoticesHeld, Do_not_ask_for_one_that_is_about_to_be_replaced) {
  Correspondent mail = Fingerprinted();
  const Certificate old = Made(2, kNow + hours{1});  // comes into its window as the active one does
  mail.o.secret = CertificatePair{kActive, old};
  mail.o.status = mail.LookAt(BeforeEnd(hours{400})).status;
  mail.o.secret_resource_version = "2";  // and something else is untold
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{311})), Mails{});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{311})), Mails{"Held held to anna"});
  EXPECT_NE(mail.last.notices.at(0).inactive, old);
}

TEST(NoticesHeld, Go_to_a_late_subscriber_while_the_certificate_waits) {
  Correspondent mail = Fingerprinted();
  mail.PassAt(BeforeEnd(hours{312}));
  mail.Subscribe("bert");
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{300})), Mails{"Held held to bert"});
}

TEST(NoticesHeld, Are_followed_by_nothing_where_a_person_activates) {
  Correspondent mail = Fingerprinted();
  mail.PassAt(BeforeEnd(hours{312}));
  mail.o.operations = {ActivateInactive(mail.o)};
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{300})), Mails{});
  EXPECT_EQ(mail.o.status.inactive, kActive);
}

TEST(NoticesHeld, Are_followed_by_Renewed_where_the_end_activates) {
  Correspondent mail = Fingerprinted();
  mail.PassAt(BeforeEnd(hours{312}));
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})), Mails{}) << "it will be activated";
  EXPECT_EQ(mail.PassAt(BeforeEnd(std::chrono::minutes{5})), Mails{"Renewed renewed to anna"});
  EXPECT_THAT(mail.last.notices.at(0).what_to_do, HasSubstr("knows the new certificate"));
}

TEST(NoticesHeld, Are_followed_by_the_last_warning_where_nothing_activates) {
  Correspondent mail = Fingerprinted();
  mail.o.spec.at_expiry = AtExpiry::Hold;
  mail.PassAt(BeforeEnd(hours{312}));
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})), Mails{"Expiring 72h to anna"});
  EXPECT_THAT(mail.last.notices.at(0).what_to_do, HasSubstr("not activated automatically"));
}

TEST(NoticesHeld, A_released_certificate_is_announced_as_renewed) {
  Correspondent mail = Fingerprinted();
  mail.PassAt(BeforeEnd(hours{312}));
  mail.o.spec.peer_matching = PeerMatching::SubjectAndIssuer;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{300})), Mails{"Renewed renewed to anna"});
}

TEST(NoticesHeld, Say_why_where_nothing_can_be_made) {
  Correspondent mail = Fingerprinted();
  mail.o.authority.state = AuthorityView::State::NotReady;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{200})), Mails{});
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{72})), Mails{"Failing 72h to anna"});
}

TEST(Notices, Start_with_the_most_urgent_once_mail_is_configured) {
  Correspondent mail = Quiet(false);
  mail.o.installation.mail_configured = false;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{300})), Mails{});
  EXPECT_EQ(Says(mail.o.status, "NotificationsDelivered"), "False/MailNotConfigured");
  mail.o.installation.mail_configured = true;
  EXPECT_EQ(mail.PassAt(BeforeEnd(hours{290})), Mails{"Expiring 336h to anna"});
  EXPECT_EQ(Says(mail.o.status, "NotificationsDelivered"), "True/Delivered");
}

// Of the active certificate the most urgent warning comes once more, and the held one is told of.
TEST(NoticesHeld, After_a_status_was_lost_past_the_end_come_once_each) {
  Correspondent mail = Fingerprinted();
  mail.o.spec.at_expiry = AtExpiry::Hold;
  mail.PassAt(BeforeEnd(hours{312}));
  mail.PassAt(BeforeEnd(hours{72}));
  EXPECT_EQ(mail.PassAt(BeforeEnd(-hours{1})), Mails{});
  mail.o.status = {};
  EXPECT_EQ(mail.PassAt(BeforeEnd(-hours{2})), (Mails{"Expired 72h to anna", "Held held to anna"}));
  for (const int hour : {3, 10, 30, 100}) {
    EXPECT_EQ(mail.PassAt(BeforeEnd(-hours{hour})), Mails{}) << hour;
  }
}

TEST(Notices, After_a_status_was_wiped_are_the_most_urgent_one_alone) {
  Correspondent off = Quiet(false);
  off.PassAt(BeforeEnd(hours{720}));
  off.PassAt(BeforeEnd(hours{336}));
  off.o.status = {};
  EXPECT_EQ(off.PassAt(BeforeEnd(hours{300})), Mails{"Expiring 336h to anna"});
  Correspondent on = Quiet(true);
  on.PassAt(BeforeEnd(hours{312}));
  on.o.status = {};
  EXPECT_EQ(on.PassAt(BeforeEnd(hours{311})), Mails{});
}

}  // namespace
}  // namespace certpair::core::testing
