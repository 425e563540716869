// Ownership where admission lets only those change owners who may delete, as on OpenShift.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "support/pair_test.hpp"
#include "support/source.hpp"

namespace certpair::test {
namespace {

// The whole program's API server has the plugin: whoever may do everything does not notice it.
struct Plugin : ControlPlaneTest {
  void TestBody() override {}
  static bool Enable() {
    UseOptions({"--api-arg", "--enable-admission-plugins=OwnerReferencesPermissionEnforcement"});
    return true;
  }
};
const bool kEnabled = Plugin::Enable();

class Owner : public PairTest {
 protected:
  // An operator with the rights of config/rbac.yaml and no more.
  [[nodiscard]] OperatorOptions WithItsOwnRights() const {
    MustKubectl({"apply", "-f", SourceDir() + "/config/rbac.yaml"});
    Json config = Json::parse(
        MustKubectl({"config", "view", "--raw", "--flatten", "--minify", "-o", "json"}));
    config["users"][0]["user"]["as"] = "system:serviceaccount:certpair-system:certpair-controller";
    std::ofstream{folder_ / "kubeconfig"} << config.dump();
    return {.kubeconfig = folder_ / "kubeconfig", .arguments = {"--leader-elect=false"}};
  }
  ScratchFolder folder_;
};

TEST_F(Owner, That_cannot_be_changed_holds_no_certificate_back) {
  EXPECT_TRUE(kEnabled);
  const OperatorProcess program{WithItsOwnRights()};
  Apply(GeneratedAuthority("owner-ca"));
  Json system = System("owned", "owner-ca");
  Apply(system);
  AwaitCondition("psys", "owned", "Ready", "True", "Valid", kSoon);

  system["spec"]["secret"]["deletionPolicy"] = "Retain";
  Apply(system);
  AwaitCondition("psys", "owned", "Ready", "True", "OwnerNotChanged", kSoon);
  const std::string message = ConditionOf(*Get("psys", "owned"), "Ready").message;
  EXPECT_NE(message.find("is deleted with this system"), std::string::npos) << message;
  EXPECT_NE(message.find("ownerRef"), std::string::npos) << message;

  EXPECT_EQ(Operate("owned-second", "owned", "Generate").second, "Generated");
  EXPECT_EQ(PairOf("owned").inactive,
            FingerprintOf(*Get("secret", "owned-outbound"), "inactive.crt"));

  // As the message says: an administrator takes the owner away.
  MustKubectl({"patch", "secret", "owned-outbound", "-n", "idm", "--type=merge", "-p",
               R"({"metadata":{"ownerReferences":null}})"});
  AwaitCondition("psys", "owned", "Ready", "True", "Valid", kSoon);
}

}  // namespace
}  // namespace certpair::test
