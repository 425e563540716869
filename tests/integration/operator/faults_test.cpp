// An API server that misbehaves, between a real operator and a real API server.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "support/proxied_operator_test.hpp"

namespace certpair::test {
namespace {

constexpr std::chrono::seconds kSoon{90};

class Faults : public ProxiedOperatorTest {
 protected:
  // One Secret, one certificate, told at most once: Events may be lost, never doubled.
  static void ExpectOneCertificate(const std::string& name) {
    AwaitCondition("psys", name, "Ready", "True", "", kSoon);
    const Json system = *Get("psys", name);
    EXPECT_EQ(system.at("status").at("certificates").size(), 1U);
    EXPECT_FALSE(Get("secret", name + "-outbound")->at("data").contains("inactive.crt"));
    EXPECT_LE(std::ranges::count(EventReasons(name), "CertificateIssued"), 1);
  }
  // All of a kind whose names begin so, by name.
  static std::map<std::string, Json> Named(const std::string& kind, const std::string& prefix) {
    std::map<std::string, Json> found;
    const Json list = Json::parse(MustKubectl({"get", kind, "-n", "idm", "-o", "json"}));
    for (const Json& item : list.at("items")) {
      std::string name = item.at("metadata").at("name");
      if (name.starts_with(prefix)) found.emplace(std::move(name), item);
    }
    return found;
  }
};

struct Forced {
  const char* what;
  Json rule;
};

TEST_F(Faults, Whatever_a_request_is_answered_a_system_gets_one_certificate) {
  OperatorProcess op{ThroughProxy()};
  Apply(GeneratedAuthority("faults-ca"));
  AwaitCondition("certca", "faults-ca", "Ready", "True", "", kSoon);
  const std::vector<Forced> rules{
      {"unauthorised", {{"verb", "POST"}, {"path", "/secrets"}, {"status", 401}, {"times", 2}}},
      {"forbidden",
       {{"verb", "POST"}, {"path", "/secrets"}, {"status", 403}, {"reason", "Forbidden"}}},
      {"throttled",
       {{"verb", "PATCH"}, {"path", "/status"}, {"status", 429}, {"retry_after", 1}, {"times", 2}}},
      {"broken", {{"verb", "PATCH"}, {"path", "/status"}, {"status", 500}, {"times", 3}}},
      {"conflict",
       {{"verb", "PATCH"}, {"path", "/status"}, {"status", 409}, {"reason", "Conflict"}}},
      {"lost-secret", {{"verb", "POST"}, {"path", "/secrets"}, {"lose", true}}},
      {"lost-status", {{"verb", "PATCH"}, {"path", "/status"}, {"lose", true}}},
      {"cut-secret", {{"verb", "POST"}, {"path", "/secrets"}, {"cut", true}}},
  };
  for (const Forced& forced : rules) {
    SCOPED_TRACE(forced.what);
    proxy_->Do({{"do", "reset"}});
    Json command = forced.rule;
    command["do"] = "rule";
    proxy_->Do(command);
    Apply(System(forced.what, "faults-ca"));
    ExpectOneCertificate(forced.what);
  }
}

TEST_F(Faults, An_API_server_that_is_away_is_waited_for_and_nothing_is_lost) {
  proxy_->Do({{"do", "away"}, {"away", true}});
  OperatorProcess op{ThroughProxy()};
  Apply(GeneratedAuthority("away-ca"));
  Apply(System("away-first", "away-ca"));
  EXPECT_TRUE(Eventually([&] { return op.Ready().find("not listed yet") != std::string::npos; }))
      << op.Ready();
  EXPECT_TRUE(op.Running());
  proxy_->Do({{"do", "away"}, {"away", false}});
  ExpectOneCertificate("away-first");
  proxy_->Do({{"do", "away"}, {"away", true}});
  Apply(System("away-second", "away-ca"));
  std::this_thread::sleep_for(std::chrono::minutes{1});  // so that each back-off is at its longest
  proxy_->Do({{"do", "away"}, {"away", false}});
  ExpectOneCertificate("away-second");
}

TEST_F(Faults, A_watch_that_breaks_amid_a_line_or_is_told_410_goes_on_without_a_loss) {
  OperatorProcess op{ThroughProxy()};
  Apply(GeneratedAuthority("watch-ca"));
  AwaitCondition("certca", "watch-ca", "Ready", "True", "", kSoon);
  proxy_->Do({{"do", "rule"}, {"verb", "GET"}, {"path", "watch="}, {"cut", true}, {"times", 6}});
  proxy_->Do({{"do", "away"}, {"away", true}});  // ends the watches that are open
  proxy_->Do({{"do", "away"}, {"away", false}});
  Apply(System("watch-cut", "watch-ca"));
  ExpectOneCertificate("watch-cut");
  proxy_->Do({{"do", "rule"},
              {"verb", "GET"},
              {"path", "watch="},
              {"status", 410},
              {"reason", "Expired"},
              {"times", 6}});
  proxy_->Do({{"do", "away"}, {"away", true}});
  proxy_->Do({{"do", "away"}, {"away", false}});
  Apply(System("watch-gone", "watch-ca"));
  ExpectOneCertificate("watch-gone");
}

TEST_F(Faults, One_kind_that_may_not_be_read_is_named_in_readyz_and_the_log) {
  struct Refusal {
    std::string kind;
    int status;
    std::string reason;
  };
  for (const auto& [kind, status, reason] : {Refusal{"certificateoperations", 403, "Forbidden"},
                                             Refusal{"provisioningsystems", 401, "Unauthorized"}}) {
    SCOPED_TRACE(kind);
    proxy_->Do({{"do", "rule"},
                {"path", "/" + kind},
                {"status", status},
                {"reason", reason},
                {"times", 1000}});
    OperatorProcess op{ThroughProxy()};
    EXPECT_TRUE(Eventually([&] { return op.Ready().find(kind) != std::string::npos; }, kSoon))
        << op.Ready();
    EXPECT_NE(op.Log().find(kind), std::string::npos) << op.Log();
    EXPECT_TRUE(op.Running());
    proxy_->Do({{"do", "reset"}});
    EXPECT_TRUE(Eventually([&] { return op.Ready().starts_with("ok"); }, kSoon)) << op.Ready();
  }
}

// Told to leave while people still create systems: who has a Secret has its status too.
TEST_F(Faults, A_wish_to_leave_amid_issuances_finishes_the_write_in_hand_and_leaves_in_time) {
  auto op = std::make_unique<OperatorProcess>(ThroughProxy());
  Apply(GeneratedAuthority("leave-ca"));
  AwaitCondition("certca", "leave-ca", "Ready", "True", "", kSoon);
  proxy_->Do({{"do", "reset"}});
  Json list = {{"apiVersion", "v1"}, {"kind", "List"}, {"items", Json::array()}};
  std::vector<std::string> wait{"wait", "-n", "idm", "--for=condition=Ready", "--timeout=90s"};
  for (int i = 0; i < 60; ++i) {
    const std::string name = "leave-" + std::to_string(i);
    list["items"].push_back(System(name, "leave-ca"));
    wait.push_back("psys/" + name);
  }
  std::jthread people{[&] { MustKubectl({"create", "-f", "-"}, list.dump()); }};
  ASSERT_TRUE(Eventually([&] { return proxy_->Writes() > 20; }, kSoon));
  const auto asked = std::chrono::steady_clock::now();
  op->Signal(SIGTERM);
  EXPECT_EQ(op->WaitForExit(std::chrono::seconds{30}), 0) << op->Log();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds{5}) << op->Log();
  people.join();
  const auto systems = Named("psys", "leave-");
  const auto secrets = Named("secrets", "leave-");
  EXPECT_EQ(systems.size(), 60U);
  EXPECT_GT(secrets.size(), 0U);
  EXPECT_LT(secrets.size(), 60U) << "it left when all was done";
  for (const auto& [name, secret] : secrets)
    EXPECT_EQ(systems.at(name.substr(0, name.rfind("-outbound")))
                  .value("/status/secretResourceVersion"_json_pointer, ""),
              secret.at("metadata").at("resourceVersion"))
        << name;

  op = std::make_unique<OperatorProcess>(ThroughProxy());
  MustKubectl(wait);
  for (const auto& [name, system] : Named("psys", "leave-"))
    EXPECT_EQ(system.at("status").at("certificates").size(), 1U) << name;
  for (const auto& [name, secret] : Named("secrets", "leave-")) {
    EXPECT_FALSE(secret.at("data").contains("inactive.crt")) << name;
    const auto before = secrets.find(name);
    if (before == secrets.end()) continue;
    EXPECT_EQ(SecretValue(secret, "tls.crt"), SecretValue(before->second, "tls.crt")) << name;
  }
  EXPECT_EQ(op->Log().find("another is wanted"), std::string::npos);
}

// With passes in hand, a Lease to free and Events that wait: whatever they wait for, together.
TEST_F(Faults, A_wish_to_leave_is_granted_in_five_seconds_though_the_API_server_stalls) {
  OperatorProcess op{{.kubeconfig = proxy_->Kubeconfig()}};
  Apply(GeneratedAuthority("stall-ca"));
  AwaitCondition("certca", "stall-ca", "Ready", "True", "", kSoon);
  proxy_->Do({{"do", "reset"}});
  Json list = {{"apiVersion", "v1"}, {"kind", "List"}, {"items", Json::array()}};
  for (int i = 0; i < 200; ++i)
    list["items"].push_back(System("stall-" + std::to_string(i), "stall-ca"));
  std::jthread people{[&] { (void)Kubectl({"create", "-f", "-"}, list.dump()); }};
  ASSERT_TRUE(Eventually([&] { return proxy_->Writes() > 20; }, kSoon));
  proxy_->Freeze();
  const auto asked = std::chrono::steady_clock::now();
  op.Signal(SIGTERM);
  EXPECT_EQ(op.WaitForExit(std::chrono::seconds{30}), 0) << op.Log();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - asked;
  EXPECT_LT(took.count(), 5.9) << op.Log();
  people.join();
  (void)Kubectl({"delete", "--wait=false", "--ignore-not-found", "-f", "-"}, list.dump());
}

// A crash after each of the writes of a scenario: in the end all is as without it.
TEST_F(Faults, A_crash_after_any_write_of_a_first_certificate_neither_loses_nor_doubles_it) {
  Apply(GeneratedAuthority("crash-ca"));
  {
    OperatorProcess op{ThroughProxy()};
    AwaitCondition("certca", "crash-ca", "Ready", "True", "", kSoon);
  }
  for (int n = 1; n <= 2; ++n) {
    const std::string name = "crash-" + std::to_string(n);
    OperatorProcess first{ThroughProxy()};
    ASSERT_TRUE(Eventually([&] { return first.Ready().starts_with("ok"); }, kSoon));
    proxy_->Do({{"do", "kill_after_writes"}, {"pid", first.Pid()}, {"writes", n}});
    Apply(System(name, "crash-ca"));
    EXPECT_EQ(first.WaitForExit(kSoon), 128 + SIGKILL) << n;
    const auto left = Get("secret", name + "-outbound");
    ASSERT_TRUE(left) << n;
    OperatorProcess second{ThroughProxy()};
    AwaitCondition("psys", name, "Ready", "True", "", kSoon);
    EXPECT_EQ(SecretValue(*Get("secret", name + "-outbound"), "tls.crt"),
              SecretValue(*left, "tls.crt"))
        << n;
  }
}

}  // namespace
}  // namespace certpair::test
