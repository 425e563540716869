#include "metrics/registry.hpp"

#include <array>
#include <charconv>
#include <sstream>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/guarded.hpp"
#include "metrics/children.hpp"
#include "metrics/expiry.hpp"

namespace certpair::metrics {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

// From a read of memory to the ten seconds after which a request is given up.
const Histogram::BucketBoundaries& Buckets() {
  static const Histogram::BucketBoundaries bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                  0.25,  0.5,    1,     2.5,  5,     10};
  return bounds;
}

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

prometheus::Family<Counter>& Counters(prometheus::Registry& registry, const char* name,
                                      const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
prometheus::Family<Gauge>& Gauges(prometheus::Registry& registry, const char* name,
                                  const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
prometheus::Family<Histogram>& Histograms(prometheus::Registry& registry, const char* name,
                                          const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

}  // namespace

struct Metrics::State {
  explicit State(const Clock& the_clock) : clock(the_clock) {}

  const Clock& clock;
  prometheus::Registry registry;
  Children<Counter, 2> reconciles{
      Counters(registry, "certpair_reconciles_total", "Passes over objects, by result"),
      {"kind", "result"},
      kMaxChildren};
  Children<Histogram, 1> reconcile_time{
      Histograms(registry, "certpair_reconcile_duration_seconds", "Duration of a pass"),
      {"kind"},
      kMaxChildren};
  Children<Counter, 1> errors{
      Counters(registry, "certpair_errors_total", "Errors, by kind"), {"kind"}, kMaxChildren};
  Children<Gauge, 1> queue_depth{
      Gauges(registry, "certpair_work_queue_depth",
             "Entries that are due now, by queue: reconcile (passes) or mail"),
      {"queue"},
      kMaxChildren};
  Children<Counter, 3> requests{Counters(registry, "certpair_api_requests_total",
                                         "Requests to the API server; code 0: no answer"),
                                {"verb", "resource", "code"},
                                kMaxChildren};
  Children<Histogram, 2> request_time{Histograms(registry, "certpair_api_request_duration_seconds",
                                                 "Duration of a request to the API server"),
                                      {"verb", "resource"},
                                      kMaxChildren};
  Children<Counter, 1> watch_restarts{
      Counters(registry, "certpair_watch_restarts_total", "Watches that were started again"),
      {"resource"},
      kMaxChildren};
  Children<Gauge, 1> watch_stalled{
      Gauges(
          registry, "certpair_watch_stalled_seconds",
          "Seconds for which every list and watch of this resource has failed; 0 while one works"),
      {"resource"},
      kMaxChildren};
  Children<Gauge, 1> left_out{
      Gauges(registry, "certpair_objects_left_out",
             "Objects larger than 16 MiB, which are not read and not served; /readyz names them"),
      {"resource"},
      kMaxChildren};
  Children<Counter, 1> notifications{
      Counters(registry, "certpair_notifications_total",
               "Mails, by outcome: sent, refused, delayed (each time that the status reports it), "
               "given-up, dropped (left to the next leader)"),
      {"outcome"},
      kMaxChildren};
  Children<Counter, 1> issued{Counters(registry, "certpair_certificates_issued_total",
                                       "Certificates issued, by the change that asked for them"),
                              {"reason"},
                              kMaxChildren};
  Counter& events_dropped =
      Counters(registry, "certpair_events_dropped_total",
               "Events that were not written: too many, refused, or of an earlier term of leading")
          .Add({});
  Gauge& key_pool_waiting =
      Gauges(registry, "certpair_key_pool_waiting",
             "Systems that wait for an RSA key, including those for which the pool has no room yet")
          .Add({});
  prometheus::Family<Gauge>& last_mail =
      Gauges(registry, "certpair_notification_last_success_timestamp_seconds",
             "Time at which the mail server last accepted a mail");
  Gauge& leader =
      Gauges(registry, "certpair_leader", "1 at the replica that leads, 0 at those that wait")
          .Add({});
  Guarded<ExpiryTable> expiry{ExpiryTable{kMaxSystems, kMaxExpirySeries}};
  std::function<void(Metrics&)> refresh;
};

// A series that is born with its first count has no increase of it, and no alert sees that.
Metrics::Metrics(const Clock& clock) : state_(std::make_unique<State>(clock)) {
  for (const std::string_view outcome : kNotificationOutcomes) state_->notifications.At({outcome});
}
Metrics::~Metrics() = default;

void Metrics::CountReconcile(std::string_view kind, std::string_view result,
                             std::chrono::nanoseconds took) {
  state_->reconciles.At({kind, result}).Increment();
  state_->reconcile_time.At({kind}, Buckets()).Observe(Seconds(took));
}

void Metrics::CountError(std::string_view kind) { state_->errors.At({kind}).Increment(); }

void Metrics::ExpectErrors(std::span<const std::string_view> kinds) {
  for (const std::string_view kind : kinds) state_->errors.At({kind});
}

void Metrics::SetQueueDepth(std::string_view queue, std::size_t depth) {
  state_->queue_depth.At({queue}).Set(static_cast<double>(depth));
}

void Metrics::CountApiRequest(std::string_view verb, std::string_view resource, int code,
                              std::chrono::nanoseconds took) {
  std::array<char, 12> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), code).ptr;
  state_->requests.At({verb, resource, std::string_view{digits.data(), end}}).Increment();
  state_->request_time.At({verb, resource}, Buckets()).Observe(Seconds(took));
}

void Metrics::CountWatchRestarts(std::string_view resource, std::uint64_t restarts) {
  state_->watch_restarts.At({resource}).Increment(static_cast<double>(restarts));
}

void Metrics::SetWatchStalled(std::string_view resource, std::chrono::nanoseconds failed_for) {
  state_->watch_stalled.At({resource}).Set(Seconds(failed_for));
}

void Metrics::SetLeftOut(std::string_view resource, std::size_t objects) {
  state_->left_out.At({resource}).Set(static_cast<double>(objects));
}

void Metrics::CountEventsDropped(std::size_t events) {
  state_->events_dropped.Increment(static_cast<double>(events));
}

void Metrics::SetKeyPoolWaiting(std::size_t owners) {
  state_->key_pool_waiting.Set(static_cast<double>(owners));
}

void Metrics::SetLeader(bool works) { state_->leader.Set(works ? 1 : 0); }

void Metrics::SetLastMail(sys_seconds at) {
  state_->last_mail.Add({}).Set(static_cast<double>(at.time_since_epoch().count()));
}

void Metrics::CountNotification(std::string_view outcome) {
  state_->notifications.At({outcome}).Increment();
}
void Metrics::CountIssued(std::string_view reason) { state_->issued.At({reason}).Increment(); }

void Metrics::SetCertificates(std::string_view name_space, std::string_view name,
                              CertificateTimes times) {
  state_->expiry.Lock()->Set(name_space, name, times);
}

void Metrics::ForgetCertificates(std::string_view name_space, std::string_view name) {
  state_->expiry.Lock()->Forget(name_space, name);
}

void Metrics::BeforeScrape(std::function<void(Metrics&)> refresh) {
  state_->refresh = std::move(refresh);
}

std::string Metrics::Expose() {
  if (state_->refresh) state_->refresh(*this);
  std::ostringstream out;
  prometheus::TextSerializer{}.Serialize(out, state_->registry.Collect());
  std::string text = std::move(out).str();
  state_->expiry.Lock()->Write(state_->clock.NowSeconds(), text);
  return text;
}

}  // namespace certpair::metrics
