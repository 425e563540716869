// R6, R15 and the table of the pair's states, row by row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Mode {
  Off,
  On,
  Unsupported,
  // At a peer that matches by fingerprint; ON where nothing else is said.
  Fingerprint,
  Hold,
  FingerprintOff,
  FingerprintUnsupported
};

Observation In(Mode mode, sys_seconds now = kNow) {
  Observation o = Fresh(now);
  o.spec.regeneration_enabled = mode != Mode::Off && mode != Mode::FingerprintOff;
  if (mode >= Mode::Fingerprint) o.spec.peer_matching = PeerMatching::Fingerprint;
  if (mode == Mode::Hold) o.spec.at_expiry = AtExpiry::Hold;
  o.installation.regeneration_supported =
      mode != Mode::Unsupported && mode != Mode::FingerprintUnsupported;
  return o;
}

// Of 365 days; the window is 14 days, its last quarter 84 hours.
Certificate Young(int n = 1) { return Made(n, kNow - days{10}); }
Certificate InWindow(int n = 1) { return Made(n, kNow - days{355}); }
Certificate LastQuarter(int n = 1) { return Made(n, kNow - days{363}); }
Certificate AtItsEnd(int n = 1) { return Made(n, kNow - days{365} + minutes{4}); }
Certificate Expired(int n = 1) { return Made(n, kNow - days{370}); }
Certificate LongExpired(int n = 2) { return Made(n, kNow - days{600}); }
Certificate Newer(int n = 2) { return Made(n, kNow - days{20}); }
Certificate Older(int n = 2) { return Made(n, kNow - days{357}); }

SecretState Pair(Certificate active, std::optional<Certificate> inactive = std::nullopt) {
  return CertificatePair{std::move(active), std::move(inactive)};
}
SecretState Broken(std::optional<Certificate> active, std::optional<Certificate> inactive) {
  return Damaged{std::move(active), std::move(inactive), "the key does not match"};
}

struct Row {
  std::string name;
  Mode mode;
  SecretState secret;
  std::string change;
  /// What is active and inactive afterwards: numbers of fingerprints, 0 for none, -1 for a new one.
  int active = 0;
  int inactive = 0;
};
class StateTable : public ::testing::TestWithParam<Row> {};

int NumberOf(const Certificate* certificate) {
  if (!certificate) return 0;
  for (const int n : {1, 2}) {
    if (certificate->fingerprint == Fingerprint(n)) return n;
  }
  return -1;
}

TEST_P(StateTable, Each_state_is_answered_by_its_row_in_one_change) {
  Observation o = With(In(GetParam().mode), GetParam().secret);
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), GetParam().change);
  EXPECT_FALSE(pass.last.change) << "then " << NameOf(pass.last.change);
  const auto& after = o.status;
  EXPECT_EQ(NumberOf(after.active ? &*after.active : nullptr), GetParam().active);
  EXPECT_EQ(NumberOf(after.inactive ? &*after.inactive : nullptr), GetParam().inactive);
  const Pass quiet = RunPass(o, signer);
  EXPECT_FALSE(quiet.first.change) << "later " << NameOf(quiet.first.change);
  EXPECT_GT(quiet.last.wake_at, o.now);
  if (pass.first.change && signer.Issued() > 0) {
    EXPECT_EQ(o.budget.automatic.size(), 1U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    R6, StateTable,
    ::testing::Values(
        Row{"young", Mode::On, Pair(Young()), "", 1, 0},
        Row{"in_the_window", Mode::On, Pair(InWindow()), "Regenerate", -1, 1},
        Row{"in_the_window_valid_newer", Mode::On, Pair(InWindow(), Newer()), "Regenerate", -1, 1},
        Row{"in_the_window_older", Mode::On, Pair(InWindow(), Older()), "Regenerate", -1, 1},
        Row{"in_the_window_OFF", Mode::Off, Pair(InWindow()), "", 1, 0},
        Row{"in_the_window_not_offered", Mode::Unsupported, Pair(InWindow()), "", 1, 0},
        // The user guide's three steps.
        Row{"expired_valid_inactive", Mode::On, Pair(Expired(), Newer()), "Regenerate", -1, 1},
        Row{"expired_alone", Mode::On, Pair(Expired()), "Regenerate", -1, 1},
        Row{"expired_both", Mode::On, Pair(Expired(), LongExpired()), "Regenerate", -1, 1},
        Row{"expired_OFF", Mode::Off, Pair(Expired(), Newer()), "", 1, 2},
        Row{"expired_not_offered", Mode::Unsupported, Pair(Expired(), Newer()), "", 1, 2}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    R15, StateTable,
    ::testing::Values(
        Row{"young", Mode::Fingerprint, Pair(Young()), "", 1, 0},
        Row{"young_and_newer", Mode::Fingerprint, Pair(Young(), Made(2, kNow)), "", 1, 2},
        Row{"in_the_window", Mode::Fingerprint, Pair(InWindow()), "IssueInactive", 1, -1},
        Row{"in_the_window_hold", Mode::Hold, Pair(InWindow()), "IssueInactive", 1, -1},
        Row{"in_the_window_valid_newer", Mode::Fingerprint, Pair(InWindow(), Newer()), "", 1, 2},
        Row{"in_the_window_older", Mode::Fingerprint, Pair(InWindow(), Older()), "IssueInactive", 1,
            -1},
        Row{"in_the_window_expired", Mode::Fingerprint, Pair(InWindow(), LongExpired()),
            "IssueInactive", 1, -1},
        Row{"held_in_its_own_window", Mode::Fingerprint,
            Pair(LastQuarter(), Made(2, kNow - days{362})), "IssueInactive", 1, -1},
        Row{"at_the_end_held", Mode::Fingerprint, Pair(AtItsEnd(), Newer()), "Activate", 2, 1},
        Row{"at_the_end_hold", Mode::Hold, Pair(AtItsEnd(), Newer()), "", 1, 2},
        Row{"at_the_end_none", Mode::Fingerprint, Pair(AtItsEnd()), "IssueInactive", 1, -1},
        Row{"expired_valid_inactive", Mode::Fingerprint, Pair(Expired(), Newer()), "Activate", 2,
            1},
        Row{"expired_valid_inactive_hold", Mode::Hold, Pair(Expired(), Newer()), "", 1, 2},
        Row{"expired_alone", Mode::Fingerprint, Pair(Expired()), "Regenerate", -1, 1},
        Row{"expired_both", Mode::Fingerprint, Pair(Expired(), LongExpired()), "Regenerate", -1, 1},
        Row{"expired_inactive_damaged", Mode::Fingerprint, Broken(Expired(), std::nullopt),
            "Regenerate", -1, 1},
        Row{"expired_alone_hold", Mode::Hold, Pair(Expired()), "IssueInactive", 1, -1},
        Row{"expired_both_hold", Mode::Hold, Pair(Expired(), LongExpired()), "IssueInactive", 1,
            -1},
        Row{"expired_inactive_damaged_hold", Mode::Hold, Broken(Expired(), std::nullopt),
            "IssueInactive", 1, -1},
        Row{"OFF_in_the_window", Mode::FingerprintOff, Pair(InWindow()), "", 1, 0},
        Row{"held_and_turned_OFF", Mode::FingerprintOff, Pair(AtItsEnd(), Newer()), "", 1, 2},
        Row{"held_and_turned_OFF_expired", Mode::FingerprintOff, Pair(Expired(), Newer()), "", 1,
            2},
        Row{"OFF_expired_alone", Mode::FingerprintOff, Pair(Expired()), "", 1, 0},
        Row{"OFF_active_damaged", Mode::FingerprintOff, Broken(std::nullopt, Newer()), "", 0, 2},
        Row{"not_offered", Mode::FingerprintUnsupported, Pair(InWindow()), "", 1, 0},
        Row{"not_offered_and_held", Mode::FingerprintUnsupported, Pair(AtItsEnd(), Newer()), "", 1,
            2},
        Row{"not_offered_expired_alone", Mode::FingerprintUnsupported, Pair(Expired()), "", 1, 0}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Damage, StateTable,
    ::testing::Values(
        Row{"inactive_ON", Mode::On, Broken(Young(), std::nullopt), "", 1, 0},
        Row{"inactive_OFF", Mode::Off, Broken(Young(), std::nullopt), "", 1, 0},
        Row{"inactive_fingerprint", Mode::Fingerprint, Broken(Young(), std::nullopt), "", 1, 0},
        Row{"inactive_ON_in_the_window", Mode::On, Broken(InWindow(), std::nullopt), "Regenerate",
            -1, 1},
        Row{"active_ON", Mode::On, Broken(std::nullopt, Newer()), "IssueActive", -1, 2},
        Row{"active_fingerprint", Mode::Fingerprint, Broken(std::nullopt, Newer()),
            "Activate, dropping the old", 2, 0},
        Row{"active_hold", Mode::Hold, Broken(std::nullopt, Newer()), "Activate, dropping the old",
            2, 0},
        Row{"active_OFF", Mode::Off, Broken(std::nullopt, Newer()), "", 0, 2},
        Row{"active_fingerprint_inactive_expired", Mode::Fingerprint,
            Broken(std::nullopt, LongExpired()), "IssueActive", -1, 2},
        Row{"both_ON", Mode::On, Broken(std::nullopt, std::nullopt),
            "IssueActive, dropping the other", -1, 0},
        Row{"both_fingerprint", Mode::Fingerprint, Broken(std::nullopt, std::nullopt),
            "IssueActive, dropping the other", -1, 0},
        Row{"both_OFF", Mode::Off, Broken(std::nullopt, std::nullopt), "", 0, 0},
        Row{"immutable_in_the_window", Mode::On,
            Immutable{CertificatePair{InWindow(), std::nullopt}}, "", 1, 0},
        Row{"immutable_garbage", Mode::On, Immutable{}, "", 0, 0},
        Row{"foreign", Mode::On, NotOurs{"it is Helm's", false}, "", 0, 0}),
    [](const auto& test) { return test.param.name; });

// ---- what a table of one column cannot hold -------------------------------------------------

TEST(Repair, With_OFF_an_Activate_or_a_Generate_repairs) {
  Observation o = With(In(Mode::Off), Broken(std::nullopt, Newer()));
  Observation activated = o;
  activated.operations = {Op(OperationAction::Activate, 1, 2)};
  EXPECT_EQ(NameOf(Decide(activated).change), "Activate, dropping the old");
  Observation generated = o;
  generated.operations = {Op(OperationAction::Generate, 1)};
  EXPECT_EQ(NameOf(Decide(generated).change), "IssueActive");
}

TEST(Repair, A_Generate_overwrites_a_damaged_inactive_one) {
  Observation o = With(In(Mode::Off), Broken(Young(), std::nullopt));
  o.operations = {Op(OperationAction::Generate, 1)};
  EXPECT_EQ(NameOf(Decide(o).change), "IssueInactive");
}

TEST(Repair, With_both_damaged_a_Generate_repairs) {
  Observation o = With(In(Mode::Off), Broken(std::nullopt, std::nullopt));
  o.operations = {Op(OperationAction::Generate, 1)};
  EXPECT_EQ(NameOf(Decide(o).change), "IssueActive, dropping the other");
}

TEST(Repair, A_Secret_deleted_by_hand_comes_back_with_a_warning) {
  Observation o = WithPair(In(Mode::Off), Young());
  o.secret = Missing{};
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), "IssueActive");
  EXPECT_THAT(Reasons(pass.last.events),
              ElementsAre("Warning CertificateLost", "Normal CertificateIssued"));
}

TEST(Repair, With_manual_issuance_a_deleted_Secret_waits_for_a_Generate) {
  Observation o = WithPair(In(Mode::Off), Young());
  o.spec.issuance = Issuance::Manual;
  o.secret = Missing{};
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_FALSE(pass.first.change);
  EXPECT_EQ(Says(o.status, "Ready"), "False/WaitingForGenerate");
  EXPECT_THAT(Reasons(pass.last.events), ElementsAre("Warning CertificateLost"));
  EXPECT_THAT(RunPass(o, signer).last.events, ::testing::IsEmpty());
}

TEST(Repair, Slots_swapped_by_hand_are_accepted_with_an_Event) {
  for (const Mode mode : {Mode::Off, Mode::On, Mode::Fingerprint}) {
    Observation o = WithPair(In(mode), Newer(), InWindow());
    o.secret = CertificatePair{Young(1), Newer(2)};
    o = WithPair(std::move(o), Newer(2), Young(1));
    o.secret = CertificatePair{Young(1), Newer(2)};
    const Decision decision = Decide(o);
    EXPECT_FALSE(decision.change);
    EXPECT_THAT(Reasons(decision.events), ElementsAre("Normal CertificateActivated"));
  }
}

TEST(Repair, Wrong_labels_are_mended_while_nothing_else_is_to_be_done) {
  Observation o = WithPair(In(Mode::Off), Young());
  o.secret_metadata_differs = true;
  Signer signer;
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "Relabel");
  EXPECT_FALSE(Decide(o).change);
  o.secret_metadata_differs = true;
  o.secret = Immutable{CertificatePair{Young(), std::nullopt}};
  EXPECT_FALSE(Decide(o).change);
}

TEST(Release, A_peer_that_now_matches_by_subject_releases_it) {
  Observation o = WithPair(In(Mode::Fingerprint), InWindow(), Newer());
  ASSERT_EQ(Says(o.status, "AutomaticRegeneration"), "True/WaitingForActivation");
  o.spec.peer_matching = PeerMatching::SubjectAndIssuer;
  // A write that fails on the way does not forget what was held.
  o.write_failure = "the API server is away";
  o.status = Decide(o).status;
  EXPECT_EQ(Says(o.status, "AutomaticRegeneration"), "False/WaitingForActivation");
  EXPECT_THAT(MessageOf(o.status, "AutomaticRegeneration"), HasSubstr("API server is away"));
  o.write_failure.clear();
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), "Activate");
  EXPECT_FALSE(pass.last.change);
  EXPECT_FALSE(RunPass(o, signer).first.change);
}

Observation RolledBack(Certificate older, Certificate newer) {
  Observation o = In(Mode::On);
  o.receipt = Receipt{"gone", OperationAction::Activate, older.fingerprint, newer.fingerprint};
  return WithPair(std::move(o), std::move(older), std::move(newer));
}

TEST(Rollback, Waits_until_the_last_quarter_and_then_takes_the_newer_one) {
  Observation o = RolledBack(InWindow(), Newer());
  const Decision waiting = Decide(o);
  EXPECT_FALSE(waiting.change);
  EXPECT_EQ(Says(waiting.status, "AutomaticRegeneration"), "True/RolledBack");
  EXPECT_EQ(waiting.status.next->action, "Activate");
  EXPECT_LE(waiting.wake_at, InWindow().not_after - hours{84});
  o.now = InWindow().not_after - hours{84};
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), "Activate");
  EXPECT_FALSE(pass.last.change);
  EXPECT_EQ(o.status.active->fingerprint, Fingerprint(2));
}

TEST(Rollback, With_an_unusable_successor_it_ends_in_a_new_certificate) {
  const Certificate newer = Made(2, kNow - days{362});  // in its own window too
  Observation o = RolledBack(LastQuarter(), newer);
  EXPECT_EQ(NameOf(Decide(o).change), "Regenerate");
}

TEST(Rollback, Is_not_what_a_later_certificate_makes_of_an_old_receipt) {
  Observation o = RolledBack(InWindow(), Newer());
  o.receipt->replaced = Fingerprint(9);  // the one that gave way then is gone
  EXPECT_EQ(NameOf(Decide(o).change), "Regenerate");
}

TEST(Order, A_pending_operation_goes_first_until_the_last_quarter) {
  Observation o = WithPair(In(Mode::On), InWindow(), Newer());
  o.operations = {Op(OperationAction::Delete, 1, 2)};
  EXPECT_EQ(NameOf(Decide(o).change), "DeleteInactive");
  o = WithPair(In(Mode::On), LastQuarter(), Newer());
  o.operations = {Op(OperationAction::Delete, 1, 1)};
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_EQ(NameOf(pass.first.change), "Regenerate");
  EXPECT_FALSE(pass.last.change);  // not in the same pass
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "DeleteInactive");
}

TEST(Order, In_the_last_quarter_an_operation_runs_if_regeneration_cannot) {
  Observation o = WithPair(In(Mode::On), LastQuarter(), Newer());
  o.authority = AuthorityView{};
  o.operations = {Op(OperationAction::Activate, 1, 2)};
  EXPECT_EQ(NameOf(Decide(o).change), "Activate");
}

TEST(Hold, A_certificate_made_in_the_lead_time_waits_for_the_very_end) {
  Observation o = WithPair(In(Mode::Fingerprint), AtItsEnd());
  Signer signer;
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "IssueInactive");
  EXPECT_FALSE(RunPass(o, signer).first.change);
  o.now = AtItsEnd().not_after;
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "Activate");
}

// Somebody swapped the slots by hand: the status, older than that, describes what comes of mending
// it by chance.
TEST(Hold, One_is_made_only_after_the_activation_before_it_was_told) {
  Observation o = WithPair(In(Mode::Fingerprint), Expired(), InWindow(2));
  o.status.active = InWindow(2);
  o.status.inactive = Expired();
  o.status.secret_resource_version = "0";
  Signer signer;
  const Pass pass = RunPass(o, signer);
  ASSERT_EQ(NameOf(pass.first.change), "Activate");
  EXPECT_FALSE(pass.last.change);
  EXPECT_EQ(NameOf(RunPass(o, signer).first.change), "IssueInactive");
}

TEST(Regeneration, Waits_until_its_authority_becomes_valid) {
  Observation o = WithPair(In(Mode::On), InWindow());
  o.authority.not_before = o.now + hours{3};
  const Decision decision = Decide(o);
  EXPECT_FALSE(decision.change);
  EXPECT_EQ(Says(decision.status, "AutomaticRegeneration"), "False/AuthorityNotReady");
  EXPECT_EQ(decision.wake_at, o.now + hours{3});
  o.now += hours{3};
  EXPECT_EQ(NameOf(Decide(o).change), "Regenerate");
}

TEST(Hold, A_pre_issued_one_is_told_with_what_to_do) {
  Observation o = WithPair(In(Mode::Fingerprint), InWindow());
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_THAT(Reasons(pass.last.events), ElementsAre("Warning CertificateIssued"));
  EXPECT_EQ(Says(o.status, "AutomaticRegeneration"), "True/WaitingForActivation");
  EXPECT_EQ(Says(o.status, "ExpiringSoon"), "True/ActionNeeded");
  EXPECT_THAT(MessageOf(o.status, "AutomaticRegeneration"),
              HasSubstr(o.status.inactive->fingerprint));
  EXPECT_EQ(o.status.next->action, "Activate");
  EXPECT_EQ(o.status.next->at, InWindow().not_after - minutes{5});
}

TEST(Key, A_changed_key_spec_waits_for_the_next_certificate) {
  for (const Mode mode : {Mode::Off, Mode::On, Mode::Fingerprint, Mode::Hold}) {
    Observation o = WithPair(In(mode), Young(), Newer());
    o.spec.key = {KeyAlgorithm::Ed25519, 256};
    ++o.identity.generation;
    Signer signer;
    const Pass pass = RunPass(o, signer);
    EXPECT_FALSE(pass.first.change) << NameOf(pass.first.change);
    EXPECT_THAT(pass.last.events, ::testing::IsEmpty());
    EXPECT_EQ(Says(o.status, "Ready"), "True/Valid");
    EXPECT_FALSE(RunPass(o, signer).first.change);
  }
  Observation o = WithPair(In(Mode::On), InWindow());
  o.spec.key = {KeyAlgorithm::Ed25519, 256};
  Signer signer;
  RunPass(o, signer);
  EXPECT_EQ(o.status.active->key.algorithm, KeyAlgorithm::Ed25519);
}

TEST(Unsupported, Is_said_and_behaves_as_OFF) {
  const Observation o = WithPair(In(Mode::Unsupported), InWindow());
  EXPECT_EQ(Says(o.status, "AutomaticRegeneration"), "False/NotSupported");
  EXPECT_EQ(Says(o.status, "ExpiringSoon"), "True/ActionNeeded");
}

TEST(Switch, ON_OFF_ON_between_two_looks_makes_no_difference) {
  Observation o = WithPair(In(Mode::On), InWindow());
  o.identity.generation += 2;
  EXPECT_EQ(NameOf(Decide(o).change), "Regenerate");
}

// ---- R22, R27 --------------------------------------------------------------------------------

TEST(AuthorityEnd, Prevents_a_certificate_that_would_gain_too_little) {
  Observation o = In(Mode::On);
  o.authority.chain_end = InWindow().not_after + days{36};  // a tenth is 36.5 days
  o = WithPair(std::move(o), InWindow());
  const Decision refused = Decide(o);
  EXPECT_FALSE(refused.change);
  EXPECT_EQ(Says(refused.status, "AutomaticRegeneration"), "False/AuthorityExpiresFirst");
  EXPECT_EQ(Says(refused.status, "Ready"), "True/Valid");
  EXPECT_EQ(Says(refused.status, "ExpiringSoon"), "True/ActionNeeded");
  o.authority.chain_end = InWindow().not_after + days{37};
  EXPECT_EQ(NameOf(Decide(o).change), "Regenerate");
}

TEST(AuthorityEnd, Is_foreseen_in_the_warning_before_the_window) {
  Observation o = In(Mode::On);
  const Certificate soon = Made(1, kNow - days{340});
  o.authority.chain_end = soon.not_after;
  o = WithPair(std::move(o), soon);
  EXPECT_EQ(Says(o.status, "ExpiringSoon"), "True/ActionNeeded");
  EXPECT_THAT(MessageOf(o.status, "ExpiringSoon"), HasSubstr("Renew the authority"));
}

// The status said that it was held, and was lost in the same moment.
TEST(Held, Is_released_though_the_status_was_lost) {
  for (const bool rolled_back : {false, true}) {
    Observation o = In(Mode::On);
    o.spec.peer_matching = PeerMatching::Fingerprint;
    o = WithPair(std::move(o), InWindow());
    Signer signer;
    RunPass(o, signer);
    ASSERT_TRUE(o.status.inactive);
    const std::string held = o.status.inactive->fingerprint;
    o.status = {};
    o.spec.peer_matching = PeerMatching::SubjectAndIssuer;
    if (rolled_back)
      o.receipt = Receipt{"op", OperationAction::Activate, InWindow().fingerprint, held};
    const Decision decision = Decide(o);
    EXPECT_EQ(NameOf(decision.change), rolled_back ? "" : "Activate");
    if (!rolled_back) RunPass(o, signer);
    EXPECT_EQ(o.status.active ? o.status.active->fingerprint : "", rolled_back ? "" : held);
    EXPECT_EQ(signer.Issued(), 1);
  }
}

TEST(Budget, Of_six_within_a_window_is_not_exceeded) {
  Observation o = WithPair(In(Mode::On), Expired());
  for (int hour = 6; hour >= 1; --hour) o.budget.automatic.push_back(kNow - hours{hour});
  const Decision held = Decide(o);
  EXPECT_FALSE(held.change);
  EXPECT_EQ(Says(held.status, "AutomaticRegeneration"), "False/IssuanceBudgetExceeded");
  EXPECT_EQ(held.wake_at, kNow + hours{1});
  EXPECT_THAT(Reasons(held.events), ::testing::Contains("Warning IssuanceBudgetExceeded"));
  o.now = kNow - hours{6} + hours{336};  // the oldest has left the window
  const Decision free = Decide(o);
  ASSERT_EQ(NameOf(free.change), "Regenerate");
  EXPECT_EQ(free.change->budget.automatic.size(), 6U);
  EXPECT_EQ(free.change->budget.automatic.back(), o.now);
}

TEST(Budget, Holds_a_repair_that_never_lasts) {
  Observation o = With(In(Mode::On), Broken(std::nullopt, std::nullopt));
  Signer signer;
  for (int look = 0; look < 50; ++look) {
    RunPass(o, signer);
    o.now += minutes{1};
    o.secret = Broken(std::nullopt, std::nullopt);  // somebody insists
  }
  EXPECT_EQ(signer.Issued(), 6);
  EXPECT_EQ(Says(o.status, "Ready"), "False/SecretDamaged");
  EXPECT_EQ(Says(o.status, "AutomaticRegeneration"), "False/IssuanceBudgetExceeded");
}

// The Secret takes its own record along; the status has another.
TEST(Budget, Holds_a_system_whose_Secret_is_deleted_again_and_again) {
  Observation o = Fresh();
  Signer signer;
  const auto lose_the_secret = [&] {
    o.secret = Missing{};
    o.secret_resource_version.clear();
    o.budget = {};
  };
  for (int look = 0; look < 13; ++look) {
    RunPass(o, signer);
    lose_the_secret();
    if (look % 2 == 0) o.now += minutes{1};  // two within one second are two
  }
  EXPECT_EQ(signer.Issued(), 6);
  EXPECT_EQ(Says(o.status, "Ready"), "False/IssuanceBudgetExceeded");
  o.now += hours{336};
  RunPass(o, signer);
  EXPECT_EQ(signer.Issued(), 7);
  EXPECT_EQ(Says(o.status, "Ready"), "True/Valid");
}

TEST(Budget, Holds_where_the_annotation_or_the_status_was_wiped) {
  for (const bool of_the_secret : {true, false}) {
    Observation o = With(In(Mode::On), Broken(std::nullopt, std::nullopt));
    Signer signer;
    for (int look = 0; look < 20; ++look) {
      RunPass(o, signer);
      o.now += minutes{1};
      o.secret = Broken(std::nullopt, std::nullopt);
      if (of_the_secret) {
        o.budget = {};
      } else {
        o.status = {};
      }
    }
    EXPECT_EQ(signer.Issued(), 6) << of_the_secret;
  }
}

TEST(Budget, Of_two_records_counts_what_either_has) {
  const auto at = [](int second) { return kNow + seconds{second}; };
  EXPECT_EQ(Merge({{at(3), at(1)}}, {{at(1), at(2)}}), (Budget{{at(1), at(2), at(3)}}));
  EXPECT_EQ(Merge({{at(1), at(1)}}, {{at(1)}}), (Budget{{at(1), at(1)}}));
  EXPECT_EQ(Merge({}, {}), Budget{});
  Budget many;
  for (int n = 0; n < 40; ++n) many.automatic.push_back(at(n));
  EXPECT_EQ(Merge(many, {}).automatic.size(), 16U);
  EXPECT_EQ(Merge(many, {}).automatic.back(), at(39));
}

TEST(Budget, Does_not_hold_a_person) {
  Observation o = WithPair(In(Mode::On), Young());
  for (int n = 0; n < 6; ++n) o.budget.automatic.push_back(kNow - minutes{n});
  o.operations = {Op(OperationAction::Generate, 1)};
  const Decision decision = Decide(o);
  EXPECT_EQ(NameOf(decision.change), "IssueInactive");
  EXPECT_EQ(decision.change->budget.automatic.size(), 6U);
}

// Found by a simulated life: the window of a certificate that its authority's end cut short is
// shorter than that of a damaged one.
TEST(Budget, Remembers_issuances_for_a_longer_window) {
  Observation o = WithPair(In(Mode::On), Young());
  o.spec.regenerate_before.reset();
  const sys_seconds old = kNow - days{100};
  o.budget.automatic = {old};
  o.operations = {Op(OperationAction::Generate, 1)};
  const Decision decision = Decide(o);
  ASSERT_EQ(NameOf(decision.change), "IssueInactive");
  EXPECT_THAT(decision.change->budget.automatic, ElementsAre(old));
}

TEST(Budget, Entries_of_the_future_bound_nothing) {
  Observation o = WithPair(In(Mode::On), Expired());
  for (int n = 0; n < 6; ++n) o.budget.automatic.push_back(kNow + days{300});
  const Decision decision = Decide(o);
  EXPECT_EQ(NameOf(decision.change), "Regenerate");
  EXPECT_THAT(decision.change->budget.automatic, ElementsAre(kNow));
}

}  // namespace
}  // namespace certpair::core::testing
