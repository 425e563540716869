// The operator's loop, with an API server that a test plays.
#include "reconcile/operator.hpp"

#include <gmock/gmock.h>

#include "support/manual_clock.hpp"
#include "unit/kube/fake_transport.hpp"

namespace certpair::reconcile {
namespace {

using kube::FakeTransport;
using testing::HasSubstr;

class OperatorLoop : public testing::Test {
 protected:
  test::ManualClock clock{sys_seconds{std::chrono::seconds{1'000'000}}};
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  kube::Client client{transport, clock};
  kube::EventRecorder events{client, clock, "certpair-controller", "test"};
  metrics::Metrics metrics{clock};
  std::stop_source hard;
  Operator op{client,
              events,
              metrics,
              clock,
              {.caches = {.own_namespace = "certpair-system", .watch_namespaces = {}},
               .installation = {},
               .workers = 2},
              hard.get_token()};
};

TEST_F(OperatorLoop, A_fresh_page_of_metrics_has_the_series_that_alerts_watch) {
  metrics.BeforeScrape([this](metrics::Metrics& m) { op.Measure(m); });
  const std::string text = metrics.Expose();
  for (const char* series :
       {R"(certpair_errors_total{kind="Conflict"} 0)", R"(certpair_errors_total{kind="Signing"} 0)",
        R"(certpair_watch_restarts_total{resource="provisioningsystems"} 0)",
        R"(certpair_notifications_total{outcome="refused"} 0)",
        R"(certpair_notifications_total{outcome="given-up"} 0)"})
    EXPECT_THAT(text, HasSubstr(series));
}

}  // namespace
}  // namespace certpair::reconcile
