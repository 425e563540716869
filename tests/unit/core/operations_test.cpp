// R2-R4 and the protocol of operations.
#include "core/operations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum OperationAction;
using Kind = OperationVerdict::Kind;

const Certificate kOld = Made(1, kNow - days{100});
const Certificate kNew = Made(2, kNow - days{50});

Observation One() { return WithPair(Fresh(), kOld); }
Observation Two() { return WithPair(Fresh(), kOld, kNew); }
Observation Asked(Observation o, std::vector<Operation> operations) {
  o.operations = std::move(operations);
  return o;
}

TEST(Generate, Makes_a_second_one_inactive_with_a_receipt) {
  Observation o = Asked(One(), {Op(Generate, 1)});
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), "IssueInactive");
  EXPECT_THAT(pass.first.verdicts, IsEmpty());
  EXPECT_THAT(pass.first.change->budget.automatic, IsEmpty());
  ASSERT_TRUE(pass.first.change->receipt);
  EXPECT_EQ(pass.first.change->receipt->operation_uid, "op-1");
  EXPECT_FALSE(pass.last.change);
  ASSERT_EQ(pass.last.verdicts.size(), 1U);
  EXPECT_EQ(pass.last.verdicts[0].kind, Kind::Complete);
  EXPECT_EQ(pass.last.verdicts[0].reason, "Generated");
  EXPECT_EQ(pass.last.verdicts[0].fingerprint, o.status.inactive->fingerprint);
  EXPECT_EQ(pass.last.wake_at, o.now);
  EXPECT_EQ(o.status.active->fingerprint, kOld.fingerprint);
  EXPECT_THAT(Reasons(pass.last.events), ElementsAre("Normal CertificateIssued"));
  EXPECT_THAT(pass.last.events[0].message, HasSubstr("by operation \"operation-1\""));
}

// The status is of the time before somebody activated the older one, and of the time after it was
// taken back: it describes the pair by chance.
TEST(Delete, Waits_for_a_status_of_its_own_after_a_change_that_leads_back) {
  Observation o = Two();  // kOld active, kNew inactive: gone back to, and in the last quarter
  o.now = kOld.not_after - days{1};
  o.spec.regeneration_enabled = true;
  o.receipt = Receipt{"op-0", Activate, kOld.fingerprint, kNew.fingerprint};
  o.status.active = kNew;
  o.status.inactive = kOld;
  o.status.secret_resource_version = "0";
  o.operations = {Op(Delete, 1, 1)};
  Signer signer;
  const Pass pass = RunPass(o, signer);
  ASSERT_EQ(NameOf(pass.first.change), "Activate");
  EXPECT_FALSE(pass.last.change);
  EXPECT_LE(pass.last.wake_at, o.now + seconds{1});
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "DeleteInactive");
}

TEST(Delete, Waits_for_a_status_where_the_Secret_was_just_written) {
  Observation o = Asked(Two(), {Op(Delete, 1, 2)});
  o.written_in_this_pass = true;
  EXPECT_FALSE(Decide(o).change);
  EXPECT_EQ(Decide(o).wake_at, o.now + seconds{1});
  o.written_in_this_pass = false;
  EXPECT_EQ(NameOf(Decide(o).change), "DeleteInactive");
}

TEST(Generate, Is_refused_at_two_and_nothing_changes) {
  Observation o = Asked(Two(), {Op(Generate, 1)});
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  ASSERT_EQ(decision.verdicts.size(), 1U);
  EXPECT_EQ(decision.verdicts[0].kind, Kind::Fail);
  EXPECT_EQ(decision.verdicts[0].reason, "LimitReached");
  EXPECT_THAT(decision.verdicts[0].message, HasSubstr(kNew.fingerprint));
  ASSERT_THAT(Reasons(decision.events), ElementsAre("Warning OperationFailed"));
  EXPECT_THAT(decision.events[0].message,
              HasSubstr("Operation \"operation-1\" was refused (LimitReached)"));
}

TEST(Generate, With_two_expired_ones_and_OFF_names_the_one_to_delete) {
  Observation o = WithPair(Fresh(), Made(1, kNow - days{800}), Made(2, kNow - days{700}));
  o = Asked(std::move(o), {Op(Generate, 1)});
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  EXPECT_EQ(decision.verdicts.at(0).reason, "LimitReached");
  EXPECT_THAT(decision.verdicts[0].message, HasSubstr(Fingerprint(2)));
}

TEST(Generate, Without_a_certificate_makes_one_and_activates_it) {
  for (const Issuance issuance : {Issuance::Automatic, Issuance::Manual}) {
    Observation o = Asked(Fresh(), {Op(Generate, 1)});
    o.spec.issuance = issuance;
    Signer signer;
    const Pass pass = RunPass(o, signer);
    EXPECT_EQ(NameOf(pass.first.change), "IssueActive");
    EXPECT_TRUE(pass.first.change->receipt);
    EXPECT_EQ(pass.last.verdicts.at(0).reason, "Generated");
    const Pass quiet = RunPass(o, signer);
    EXPECT_FALSE(quiet.first.change);
    EXPECT_THAT(quiet.last.verdicts, IsEmpty());
    EXPECT_EQ(signer.Issued(), 1);
    EXPECT_FALSE(o.status.inactive);
  }
}

TEST(Generate, Takes_key_and_validity_as_the_spec_has_them_now) {
  Observation o = Asked(One(), {Op(Generate, 1)});
  o.spec.key = {KeyAlgorithm::Ed25519, 256};
  o.spec.validity = hours{48};
  const Decision decision = Decide(o);
  const auto& order = decision.change->slots.order.value();
  EXPECT_EQ(order.key.algorithm, KeyAlgorithm::Ed25519);
  EXPECT_EQ(order.not_after, kNow + hours{48});
}

TEST(Generate, Waits_for_its_authority_for_a_while_and_then_fails) {
  Observation o = Asked(One(), {Op(Generate, 1)});
  o.authority.state = AuthorityView::State::NotReady;
  o.authority.message = "its Secret is missing";
  const Decision waiting = Decide(o);
  EXPECT_FALSE(waiting.change);
  EXPECT_THAT(waiting.verdicts, IsEmpty());
  EXPECT_EQ(waiting.wake_at, kNow + kOperationPatience);
  o.now = waiting.wake_at;
  const Decision refused = Decide(o);
  EXPECT_EQ(refused.verdicts.at(0).reason, "AuthorityNotReady");
  EXPECT_THAT(refused.verdicts[0].message, HasSubstr("its Secret is missing"));
}

TEST(Activate, Swaps_the_slots_in_one_write_and_says_what_gave_way) {
  Observation o = Asked(Two(), {Op(Activate, 1, 2)});
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), "Activate");
  EXPECT_EQ(pass.first.change->receipt->fingerprint, kNew.fingerprint);
  EXPECT_EQ(pass.first.change->receipt->replaced, kOld.fingerprint);
  EXPECT_EQ(pass.last.verdicts.at(0).reason, "Activated");
  EXPECT_EQ(o.status.active->fingerprint, kNew.fingerprint);
  EXPECT_EQ(o.status.inactive->fingerprint, kOld.fingerprint);
  ASSERT_THAT(Reasons(pass.last.events), ElementsAre("Normal CertificateActivated"));
  EXPECT_THAT(pass.last.events[0].message, HasSubstr("by operation \"operation-1\""));
}

TEST(Activate, Of_the_active_one_succeeds_without_a_write) {
  const Decision decision = Decide(Asked(Two(), {Op(Activate, 1, 1)}));
  EXPECT_FALSE(decision.change);
  EXPECT_EQ(decision.verdicts.at(0).kind, Kind::Complete);
  EXPECT_EQ(decision.verdicts[0].reason, "AlreadyActive");
}

TEST(Delete, Takes_the_inactive_one_away) {
  Observation o = Asked(Two(), {Op(Delete, 1, 2)});
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), "DeleteInactive");
  EXPECT_EQ(pass.last.verdicts.at(0).reason, "Deleted");
  EXPECT_EQ(pass.last.verdicts[0].fingerprint, kNew.fingerprint);
  EXPECT_FALSE(o.status.inactive);
  ASSERT_THAT(Reasons(pass.last.events), ElementsAre("Normal CertificateDeleted"));
  EXPECT_THAT(pass.last.events[0].message, HasSubstr("by operation \"operation-1\""));
}

TEST(Delete, A_second_Delete_of_a_certificate_is_refused) {
  Observation o = Asked(Two(), {Op(Delete, 1, 2), Op(Delete, 2, 2)});
  Signer signer;
  EXPECT_EQ(RunPass(o, signer).last.verdicts.at(0).reason, "Deleted");
  const Pass second = RunPass(o, signer);
  EXPECT_FALSE(second.first.change);
  ASSERT_EQ(second.last.verdicts.size(), 1U);
  EXPECT_EQ(second.last.verdicts[0].uid, "op-2");
  EXPECT_EQ(second.last.verdicts[0].kind, Kind::Fail);
  EXPECT_EQ(second.last.verdicts[0].reason, "UnknownFingerprint");
  EXPECT_EQ(o.status.active->fingerprint, kOld.fingerprint);
}

struct Refusal {
  std::string name;
  Operation operation;
  void (*change)(Observation&);
  std::string reason;
};
class Refused : public ::testing::TestWithParam<Refusal> {};
TEST_P(Refused, With_its_reason_and_a_message_and_without_a_write) {
  Observation o = Asked(Two(), {GetParam().operation});
  GetParam().change(o);
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  ASSERT_EQ(decision.verdicts.size(), 1U);
  EXPECT_EQ(decision.verdicts[0].kind, Kind::Fail);
  EXPECT_EQ(decision.verdicts[0].reason, GetParam().reason);
  EXPECT_GT(decision.verdicts[0].message.size(), 20U);
}
void AsItIs(Observation& /*o*/) {}
INSTANTIATE_TEST_SUITE_P(
    R2_R3_R4, Refused,
    ::testing::Values(
        Refusal{"delete_active", Op(Delete, 1, 1), AsItIs, "CertificateActive"},
        Refusal{"delete_unknown", Op(Delete, 1, 9), AsItIs, "UnknownFingerprint"},
        Refusal{"activate_unknown", Op(Activate, 1, 9), AsItIs, "UnknownFingerprint"},
        Refusal{"activate_without_any", Op(Activate, 1, 9),
                [](Observation& o) { o.secret = Missing{}; }, "UnknownFingerprint"},
        Refusal{"activate_expired", Op(Activate, 1, 2),
                [](Observation& o) { o.secret = CertificatePair{kOld, Made(2, kNow - days{400})}; },
                "CertificateExpired"},
        Refusal{"activate_not_yet_valid", Op(Activate, 1, 2),
                [](Observation& o) { o.secret = CertificatePair{kOld, Made(2, kNow + days{1})}; },
                "CertificateNotYetValid"},
        Refusal{"activate_damaged", Op(Activate, 1, 2),
                [](Observation& o) { o.secret = Damaged{kOld, std::nullopt, "no key"}; },
                "CertificateDamaged"},
        Refusal{"delete_damaged", Op(Delete, 1, 2),
                [](Observation& o) { o.secret = Damaged{kOld, std::nullopt, "no key"}; },
                "CertificateDamaged"},
        Refusal{"immutable_activate", Op(Activate, 1, 2),
                [](Observation& o) { o.secret = Immutable{CertificatePair{kOld, kNew}}; },
                "SecretImmutable"},
        Refusal{"immutable_delete", Op(Delete, 1, 2),
                [](Observation& o) { o.secret = Immutable{CertificatePair{kOld, kNew}}; },
                "SecretImmutable"},
        Refusal{"immutable_generate", Op(Generate, 1),
                [](Observation& o) { o.secret = Immutable{CertificatePair{kOld, std::nullopt}}; },
                "SecretImmutable"},
        Refusal{"foreign", Op(Generate, 1),
                [](Observation& o) { o.secret = NotOurs{"it is Helm's", false}; }, "SecretNotOurs"},
        Refusal{"not_allowed", Op(Generate, 1),
                [](Observation& o) {
                  o.secret = CertificatePair{kOld, std::nullopt};
                  o.authority.allow.clear();
                },
                "NotAllowed"},
        Refusal{"authority_ended", Op(Generate, 1),
                [](Observation& o) {
                  o.secret = CertificatePair{kOld, std::nullopt};
                  o.authority.chain_end = o.now;
                },
                "AuthorityExpiresFirst"},
        Refusal{"system_being_deleted", Op(Generate, 1),
                [](Observation& o) { o.identity.being_deleted = true; }, "SystemBeingDeleted"}),
    [](const auto& test) { return test.param.name; });

TEST(Operations, Of_a_terminating_namespace_are_left_alone) {
  Observation o = Asked(Two(), {Op(Generate, 1)});
  o.identity.namespace_terminating = true;
  EXPECT_THAT(Decide(o).verdicts, IsEmpty());
}

TEST(Operations, That_waited_when_their_system_was_deleted_end_at_once) {
  Observation o = Asked(One(), {Op(Generate, 1), Op(Generate, 2)});
  o.authority.state = AuthorityView::State::NotReady;
  ASSERT_THAT(Decide(o).verdicts, IsEmpty());
  o.identity.being_deleted = true;
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  ASSERT_EQ(decision.verdicts.size(), 2U);
  for (const OperationVerdict& verdict : decision.verdicts) {
    EXPECT_EQ(verdict.kind, Kind::Fail);
    EXPECT_EQ(verdict.reason, "SystemBeingDeleted");
  }
}

TEST(Operations, Wait_for_the_Secret_of_an_earlier_system_to_go) {
  Observation o = Asked(Fresh(), {Op(Generate, 1)});
  o.secret = NotOurs{"", true};
  const Decision waiting = Decide(o);
  EXPECT_THAT(waiting.verdicts, IsEmpty());
  EXPECT_GT(waiting.wake_at, o.now);
}

TEST(Protocol, A_crash_between_effect_and_status_is_settled_by_the_receipt) {
  Observation o = Asked(One(), {Op(Generate, 1)});
  Signer signer;
  signer.Perform(o, *Decide(o).change);
  // The process dies here; another one begins with what stands in the API.
  for (int look = 0; look < 3; ++look) {
    const Decision again = Decide(o);
    EXPECT_FALSE(again.change);
    ASSERT_EQ(again.verdicts.size(), 1U);
    EXPECT_EQ(again.verdicts[0].kind, Kind::Complete);
  }
  EXPECT_EQ(signer.Issued(), 1);
}

TEST(Protocol, Nothing_else_changes_until_the_verdict_is_durable) {
  Observation o = Fresh();
  o.spec.regeneration_enabled = true;
  o = WithPair(std::move(o), Made(1, kNow - days{364}));  // in the last quarter of its window
  ASSERT_EQ(NameOf(Decide(o).change), "Regenerate");
  o.operations = {Op(Generate, 1), Op(Generate, 2)};
  o.receipt = Receipt{"op-1", Generate, Fingerprint(1), ""};
  o.secret_metadata_differs = true;
  const Decision settling = Decide(o);
  EXPECT_FALSE(settling.change);
  EXPECT_EQ(settling.wake_at, o.now);
  ASSERT_EQ(settling.verdicts.size(), 1U);
  EXPECT_EQ(settling.verdicts[0].uid, "op-1");
}

TEST(Protocol, Operations_run_one_at_a_time_in_their_order) {
  Observation o = Asked(One(), {Op(Generate, 1), Op(Generate, 2), Op(Delete, 3, 1)});
  Signer signer;
  const Pass first = RunPass(o, signer);
  EXPECT_EQ(first.last.verdicts.size(), 1U);
  const Pass second = RunPass(o, signer);
  EXPECT_FALSE(second.first.change);
  ASSERT_EQ(second.last.verdicts.size(), 2U);
  EXPECT_EQ(second.last.verdicts[0].reason, "LimitReached");
  EXPECT_EQ(second.last.verdicts[1].reason, "CertificateActive");
  EXPECT_THAT(RunPass(o, signer).last.verdicts, IsEmpty());
  EXPECT_EQ(signer.Issued(), 1);
}

TEST(Protocol, A_refusal_is_durable_before_the_next_effect) {
  // Were the swap done first, the refused Delete would be judged anew and find its certificate
  // inactive.
  Observation o = Asked(Two(), {Op(Delete, 1, 1), Op(Activate, 2, 2)});
  Signer signer;
  const Pass first = RunPass(o, signer);
  EXPECT_FALSE(first.first.change);
  ASSERT_EQ(first.last.verdicts.size(), 1U);
  EXPECT_EQ(first.last.verdicts[0].reason, "CertificateActive");
  EXPECT_EQ(first.last.wake_at, o.now);
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "Activate");
}

TEST(Protocol, A_thousand_operations_are_judged_in_portions) {
  Observation o = One();
  for (int n = 0; n < 1000; ++n) o.operations.push_back(Op(Generate, n));
  Signer signer;
  int passes = 0;
  const auto unfinished = [&] {
    return std::ranges::count(o.operations, false, &Operation::finished);
  };
  while (unfinished() > 0 && passes < 100) {
    EXPECT_LE(RunPass(o, signer).last.verdicts.size(), 32U);
    ++passes;
  }
  EXPECT_EQ(unfinished(), 0);
  EXPECT_EQ(signer.Issued(), 1);
  EXPECT_LE(passes, 40);
}

TEST(Protocol, An_effect_waits_until_status_tells_what_was_before_it) {
  Observation o = Asked(Two(), {Op(Delete, 1, 2)});
  o.status.inactive.reset();
  Signer signer;
  const Pass first = RunPass(o, signer);
  EXPECT_FALSE(first.first.change);
  EXPECT_EQ(first.last.wake_at, o.now + seconds{1});
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "DeleteInactive");
}

TEST(Protocol, One_that_is_being_deleted_is_not_begun) {
  Observation o = Asked(One(), {Op(Generate, 1)});
  o.operations[0].being_deleted = true;
  EXPECT_FALSE(Decide(o).change);
}

TEST(Protocol, A_receipt_of_an_operation_that_is_gone_holds_nothing_up) {
  Observation o = Asked(One(), {Op(Generate, 1)});
  o.receipt = Receipt{"long-gone", Delete, Fingerprint(7), ""};
  EXPECT_EQ(NameOf(Decide(o).change), "IssueInactive");
}

Operation Finished(bool generated_name, std::optional<seconds> ttl) {
  Operation op = Op(Generate, 1, 0, kNow - hours{1});
  op.finished = op.succeeded = true;
  op.completed_at = kNow - minutes{30};
  op.name_was_generated = generated_name;
  op.ttl_after_finished = ttl;
  op.mark = FinishedMark{op.uid, true, generated_name};
  return op;
}

TEST(Removal, Comes_after_the_TTL_for_generated_names_only) {
  const auto verdicts = [](const Operation& op) { return Decide(Asked(One(), {op})).verdicts; };
  ASSERT_EQ(verdicts(Finished(true, minutes{30})).size(), 1U);
  EXPECT_EQ(verdicts(Finished(true, minutes{30}))[0].kind, Kind::Remove);
  EXPECT_EQ(verdicts(Finished(true, seconds{0})).size(), 1U);
  EXPECT_THAT(verdicts(Finished(true, minutes{31})), IsEmpty());
  EXPECT_THAT(verdicts(Finished(false, minutes{1})), IsEmpty());
  EXPECT_THAT(verdicts(Finished(true, std::nullopt)), IsEmpty());
  EXPECT_EQ(Decide(Asked(One(), {Finished(true, minutes{31})})).wake_at, kNow + minutes{1});
}

TEST(Orphan, Waits_a_minute_for_its_system_and_then_fails) {
  const Operation op = Op(Generate, 1);
  EXPECT_EQ(DecideOrphan(op, "abap", kNow).wake_at, kNow + minutes{1});
  EXPECT_FALSE(DecideOrphan(op, "abap", kNow + seconds{59}).verdict);
  const OrphanDecision failed = DecideOrphan(op, "abap", kNow + minutes{1});
  ASSERT_TRUE(failed.verdict);
  EXPECT_EQ(failed.verdict->kind, Kind::Fail);
  EXPECT_EQ(failed.verdict->reason, "SystemNotFound");
  EXPECT_THAT(failed.verdict->message, HasSubstr("abap"));
  // A clock that went back by a year does not make it wait a year.
  EXPECT_EQ(DecideOrphan(op, "abap", kNow - days{365}).wake_at, kNow - days{365} + minutes{1});
}

TEST(Orphan, That_is_finished_goes_after_its_TTL) {
  const Operation op = Finished(true, minutes{31});
  EXPECT_EQ(DecideOrphan(op, "abap", kNow).wake_at, kNow + minutes{1});
  EXPECT_EQ(DecideOrphan(op, "abap", kNow + minutes{1}).verdict->kind, Kind::Remove);
  EXPECT_FALSE(DecideOrphan(Finished(false, minutes{1}), "abap", kNow).verdict);
  Operation leaving = Op(Generate, 1, 0, kNow - days{1});
  leaving.being_deleted = true;
  EXPECT_FALSE(DecideOrphan(leaving, "abap", kNow).verdict);
}

// What a backup brings back has neither status nor generateName, and a UID of its own.
TEST(Restored, A_finished_operation_ends_again_without_an_effect) {
  for (const auto action : {Generate, Activate, Delete}) {
    for (const bool succeeded : {true, false}) {
      Observation o = action == Generate ? One() : Two();
      Operation op = Op(action, 1, 2);
      op.mark = FinishedMark{"an earlier one", succeeded, false};
      op.restored = succeeded;
      o = Asked(std::move(o), {op});
      Signer signer;
      const Pass pass = RunPass(o, signer);
      EXPECT_FALSE(pass.first.change) << ToString(action);
      ASSERT_EQ(pass.last.verdicts.size(), 1U);
      EXPECT_EQ(pass.last.verdicts[0].kind, succeeded ? Kind::Complete : Kind::Fail);
      EXPECT_EQ(pass.last.verdicts[0].reason, "FinishedEarlier");
      EXPECT_THAT(Reasons(pass.last.events), IsEmpty());
      EXPECT_THAT(RunPass(o, signer).first.verdicts, IsEmpty());
    }
  }
}

TEST(Restored, An_operation_of_unknown_end_is_refused_and_the_next_one_runs) {
  Operation lost = Op(Generate, 1);
  lost.restored = true;
  Observation o = Asked(One(), {lost, Op(Generate, 2)});
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_FALSE(pass.first.change);
  ASSERT_EQ(pass.last.verdicts.size(), 1U);
  EXPECT_EQ(pass.last.verdicts[0].reason, "RestoredFromBackup");
  EXPECT_THAT(Reasons(pass.last.events), ElementsAre("Warning OperationFailed"));
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "IssueInactive");
}

TEST(FinishedMark, Of_one_that_ended_without_is_made_up_for_once) {
  Operation op = Op(Generate, 1);
  op.finished = true;
  op.succeeded = true;
  Observation o = Asked(One(), {op});
  Signer signer;
  const Pass pass = RunPass(o, signer);
  ASSERT_EQ(pass.first.verdicts.size(), 1U);
  EXPECT_EQ(pass.first.verdicts[0].kind, Kind::Mark);
  EXPECT_EQ(o.operations[0].mark, (FinishedMark{"op-1", true, false}));
  EXPECT_THAT(RunPass(o, signer).first.verdicts, IsEmpty());
}

TEST(FinishedMark, Comes_back_as_it_was_written_and_for_its_own_name_alone) {
  for (const bool succeeded : {true, false}) {
    for (const bool generated : {true, false}) {
      const FinishedMark mark{"u-1", succeeded, generated};
      const std::string text = FormatFinishedMark("activate-1", mark);
      EXPECT_EQ(ParseFinishedMark(text, "activate-1"), mark) << text;
      for (const char* other : {"activate", "activate-12", "activate-1/u-1", ""})
        EXPECT_EQ(ParseFinishedMark(text, other), std::nullopt) << other;
    }
  }
  EXPECT_EQ(FormatFinishedMark("a", {"u", true, true}), "a/u/Complete/generated");
  for (const char* text : {"", "a", "a/", "a/u", "a/u/Complete", "a//Complete/named",
                           "a/u/Done/named", "a/u/v/Complete/named", "a/u/Complete/named/"})
    EXPECT_EQ(ParseFinishedMark(text, "a"), std::nullopt) << text;
}

}  // namespace
}  // namespace certpair::core::testing
