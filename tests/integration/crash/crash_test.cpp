// SIGKILL after each write of each scenario: the end is as without the crash.
#include <algorithm>
#include <csignal>
#include <functional>
#include <optional>

#include <gtest/gtest.h>

#include "support/fault_proxy.hpp"
#include "support/operator_test.hpp"

namespace certpair::test {
namespace {

constexpr std::chrono::seconds kSoon{90};

class Crash : public OperatorTest {
 protected:
  void SetUp() override {
    OperatorTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    proxy_.emplace(TheControlPlane());
  }
  [[nodiscard]] OperatorOptions ThroughProxy() const {
    return {.kubeconfig = proxy_->Kubeconfig(), .arguments = {"--leader-elect=false"}};
  }
  // Runs the operator until its n-th write from the moment of `act`, then a fresh one until `done`.
  void CrashAndGoOn(int writes, const std::function<void()>& act,
                    const std::function<bool()>& done) {
    OperatorProcess first{ThroughProxy()};
    ASSERT_TRUE(Eventually([&] { return first.Ready().starts_with("ok"); }, kSoon));
    // What is left of earlier work is over before the count begins.
    ASSERT_TRUE(Eventually([&] { return first.Metric("certpair_work_queue_depth") <= 0; }, kSoon));
    proxy_->Do({{"do", "kill_after_writes"}, {"pid", first.Pid()}, {"writes", writes}});
    act();
    EXPECT_EQ(first.WaitForExit(kSoon), 128 + SIGKILL) << "after " << writes << " writes\n"
                                                       << first.Log();
    OperatorProcess second{ThroughProxy()};
    EXPECT_TRUE(Eventually(done, kSoon)) << "after " << writes << " writes\n" << second.Log();
  }
  static void Create(const std::string& name, const std::string& system, const std::string& action,
                     const std::string& fingerprint = {}) {
    Json operation{{"apiVersion", "certpair.dev/v1"},
                   {"kind", "CertificateOperation"},
                   {"metadata", {{"name", name}, {"namespace", "idm"}}},
                   {"spec", {{"systemRef", {{"name", system}}}, {"action", action}}}};
    if (!fingerprint.empty()) operation["spec"]["fingerprint"] = fingerprint;
    MustKubectl({"create", "-f", "-"}, operation.dump());
  }
  static bool IsComplete(const std::string& operation) {
    return ConditionOf(Get("certop", operation).value_or(Json::object()), "Complete").status ==
           "True";
  }
  // Fingerprints by slot, as status tells them.
  static std::pair<std::string, std::string> Pair(const std::string& system) {
    std::pair<std::string, std::string> pair;
    const Json object = Get("psys", system).value_or(Json::object());
    for (const Json& entry :
         object.value(Json::json_pointer{"/status/certificates"}, Json::array()))
      (entry.at("state") == "Active" ? pair.first : pair.second) = entry.at("fingerprint");
    return pair;
  }
  std::optional<FaultProxy> proxy_;
};

TEST_F(Crash, After_any_write_of_Generate_Activate_and_Delete_each_has_happened_once) {
  Apply(GeneratedAuthority("crash-ops-ca"));
  for (int n = 1; n <= 3; ++n) {  // the Secret, the operation's status, the system's status
    SCOPED_TRACE(n);
    const std::string system = "ops-" + std::to_string(n);
    {
      OperatorProcess op{ThroughProxy()};
      Apply(System(system, "crash-ops-ca"));
      AwaitCondition("psys", system, "Ready", "True", "", kSoon);
    }
    const std::string first = Pair(system).first;
    CrashAndGoOn(
        n, [&] { Create(system + "-generate", system, "Generate"); },
        [&] { return IsComplete(system + "-generate") && !Pair(system).second.empty(); });
    const std::string second = Pair(system).second;
    EXPECT_EQ(Pair(system).first, first);
    EXPECT_EQ(Get("certop", system + "-generate")->at("status").at("fingerprint"), second);

    CrashAndGoOn(
        n, [&] { Create(system + "-activate", system, "Activate", second); },
        [&] { return IsComplete(system + "-activate") && Pair(system).first == second; });
    EXPECT_EQ(Pair(system).second, first);

    CrashAndGoOn(
        n, [&] { Create(system + "-delete", system, "Delete", first); },
        [&] { return IsComplete(system + "-delete") && Pair(system).second.empty(); });
    EXPECT_EQ(Pair(system).first, second);
  }
}

TEST_F(Crash, After_any_write_of_a_regeneration_it_has_happened_once) {
  Apply(GeneratedAuthority("crash-regeneration-ca"));
  for (int n = 1; n <= 2; ++n) {  // the Secret, the system's status
    SCOPED_TRACE(n);
    const std::string name = "regenerated-" + std::to_string(n);
    Json system = System(name, "crash-regeneration-ca");
    system["spec"]["certificate"]["validity"] = "4m";
    {
      OperatorProcess op{ThroughProxy()};
      Apply(system);
      AwaitCondition("psys", name, "Ready", "True", "", kSoon);
    }
    const std::string first = Pair(name).first;
    CrashAndGoOn(
        n,
        [&] {
          // The window is open at once, but for the offset; what comes out lives too long to be
          // renewed again here.
          system["spec"]["certificate"]["validity"] = "8760h";
          system["spec"]["automaticRegeneration"] = {{"enabled", true}, {"before", "1h"}};
          Apply(system);
        },
        [&] { return Pair(name).first != first && Pair(name).second == first; });
    const auto secret = Get("secret", name + "-outbound");
    const std::string issuances =
        secret->at("metadata").at("annotations").value("certpair.dev/automatic-issuances", "");
    EXPECT_EQ(std::ranges::count(issuances, ','), 1) << "two issuances, not " << issuances;
  }
}

}  // namespace
}  // namespace certpair::test
