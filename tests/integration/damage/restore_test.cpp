// A namespace that comes back from a backup, as Velero restores it: without status, UIDs, owners
// and generateName, with a label of its own on each object.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/pair_test.hpp"

namespace certpair::test {
namespace {

class Restore : public PairTest {
 protected:
  static constexpr const char* kHome = "restored";

  static Json In(Json object) {
    object["metadata"]["namespace"] = kHome;
    return object;
  }
  static void MakeHome() { MustKubectl({"create", "namespace", kHome}); }
  static void Operate(const std::string& name, const std::string& action,
                      const std::string& fingerprint = {}) {
    Json operation{{"apiVersion", "certpair.dev/v1"},
                   {"kind", "CertificateOperation"},
                   {"metadata", {{"name", name}, {"namespace", kHome}}},
                   {"spec", {{"systemRef", {{"name", "saved"}}}, {"action", action}}}};
    if (!fingerprint.empty()) operation["spec"]["fingerprint"] = fingerprint;
    MustKubectl({"create", "-f", "-"}, operation.dump());
  }
  static std::string EndOf(const std::string& operation) {
    std::string end;
    EXPECT_TRUE(Eventually(
        [&] {
          const Json now = Get("certop", operation, kHome).value_or(Json::object());
          for (const char* type : {"Complete", "Failed"})
            if (const Told told = ConditionOf(now, type); told.status == "True")
              end = std::string{type} + " " + told.reason;
          return !end.empty();
        },
        kSoon))
        << operation;
    return end;
  }
  static bool BecomesReady() {
    return Eventually(
        [] {
          const Json now = Get("psys", "saved", kHome).value_or(Json::object());
          return ConditionOf(now, "Ready").status == "True";
        },
        kSoon);
  }
  static Json SecretNow() {
    return Get("secret", "saved-outbound", kHome).value_or(Json::object());
  }
  // Of each of our objects what a backup keeps.
  static std::vector<Json> Backup() {
    std::vector<Json> objects;
    for (const char* kind : {"secrets", "certop", "psys"}) {
      const Json list = Json::parse(MustKubectl({"get", kind, "-n", kHome, "-o", "json"}));
      for (Json object : list.at("items")) {
        object.erase("status");
        for (const char* field :
             {"generateName", "selfLink", "uid", "resourceVersion", "generation",
              "creationTimestamp", "deletionTimestamp", "ownerReferences", "managedFields"})
          object["metadata"].erase(field);
        object["metadata"]["labels"]["velero.io/restore-name"] = "drill";
        object["metadata"]["labels"]["velero.io/backup-name"] = "nightly";
        objects.push_back(std::move(object));
      }
    }
    return objects;
  }
};

TEST_F(Restore, Of_a_namespace_takes_the_pair_up_and_runs_no_operation_again) {
  const OperatorProcess program{WithAdmin()};
  MakeHome();
  Json authority = GeneratedAuthority("restore-ca");
  authority["spec"]["allow"][0]["namespaces"]["names"] = {kHome};
  Apply(authority);
  Apply(In(System("saved", "restore-ca")));
  ASSERT_TRUE(BecomesReady());
  const std::string first = FingerprintOf(SecretNow(), "tls.crt");
  Operate("second", "Generate");
  ASSERT_EQ(EndOf("second"), "Complete Generated");
  const std::string second = FingerprintOf(SecretNow(), "inactive.crt");
  Operate("third", "Generate");
  ASSERT_EQ(EndOf("third"), "Failed LimitReached");
  Operate("switch", "Activate", second);
  ASSERT_EQ(EndOf("switch"), "Complete Activated");
  Operate("back", "Activate", first);
  ASSERT_EQ(EndOf("back"), "Complete Activated");
  Operate("drop", "Delete", second);
  ASSERT_EQ(EndOf("drop"), "Complete Deleted");
  for (const char* name : {"second", "third", "switch", "back", "drop"})
    ASSERT_TRUE(Eventually([&] {
      return Get("certop", name, kHome)->at("metadata").contains("annotations");
    })) << name;

  std::vector<Json> backup = Backup();
  Json pending = backup[1];  // one of which the backup does not say how it ended
  pending["metadata"].erase("annotations");
  pending["metadata"]["name"] = "pending";
  pending["spec"] = {{"systemRef", {{"name", "saved"}}}, {"action", "Generate"}};
  backup.push_back(pending);
  MustKubectl({"delete", "namespace", kHome, "--wait=true"});
  MakeHome();
  for (const Json& object : backup) MustKubectl({"create", "-f", "-"}, object.dump());

  ASSERT_TRUE(BecomesReady());
  EXPECT_EQ(EndOf("second"), "Complete FinishedEarlier");
  EXPECT_EQ(EndOf("third"), "Failed FinishedEarlier");
  EXPECT_EQ(EndOf("switch"), "Complete FinishedEarlier");
  EXPECT_EQ(EndOf("back"), "Complete FinishedEarlier");
  EXPECT_EQ(EndOf("drop"), "Complete FinishedEarlier");
  EXPECT_EQ(EndOf("pending"), "Failed RestoredFromBackup");
  const Json secret = SecretNow();
  EXPECT_EQ(FingerprintOf(secret, "tls.crt"), first);
  EXPECT_EQ(SecretValue(secret, "inactive.crt"), "");
  EXPECT_EQ(secret.at("metadata").at("annotations").value("certpair.dev/system-uid", ""),
            Get("psys", "saved", kHome)->at("metadata").at("uid").get<std::string>());

  // A new operation of an old name, as a GitOps tool makes it, runs.
  MustKubectl({"delete", "certop", "second", "-n", kHome});
  Operate("second", "Generate");
  EXPECT_EQ(EndOf("second"), "Complete Generated");
}

}  // namespace
}  // namespace certpair::test
