// Replicas whose clocks differ. Who leads is decided by how long a Lease stood still, never by the
// times in it; what a wrong clock does to certificates is what docs/operations.md says.
#include <atomic>
#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include "leader.hpp"

namespace certpair::test {
namespace {

// Debian's libfaketime; empty where it is not installed.
std::string FakeTime() {
  std::error_code error;
  for (const auto& folder : std::filesystem::directory_iterator("/usr/lib", error)) {
    const auto library = folder.path() / "faketime/libfaketimeMT.so.1";
    if (std::filesystem::exists(library, error)) return library.string();
  }
  return {};
}

/// Asks all the time whether two lead at once: the first before and after the second was seen to.
class TwoLeaders {
 public:
  TwoLeaders(const OperatorProcess& one, const OperatorProcess& other)
      : thread_([&one, &other, this](const std::stop_token& stop) {
          const auto leads = [](const OperatorProcess& process) {
            return process.Metric("certpair_leader") > 0;
          };
          while (!stop.stop_requested()) {
            if (leads(one) && leads(other) && leads(one)) seen_ = true;
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
          }
        }) {}
  [[nodiscard]] bool Seen() const { return seen_; }

 private:
  std::atomic<bool> seen_ = false;
  std::jthread thread_;
};

class Clocks : public Leader {
 protected:
  void SetUp() override {
    Leader::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    if (FakeTime().empty()) GTEST_SKIP() << "there is no libfaketime (Debian: faketime)";
    MustKubectl(
        {"delete", "lease", "-n", "certpair-system", "certpair-controller", "--ignore-not-found"});
    Apply(GeneratedAuthority("leader-ca"));
  }
  // What a process that was killed leaves of the library's.
  void TearDown() override {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm", error)) {
      const std::string name = entry.path().filename().string();
      const auto digits = name.find_last_not_of("0123456789");
      if (name.find("faketime_") == std::string::npos || digits + 1 >= name.size()) continue;
      if (kill(std::stoi(name.substr(digits + 1)), 0) != 0)
        std::filesystem::remove(entry.path(), error);
    }
  }

  // An operator whose wall clock, and nothing else, is off by `offset` (+4m, -1d).
  static std::unique_ptr<OperatorProcess> StartAt(const std::string& name,
                                                  const std::string& offset) {
    return Start(
        name, {"LD_PRELOAD=" + FakeTime(), "FAKETIME=" + offset, "FAKETIME_DONT_FAKE_MONOTONIC=1"});
  }
  static void AwaitWarm(const OperatorProcess& process) {
    EXPECT_TRUE(Eventually([&] { return process.Ready().starts_with("ok"); }, kSoon))
        << process.Log();
  }
  // Hands over from who leads to who waits.
  static void HandOver(OperatorProcess& from, const OperatorProcess& to, const std::string& name) {
    AwaitWarm(to);
    from.Signal(SIGTERM);
    EXPECT_EQ(from.WaitForExit(std::chrono::seconds{6}), 0);
    AwaitHolder(name, kLease - std::chrono::seconds{1});
  }
  static std::string Fingerprint(const std::string& name) {
    return Get("psys", name)->value(Json::json_pointer{"/status/activeFingerprint"}, "");
  }
  // The system after whoever leads now has passed over it.
  static Json LookedAtAnew(const std::string& name, const std::string& by) {
    const Json patch{{"spec", {{"displayName", "seen by " + by}}}};
    MustKubectl({"patch", "psys", "-n", "idm", name, "--type=merge", "-p", patch.dump()});
    Json found;
    EXPECT_TRUE(Eventually(
        [&] {
          found = Get("psys", name).value_or(Json::object());
          return found.value(Json::json_pointer{"/status/observedGeneration"}, 0) ==
                 found.at("metadata").at("generation").get<int>();
        },
        kSoon));
    return found;
  }
  static void ExpectReady(const Json& system, const std::string& status,
                          const std::string& reason) {
    const Told told = ConditionOf(system, "Ready");
    EXPECT_EQ(told.status, status) << told.message;
    EXPECT_EQ(told.reason, reason) << told.message;
  }
  static void ExpectOperation(const std::string& name, const std::string& system,
                              const std::string& action, const std::string& fingerprint = {}) {
    CreateOperation(name, system, action, fingerprint);
    AwaitCondition("certop", name, "Complete", "True", "", kSoon);
  }
};

class ClocksMinutesApart : public Clocks,
                           public testing::WithParamInterface<std::pair<const char*, const char*>> {
};

TEST_P(ClocksMinutesApart, Lead_one_at_a_time_and_issue_each_certificate_once) {
  const auto [offset, label] = GetParam();
  const std::string made = std::string{"made-"} + label;
  auto wrong = StartAt("wrong", offset);
  AwaitHolder("wrong", kSoon);
  auto right = Start("right");
  std::map<std::string, std::string> fingerprints;
  const auto expect_the_same = [&](const std::string& by) {
    for (const auto& [name, fingerprint] : fingerprints) {
      ExpectReady(LookedAtAnew(name, by), "True", "Valid");
      EXPECT_EQ(Fingerprint(name), fingerprint) << name << " was issued twice";
    }
  };
  {
    const TwoLeaders two(*wrong, *right);
    ExpectWork(made + "-first");
    fingerprints[made + "-first"] = Fingerprint(made + "-first");
    HandOver(*wrong, *right, "right");
    ExpectWork(made + "-second");
    fingerprints[made + "-second"] = Fingerprint(made + "-second");
    expect_the_same("right");
    EXPECT_FALSE(two.Seen());
  }
  auto again = StartAt("again", offset);
  {
    const TwoLeaders two(*right, *again);
    AwaitWarm(*again);
    EXPECT_EQ(again->Writes(), 0);
    right->Signal(SIGKILL);
    AwaitHolder("again", kSoon);
    ExpectWork(made + "-third");
    expect_the_same("again");
    EXPECT_FALSE(two.Seen());
  }
}

INSTANTIATE_TEST_SUITE_P(Leader, ClocksMinutesApart,
                         testing::Values(std::pair{"+4m", "ahead"}, std::pair{"-4m", "behind"}),
                         [](const auto& row) { return row.param.second; });

// Its certificates begin when its clock says; the next leader says so, and makes no others.
TEST_F(Clocks, One_that_is_a_day_ahead_issues_what_begins_tomorrow_and_it_can_be_mended) {
  auto today = Start("today");
  AwaitHolder("today", kSoon);
  ExpectWork("long-lived");
  Json renewed = System("renewed", "leader-ca");
  renewed["spec"]["certificate"]["validity"] = "30h";
  renewed["spec"]["automaticRegeneration"] = {{"enabled", true}, {"before", "10h"}};
  Apply(renewed);
  AwaitCondition("psys", "renewed", "Ready", "True", "", kSoon);
  const std::string long_lived = Fingerprint("long-lived");
  const std::string before = Fingerprint("renewed");

  auto tomorrow = StartAt("tomorrow", "+1d");
  HandOver(*today, *tomorrow, "tomorrow");
  ExpectWork("early");
  EXPECT_TRUE(Eventually([&] { return Fingerprint("renewed") != before; }, kSoon))
      << "six hours before its end, by that clock";
  const std::string early = Fingerprint("early");
  const std::string too_early = Fingerprint("renewed");

  auto next = Start("next");
  HandOver(*tomorrow, *next, "next");
  ExpectReady(LookedAtAnew("long-lived", "next"), "True", "Valid");
  ExpectReady(LookedAtAnew("early", "next"), "False", "NotYetValid");
  ExpectReady(LookedAtAnew("renewed", "next"), "False", "NotYetValid");
  EXPECT_EQ(Fingerprint("long-lived"), long_lived);
  EXPECT_EQ(Fingerprint("early"), early);
  EXPECT_EQ(Fingerprint("renewed"), too_early);

  ExpectOperation("back", "renewed", "Activate", before);
  ExpectReady(LookedAtAnew("renewed", "a person"), "True", "Valid");
  ExpectOperation("another", "early", "Generate");
  const Json system = *Get("psys", "early");
  ASSERT_EQ(system.at("status").at("certificates").size(), 2U);
  ExpectOperation("instead", "early", "Activate",
                  system.at("status").at("certificates").at(1).at("fingerprint"));
  ExpectReady(LookedAtAnew("early", "a person"), "True", "Valid");
}

// The API server's certificate has not begun yet for it.
TEST_F(Clocks, One_that_is_a_day_behind_does_not_get_to_lead_and_says_why) {
  auto yesterday = StartAt("yesterday", "-1d");
  auto today = Start("today");
  AwaitHolder("today", kSoon);
  ExpectWork("while-yesterday-waits");
  EXPECT_TRUE(Eventually(
      [&] { return yesterday->Log().find("not yet valid") != std::string::npos; }, kSoon))
      << yesterday->Log();
  EXPECT_FALSE(yesterday->Ready().starts_with("ok")) << yesterday->Ready();
  EXPECT_EQ(yesterday->Metric("certpair_leader"), 0);
}

}  // namespace
}  // namespace certpair::test
