// keystore.p12 on a real API server, opened by openssl: with its password late, through a rotation,
// and gone.
#include <algorithm>

#include <gtest/gtest.h>

#include "support/pair_test.hpp"

namespace certpair::test {
namespace {

constexpr const char* kPassword = "correct horse";

class KeystoreLife : public PairTest {
 protected:
  // What openssl finds in the key store: the PEM of its own certificates, or of its key.
  static std::string Open(const Json& secret, const char* what) {
    const ProcessResult result = RunProcess(
        {"openssl", "pkcs12", what, "-nodes", "-passin", std::string{"pass:"} + kPassword},
        {.input = SecretValue(secret, "keystore.p12")});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
  static std::string FirstLineOf(const std::vector<std::string>& command,
                                 const std::string& input) {
    const ProcessResult result = RunProcess(command, {.input = input});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
  // The active slot and the key store hold the same certificate, key and CA.
  static void ExpectInStep(const Json& secret, const std::string& alias) {
    const std::string leaf = Open(secret, "-clcerts");
    EXPECT_NE(leaf.find("friendlyName: " + alias), std::string::npos) << leaf;
    const std::vector<std::string> print = {"openssl", "x509", "-noout", "-fingerprint", "-sha256"};
    EXPECT_EQ(FirstLineOf(print, Open(secret, "-clcerts")),
              FirstLineOf(print, SecretValue(secret, "tls.crt")));
    EXPECT_EQ(FirstLineOf(print, Open(secret, "-cacerts")),
              FirstLineOf(print, SecretValue(secret, "ca.crt")));
    const std::vector<std::string> public_key = {"openssl", "pkey", "-pubout"};
    EXPECT_EQ(FirstLineOf(public_key, Open(secret, "-nocerts")),
              FirstLineOf(public_key, SecretValue(secret, "tls.key")));
  }
  static Json SecretOf(const std::string& system) { return *Get("secret", system + "-outbound"); }
  static bool HasKeystore(const std::string& system) {
    return SecretOf(system).at("data").contains("keystore.p12");
  }
  static bool HasEvent(const std::string& system, const std::string& reason) {
    const auto reasons = EventReasons(system);
    return std::ranges::find(reasons, reason) != reasons.end();
  }
};

TEST_F(KeystoreLife, Waits_for_its_password_goes_with_the_pair_and_goes_when_nobody_wants_it) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("store-ca"));
  Json system = System("store", "store-ca");
  system["spec"]["secret"]["pkcs12"]["passwordSecretRef"] = {{"name", "store-password"},
                                                             {"key", "password"}};
  Apply(system);
  AwaitCondition("psys", "store", "Ready", "True", "", kSoon);
  AwaitCondition("psys", "store", "KeystoreWritten", "False", "PasswordMissing", kSoon);
  EXPECT_FALSE(HasKeystore("store"));
  EXPECT_TRUE(Eventually([] { return HasEvent("store", "PasswordMissing"); }, kSoon));
  const Told told = ConditionOf(*Get("psys", "store"), "KeystoreWritten");
  EXPECT_NE(told.message.find("\"store-password\""), std::string::npos) << told.message;
  EXPECT_NE(told.message.find("\"password\""), std::string::npos) << told.message;

  Apply({{"apiVersion", "v1"},
         {"kind", "Secret"},
         {"metadata", {{"name", "store-password"}, {"namespace", "idm"}}},
         {"stringData", {{"password", kPassword}}}});
  // It would be found within a minute; whatever happens to the system, it is looked for.
  MustKubectl({"annotate", "psys", "store", "-n", "idm", "example.com/look=again"});
  AwaitCondition("psys", "store", "KeystoreWritten", "True", "Current", kSoon);
  const Pair first = PairOf("store");
  ExpectInStep(SecretOf("store"), "store");

  EXPECT_EQ(Operate("store-second", "store", "Generate").first, "Complete");
  const Pair both = AwaitPair("store", [](const Pair& p) { return !p.inactive.empty(); });
  EXPECT_EQ(both.active, first.active);
  EXPECT_EQ(Operate("store-activate", "store", "Activate", both.inactive).first, "Complete");
  const Json rotated = SecretOf("store");
  EXPECT_EQ(FingerprintOf(rotated, "tls.crt"), both.inactive);
  ExpectInStep(rotated, "store");

  // Somebody breaks it.
  Json broken = rotated;
  broken["data"]["keystore.p12"] = "Z2FyYmFnZQ==";
  MustKubectl({"replace", "-f", "-"}, broken.dump());
  EXPECT_TRUE(Eventually(
      [&] { return SecretValue(SecretOf("store"), "keystore.p12") != "garbage"; }, kSoon));
  ExpectInStep(SecretOf("store"), "store");

  MustKubectl({"patch", "psys", "-n", "idm", "store", "--type=merge", "-p",
               R"({"spec":{"secret":{"pkcs12":null}}})"});
  EXPECT_TRUE(Eventually([] { return !HasKeystore("store"); }, kSoon));
  EXPECT_TRUE(Eventually(
      [] { return ConditionOf(*Get("psys", "store"), "KeystoreWritten").status.empty(); }, kSoon));
  EXPECT_EQ(PairOf("store"), (Pair{both.inactive, both.active})) << "no new certificate";
  EXPECT_EQ(op.Log().find(kPassword), std::string::npos);
  EXPECT_EQ(Get("psys", "store")->dump().find(kPassword), std::string::npos);
}

}  // namespace
}  // namespace certpair::test
