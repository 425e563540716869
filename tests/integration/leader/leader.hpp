// What the tests of several operators share: starting one by name, who holds the Lease, and that
// the one who does works.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/operator_test.hpp"

namespace certpair::test {

inline constexpr std::chrono::seconds kSoon{60};
inline constexpr std::chrono::seconds kLease{6};
// Nobody works for two seconds after a leader that left, and for the Lease's time more after one
// that died; a busy machine adds to it.
inline constexpr std::chrono::seconds kHandover{2 + 3};

class Leader : public OperatorTest {
 protected:
  static std::unique_ptr<OperatorProcess> Start(const std::string& name,
                                                std::vector<std::string> environment = {},
                                                const std::string& kubeconfig = {}) {
    environment.push_back("POD_NAME=" + name);
    return std::make_unique<OperatorProcess>(OperatorOptions{
        .kubeconfig = kubeconfig.empty() ? TheControlPlane().Kubeconfig() : kubeconfig,
        .arguments = {"--leader-elect-lease-duration=" + std::to_string(kLease.count()) + "s",
                      "--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=1s"},
        .environment = std::move(environment)});
  }
  // The name of who leads, without the random part of its identity.
  static std::string Holder() {
    const auto lease = Get("lease", "certpair-controller", "certpair-system");
    if (!lease) return {};
    const std::string holder = lease->value(Json::json_pointer{"/spec/holderIdentity"}, "");
    return holder.substr(0, holder.find('_'));
  }
  static void AwaitHolder(const std::string& name, std::chrono::seconds limit) {
    EXPECT_TRUE(Eventually([&] { return Holder() == name; }, limit))
        << "held by " << Holder() << ", not by " << name;
  }
  // A new system gets its one certificate, whoever leads.
  static void ExpectWork(const std::string& name) {
    Apply(System(name, "leader-ca"));
    AwaitCondition("psys", name, "Ready", "True", "", kSoon);
    EXPECT_EQ(Get("psys", name)->at("status").at("certificates").size(), 1U);
  }
};

}  // namespace certpair::test
