// An operator that is killed after its n-th write, and another that goes on where it left off.
#pragma once

#include <algorithm>
#include <csignal>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "support/proxied_operator_test.hpp"

namespace certpair::test {

inline constexpr std::chrono::seconds kCrashLimit{90};

class Crash : public ProxiedOperatorTest {
 protected:
  // Runs the operator until its n-th write from the moment of `act`, then a fresh one until `done`.
  void CrashAndGoOn(int writes, const std::function<void()>& act,
                    const std::function<bool()>& done) {
    OperatorProcess first{ThroughProxy()};
    ASSERT_TRUE(Eventually([&] { return first.Ready().starts_with("ok"); }, kCrashLimit));
    // What is left of earlier work is over before the count begins.
    ASSERT_TRUE(
        Eventually([&] { return first.Metric("certpair_work_queue_depth") <= 0; }, kCrashLimit));
    proxy_->Do({{"do", "kill_after_writes"}, {"pid", first.Pid()}, {"writes", writes}});
    act();
    EXPECT_EQ(first.WaitForExit(kCrashLimit), 128 + SIGKILL) << "after " << writes << " writes\n"
                                                             << first.Log();
    OperatorProcess second{ThroughProxy()};
    EXPECT_TRUE(Eventually(done, kCrashLimit)) << "after " << writes << " writes\n" << second.Log();
  }
  // Without a crash.
  void MakeItReady(const Json& system) {
    OperatorProcess op{ThroughProxy()};
    Apply(system);
    AwaitCondition("psys", system.at("metadata").at("name"), "Ready", "True", "", kCrashLimit);
  }
  static bool IsComplete(const std::string& operation) {
    return OutcomeOf(operation).first == "Complete";
  }
  static bool IsReady(const std::string& system) {
    return ConditionOf(*Get("psys", system), "Ready").status == "True";
  }
  // How many certificates were made by themselves, as the Secret counts them.
  static std::ptrdiff_t Issuances(const std::string& system) {
    const auto secret = Get("secret", system + "-outbound");
    const std::string times =
        secret->at("metadata").at("annotations").value("certpair.dev/automatic-issuances", "");
    return times.empty() ? 0 : std::ranges::count(times, ',') + 1;
  }
};

}  // namespace certpair::test
