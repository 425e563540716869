#include "reconcile/pass/memory.hpp"

#include <gtest/gtest.h>

namespace certpair::reconcile {
namespace {

using Lag = OwnWrites::Lag;

const SteadyTime kStart{std::chrono::hours{1}};
const sys_seconds kNow{seconds{1'800'000'000}};

TEST(KnownStatus, The_first_status_is_believed_but_not_ours) {
  KnownStatus status;
  EXPECT_FALSE(status.Is(1));
  EXPECT_TRUE(status.See(1));
  EXPECT_TRUE(status.Is(1));
  EXPECT_FALSE(status.IsOurs());
  EXPECT_FALSE(status.See(2)) << "the second one is not the first";
  EXPECT_FALSE(status.Is(2));
}

TEST(KnownStatus, A_written_status_is_ours_until_another_one_is_seen) {
  KnownStatus status;
  EXPECT_TRUE(status.See(1));
  status.Wrote(2, true);
  EXPECT_FALSE(status.See(2));
  EXPECT_TRUE(status.IsOurs());
  EXPECT_FALSE(status.See(3));
  EXPECT_FALSE(status.IsOurs());
}

TEST(KnownStatus, What_did_not_have_to_be_written_is_not_ours) {
  KnownStatus status;
  EXPECT_TRUE(status.See(1));
  status.Wrote(1, false);
  EXPECT_FALSE(status.IsOurs());
}

TEST(OwnWrites, Caches_are_behind_until_they_show_each_write) {
  OwnWrites writes;
  const std::string old = "3";
  EXPECT_EQ(writes.Check("1", nullptr, kStart), Lag::None);
  writes.WroteSystem("5");
  writes.WroteSecret("6");
  EXPECT_EQ(writes.Check("5", nullptr, kStart), Lag::Behind) << "the Secret is not there yet";
  EXPECT_EQ(writes.Check("5", &old, kStart), Lag::Behind);
  const std::string newer = "7";
  EXPECT_EQ(writes.Check("4", &newer, kStart), Lag::Behind);
  EXPECT_EQ(writes.Check("5", &newer, kStart), Lag::None);
  EXPECT_EQ(writes.Check("1", nullptr, kStart), Lag::None) << "nothing is awaited any more";
}

TEST(OwnWrites, A_cache_that_stays_behind_is_not_awaited_for_ever) {
  OwnWrites writes;
  writes.WroteSystem("5");
  EXPECT_EQ(writes.Check("4", nullptr, kStart), Lag::Behind);
  EXPECT_EQ(writes.Check("4", nullptr, kStart + kCacheMayLag - seconds{1}), Lag::Behind);
  EXPECT_EQ(writes.Check("4", nullptr, kStart + kCacheMayLag), Lag::TooLong);
}

TEST(OwnWrites, An_echo_is_taken_once) {
  OwnWrites writes;
  writes.WroteSystem("5");
  writes.WroteSecret("6");
  EXPECT_FALSE(writes.TakeEcho("4"));
  EXPECT_TRUE(writes.TakeEcho("5"));
  EXPECT_FALSE(writes.TakeEcho("5"));
  EXPECT_TRUE(writes.TakeEcho("6"));
}

TEST(OwnWrites, While_a_pass_waits_an_echo_wakes_it) {
  OwnWrites writes;
  writes.WroteSystem("5");
  EXPECT_EQ(writes.Check("4", nullptr, kStart), Lag::Behind);
  EXPECT_FALSE(writes.TakeEcho("5"));
}

TEST(KeyWait, Lasts_from_its_first_look_to_its_end) {
  KeyWait key;
  EXPECT_FALSE(key.IsOpen());
  EXPECT_EQ(key.Last(kStart), seconds{0});
  EXPECT_EQ(key.Last(kStart + seconds{4}), seconds{4});
  EXPECT_TRUE(key.IsOpen());
  key.End();
  EXPECT_FALSE(key.IsOpen());
}

TEST(WriteTrouble, What_may_pass_keeps_its_first_words_and_its_begin) {
  WriteTrouble trouble;
  trouble.Hinder("503 first", false, kNow);
  trouble.Hinder("503 second", true, kNow + seconds{9});
  core::Observation seen;
  trouble.ShowIn(seen);
  EXPECT_EQ(seen.write_failure, "503 first");
  EXPECT_TRUE(seen.signing_failed);
  EXPECT_EQ(seen.write_fails_since, kNow);
}

TEST(WriteTrouble, What_a_person_must_mend_has_the_latest_words_and_no_begin) {
  WriteTrouble trouble;
  trouble.Hinder("503", false, kNow);
  trouble.Refuse("quota", false);
  core::Observation seen;
  trouble.ShowIn(seen);
  EXPECT_EQ(seen.write_failure, "quota");
  EXPECT_EQ(seen.write_fails_since, std::nullopt);
  trouble.Clear();
  EXPECT_FALSE(trouble.IsAny());
  trouble.ShowIn(seen);
  EXPECT_EQ(seen.write_failure, "");
}

TEST(Issuances, Belong_to_one_system) {
  Issuances issuances;
  EXPECT_EQ(issuances.Of("u-1"), core::Budget{});
  issuances.Remember({kNow});
  issuances.Remember({});
  EXPECT_EQ(issuances.Of("u-1"), core::Budget{{kNow}});
  EXPECT_EQ(issuances.Of("u-2"), core::Budget{}) << "a new system of the same name";
  EXPECT_EQ(issuances.Of("u-1"), core::Budget{});
}

TEST(DepthCheck, Comes_once_a_period_at_the_systems_own_time) {
  DepthCheck check;
  EXPECT_TRUE(check.IsDue(kNow)) << "before it is planned";
  const seconds day = std::chrono::hours{24};
  check.PlanNext("u-1", kNow, day);
  const sys_seconds first = check.At();
  EXPECT_GT(first, kNow);
  EXPECT_LE(first, kNow + day);
  EXPECT_FALSE(check.IsDue(first - seconds{1}));
  EXPECT_TRUE(check.IsDue(first));
  check.PlanNext("u-1", first - seconds{1}, day);
  EXPECT_EQ(check.At(), first) << "a restart puts nothing off";
  check.PlanNext("u-1", first, day);
  EXPECT_EQ(check.At(), first + day);
  DepthCheck other;
  other.PlanNext("u-2", kNow, day);
  EXPECT_NE(other.At(), first);
}

TEST(Memory, Distrust_keeps_what_no_cache_knows) {
  Memory memory;
  EXPECT_EQ(memory.issuances.Of("u-1"), core::Budget{});
  memory.issuances.Remember({kNow});
  memory.writes.WroteSystem("5");
  memory.trouble.Refuse("quota", false);
  EXPECT_EQ(memory.key.Last(kStart), seconds{0});
  memory.DistrustCaches();
  EXPECT_TRUE(memory.read_live);
  EXPECT_TRUE(memory.key.IsOpen());
  EXPECT_FALSE(memory.trouble.IsAny());
  EXPECT_EQ(memory.writes.Check("1", nullptr, kStart), Lag::None);
  EXPECT_EQ(memory.issuances.Of("u-1"), core::Budget{{kNow}});
}

}  // namespace
}  // namespace certpair::reconcile
