// SIGKILL after each write of what R6, R15 and R20 do to a pair of two: a certificate that is held,
// one that is released, a rollback, an Activate in the place of one that is damaged.
#include "crash.hpp"

namespace certpair::test {
namespace {

constexpr const char* kHeldAuthority = "crash-held-ca";

class CrashOfTwo : public Crash {
 protected:
  void SetUp() override {
    Crash::SetUp();
    Apply(GeneratedAuthority(kHeldAuthority));
  }
  // Regeneration ON from now on; what comes out of it lives too long to be renewed here.
  static void TurnOn(Json& system) {
    system["spec"]["certificate"]["validity"] = "8760h";
    system["spec"]["automaticRegeneration"] = {{"enabled", true}, {"before", "1h"}};
    Apply(system);
  }
  static Json Living(const std::string& name, const std::string& validity) {
    Json system = System(name, kHeldAuthority);
    system["spec"]["certificate"]["validity"] = validity;
    return system;
  }
};

TEST_F(CrashOfTwo, After_any_write_a_held_certificate_was_made_once_and_released_once) {
  std::vector<Json> systems;
  for (int n = 1; n <= 2; ++n) {  // the Secret, the system's status
    SCOPED_TRACE(n);
    const std::string name = "held-" + std::to_string(n);
    Json system = Living(name, "2m");
    system["spec"]["peerMatching"] = "Fingerprint";
    system["spec"]["activation"]["atExpiry"] = "Hold";
    MakeItReady(system);
    const std::string first = PairOf(name).active;
    CrashAndGoOn(n, [&] { TurnOn(system); }, [&] { return !PairOf(name).inactive.empty(); });
    EXPECT_EQ(PairOf(name).active, first);
    EXPECT_EQ(Issuances(name), 2);
    systems.push_back(std::move(system));
  }
  {
    OperatorProcess op{ThroughProxy()};
    for (const Json& system : systems)
      AwaitCondition("psys", system.at("metadata").at("name"), "Ready", "False", "Expired",
                     std::chrono::minutes{3});
  }
  for (int n = 1; n <= 2; ++n) {
    SCOPED_TRACE(n);
    const std::string name = "held-" + std::to_string(n);
    const Pair pair = PairOf(name);
    Json& system = systems[static_cast<std::size_t>(n) - 1];
    CrashAndGoOn(
        n,
        [&] {
          system["spec"]["activation"]["atExpiry"] = "Activate";
          Apply(system);
        },
        [&] { return PairOf(name).active == pair.inactive && IsReady(name); });
    EXPECT_EQ(Issuances(name), 2);
  }
}

TEST_F(CrashOfTwo, After_any_write_of_a_rollback_it_stays_and_nothing_is_made) {
  for (int n = 1; n <= 3; ++n) {  // the Secret, the operation's status, the system's status
    SCOPED_TRACE(n);
    const std::string name = "rolled-back-" + std::to_string(n);
    // The window has opened twenty minutes ago; its last quarter is far.
    Json system = Living(name, "40m");
    MakeItReady(system);
    const std::string older = PairOf(name).active;
    {
      OperatorProcess op{ThroughProxy()};
      TurnOn(system);
      AwaitPair(name, [&](const Pair& pair) { return pair.inactive == older; }, kCrashLimit);
    }
    const std::string newer = PairOf(name).active;
    CrashAndGoOn(
        n, [&] { CreateOperation(name + "-back", name, "Activate", older); },
        [&] { return IsComplete(name + "-back") && PairOf(name) == Pair{older, newer}; });
    OperatorProcess third{ThroughProxy()};
    ASSERT_TRUE(Eventually([&] { return third.Ready().starts_with("ok"); }, kCrashLimit));
    MustKubectl({"label", "psys", name, "-n", "idm", "looked-at=again"});
    ASSERT_TRUE(
        Eventually([&] { return third.Metric("certpair_work_queue_depth") <= 0; }, kCrashLimit));
    EXPECT_EQ(PairOf(name), (Pair{older, newer}));
    EXPECT_EQ(Issuances(name), 2);
  }
}

TEST_F(CrashOfTwo, After_any_write_of_an_Activate_the_damaged_one_is_gone_and_the_pair_is_one) {
  for (int n = 1; n <= 3; ++n) {  // the Secret, the operation's status, the system's status
    SCOPED_TRACE(n);
    const std::string name = "damaged-" + std::to_string(n);
    Json system = System(name, kHeldAuthority);
    MakeItReady(system);
    {
      OperatorProcess op{ThroughProxy()};
      CreateOperation(name + "-second", name, "Generate");
      AwaitPair(name, [](const Pair& pair) { return !pair.inactive.empty(); }, kCrashLimit);
      system["spec"]["issuance"] = "Manual";
      Apply(system);
      MustKubectl({"patch", "secret", name + "-outbound", "-n", "idm", "--type=merge", "-p",
                   R"({"data":{"tls.crt":"Z2FyYmFnZQ=="}})"});
      AwaitCondition("psys", name, "Ready", "False", "", kCrashLimit);
    }
    const std::string second = PairOf(name).inactive;
    ASSERT_FALSE(second.empty());
    CrashAndGoOn(
        n, [&] { CreateOperation(name + "-activate", name, "Activate", second); },
        [&] { return IsComplete(name + "-activate") && IsReady(name); });
    EXPECT_EQ(PairOf(name), (Pair{second, ""}));
    EXPECT_EQ(FingerprintOf(*Get("secret", name + "-outbound"), "tls.crt"), second);
  }
}

}  // namespace
}  // namespace certpair::test
