// A spec that this program cannot read: told, and nothing done.
#include <gtest/gtest.h>

#include "core/operations.hpp"
#include "core/reasons.hpp"
#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

constexpr const char* kWhy = "spec.type: this operator does not know the value \"Gateway\"";

TEST(DecideUnreadable, Says_so_in_Ready_and_in_one_Event_and_changes_nothing) {
  Observation o = WithPair(Fresh(), Made(1, kNow), Made(2, kNow));
  o.identity.generation = 9;
  o.now += hours{1};
  const Decision first = DecideUnreadable(o, kWhy);
  EXPECT_FALSE(first.change);
  EXPECT_EQ(Says(first.status, "Ready"), "False/InvalidSpec");
  EXPECT_TRUE(MessageOf(first.status, "Ready").starts_with(kWhy));
  EXPECT_EQ(Reasons(first.events), std::vector<std::string>{"Warning InvalidSpec"});
  EXPECT_EQ(first.status.active, o.status.active);
  EXPECT_EQ(first.status.inactive, o.status.inactive);
  EXPECT_EQ(first.status.ledger, o.status.ledger);
  EXPECT_EQ(first.status.observed_generation, 9);
  EXPECT_EQ(Says(first.status, "InUse"), Says(o.status, "InUse"));
  EXPECT_FALSE(first.status.next);

  o.status = first.status;
  o.now += hours{1};
  const Decision second = DecideUnreadable(o, kWhy);
  EXPECT_TRUE(second.events.empty());
  EXPECT_EQ(second.status, first.status);
  EXPECT_GT(second.wake_at, o.now + days{300});
}

TEST(DecideUnreadable, An_operation_waits_for_the_correction_and_then_fails) {
  Observation o = WithPair(Fresh(), Made(1, kNow));
  o.operations = {Op(OperationAction::Generate, 1)};
  Decision decided = DecideUnreadable(o, kWhy);
  EXPECT_TRUE(decided.verdicts.empty());
  EXPECT_EQ(decided.wake_at, kNow + kOperationPatience);
  o.now = decided.wake_at;
  decided = DecideUnreadable(o, kWhy);
  ASSERT_EQ(decided.verdicts.size(), 1U);
  EXPECT_EQ(decided.verdicts[0].kind, OperationVerdict::Kind::Fail);
  EXPECT_EQ(decided.verdicts[0].reason, reason::kInvalidSpec);
  EXPECT_TRUE(decided.verdicts[0].message.starts_with(kWhy));
}

TEST(DecideUnreadable, Asks_for_outcomes_before_the_postbox_forgets_them) {
  Observation o = WithPair(Fresh(), Made(1, kNow));
  o.mail.outcomes = {{NoticeOutcome::Kind::Sent, "0123", "", kNow}};
  EXPECT_LE(DecideUnreadable(o, kWhy).wake_at, o.now + hours{12});
}

TEST(DecideUnreadable, One_that_is_leaving_is_told_nothing) {
  Observation o = WithPair(Fresh(), Made(1, kNow));
  o.identity.being_deleted = true;
  const Decision decided = DecideUnreadable(o, kWhy);
  EXPECT_EQ(decided.status, o.status);
  EXPECT_TRUE(decided.events.empty());
}

TEST(DecideUnreadable, Once_it_is_corrected_all_is_as_before) {
  Observation o = WithPair(Fresh(), Made(1, kNow));
  const SystemStatus before = o.status;
  o.status = DecideUnreadable(o, kWhy).status;
  Signer signer;
  const Pass pass = RunPass(o, signer);
  EXPECT_FALSE(pass.first.change);
  EXPECT_TRUE(pass.last.events.empty());
  EXPECT_EQ(Says(o.status, "Ready"), Says(before, "Ready"));
  EXPECT_EQ(o.status.next, before.next);
}

}  // namespace
}  // namespace certpair::core::testing
