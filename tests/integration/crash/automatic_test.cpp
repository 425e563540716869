// SIGKILL after each write of what happens by itself (R1, R6, R15, R20, and damage): the end is as
// without the crash, and no certificate was made twice.
#include "crash.hpp"

namespace certpair::test {
namespace {

class CrashOfAutomatic : public Crash {
 protected:
  static Json AtFingerprintPeer(const std::string& name) {
    Json system = SystemOf(name);
    system["spec"]["peerMatching"] = "Fingerprint";
    return system;
  }
  static void AwaitHeld(const std::string& name) {
    AwaitCondition("psys", name, "AutomaticRegeneration", "True", "WaitingForActivation",
                   kCrashLimit);
  }
  // One is new and `old` inactive.
  static bool IsRenewed(const std::string& name, const Pair& old) {
    const Pair pair = PairOf(name);
    return IsReady(name) && pair.inactive == old.active && pair.active != old.active &&
           pair.active != old.inactive;
  }
  Json system_;
};

TEST_F(CrashOfAutomatic, The_first_certificate_is_made_once) {
  AfterEachWrite("first", {.prepare = [](const auto&) {},
                           .act = [](const auto& name) { Apply(SystemOf(name)); },
                           .done = [](const auto& name) { return IsReady(name); },
                           .automatic_issuances = 1});
}

TEST_F(CrashOfAutomatic, A_Secret_that_was_deleted_by_hand_is_made_anew_once) {
  AfterEachWrite("lost", {.prepare =
                              [&](const auto& name) {
                                MakeItReady(SystemOf(name));
                                before_ = PairOf(name);
                              },
                          .act =
                              [](const auto& name) {
                                MustKubectl({"delete", "secret", name + "-outbound", "-n", "idm"});
                              },
                          .done =
                              [&](const auto& name) {
                                return IsReady(name) && PairOf(name).active != before_.active;
                              },
                          .automatic_issuances = 2});
}

TEST_F(CrashOfAutomatic, A_regeneration_has_happened_once) {
  AfterEachWrite("regenerated", {.prepare =
                                     [&](const auto& name) {
                                       system_ = SystemOf(name);
                                       MakeItHold(system_, InWindow(name));
                                     },
                                 .act = [&](const auto&) { TurnOn(system_); },
                                 .done = [&](const auto& name) { return IsRenewed(name, before_); },
                                 .automatic_issuances = 1});
}

// The user guide's three steps.
TEST_F(CrashOfAutomatic, ON_after_the_end_with_an_inactive_second_has_made_one) {
  AfterEachWrite("three-steps", {.prepare =
                                     [&](const auto& name) {
                                       system_ = SystemOf(name);
                                       const auto inactive = Newer(name);
                                       MakeItHold(system_, Expired(name), &inactive);
                                     },
                                 .act = [&](const auto&) { TurnOn(system_); },
                                 .done = [&](const auto& name) { return IsRenewed(name, before_); },
                                 .automatic_issuances = 1});
}

TEST_F(CrashOfAutomatic, A_held_certificate_was_made_once) {
  AfterEachWrite("held", {.prepare =
                              [&](const auto& name) {
                                system_ = AtFingerprintPeer(name);
                                MakeItHold(system_, InWindow(name));
                              },
                          .act = [&](const auto&) { TurnOn(system_); },
                          .done =
                              [&](const auto& name) {
                                const Pair pair = PairOf(name);
                                return pair.active == before_.active && !pair.inactive.empty();
                              },
                          .automatic_issuances = 1});
}

TEST_F(CrashOfAutomatic, A_held_one_in_its_own_window_was_replaced_once) {
  AfterEachWrite(
      "held-anew",
      {.prepare =
           [&](const auto& name) {
             system_ = AtFingerprintPeer(name);
             const auto held = Made(name, std::chrono::minutes{60}, std::chrono::minutes{40});
             MakeItHold(system_, Made(name, std::chrono::minutes{120}, std::chrono::minutes{30}),
                        &held);
           },
       .act = [&](const auto&) { TurnOn(system_); },
       .done =
           [&](const auto& name) {
             const Pair pair = PairOf(name);
             return pair.active == before_.active && !pair.inactive.empty() &&
                    pair.inactive != before_.inactive;
           },
       .automatic_issuances = 1});
}

TEST_F(CrashOfAutomatic, A_held_one_was_released_once_at_the_end_of_the_other) {
  AfterEachWrite("ended", {.prepare =
                               [&](const auto& name) {
                                 system_ = AtFingerprintPeer(name);
                                 system_["spec"]["activation"]["atExpiry"] = "Hold";
                                 const auto held = Newer(name);
                                 MakeItHold(system_, Expired(name), &held);
                                 TurnOn(system_);
                                 AwaitHeld(name);
                               },
                           .act =
                               [&](const auto&) {
                                 system_["spec"]["activation"]["atExpiry"] = "Activate";
                                 Apply(system_);
                               },
                           .done =
                               [&](const auto& name) {
                                 return IsReady(name) &&
                                        PairOf(name) == Pair{before_.inactive, before_.active};
                               }});
}

TEST_F(CrashOfAutomatic, A_held_one_was_released_once_when_the_peer_matches_by_subject) {
  AfterEachWrite("released", {.prepare =
                                  [&](const auto& name) {
                                    system_ = AtFingerprintPeer(name);
                                    const auto held = Newer(name);
                                    MakeItHold(system_, InWindow(name), &held);
                                    TurnOn(system_);
                                    AwaitHeld(name);
                                  },
                              .act =
                                  [&](const auto&) {
                                    system_["spec"]["peerMatching"] = "SubjectAndIssuer";
                                    Apply(system_);
                                  },
                              .done =
                                  [&](const auto& name) {
                                    return IsReady(name) &&
                                           PairOf(name) == Pair{before_.inactive, before_.active};
                                  }});
}

TEST_F(CrashOfAutomatic, A_repair_has_happened_once_and_with_its_key_store) {
  Apply({{"apiVersion", "v1"},
         {"kind", "Secret"},
         {"metadata", {{"name", "crash-password"}, {"namespace", "idm"}}},
         {"stringData", {{"password", "changeit"}}}});
  AfterEachWrite(
      "repaired",
      {.prepare =
           [&](const auto& name) {
             Json system = SystemOf(name);
             system["spec"]["automaticRegeneration"] = {{"enabled", true}};
             system["spec"]["secret"]["pkcs12"]["passwordSecretRef"] = {{"name", "crash-password"},
                                                                        {"key", "password"}};
             Apply(system);
             AwaitCondition("psys", name, "KeystoreWritten", "True", "", kCrashLimit);
             before_ = PairOf(name);
           },
       .act =
           [](const auto& name) { PatchSecret(name, {{"data", {{"tls.key", "Z2FyYmFnZQ=="}}}}); },
       .done =
           [&](const auto& name) {
             const std::string active = PairOf(name).active;
             if (active == before_.active || !IsReady(name)) return false;
             const Json secret = *Get("secret", name + "-outbound");
             const std::string of =
                 secret.at("metadata").at("annotations").value("certpair.dev/pkcs12", "");
             return of.starts_with(active) && FingerprintOf(secret, "tls.crt") == active &&
                    ConditionOf(*Get("psys", name), "KeystoreWritten").status == "True";
           },
       .automatic_issuances = 2});
}

TEST_F(CrashOfAutomatic, An_adoption_leaves_the_pair_as_it_was) {
  AfterEachWrite("adopted",
                 {.prepare =
                      [&](const auto& name) {
                        system_ = SystemOf(name);
                        system_["spec"]["secret"]["deletionPolicy"] = "Retain";
                        MakeItReady(system_);
                        before_ = PairOf(name);
                        MustKubectl({"delete", "psys", name, "-n", "idm"});
                      },
                  .act = [&](const auto&) { Apply(system_); },
                  .done =
                      [&](const auto& name) {
                        const Json notes =
                            Get("secret", name + "-outbound")->at("metadata").at("annotations");
                        return IsReady(name) && PairOf(name) == before_ &&
                               notes.at("certpair.dev/system-uid") ==
                                   Get("psys", name)->at("metadata").at("uid");
                      },
                  .automatic_issuances = 1});
}

}  // namespace
}  // namespace certpair::test
