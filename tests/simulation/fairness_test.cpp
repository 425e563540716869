// RSA keys are scarce: one makes a second of a core busy. What one tenant may do to another with
// them.
#include <optional>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "simulation/specimens.hpp"
#include "simulation/workshop.hpp"

namespace certpair::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr const char* kQuiet = "idm/quiet-0";

// The simulated world has one namespace: here a tenant is what stands before the dash.
std::string TenantOf(const std::string& owner) { return owner.substr(0, owner.find('-')); }

class FairnessTest : public testing::Test {
 protected:
  FairnessTest() {
    stage.world.events_kept = 0;
    AddAuthority(stage);
    stage.daemon.Start();
  }
  // A certificate of two minutes; the tenant that floods renews as often as it may.
  void Add(const std::string& name, seconds validity, std::optional<seconds> before = {}) {
    auto system = MakeSystem(name);
    system.spec.validity = validity;
    system.spec.regenerate_before = before;
    stage.world.AddSystem(std::move(system));
  }
  [[nodiscard]] bool HasCertificate() const {
    return stage.world.LiveSystem(kQuiet)->status.active.has_value();
  }
  // Nothing, or when the quiet tenant's certificate ended within `length`.
  std::optional<sys_seconds> EndWithin(World::Delay length) {
    const auto limit = stage.world.Now() + length;
    bool goes_on = true;
    while (goes_on) {
      goes_on = stage.Step(limit);
      const auto system = stage.world.LiveSystem(kQuiet);
      if (!system->status.active || system->status.active->not_after <= stage.world.TrueNow())
        return stage.world.TrueNow();
    }
    return std::nullopt;
  }

  Stage stage;
};

TEST_F(FairnessTest, A_flood_of_renewals_lets_no_other_certificate_end) {
  const Workshop keys{stage, 1, seconds{1}, TenantOf};
  Add("quiet-0", minutes{2});
  stage.Run(seconds{5});
  ASSERT_TRUE(HasCertificate());
  for (int i = 0; i < 200; ++i) Add(fmt::format("loud-{}", i), minutes{2}, seconds{100});
  EXPECT_EQ(EndWithin(minutes{10}), std::nullopt);
  EXPECT_GT(stage.mint.Made(), 500U) << "the key thread was never idle";
}

TEST_F(FairnessTest, A_flood_of_first_issues_lets_no_other_certificate_end) {
  const Workshop keys{stage, 1, seconds{1}, TenantOf};
  Add("quiet-0", minutes{2});
  stage.Run(seconds{5});
  ASSERT_TRUE(HasCertificate());
  for (int i = 0; i < 600; ++i) Add(fmt::format("loud-{}", i), hours{8760});
  EXPECT_EQ(EndWithin(minutes{10}), std::nullopt);
}

TEST_F(FairnessTest, A_flood_of_renewals_does_not_keep_a_first_certificate_away) {
  const Workshop keys{stage, 1, seconds{1}, TenantOf};
  for (int i = 0; i < 200; ++i) Add(fmt::format("loud-{}", i), minutes{2}, seconds{100});
  stage.Run(minutes{10});
  Add("quiet-0", hours{8760});
  stage.Run(seconds{12});
  EXPECT_TRUE(HasCertificate());
}

// That the floods are floods: without groups each ends the other tenant's certificate.
TEST_F(FairnessTest, Without_tenants_the_same_flood_does) {
  const Workshop keys{stage, 1, seconds{1}, [](const std::string&) { return std::string{}; }};
  Add("quiet-0", minutes{2});
  stage.Run(seconds{5});
  for (int i = 0; i < 200; ++i) Add(fmt::format("loud-{}", i), minutes{2}, seconds{100});
  EXPECT_NE(EndWithin(minutes{20}), std::nullopt);
}

}  // namespace
}  // namespace certpair::sim
