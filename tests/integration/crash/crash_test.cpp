// SIGKILL after each write of each scenario: the end is as without the crash.
#include "crash.hpp"

namespace certpair::test {
namespace {

TEST_F(Crash, After_any_write_of_Generate_Activate_and_Delete_each_has_happened_once) {
  Apply(GeneratedAuthority("crash-ops-ca"));
  for (int n = 1; n <= 3; ++n) {  // the Secret, the operation's status, the system's status
    SCOPED_TRACE(n);
    const std::string system = "ops-" + std::to_string(n);
    MakeItReady(System(system, "crash-ops-ca"));
    const std::string first = PairOf(system).active;
    CrashAndGoOn(
        n, [&] { CreateOperation(system + "-generate", system, "Generate"); },
        [&] { return IsComplete(system + "-generate") && !PairOf(system).inactive.empty(); });
    const std::string second = PairOf(system).inactive;
    EXPECT_EQ(PairOf(system).active, first);
    EXPECT_EQ(Get("certop", system + "-generate")->at("status").at("fingerprint"), second);

    CrashAndGoOn(
        n, [&] { CreateOperation(system + "-activate", system, "Activate", second); },
        [&] { return IsComplete(system + "-activate") && PairOf(system).active == second; });
    EXPECT_EQ(PairOf(system).inactive, first);

    CrashAndGoOn(
        n, [&] { CreateOperation(system + "-delete", system, "Delete", first); },
        [&] { return IsComplete(system + "-delete") && PairOf(system).inactive.empty(); });
    EXPECT_EQ(PairOf(system).active, second);
  }
}

TEST_F(Crash, After_any_write_of_a_regeneration_it_has_happened_once) {
  Apply(GeneratedAuthority("crash-regeneration-ca"));
  for (int n = 1; n <= 2; ++n) {  // the Secret, the system's status
    SCOPED_TRACE(n);
    const std::string name = "regenerated-" + std::to_string(n);
    Json system = System(name, "crash-regeneration-ca");
    system["spec"]["certificate"]["validity"] = "4m";
    MakeItReady(system);
    const std::string first = PairOf(name).active;
    CrashAndGoOn(
        n,
        [&] {
          // The window is open at once, but for the offset; what comes out lives too long to be
          // renewed again here.
          system["spec"]["certificate"]["validity"] = "8760h";
          system["spec"]["automaticRegeneration"] = {{"enabled", true}, {"before", "1h"}};
          Apply(system);
        },
        [&] { return PairOf(name).active != first && PairOf(name).inactive == first; });
    EXPECT_EQ(Issuances(name), 2);
  }
}

TEST_F(Crash, After_any_write_of_a_repair_it_has_happened_once_and_with_its_key_store) {
  Apply(GeneratedAuthority("crash-repair-ca"));
  Apply({{"apiVersion", "v1"},
         {"kind", "Secret"},
         {"metadata", {{"name", "crash-password"}, {"namespace", "idm"}}},
         {"stringData", {{"password", "changeit"}}}});
  for (int n = 1; n <= 2; ++n) {  // the Secret, the system's status
    SCOPED_TRACE(n);
    const std::string name = "repaired-" + std::to_string(n);
    Json system = System(name, "crash-repair-ca");
    system["spec"]["automaticRegeneration"] = {{"enabled", true}};
    system["spec"]["secret"]["pkcs12"]["passwordSecretRef"] = {{"name", "crash-password"},
                                                               {"key", "password"}};
    {
      OperatorProcess op{ThroughProxy()};
      Apply(system);
      AwaitCondition("psys", name, "KeystoreWritten", "True", "", kCrashLimit);
    }
    const std::string first = PairOf(name).active;
    CrashAndGoOn(
        n,
        [&] {
          MustKubectl({"patch", "secret", name + "-outbound", "-n", "idm", "--type=merge", "-p",
                       R"({"data":{"tls.key":"Z2FyYmFnZQ=="}})"});
        },
        [&] {
          return PairOf(name).active != first && IsReady(name) &&
                 ConditionOf(*Get("psys", name), "KeystoreWritten").status == "True";
        });
    const Json secret = *Get("secret", name + "-outbound");
    const Json notes = secret.at("metadata").at("annotations");
    EXPECT_EQ(Issuances(name), 2);
    EXPECT_TRUE(notes.value("certpair.dev/pkcs12", "").starts_with(PairOf(name).active));
    EXPECT_EQ(FingerprintOf(secret, "tls.crt"), PairOf(name).active);
  }
}

TEST_F(Crash, After_any_write_of_an_adoption_the_pair_is_as_it_was) {
  Apply(GeneratedAuthority("crash-adoption-ca"));
  for (int n = 1; n <= 2; ++n) {  // the Secret, the system's status
    SCOPED_TRACE(n);
    const std::string name = "adopted-" + std::to_string(n);
    Json system = System(name, "crash-adoption-ca");
    system["spec"]["secret"]["deletionPolicy"] = "Retain";
    MakeItReady(system);
    const Pair pair = PairOf(name);
    MustKubectl({"delete", "psys", name, "-n", "idm"});
    CrashAndGoOn(n, [&] { Apply(system); }, [&] { return PairOf(name) == pair && IsReady(name); });
    const auto uid = Get("psys", name)->at("metadata").at("uid");
    EXPECT_EQ(Get("secret", name + "-outbound")
                  ->at("metadata")
                  .at("annotations")
                  .at("certpair.dev/system-uid"),
              uid);
  }
}

}  // namespace
}  // namespace certpair::test
