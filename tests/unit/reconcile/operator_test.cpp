// The operator's loop, with an API server that a test plays.
#include "reconcile/operator.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>

#include "support/manual_clock.hpp"
#include "unit/kube/fake_transport.hpp"

namespace certpair::reconcile {
namespace {

using kube::FakeTransport;
using testing::HasSubstr;

using Json = nlohmann::json;

Json List(const Json& items) {
  return {{"kind", "List"}, {"metadata", {{"resourceVersion", "1"}}}, {"items", items}};
}

// Nothing is there but what a test sets, and every object is answered 404.
class Api {
 public:
  explicit Api(FakeTransport& transport) {
    transport.send = [this](const kube::HttpRequest& request, const std::stop_token&) {
      return AnswerTo(request);
    };
  }
  void Set(const std::string& kind, const Json& item) {
    const std::lock_guard lock{mutex_};
    lists_[kind].push_back(item);
  }
  void ForgetRequests() {
    const std::lock_guard lock{mutex_};
    requests_.clear();
  }
  bool AwaitRequest(const std::string& method, const std::string& part) {
    std::unique_lock lock{mutex_};
    return came_.wait_for(lock, std::chrono::seconds{30}, [&] {
      return std::ranges::any_of(requests_, [&](const auto& r) {
        return r.method == method && r.path.find(part) != std::string::npos;
      });
    });
  }

 private:
  kube::ApiResult<kube::HttpResponse> AnswerTo(const kube::HttpRequest& request) {
    const std::lock_guard lock{mutex_};
    requests_.push_back(request);
    came_.notify_all();
    const std::string path = request.path.substr(0, request.path.find('?'));
    if (request.method == "PATCH") return kube::Answer(200, Json::parse(request.body));
    if (request.path.find("limit=") == std::string::npos)
      return kube::Answer(404, {{"kind", "Status"},
                                {"code", 404},
                                {"reason", "NotFound"},
                                {"details", {{"name", "it"}, {"kind", "things"}}}});
    const auto found = lists_.find(path.substr(path.rfind('/') + 1));
    return kube::Answer(200, List(found == lists_.end() ? Json::array() : found->second));
  }
  std::mutex mutex_;
  std::condition_variable came_;
  std::map<std::string, Json> lists_;
  std::vector<kube::HttpRequest> requests_;
};

class OperatorLoop : public testing::Test {
 protected:
  void SetUp() override {
    api.Set("provisioningsystems",
            {{"metadata",
              {{"name", "abap"}, {"namespace", "idm"}, {"resourceVersion", "1"}, {"uid", "u"}}}});
    // From long ago: it is failed as soon as somebody looks at it.
    api.Set("certificateoperations",
            {{"metadata",
              {{"name", "wish"},
               {"namespace", "idm"},
               {"resourceVersion", "1"},
               {"uid", "o"},
               {"creationTimestamp", "1970-01-01T00:00:00Z"}}},
             {"spec", {{"systemRef", {{"name", "never-made"}}}, {"action", "Generate"}}}});
  }
  // Every kind is listed.
  bool AwaitReady() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (op.WhyNotReady() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return !op.WhyNotReady();
  }
  double Depth() {
    op.Measure(metrics);
    const std::string text = metrics.Expose();
    const std::string series = "certpair_work_queue_depth{queue=\"reconcile\"} ";
    return std::stod(text.substr(text.find(series) + series.size()));
  }
  test::ManualClock clock{sys_seconds{std::chrono::seconds{1'000'000}}};
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  Api api{*transport};
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

TEST_F(OperatorLoop, A_standby_has_no_work_waiting_and_forgets_none_when_it_leads) {
  op.Start();
  ASSERT_TRUE(AwaitReady());
  EXPECT_EQ(Depth(), 0);
  for (int term = 0; term < 2; ++term) {
    std::jthread leading{[this](const std::stop_token& stop) { op.Work(stop); }};
    // The operation has no system: only a telling of all brings it to a pass.
    EXPECT_TRUE(api.AwaitRequest("PATCH", "/certificateoperations/wish/status"));
    EXPECT_TRUE(api.AwaitRequest("PATCH", "/provisioningsystems/abap/status"));
    leading.request_stop();
    leading.join();
    clock.Advance(std::chrono::hours{48});
    EXPECT_EQ(Depth(), 0);
    api.ForgetRequests();
  }
}

}  // namespace
}  // namespace certpair::reconcile
