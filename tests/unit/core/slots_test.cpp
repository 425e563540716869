#include "core/slots.hpp"

#include <gmock/gmock.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

// "1 2": the active slot holds certificate 1, the inactive one certificate 2; `-`: none.
std::string Show(const Slots& slots) {
  const auto digit = [](const Certificate* certificate) {
    if (!certificate) return std::string{"-"};
    for (int n = 1; n < 10; ++n)
      if (certificate->fingerprint == Fingerprint(n)) return fmt::to_string(n);
    return std::string{"?"};
  };
  return digit(slots.active) + " " + digit(slots.inactive);
}

const Certificate kFirst = Made(1, kNow);
const Certificate kSecond = Made(2, kNow);
const Certificate kMade = Made(3, kNow);

PlannedChange Plan(SlotChange slots) { return {std::move(slots), std::nullopt, {}}; }

TEST(Slots, Each_change_fills_them_as_its_name_says) {
  struct Row {
    const char* name;
    SlotChange change;
    const char* after;
  };
  const Row rows[] = {{"issue active", IssueActive({}), "3 2"},
                      {"issue active, dropping the other", IssueActive({}, false), "3 -"},
                      {"issue inactive", IssueInactive({}), "1 3"},
                      {"regenerate", Regenerate({}), "3 1"},
                      {"regenerate, dropping the old", Regenerate({}, false), "3 -"},
                      {"activate", Activate(), "2 1"},
                      {"activate, dropping the old", Activate(false), "2 -"},
                      {"delete", DeleteInactive(), "1 -"},
                      {"relabel", Relabel(), "1 2"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Show(After({&kFirst, &kSecond}, row.change, &kMade)), row.after);
    EXPECT_TRUE(IsConsistent(row.change));
    const SecretState pair = CertificatePair{kFirst, kSecond};
    EXPECT_EQ(Show(SlotsOf(OutcomeOf(Plan(row.change), pair, &kMade).secret)), row.after);
  }
}

TEST(Slots, An_order_is_consistent_only_with_one_new_slot) {
  EXPECT_FALSE(IsConsistent({.active = From::New}));
  EXPECT_FALSE(IsConsistent({.order = CertificateOrder{}}));
  EXPECT_FALSE(
      IsConsistent({.active = From::New, .inactive = From::New, .order = CertificateOrder{}}));
}

TEST(Slots, Each_kind_of_change_has_its_own_word) {
  const ChangeKind kinds[] = {ChangeKind::IssueActive,    ChangeKind::IssueInactive,
                              ChangeKind::Regenerate,     ChangeKind::Activate,
                              ChangeKind::DeleteInactive, ChangeKind::Relabel};
  std::vector<std::string_view> words;
  for (const ChangeKind kind : kinds) words.push_back(ToString(kind));
  EXPECT_THAT(words, ::testing::ElementsAre("issue-active", "issue-inactive", "regenerate",
                                            "activate", "delete-inactive", "relabel"));
}

TEST(Slots, Only_intact_certificates_of_a_Secret_count) {
  EXPECT_EQ(Show(SlotsOf(Missing{})), "- -");
  EXPECT_EQ(Show(SlotsOf(NotOurs{})), "- -");
  EXPECT_EQ(Show(SlotsOf(Retained{})), "- -");
  EXPECT_EQ(Show(SlotsOf(Immutable{})), "- -");
  const CertificatePair pair{kFirst, kSecond};
  EXPECT_EQ(Show(SlotsOf(Retained{.adoptable = pair})), "1 2");
  EXPECT_EQ(Show(SlotsOf(Immutable{.pair = pair})), "1 2");
  EXPECT_EQ(Show(SlotsOf(Damaged{{}, kSecond, ""})), "- 2");
}

TEST(Slots, A_delete_leaves_a_damaged_active_slot_damaged) {
  const SecretState after =
      OutcomeOf(Plan(DeleteInactive()), Damaged{{}, kSecond, "junk"}, nullptr).secret;
  ASSERT_TRUE(std::holds_alternative<Damaged>(after));
  EXPECT_EQ(Show(SlotsOf(after)), "- -");
}

TEST(Slots, A_relabel_adopts_a_retained_pair_and_keeps_damage) {
  const Retained retained{.adoptable = CertificatePair{kFirst, {}}};
  EXPECT_TRUE(std::holds_alternative<CertificatePair>(
      OutcomeOf(Plan(Relabel()), retained, nullptr).secret));
  const SecretState damaged =
      OutcomeOf(Plan(Relabel()), Damaged{kFirst, {}, "junk"}, nullptr).secret;
  EXPECT_EQ(std::get<Damaged>(damaged).what, "junk");
}

TEST(AfterWrite, The_observation_is_that_of_the_next_pass) {
  Observation o = WithPair(Fresh(), kFirst, kSecond);
  o.secret_metadata_differs = true;
  o.secret_owner_differs = true;
  o.write_failure = "quota";
  o.write_fails_since = kNow;
  o.keystore = Keystore{kFirst.fingerprint, {"p", "password"}, "6"};
  o.keystore_damaged = true;
  PlannedChange plan = Plan(Regenerate({}));
  plan.receipt = Receipt{"op-1", OperationAction::Generate, "", ""};
  plan.budget.automatic = {kNow};
  plan.renews = true;
  plan.keystore = MakeKeystore{{"p", "password"}, "7"};
  const Observation after = AfterWrite(o, plan, &kMade, "42");
  EXPECT_EQ(Show(SlotsOf(after.secret)), "3 1");
  EXPECT_EQ(after.secret_resource_version, "42");
  EXPECT_FALSE(after.secret_metadata_differs);
  EXPECT_FALSE(after.secret_owner_differs);
  EXPECT_EQ(after.write_failure, "");
  EXPECT_FALSE(after.write_fails_since);
  EXPECT_TRUE(after.written_in_this_pass);
  EXPECT_EQ(after.receipt->fingerprint, kMade.fingerprint);
  EXPECT_EQ(after.budget, plan.budget);
  EXPECT_EQ(after.renewed, kMade.fingerprint);
  EXPECT_EQ(after.keystore, (Keystore{kMade.fingerprint, {"p", "password"}, "7"}));
  EXPECT_FALSE(after.keystore_damaged);
}

TEST(AfterWrite, What_the_plan_does_not_name_stays) {
  Observation o = WithPair(Fresh(), kFirst, kSecond);
  o.receipt = Receipt{"op-1", OperationAction::Activate, kFirst.fingerprint, ""};
  o.renewed = kFirst.fingerprint;
  o.keystore = Keystore{kFirst.fingerprint, {"p", "password"}, "6"};
  o.keystore_damaged = true;
  o.secret_owner_differs = true;
  o.owner_refusal = "you may not";
  const Observation after = AfterWrite(o, Plan(DeleteInactive()), nullptr, "42");
  EXPECT_EQ(after.receipt, o.receipt);
  EXPECT_EQ(after.renewed, o.renewed);
  EXPECT_EQ(after.keystore, o.keystore);
  EXPECT_TRUE(after.keystore_damaged);
  EXPECT_TRUE(after.secret_owner_differs);
}

TEST(AfterWrite, Metadata_that_admission_changed_still_differs) {
  Observation o = WithPair(Fresh(), kFirst, kSecond);
  o.changed_metadata = "label a/b";
  EXPECT_TRUE(AfterWrite(o, Plan(Relabel()), nullptr, "42").secret_metadata_differs);
}

TEST(AfterWrite, A_removed_key_store_is_gone) {
  Observation o = WithPair(Fresh(), kFirst, kSecond);
  o.keystore = Keystore{kFirst.fingerprint, {"p", "password"}, "6"};
  PlannedChange plan = Plan(Relabel());
  plan.keystore = RemoveKeystore{};
  EXPECT_FALSE(AfterWrite(o, plan, nullptr, "42").keystore);
}

}  // namespace
}  // namespace certpair::core::testing
