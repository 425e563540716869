// Labels and annotations of spec.secret under the real reconciler: what the installation does not
// allow is not written, is taken off again, and holds no certificate back.
#include <gmock/gmock.h>

#include "core/reasons.hpp"
#include "simulation/specimens.hpp"

namespace certpair::sim {
namespace {

constexpr const char* kKey = "idm/abap";
constexpr const char* kSecretKey = "idm/abap-outbound";
constexpr const char* kReflects = "reflector.v1.k8s.emberstack.com/reflection-allowed";

core::Installation Allowing(std::vector<std::string> patterns) {
  core::Installation installation;
  installation.secret_metadata_allow = std::move(patterns);
  return installation;
}

class SecretMetadataTest : public testing::Test {
 protected:
  void StartWith(std::vector<std::string> patterns) {
    stage.daemon.Configure(Allowing(std::move(patterns)));
    stage.daemon.Start();
    stage.Settle();
    stage.world.ResetCounts();
  }
  void SetUp() override {
    AddAuthority(stage);
    auto system = MakeSystem("abap");
    system.spec.secret.labels = {{"team", "a"}};
    system.spec.secret.annotations = {{kReflects, "true"}};
    stage.world.AddSystem(std::move(system));
  }
  [[nodiscard]] std::string Says(std::string_view type) const {
    const auto* said = stage.world.LiveSystem(kKey)->status.Find(type);
    return said ? std::string{core::ToString(said->status)} + "/" + said->reason : "-";
  }
  [[nodiscard]] bool HasLabel() const {
    return stage.world.LiveSecretOf(kSecretKey)->metadata.labels.contains("team");
  }
  [[nodiscard]] bool IsReflected() const {
    return stage.world.LiveSecretOf(kSecretKey)->metadata.annotations.contains(kReflects);
  }

  Stage stage;
};

TEST_F(SecretMetadataTest, The_first_Secret_goes_without_keys_that_are_not_allowed) {
  StartWith({"team"});
  EXPECT_TRUE(HasLabel());
  EXPECT_FALSE(IsReflected());
  EXPECT_EQ(Says("Ready"), "True/Valid");
  EXPECT_EQ(Says("SecretMetadataAllowed"), "False/KeyNotAllowed");
  stage.daemon.Start();
  stage.Run(std::chrono::hours{48});
  EXPECT_EQ(stage.world.Writes(), 0) << "in the steady state";
}

TEST_F(SecretMetadataTest, A_key_that_loses_its_permission_goes_in_one_write) {
  StartWith({"team", "reflector.v1.k8s.emberstack.com/*"});
  EXPECT_TRUE(IsReflected());
  EXPECT_EQ(Says("SecretMetadataAllowed"), "True/Allowed");

  StartWith({});
  EXPECT_FALSE(IsReflected());
  EXPECT_FALSE(HasLabel());
  EXPECT_EQ(stage.mint.Made(), 1U) << "the certificate stays";
  EXPECT_EQ(Says("Ready"), "True/Valid");

  StartWith({"team"});
  EXPECT_TRUE(HasLabel());
  EXPECT_FALSE(IsReflected());
}

}  // namespace
}  // namespace certpair::sim
