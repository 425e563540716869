// Operations as nobody should ask for them: too many, too late, for nothing, against one another.
#include <algorithm>
#include <array>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "support/pair_test.hpp"

namespace certpair::test {
namespace {

class Operations : public PairTest {
 protected:
  void SetUp() override {
    PairTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    // Its minute passes while the others are tried.
    static const bool made = [] {
      CreateOperation("orphan", "never-was", "Generate");
      return true;
    }();
    EXPECT_TRUE(made);
  }
  static Json Generate(const std::string& name, const std::string& system) {
    return {{"apiVersion", "certpair.dev/v1"},
            {"kind", "CertificateOperation"},
            {"metadata", {{"name", name}, {"namespace", "idm"}, {"labels", {{"test", system}}}}},
            {"spec", {{"systemRef", {{"name", system}}}, {"action", "Generate"}}}};
  }
  // A system that is ready, with two certificates.
  static Pair MakePair(const std::string& system, const std::string& authority) {
    Apply(System(system, authority));
    AwaitCondition("psys", system, "Ready", "True", "", kSoon);
    EXPECT_EQ(Operate(system + "-second", system, "Generate").first, "Complete");
    return AwaitPair(system, [](const Pair& p) { return !p.inactive.empty(); });
  }
};

TEST_F(Operations,
       Of_a_thousand_Generates_at_once_one_makes_a_certificate_and_each_gets_an_answer) {
  constexpr int kThreads = 4;
  constexpr int kEach = 250;  // kubectl lets so many go at once
  OperatorProcess op{WithAdmin()};
  EXPECT_EQ(OutcomeOf("orphan"), Outcome{}) << "its system could still come";
  Apply(GeneratedAuthority("crowd-ca"));
  Apply(System("crowd", "crowd-ca"));
  AwaitCondition("psys", "crowd", "Ready", "True", "", kSoon);
  const std::string active = PairOf("crowd").active;
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < kThreads; ++t)
      crowd.emplace_back([t] {
        Json list{{"apiVersion", "v1"}, {"kind", "List"}, {"items", Json::array()}};
        for (int i = 0; i < kEach; ++i)
          list["items"].push_back(
              Generate("crowd-" + std::to_string(t) + "-" + std::to_string(i), "crowd"));
        MustKubectl({"create", "-f", "-"}, list.dump());
      });
  }
  std::map<std::string, int> ends;
  EXPECT_TRUE(Eventually(
      [&] {
        ends.clear();
        const Json all = Json::parse(
            MustKubectl({"get", "certop", "-n", "idm", "-l", "test=crowd", "-o", "json"}));
        for (const Json& operation : all.at("items"))
          for (const char* type : {"Complete", "Failed"})
            if (const Told told = ConditionOf(operation, type); told.status == "True")
              ++ends[told.reason];
        return ends["Generated"] + ends["LimitReached"] == kThreads * kEach;
      },
      std::chrono::seconds{120}))
      << Json(ends).dump();
  EXPECT_EQ(ends["Generated"], 1);
  const Pair pair = AwaitPair("crowd", [](const Pair& p) { return !p.inactive.empty(); });
  EXPECT_EQ(pair.active, active);
  EXPECT_EQ(op.Metric("certpair_certificates_issued_total", {}), 2) << op.Metrics();
}

TEST_F(Operations, Of_an_Activate_and_a_Delete_of_one_certificate_the_first_counts) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("duel-ca"));
  const Pair before = MakePair("duel", "duel-ca");
  Json list{{"apiVersion", "v1"}, {"kind", "List"}, {"items", Json::array()}};
  for (const char* action : {"Delete", "Activate"}) {
    Json operation =
        Generate(std::string{"duel-"} + (action[0] == 'D' ? "delete" : "activate"), "duel");
    operation["spec"]["action"] = action;
    operation["spec"]["fingerprint"] = before.inactive;
    list["items"].push_back(operation);
  }
  MustKubectl({"create", "-f", "-"}, list.dump());
  const Outcome deleted = AwaitOutcome("duel-delete");
  const Outcome activated = AwaitOutcome("duel-activate");
  // Which of them is older, the API server's clock says; within a second, which was written first.
  if (deleted.first == "Complete") {
    EXPECT_EQ(activated, (Outcome{"Failed", "UnknownFingerprint"}));
    AwaitPair("duel", [&](const Pair& p) { return p == Pair{before.active, ""}; });
  } else {
    EXPECT_EQ(deleted, (Outcome{"Failed", "CertificateActive"}));
    EXPECT_EQ(activated, (Outcome{"Complete", "Activated"}));
    AwaitPair("duel", [&](const Pair& p) { return p == Pair{before.inactive, before.active}; });
  }
}

TEST_F(Operations, That_is_finished_goes_after_its_TTL_if_its_name_was_generated_and_stays_else) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("brief-ca"));
  Apply(System("brief", "brief-ca"));
  AwaitCondition("psys", "brief", "Ready", "True", "", kSoon);
  Json named = Generate("brief-named", "brief");
  named["spec"]["ttlAfterFinished"] = "0s";
  Json generated = named;
  generated["metadata"].erase("name");
  generated["metadata"]["generateName"] = "brief-generated-";
  MustKubectl({"create", "-f", "-"}, named.dump());
  EXPECT_EQ(AwaitOutcome("brief-named"), (Outcome{"Complete", "Generated"}));
  const std::string name =
      MustKubectl({"create", "-f", "-", "-o", "jsonpath={.metadata.name}"}, generated.dump());
  ASSERT_TRUE(name.starts_with("brief-generated-")) << name;
  EXPECT_TRUE(Eventually([&] { return !Get("certop", name); }, kSoon)) << op.Log();
  // It was answered before.
  EXPECT_TRUE(Eventually(
      [] { return std::ranges::count(EventReasons("brief"), "OperationFailed") == 1; }, kSoon));
  EXPECT_TRUE(Get("certop", "brief-named"));
}

TEST_F(Operations, With_the_fingerprint_of_another_system_it_is_refused) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("other-ca"));
  const Pair one = MakePair("other-one", "other-ca");
  const Pair two = MakePair("other-two", "other-ca");
  EXPECT_EQ(Operate("other-activate", "other-one", "Activate", two.inactive),
            (Outcome{"Failed", "UnknownFingerprint"}));
  EXPECT_EQ(Operate("other-delete", "other-one", "Delete", two.inactive),
            (Outcome{"Failed", "UnknownFingerprint"}));
  EXPECT_EQ(PairOf("other-one"), one);
  EXPECT_EQ(PairOf("other-two"), two);
}

TEST_F(Operations, For_a_system_that_leaves_is_left_behind_or_never_was_it_fails_and_says_so) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("gone-ca"));
  Json leaving = System("leaving", "gone-ca");
  leaving["metadata"]["finalizers"] = {"example.com/hold"};
  Apply(leaving);
  AwaitCondition("psys", "leaving", "Ready", "True", "", kSoon);
  MustKubectl({"delete", "psys", "leaving", "-n", "idm", "--wait=false"});
  EXPECT_EQ(Operate("too-late", "leaving", "Generate"), (Outcome{"Failed", "SystemBeingDeleted"}));
  EXPECT_TRUE(PairOf("leaving").inactive.empty());

  // One that ended long ago stays, whatever becomes of its system, and does nothing to the next one
  // of that name.
  MustKubectl({"patch", "psys", "leaving", "-n", "idm", "--type=merge", "-p",
               R"({"metadata":{"finalizers":null}})"});
  EXPECT_TRUE(Eventually([] { return !Get("secret", "leaving-outbound"); }, kSoon));
  Apply(System("leaving", "gone-ca"));
  AwaitCondition("psys", "leaving", "Ready", "True", "", kSoon);
  EXPECT_TRUE(PairOf("leaving").inactive.empty());
  EXPECT_EQ(OutcomeOf("too-late").second, "SystemBeingDeleted");

  EXPECT_TRUE(Eventually([] { return OutcomeOf("orphan") == Outcome{"Failed", "SystemNotFound"}; },
                         std::chrono::seconds{90}))
      << op.Log();
}

}  // namespace
}  // namespace certpair::test
