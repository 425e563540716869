// The judge of pairs is just: an activation by itself is accused where the peer may still know the
// other one only, or somebody went back on purpose, and nowhere else.
#include "simulation/witness.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <string>

#include <gmock/gmock.h>

#include "simulation/specimens.hpp"

namespace certpair::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;

constexpr const char* kKey = "idm/abap";
constexpr const char* kSecretKey = "idm/abap-outbound";

// A pair of two, the inactive one half a year newer, and no operator but this one.
class WitnessTest : public testing::Test {
 protected:
  WitnessTest() {
    AddAuthority(stage);
    stage.daemon.Start();
    auto system = MakeSystem("abap");
    system.spec.regeneration_enabled = false;
    stage.world.AddSystem(std::move(system));
    stage.Run(hours{24 * 180});
    stage.world.AddOperation("abap", core::OperationAction::Generate, "");
    stage.Settle();
    stage.world.EditSystem(kKey, [](auto& live) { live.spec.regeneration_enabled = true; });
  }
  void Edit(const std::function<void(core::SystemSpec&)>& edit) {
    stage.world.EditSystem(kKey, [&](auto& live) { edit(live.spec); });
  }
  void MatchByFingerprint() {
    Edit([](auto& spec) { spec.peer_matching = core::PeerMatching::Fingerprint; });
  }
  // As the API has it, whoever is active.
  void Operate(const char* slot) {
    stage.world.AddOperation("abap", core::OperationAction::Activate, Known(slot).fingerprint);
    stage.Settle();
  }
  const core::Certificate& Known(const char* slot) {
    return *stage.mint.Known(stage.world.LiveSecretOf(kSecretKey)->Data(slot));
  }
  // From now on nobody but the test writes, in the operator's name.
  void WaitUntil(sys_seconds then) {
    stage.daemon.Stop();
    stage.Run(then - stage.world.TrueNow());
  }
  sys_seconds End() { return Known("tls.crt").not_after; }
  reconcile::SecretDraft Draft() {
    const auto live = stage.world.LiveSecretOf(kSecretKey);
    return {.namespace_ = World::kNamespace,
            .name = live->metadata.name,
            .resource_version = live->metadata.resource_version,
            .uid = live->metadata.uid};
  }
  static void Fill(reconcile::SecretDraft& draft, const reconcile::SlotKeys& slot,
                   const std::array<std::string_view, 3>& bytes) {
    draft.data[std::string{slot.certificate}] = SecretString{std::string{bytes[0]}};
    draft.data[std::string{slot.key}] = SecretString{std::string{bytes[1]}};
    draft.data[std::string{slot.authority}] = SecretString{std::string{bytes[2]}};
  }
  [[nodiscard]] std::array<std::string_view, 3> Bytes(const reconcile::SlotKeys& slot) const {
    const auto live = stage.world.LiveSecretOf(kSecretKey);
    return {live->Data(slot.certificate), live->Data(slot.key), live->Data(slot.authority)};
  }
  void Write(const std::function<void(reconcile::SecretDraft&)>& change) {
    const Witness::Counts before = witness.counts();
    auto draft = Draft();
    change(draft);
    ASSERT_TRUE(stage.world.PatchSecret(draft));
    EXPECT_EQ(witness.counts().policies_judged, before.policies_judged + 1);
  }
  void Swap() {
    Write([this](auto& draft) {
      Fill(draft, reconcile::kActiveKeys, Bytes(reconcile::kInactiveKeys));
      Fill(draft, reconcile::kInactiveKeys, Bytes(reconcile::kActiveKeys));
    });
  }
  void Regenerate() {
    const auto live = stage.world.LiveSystem(kKey);
    const auto authority = stage.world.LiveAuthority(kAuthority);
    const auto made = stage.mint.Make(kKey, kAuthority,
                                      {.subject = live->spec.subject,
                                       .key = live->spec.key,
                                       .not_before = stage.world.TrueNow() - minutes{5},
                                       .not_after = stage.world.TrueNow() + live->spec.validity});
    const auto& issued = **made;
    Write([&](auto& draft) {
      Fill(draft, reconcile::kInactiveKeys, Bytes(reconcile::kActiveKeys));
      Fill(draft, reconcile::kActiveKeys,
           {issued.certificate_pem, issued.key_pem.Reveal(), issued.ca_pem});
    });
  }

  Stage stage;
  Witness witness{stage};
};

TEST_F(WitnessTest, Accuses_an_activation_before_the_lead_time) {
  MatchByFingerprint();
  WaitUntil(End() - minutes{10});
  Swap();
  EXPECT_THAT(witness.Violation(), HasSubstr("before the lead time"));
}

TEST_F(WitnessTest, Accuses_no_activation_in_the_lead_time) {
  MatchByFingerprint();
  WaitUntil(End() - minutes{5});
  Swap();
  EXPECT_EQ(witness.Violation(), "");
}

TEST_F(WitnessTest, Accuses_an_activation_in_spite_of_Hold_also_after_the_end) {
  MatchByFingerprint();
  Edit([](auto& spec) { spec.at_expiry = core::AtExpiry::Hold; });
  WaitUntil(End() + days{1});
  Swap();
  EXPECT_THAT(witness.Violation(), HasSubstr("in spite of Hold"));
}

TEST_F(WitnessTest, Accuses_an_activation_without_a_cause) {
  stage.Settle();
  WaitUntil(End() - days{13});
  Swap();
  EXPECT_THAT(witness.Violation(), HasSubstr("neither held nor gone back from"));
}

TEST_F(WitnessTest, Accuses_no_activation_of_one_that_was_held_until_now) {
  MatchByFingerprint();
  stage.Run(End() - days{13} - stage.world.TrueNow());
  ASSERT_EQ(stage.world.LiveSystem(kKey)->status.Find("AutomaticRegeneration")->reason,
            "WaitingForActivation");
  stage.daemon.Stop();
  Edit([](auto& spec) { spec.peer_matching = core::PeerMatching::SubjectAndIssuer; });
  Swap();
  EXPECT_EQ(witness.Violation(), "");
}

class AfterRollback : public WitnessTest {
 protected:
  AfterRollback() {
    Operate("inactive.crt");
    Operate("inactive.crt");
  }
};

TEST_F(AfterRollback, A_regeneration_before_the_last_quarter_is_accused) {
  WaitUntil(End() - hours{85});
  Regenerate();
  EXPECT_THAT(witness.Violation(), HasSubstr("a regeneration after a rollback"));
}

TEST_F(AfterRollback, An_activation_before_the_last_quarter_is_accused) {
  WaitUntil(End() - hours{85});
  Swap();
  EXPECT_THAT(witness.Violation(), HasSubstr("a rollback was undone"));
}

TEST_F(AfterRollback, An_activation_in_the_last_quarter_is_not_accused) {
  WaitUntil(End() - hours{84});
  Swap();
  EXPECT_EQ(witness.Violation(), "");
}

// An Activate of the newer one is none.
TEST_F(WitnessTest, Takes_no_activation_of_the_newer_one_for_a_rollback) {
  Operate("inactive.crt");
  WaitUntil(End() - days{13});
  Regenerate();
  EXPECT_EQ(witness.Violation(), "");
}

}  // namespace
}  // namespace certpair::sim
