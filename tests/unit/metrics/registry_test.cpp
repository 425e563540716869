#include "metrics/registry.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certpair::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class FixedClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::system_clock::time_point Now() const override { return now; }
  [[nodiscard]] std::chrono::steady_clock::time_point Steady() const override { return {}; }
  sys_seconds now{1'800'000'000s};
};

// The value of a series, given as it stands in the text: name and labels.
std::string ValueOf(const std::string& text, const std::string& series) {
  const std::size_t at = ("\n" + text).find("\n" + series + " ");
  if (at == std::string::npos) return "absent";
  const std::size_t begin = at + series.size() + 1;
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::size_t CountOf(const std::string& text, const std::string& line_start) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find("\n" + line_start, at)) != std::string::npos; ++at)
    ++count;
  return count;
}

struct MetricsTest : ::testing::Test {
  FixedClock clock;
  Metrics metrics{clock};
};

TEST_F(MetricsTest, Counters_of_alerts_exist_before_the_first_event) {
  metrics.ExpectErrors(std::vector<std::string_view>{"Conflict", "Signing"});
  metrics.CountWatchRestarts("secrets", 0);
  const std::string text = metrics.Expose();
  for (const char* outcome : {"sent", "refused", "delayed", "given-up", "dropped"})
    EXPECT_EQ(
        ValueOf(text, std::string{R"(certpair_notifications_total{outcome=")"} + outcome + R"("})"),
        "0");
  EXPECT_EQ(ValueOf(text, R"(certpair_errors_total{kind="Conflict"})"), "0");
  EXPECT_EQ(ValueOf(text, R"(certpair_errors_total{kind="Signing"})"), "0");
  EXPECT_EQ(ValueOf(text, R"(certpair_watch_restarts_total{resource="secrets"})"), "0");
}

TEST_F(MetricsTest, Reconciles_count_by_kind_and_result_and_are_timed_by_kind) {
  metrics.CountReconcile("ProvisioningSystem", "changed", 20ms);
  metrics.CountReconcile("ProvisioningSystem", "changed", 20ms);
  metrics.CountReconcile("ProvisioningSystem", "failed", 3s);
  metrics.CountReconcile("CertificateAuthority", "changed", 1ms);
  const std::string text = metrics.Expose();
  EXPECT_EQ(
      ValueOf(text, R"(certpair_reconciles_total{kind="ProvisioningSystem",result="changed"})"),
      "2");
  EXPECT_EQ(
      ValueOf(text, R"(certpair_reconciles_total{kind="ProvisioningSystem",result="failed"})"),
      "1");
  EXPECT_EQ(
      ValueOf(text, R"(certpair_reconcile_duration_seconds_count{kind="ProvisioningSystem"})"),
      "3");
  EXPECT_EQ(
      ValueOf(
          text,
          R"(certpair_reconcile_duration_seconds_bucket{kind="ProvisioningSystem",le="0.025"})"),
      "2");
  EXPECT_EQ(
      ValueOf(text,
              R"(certpair_reconcile_duration_seconds_bucket{kind="ProvisioningSystem",le="+Inf"})"),
      "3");
}

TEST_F(MetricsTest, Requests_count_by_verb_resource_code_and_are_timed) {
  metrics.CountApiRequest("patch", "secrets", 200, 4ms);
  metrics.CountApiRequest("patch", "secrets", 409, 4ms);
  metrics.CountApiRequest("get", "secrets", 0, 10s);
  const std::string text = metrics.Expose();
  EXPECT_EQ(
      ValueOf(text, R"(certpair_api_requests_total{code="409",resource="secrets",verb="patch"})"),
      "1");
  EXPECT_EQ(ValueOf(text, R"(certpair_api_requests_total{code="0",resource="secrets",verb="get"})"),
            "1");
  EXPECT_EQ(
      ValueOf(text,
              R"(certpair_api_request_duration_seconds_count{resource="secrets",verb="patch"})"),
      "2");
}

TEST_F(MetricsTest, Every_other_count_and_gauge_has_its_series) {
  metrics.CountError("Conflict");
  metrics.SetQueueDepth("systems", 7);
  metrics.SetQueueDepth("systems", 5);
  metrics.CountWatchRestarts("provisioningsystems");
  metrics.CountEventsDropped(3);
  metrics.CountEventsDropped();
  metrics.SetKeyPoolWaiting(12);
  metrics.SetLeader(true);
  metrics.CountIssued("First");
  metrics.CountNotification("sent");
  const std::string text = metrics.Expose();
  EXPECT_EQ(ValueOf(text, R"(certpair_errors_total{kind="Conflict"})"), "1");
  EXPECT_EQ(ValueOf(text, "certpair_leader"), "1");
  EXPECT_EQ(ValueOf(text, R"(certpair_work_queue_depth{queue="systems"})"), "5");
  EXPECT_EQ(ValueOf(text, R"(certpair_watch_restarts_total{resource="provisioningsystems"})"), "1");
  EXPECT_EQ(ValueOf(text, "certpair_events_dropped_total"), "4");
  EXPECT_EQ(ValueOf(text, "certpair_key_pool_waiting"), "12");
  EXPECT_EQ(ValueOf(text, R"(certpair_certificates_issued_total{reason="First"})"), "1");
  EXPECT_EQ(ValueOf(text, R"(certpair_notifications_total{outcome="sent"})"), "1");
}

TEST_F(MetricsTest, Counts_without_labels_are_there_before_the_first_event) {
  const std::string text = metrics.Expose();
  for (const char* series :
       {"certpair_events_dropped_total", "certpair_key_pool_waiting",
        "certpair_certificate_series_dropped", "certpair_certificate_updates_dropped_total",
        R"(certpair_certificates{state="active"})"})
    EXPECT_EQ(ValueOf(text, series), "0") << series;
}

TEST_F(MetricsTest, Every_family_is_described_and_in_one_piece) {
  metrics.CountReconcile("A", "changed", 1ms);
  metrics.CountError("Conflict");
  metrics.SetQueueDepth("systems", 1);
  metrics.CountApiRequest("get", "secrets", 200, 1ms);
  metrics.CountWatchRestarts("secrets");
  metrics.CountIssued("First");
  metrics.SetCertificates("idm", "a", {clock.now + 1h, clock.now + 2h});
  const std::string text = metrics.Expose();
  std::vector<std::string> types;
  for (std::size_t at = 0; (at = text.find("# TYPE ", at)) != std::string::npos; at += 7)
    types.push_back(text.substr(at + 7, text.find(' ', at + 7) - at - 7));
  EXPECT_EQ(types.size(), 16U);
  for (const std::string& name : types) {
    EXPECT_THAT(name, ::testing::StartsWith("certpair_"));
    EXPECT_EQ(std::count(types.begin(), types.end(), name), 1) << name;
    EXPECT_THAT(text, HasSubstr("# HELP " + name + " "));
  }
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST_F(MetricsTest, Labels_beyond_the_limit_are_counted_together) {
  for (std::size_t i = 0; i < Metrics::kMaxChildren + 20; ++i)
    metrics.CountError("kind-" + std::to_string(i));
  metrics.CountError("kind-0");
  const std::string text = metrics.Expose();
  EXPECT_EQ(CountOf(text, "certpair_errors_total{"), Metrics::kMaxChildren + 1);
  EXPECT_EQ(ValueOf(text, R"(certpair_errors_total{kind="other"})"), "20");
  EXPECT_EQ(ValueOf(text, R"(certpair_errors_total{kind="kind-0"})"), "2");
}

TEST_F(MetricsTest, Seconds_to_expiry_are_those_of_the_scrape) {
  metrics.SetCertificates("idm", "abap", {clock.now + 100s, {}});
  const std::string series =
      R"(certpair_certificate_seconds_to_expiry{namespace="idm",name="abap"})";
  EXPECT_EQ(ValueOf(metrics.Expose(), series), "100");
  clock.now += 60s;
  EXPECT_EQ(ValueOf(metrics.Expose(), series), "40");
  clock.now += 60s;
  EXPECT_EQ(ValueOf(metrics.Expose(), series), "-20");
  metrics.SetCertificates("idm", "abap", {clock.now + 3600s, {}});
  EXPECT_EQ(ValueOf(metrics.Expose(), series), "3600");
  metrics.ForgetCertificates("idm", "abap");
  EXPECT_EQ(ValueOf(metrics.Expose(), series), "absent");
}

TEST_F(MetricsTest, Certificates_change_their_state_at_their_second) {
  metrics.SetCertificates("idm", "a", {clock.now + 10s, {}});
  metrics.SetCertificates("idm", "b", {clock.now + 10s, clock.now + 20s});
  metrics.SetCertificates("hr", "a", {clock.now + 30s, clock.now - 1s});
  const auto states = [&] {
    const std::string text = metrics.Expose();
    return ValueOf(text, R"(certpair_certificates{state="active"})") + " " +
           ValueOf(text, R"(certpair_certificates{state="inactive"})") + " " +
           ValueOf(text, R"(certpair_certificates{state="expired"})");
  };
  EXPECT_EQ(states(), "3 1 1");
  clock.now += 9s;
  EXPECT_EQ(states(), "3 1 1");
  clock.now += 1s;
  EXPECT_EQ(states(), "1 1 3");
  clock.now += 10s;
  EXPECT_EQ(states(), "1 0 4");
  metrics.ForgetCertificates("idm", "b");
  EXPECT_EQ(states(), "1 0 2");
}

TEST_F(MetricsTest, Forgetting_what_was_never_there_is_nothing) {
  metrics.ForgetCertificates("idm", "ghost");
  EXPECT_EQ(ValueOf(metrics.Expose(), R"(certpair_certificates{state="active"})"), "0");
}

TEST_F(MetricsTest, A_scrape_first_updates_the_gauges_without_events) {
  std::size_t depth = 3;
  metrics.BeforeScrape([&depth](Metrics& m) { m.SetQueueDepth("systems", depth++); });
  EXPECT_EQ(ValueOf(metrics.Expose(), R"(certpair_work_queue_depth{queue="systems"})"), "3");
  EXPECT_EQ(ValueOf(metrics.Expose(), R"(certpair_work_queue_depth{queue="systems"})"), "4");
}

TEST_F(MetricsTest, Counts_from_many_threads_are_all_there) {
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([this, t] {
        for (int i = 0; i < kEach; ++i) {
          metrics.CountApiRequest("get", "secrets", 200 + i % 3, 1ms);
          metrics.SetCertificates("idm", std::to_string(t * kEach + i), {clock.now + 1h, {}});
          if (i % 100 == 0) (void)metrics.Expose();
        }
      });
  }
  const std::string text = metrics.Expose();
  EXPECT_EQ(
      ValueOf(text,
              R"(certpair_api_request_duration_seconds_count{resource="secrets",verb="get"})"),
      std::to_string(kThreads * kEach));
  EXPECT_EQ(ValueOf(text, R"(certpair_certificates{state="active"})"),
            std::to_string(kThreads * kEach));
}

TEST_F(MetricsTest, Beyond_10000_systems_the_last_to_expire_have_no_series) {
  const std::size_t systems = Metrics::kMaxExpirySeries + 50;
  for (std::size_t i = 0; i < systems; ++i)
    metrics.SetCertificates("fleet", "system-" + std::to_string(i),
                            {clock.now + seconds{systems - i}, {}});
  const std::string text = metrics.Expose();
  EXPECT_EQ(CountOf(text, "certpair_certificate_seconds_to_expiry{"), Metrics::kMaxExpirySeries);
  EXPECT_EQ(ValueOf(text, "certpair_certificate_series_dropped"), "50");
  EXPECT_EQ(ValueOf(text, R"(certpair_certificates{state="active"})"), std::to_string(systems));
  EXPECT_THAT(text, Not(HasSubstr("\"system-49\"")));
  EXPECT_THAT(text, HasSubstr("\"system-50\""));
}

}  // namespace
}  // namespace certpair::metrics
