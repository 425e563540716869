// R13, call by call: when the password is read, when keystore.p12 is written, and that neither
// holds a certificate back.
#include <algorithm>

#include <gmock/gmock.h>

#include "core/reasons.hpp"
#include "reconcile/names.hpp"
#include "simulation/specimens.hpp"

namespace certpair::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr const char* kKey = "idm/abap";
constexpr const char* kSecretKey = "idm/abap-outbound";
constexpr const char* kPasswordKey = "idm/p";

class KeystoreTest : public testing::Test {
 protected:
  void SetUp() override {
    AddAuthority(stage);
    stage.daemon.Start();
  }
  static reconcile::StoredSystem Wanting(bool retained = false) {
    auto system = MakeSystem("abap");
    system.spec.secret.pkcs12 = {.name = "p", .key = "password"};
    if (retained) system.spec.secret.deletion_policy = core::DeletionPolicy::Retain;
    return system;
  }
  void AddPassword(const char* password = "changeit", const char* name = "p") {
    SecretObject secret;
    secret.metadata.name = name;
    secret.data["password"] = password;
    stage.world.AddSecret(secret);
  }
  void SetPassword(const char* password) {
    stage.world.EditSecret(kPasswordKey, [&](auto& s) { s.data["password"] = password; });
  }
  void Forget() {
    stage.world.ResetCounts();
    stage.world.events.clear();
  }
  void EditSpec(const std::function<void(core::SystemSpec&)>& edit) {
    stage.world.EditSystem(kKey, [&](auto& system) { edit(system.spec); });
  }
  // A system of which all news has arrived; nothing of it was counted.
  void MakeItLive(reconcile::StoredSystem system = Wanting()) {
    stage.world.AddSystem(std::move(system));
    stage.Settle();
    ASSERT_EQ(Says("Ready"), "True/Valid");
    Forget();
  }
  [[nodiscard]] std::string Says(std::string_view type) const {
    const auto system = stage.world.LiveSystem(kKey);
    const auto* said = system ? system->status.Find(type) : nullptr;
    return said ? std::string{core::ToString(said->status)} + "/" + said->reason : "-";
  }
  [[nodiscard]] std::string Told() const { return Says("KeystoreWritten"); }
  [[nodiscard]] std::string Data(std::string_view key) const {
    const auto secret = stage.world.LiveSecretOf(kSecretKey);
    return secret ? std::string{secret->Data(key)} : "";
  }
  [[nodiscard]] std::string Keystore() const { return Data("keystore.p12"); }
  [[nodiscard]] std::string FingerprintIn(std::string_view key) const {
    const auto* certificate = stage.mint.Known(Data(key));
    return certificate != nullptr ? certificate->fingerprint : "";
  }
  [[nodiscard]] auto TimesTold(std::string_view reason) const {
    return std::ranges::count(stage.world.events, reason, &core::EventNotice::reason);
  }
  int Count(Call call) { return stage.world.Count(call); }

  Stage stage;
};

TEST_F(KeystoreTest, A_new_system_gets_its_key_store_with_its_Secret) {
  AddPassword();
  stage.world.AddSystem(Wanting());
  stage.Settle();
  EXPECT_EQ(Data("tls.crt"), "cert:0");
  EXPECT_EQ(Keystore(), "p12:0:changeit");
  EXPECT_EQ(Told(), "True/Current");
  EXPECT_EQ(stage.world.Writes(), 3);
  EXPECT_EQ(stage.world.Reads(), 1) << "of the password";
}

TEST_F(KeystoreTest, Restarts_in_the_steady_state_read_nothing_and_write_nothing) {
  AddPassword();
  MakeItLive();
  stage.daemon.Start();
  stage.Run(hours{1});
  EXPECT_EQ(stage.world.Reads(), 0);
  EXPECT_EQ(stage.world.Writes(), 0);
}

TEST_F(KeystoreTest, A_missing_password_holds_nothing_back_and_is_looked_for) {
  MakeItLive();
  EXPECT_EQ(Keystore(), "");
  EXPECT_EQ(Told(), "False/PasswordMissing");
  stage.Run(hours{24});
  EXPECT_EQ(stage.world.Writes(), 0);
  EXPECT_EQ(stage.world.events.size(), 0U) << "it was told when the certificate was made";
  EXPECT_LT(stage.world.Reads(), 24 * 6 + 12) << "every ten minutes";
  AddPassword();
  stage.Run(minutes{11});
  EXPECT_EQ(Keystore(), "p12:0:changeit");
  EXPECT_EQ(Told(), "True/Current");
  EXPECT_EQ(Count(Call::PatchSecret), 1);
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(KeystoreTest, An_Event_names_the_missing_key_once_and_no_password) {
  AddPassword("with a newline\n");
  stage.world.AddSystem(Wanting());
  stage.Run(hours{1});
  EXPECT_EQ(Told(), "False/PasswordUnusable");
  EXPECT_EQ(TimesTold(core::reason::kPasswordUnusable), 1);
  for (const auto& event : stage.world.events)
    EXPECT_EQ(event.message.find("with a newline"), std::string::npos);
  const std::string message = stage.world.LiveSystem(kKey)->status.Find("KeystoreWritten")->message;
  EXPECT_THAT(message, testing::HasSubstr("\"password\" in Secret \"p\""));
  stage.world.DeleteSecret(kPasswordKey);
  stage.Run(minutes{30});
  EXPECT_EQ(Told(), "False/PasswordMissing");
  EXPECT_EQ(TimesTold(core::reason::kPasswordMissing), 1);
}

TEST_F(KeystoreTest, A_new_request_writes_the_Secret_once_without_issuing) {
  AddPassword();
  MakeItLive(MakeSystem("abap"));
  EditSpec([](auto& spec) { spec.secret.pkcs12 = {.name = "p", .key = "password"}; });
  stage.Settle();
  EXPECT_EQ(Keystore(), "p12:0:changeit");
  EXPECT_EQ(Count(Call::PatchSecret), 1);
  EXPECT_EQ(stage.mint.Made(), 1U);

  AddPassword("other", "q");
  EditSpec([](auto& spec) { spec.secret.pkcs12->name = "q"; });
  stage.Settle();
  EXPECT_EQ(Keystore(), "p12:0:other");
  EXPECT_EQ(Count(Call::PatchSecret), 2);

  EditSpec([](auto& spec) { spec.secret.pkcs12.reset(); });
  stage.Settle();
  EXPECT_FALSE(stage.world.LiveSecretOf(kSecretKey)->data.contains("keystore.p12"));
  EXPECT_EQ(stage.world.LiveSecretOf(kSecretKey)->metadata.Annotation("certpair.dev/pkcs12"), "");
  EXPECT_EQ(Told(), "-");
  EXPECT_EQ(Count(Call::PatchSecret), 3);
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(KeystoreTest, Each_change_of_the_active_slot_renews_it_in_one_write) {
  AddPassword();
  MakeItLive();
  stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Run(minutes{1});
  EXPECT_EQ(Keystore(), "p12:0:changeit") << "the inactive one has none";
  EXPECT_EQ(Count(Call::PatchSecret), 1);
  stage.world.AddOperation("abap", core::OperationAction::Activate, FingerprintIn("inactive.crt"));
  stage.Run(minutes{1});
  EXPECT_EQ(Data("tls.crt"), "cert:1");
  EXPECT_EQ(Keystore(), "p12:1:changeit");
  EXPECT_EQ(Count(Call::PatchSecret), 2);
  stage.world.EditSecret(kSecretKey, [](auto& s) { s.data["tls.key"] = "garbage"; });
  stage.Run(minutes{1});
  EXPECT_EQ(Data("tls.crt"), "cert:2");
  EXPECT_EQ(Keystore(), "p12:2:changeit");
  EXPECT_EQ(Count(Call::PatchSecret), 3);
  stage.Run(hours{24 * 365});
  EXPECT_EQ(Data("tls.crt"), "cert:3");
  EXPECT_EQ(Keystore(), "p12:3:changeit");
  EXPECT_EQ(Count(Call::PatchSecret), 4);
}

// Nobody's key store is taken away because its password is: it serves while the pair has its
// certificate.
TEST_F(KeystoreTest, Without_a_password_the_old_key_store_serves) {
  AddPassword();
  MakeItLive();
  stage.world.DeleteSecret(kPasswordKey);
  stage.Run(hours{24 * 365});
  EXPECT_EQ(Data("tls.crt"), "cert:1");
  EXPECT_EQ(Data("inactive.crt"), "cert:0");
  EXPECT_EQ(Keystore(), "p12:0:changeit");
  EXPECT_EQ(Told(), "False/PasswordMissing");
  EXPECT_EQ(Says("Ready"), "True/Valid");
  stage.world.AddOperation("abap", core::OperationAction::Delete, FingerprintIn("inactive.crt"));
  stage.Run(minutes{1});
  EXPECT_FALSE(stage.world.LiveSecretOf(kSecretKey)->data.contains("keystore.p12"))
      << "a certificate that was deleted is nowhere";
}

TEST_F(KeystoreTest, Another_password_in_the_same_place_is_taken_up_within_a_day) {
  AddPassword();
  MakeItLive();
  SetPassword("changed");
  stage.Run(hours{24});
  EXPECT_EQ(Keystore(), "p12:0:changed");
  EXPECT_EQ(Count(Call::PatchSecret), 1);
  stage.Run(hours{24 * 5});
  EXPECT_EQ(Count(Call::PatchSecret), 1);
}

TEST_F(KeystoreTest, A_damaged_key_store_is_made_anew) {
  AddPassword();
  MakeItLive();
  for (const char* bytes : {"garbage", ""}) {
    stage.world.EditSecret(kSecretKey, [&](auto& s) { s.data["keystore.p12"] = bytes; });
    stage.Settle();
    EXPECT_EQ(Keystore(), "p12:0:changeit");
  }
  stage.world.EditSecret(kSecretKey,
                         [](auto& s) { s.metadata.annotations.erase("certpair.dev/pkcs12"); });
  stage.Settle();
  EXPECT_EQ(stage.world.LiveSecretOf(kSecretKey)
                ->metadata.Annotation("certpair.dev/pkcs12")
                .substr(0, 95),
            FingerprintIn("tls.crt"));
  EXPECT_EQ(Count(Call::PatchSecret), 3);
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(KeystoreTest, Without_a_password_a_damaged_one_goes) {
  AddPassword();
  MakeItLive();
  stage.world.DeleteSecret(kPasswordKey);
  stage.world.EditSecret(kSecretKey, [&](auto& s) { s.data["keystore.p12"] = "garbage"; });
  stage.Run(hours{1});
  EXPECT_FALSE(stage.world.LiveSecretOf(kSecretKey)->data.contains("keystore.p12"));
  EXPECT_EQ(Told(), "False/PasswordMissing");
  EXPECT_EQ(Count(Call::PatchSecret), 1);
}

TEST_F(KeystoreTest, A_password_that_cannot_be_read_fails_no_pass) {
  AddPassword();
  stage.world.fault = [](Call call) {
    return call == Call::ReadSecret ? Fault::ServerError : Fault::None;
  };
  stage.world.AddSystem(Wanting());
  stage.Settle();
  EXPECT_EQ(Says("Ready"), "True/Valid");
  EXPECT_EQ(Told(), "False/PasswordUnusable");
  stage.world.fault = nullptr;
  stage.Run(minutes{1});
  EXPECT_EQ(Keystore(), "p12:0:changeit");
}

TEST_F(KeystoreTest, A_retained_pair_is_adopted_with_or_without_one_in_one_write) {
  AddPassword();
  for (const bool wanted : {true, false}) {
    MakeItLive(Wanting(true));
    ASSERT_EQ(Keystore(), "p12:0:changeit");
    stage.world.DeleteSystem(kKey);
    stage.Run(minutes{5});
    auto next = Wanting(true);
    if (!wanted) next.spec.secret.pkcs12.reset();
    Forget();
    stage.world.AddSystem(next);
    stage.Settle();
    EXPECT_EQ(Says("Ready"), "True/Valid");
    EXPECT_EQ(Keystore(), wanted ? "p12:0:changeit" : "");
    EXPECT_EQ(Count(Call::PatchSecret), 1);
    stage.world.DeleteSystem(kKey);
    stage.Run(minutes{5});
    Forget();
  }
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(KeystoreTest, A_foreign_key_store_stays_until_one_is_asked_for) {
  AddPassword();
  MakeItLive(MakeSystem("abap"));
  stage.world.EditSecret(kSecretKey, [](auto& s) { s.data["keystore.p12"] = "somebody's"; });
  stage.Run(hours{25});
  EXPECT_EQ(Keystore(), "somebody's");
  EXPECT_EQ(Count(Call::PatchSecret), 0);
  EditSpec([](auto& spec) { spec.secret.pkcs12 = {.name = "p", .key = "password"}; });
  stage.Settle();
  EXPECT_EQ(Keystore(), "p12:0:changeit");
}

TEST_F(KeystoreTest, A_crash_after_the_write_is_settled_without_another) {
  AddPassword();
  MakeItLive(MakeSystem("abap"));
  stage.world.fault = [](Call call) {
    return call == Call::PatchSecret ? Fault::CrashAfter : Fault::None;
  };
  EditSpec([](auto& spec) { spec.secret.pkcs12 = {.name = "p", .key = "password"}; });
  stage.Settle();
  ASSERT_FALSE(stage.daemon.IsRunning());
  stage.daemon.Start();
  stage.Settle();
  EXPECT_EQ(Told(), "True/Current");
  EXPECT_EQ(Count(Call::PatchSecret), 1);
}

}  // namespace
}  // namespace certpair::sim
