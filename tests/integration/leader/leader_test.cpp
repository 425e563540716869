// Two operators on one API server: one works, the other takes over, and nothing is issued twice.
#include "leader.hpp"

#include <algorithm>
#include <csignal>

#include "support/fault_proxy.hpp"

namespace certpair::test {
namespace {

constexpr double kOneIssuance = 3;  // the Secret, the status, the Event

TEST_F(Leader, One_works_and_the_other_takes_over_when_it_leaves_dies_or_freezes) {
  auto first = Start("first");
  AwaitHolder("first", kSoon);
  auto second = Start("second");
  Apply(GeneratedAuthority("leader-ca"));
  ExpectWork("by-first");
  EXPECT_EQ(second->Writes(), 0);
  EXPECT_TRUE(Eventually([&] { return second->Ready().starts_with("ok"); }, kSoon))
      << "a standby is warm, so ready";

  first->Signal(SIGTERM);
  EXPECT_EQ(first->WaitForExit(std::chrono::seconds{6}), 0);
  AwaitHolder("second", kHandover);  // freed, so not waited for
  ExpectWork("after-sigterm");

  auto third = Start("third");
  EXPECT_TRUE(Eventually([&] { return third->Ready().starts_with("ok"); }, kSoon));
  second->Signal(SIGKILL);
  AwaitHolder("third", kLease + kHandover);
  ExpectWork("after-sigkill");

  auto fourth = Start("fourth");
  EXPECT_TRUE(Eventually([&] { return fourth->Ready().starts_with("ok"); }, kSoon));
  // What it had under way when it froze is counted when it wakes: nothing may be, to tell the two.
  EXPECT_TRUE(Eventually([&] { return third->Writes() == kOneIssuance; }, kSoon));
  third->Signal(SIGSTOP);
  AwaitHolder("fourth", kLease + kHandover);
  ExpectWork("while-frozen");
  third->Signal(SIGCONT);
  EXPECT_TRUE(Eventually([&] { return !third->Ready().empty(); }, kSoon));
  ExpectWork("after-waking");
  EXPECT_EQ(Holder(), "fourth");
  EXPECT_EQ(third->Writes(), kOneIssuance) << third->Log();
}

// The API server holds its Events back until another leads.
TEST_F(Leader, That_was_frozen_with_Events_to_write_writes_none_when_it_wakes) {
  MustKubectl(
      {"delete", "lease", "-n", "certpair-system", "certpair-controller", "--ignore-not-found"});
  const FaultProxy proxy{TheControlPlane()};
  auto frozen = Start("frozen", {}, proxy.Kubeconfig());
  AwaitHolder("frozen", kSoon);
  Apply(GeneratedAuthority("leader-ca"));
  AwaitCondition("certca", "leader-ca", "Ready", "True", "", kSoon);
  proxy.Do({{"do", "rule"},
            {"verb", "POST"},
            {"path", "/events"},
            {"status", 429},
            {"times", 1'000'000},
            {"retry_after", 2}});
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.push_back("untold-" + std::to_string(i));
  for (const std::string& name : names) Apply(System(name, "leader-ca"));
  for (const std::string& name : names) AwaitCondition("psys", name, "Ready", "True", "", kSoon);
  auto next = Start("next");
  frozen->Signal(SIGSTOP);
  AwaitHolder("next", kSoon);
  proxy.Do({{"do", "reset"}});
  frozen->Signal(SIGCONT);
  EXPECT_TRUE(Eventually(
      [&] {
        return frozen->Metric("certpair_events_dropped_total") >= static_cast<double>(names.size());
      },
      kSoon))
      << "they are dropped, and counted";
  for (const std::string& name : names) EXPECT_TRUE(EventReasons(name).empty()) << name;
  EXPECT_EQ(Holder(), "next");
}

TEST_F(Leader, A_Lease_that_is_deleted_or_stolen_is_stood_for_again_and_one_leads) {
  auto one = Start("one");
  AwaitHolder("one", kSoon);
  auto two = Start("two");
  EXPECT_TRUE(Eventually([&] { return two->Ready().starts_with("ok"); }, kSoon));
  const auto one_of_ours_leads = [] { return Holder() == "one" || Holder() == "two"; };
  Apply(GeneratedAuthority("leader-ca"));
  MustKubectl({"delete", "lease", "-n", "certpair-system", "certpair-controller"});
  EXPECT_TRUE(Eventually(one_of_ours_leads, kSoon)) << Holder();
  ExpectWork("after-deletion");
  MustKubectl({"patch", "lease", "-n", "certpair-system", "certpair-controller", "--type=merge",
               "-p", R"({"spec":{"holderIdentity":"thief_0"}})"});
  // The thief never renews.
  EXPECT_TRUE(Eventually(one_of_ours_leads, kLease + kHandover)) << Holder();
  EXPECT_NE((one->Log() + two->Log()).find("holder=thief_0"), std::string::npos)
      << one->Log() << two->Log();
  ExpectWork("after-theft");
  EXPECT_LE(one->Metric("certpair_leader") + two->Metric("certpair_leader"), 1);
  for (const char* name : {"after-deletion", "after-theft"})
    EXPECT_LE(std::ranges::count(EventReasons(name), "CertificateIssued"), 1) << name;
}

}  // namespace
}  // namespace certpair::test
