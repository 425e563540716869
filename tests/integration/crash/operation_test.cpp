// SIGKILL after each write of what people ask for: the end is as without the crash.
#include "crash.hpp"

namespace certpair::test {
namespace {

// Each an operation upon a pair, and what it leaves.
class CrashOfOperation : public Crash {
 protected:
  static constexpr const char* kGarbage = "Z2FyYmFnZQ==";

  void MakeItHoldOne(const std::string& name) { MakeItHold(SystemOf(name), Newer(name)); }
  void MakeItHoldTwo(const std::string& name) {
    const auto inactive = Made(name, std::chrono::minutes{20}, std::chrono::minutes{60 * 24 * 60});
    MakeItHold(SystemOf(name), Newer(name), &inactive);
  }
  void Break(const std::string& name, const char* key, const Pair& left) {
    PatchSecret(name, {{"data", {{key, kGarbage}}}});
    AwaitPair(name, [&](const Pair& pair) { return pair == left; }, kCrashLimit);
  }
  static void Ask(const std::string& name, const std::string& action,
                  const std::string& fingerprint = {}) {
    CreateOperation(name + "-asked", name, action, fingerprint);
  }
  // As without the crash, so not `AlreadyActive`.
  static bool IsDone(const std::string& name, const std::string& reason) {
    return OutcomeOf(name + "-asked") == Outcome{"Complete", reason};
  }
  // What the operation says that it made.
  static std::string MadeBy(const std::string& name) {
    return Get("certop", name + "-asked")->at("status").value("fingerprint", "");
  }
};

TEST_F(CrashOfOperation, Generate_has_happened_once) {
  AfterEachWrite("generated", {.prepare = [&](const auto& name) { MakeItHoldOne(name); },
                               .act = [](const auto& name) { Ask(name, "Generate"); },
                               .done =
                                   [&](const auto& name) {
                                     return IsDone(name, "Generated") &&
                                            PairOf(name) == Pair{before_.active, MadeBy(name)};
                                   }});
}

TEST_F(CrashOfOperation, Activate_has_happened_once) {
  AfterEachWrite("activated",
                 {.prepare = [&](const auto& name) { MakeItHoldTwo(name); },
                  .act = [&](const auto& name) { Ask(name, "Activate", before_.inactive); },
                  .done =
                      [&](const auto& name) {
                        return IsDone(name, "Activated") &&
                               PairOf(name) == Pair{before_.inactive, before_.active};
                      }});
}

TEST_F(CrashOfOperation, Delete_has_happened_once) {
  AfterEachWrite("deleted",
                 {.prepare = [&](const auto& name) { MakeItHoldTwo(name); },
                  .act = [&](const auto& name) { Ask(name, "Delete", before_.inactive); },
                  .done =
                      [&](const auto& name) {
                        return IsDone(name, "Deleted") && PairOf(name) == Pair{before_.active, ""};
                      }});
}

TEST_F(CrashOfOperation, A_refusal_changes_nothing) {
  AfterEachWrite("refused", {.prepare = [&](const auto& name) { MakeItHoldTwo(name); },
                             .act = [](const auto& name) { Ask(name, "Generate"); },
                             .done =
                                 [&](const auto& name) {
                                   return OutcomeOf(name + "-asked").second == "LimitReached" &&
                                          PairOf(name) == before_;
                                 },
                             .secret_writes = 0});
}

TEST_F(CrashOfOperation, A_Generate_fills_a_damaged_active_slot_once) {
  AfterEachWrite("refilled", {.prepare =
                                  [&](const auto& name) {
                                    MakeItHoldTwo(name);
                                    Break(name, "tls.key", {"", before_.inactive});
                                  },
                              .act = [](const auto& name) { Ask(name, "Generate"); },
                              .done =
                                  [&](const auto& name) {
                                    return IsDone(name, "Generated") && IsReady(name) &&
                                           PairOf(name) == Pair{MadeBy(name), before_.inactive};
                                  }});
}

TEST_F(CrashOfOperation, A_Generate_overwrites_a_damaged_inactive_slot_once) {
  AfterEachWrite("overwritten", {.prepare =
                                     [&](const auto& name) {
                                       MakeItHoldTwo(name);
                                       Break(name, "inactive.key", {before_.active, ""});
                                     },
                                 .act = [](const auto& name) { Ask(name, "Generate"); },
                                 .done =
                                     [&](const auto& name) {
                                       return IsDone(name, "Generated") && IsReady(name, "Valid") &&
                                              PairOf(name) == Pair{before_.active, MadeBy(name)};
                                     }});
}

TEST_F(CrashOfOperation, An_Activate_in_the_place_of_a_damaged_one_leaves_one) {
  AfterEachWrite("replaced",
                 {.prepare =
                      [&](const auto& name) {
                        MakeItHoldTwo(name);
                        Break(name, "tls.crt", {"", before_.inactive});
                      },
                  .act = [&](const auto& name) { Ask(name, "Activate", before_.inactive); },
                  .done =
                      [&](const auto& name) {
                        return IsDone(name, "Activated") && IsReady(name) &&
                               PairOf(name) == Pair{before_.inactive, ""};
                      }});
}

// The window of the older one has opened twenty minutes ago; its last quarter is far.
TEST_F(CrashOfOperation, A_rollback_stays_and_nothing_is_made) {
  AfterEachWrite("rolled-back",
                 {.prepare =
                      [&](const auto& name) {
                        Json system = SystemOf(name);
                        const auto older = InWindow(name);
                        MakeItHold(system, Newer(name), &older);
                        TurnOn(system);
                        AwaitCondition("psys", name, "AutomaticRegeneration", "True", "Scheduled",
                                       kCrashLimit);
                      },
                  .act = [&](const auto& name) { Ask(name, "Activate", before_.inactive); },
                  .done =
                      [&](const auto& name) {
                        return IsDone(name, "Activated") &&
                               PairOf(name) == Pair{before_.inactive, before_.active} &&
                               ConditionOf(*Get("psys", name), "AutomaticRegeneration").reason ==
                                   "RolledBack";
                      }});
}

}  // namespace
}  // namespace certpair::test
