#include "reconcile/operator.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <utility>

#include "base/log.hpp"
#include "reconcile/names.hpp"
#include "reconcile/scheduling.hpp"

namespace certpair::reconcile {
namespace {

// Keys of the work queue: which kind, then the object's own key.
constexpr std::string_view kSystemPrefix = "system:";
constexpr std::string_view kAuthorityPrefix = "authority:";
constexpr std::chrono::hours kCheckInDepthEvery{24};

// One namespace has half of the workers at most, so that the other half is there for all others
// however slow its requests are; and the same, but for one more, is what all namespaces together
// have for what can wait.
kube::WorkLimits LimitsOf(std::size_t workers) {
  const std::size_t half = std::max<std::size_t>(1, workers / 2);
  return {.others = std::clamp<std::size_t>(half + 1, 1, std::max<std::size_t>(1, workers - 1)),
          .of_group = half};
}

// What a pass fails by: `error_kind` of PassResult.
void ExpectErrors(metrics::Metrics& metrics) {
  using Kind = kube::ApiErrorKind;
  std::vector<std::string_view> kinds{"Signing", "Key", "Unstable"};
  for (const Kind kind : {Kind::Conflict, Kind::AlreadyExists, Kind::NotFound, Kind::NoSuchResource,
                          Kind::Gone, Kind::Unauthorized, Kind::Forbidden, Kind::QuotaExceeded,
                          Kind::Invalid, Kind::Throttled, Kind::Server, Kind::Timeout,
                          Kind::Transport, Kind::TooLarge, Kind::Protocol, Kind::Cancelled})
    kinds.push_back(kube::ToString(kind));
  metrics.ExpectErrors(kinds);
}

std::string_view ResultName(PassResult::Kind kind) {
  switch (kind) {
    case PassResult::Kind::Settled:
      return "settled";
    case PassResult::Kind::Waiting:
      return "waiting";
    case PassResult::Kind::Gone:
      return "gone";
    case PassResult::Kind::Failed:
      break;
  }
  return "failed";
}

void ObserveExpiry(metrics::Metrics& metrics, const std::string& key, const StoredSystem* system) {
  const std::size_t slash = key.find('/');
  const std::string_view namespace_ = std::string_view{key}.substr(0, slash);
  const std::string_view name = std::string_view{key}.substr(slash + 1);
  if (system == nullptr || !system->status.active)
    return metrics.ForgetCertificates(namespace_, name);
  metrics::CertificateTimes times{.active_not_after = system->status.active->not_after,
                                  .inactive_not_after = {}};
  if (system->status.inactive) times.inactive_not_after = system->status.inactive->not_after;
  metrics.SetCertificates(namespace_, name, times);
}

// A kind is as bad as the worst of its watched namespaces.
void MeasureUnseen(metrics::Metrics& metrics, const std::vector<CacheState>& states,
                   std::chrono::steady_clock::time_point now) {
  struct Unseen {
    std::chrono::nanoseconds stalled{};
    std::size_t left_out = 0;
  };
  std::map<std::string_view, Unseen> kinds;
  for (const auto& [resource, namespace_, state] : states) {
    Unseen& kind = kinds[resource];
    kind.left_out += state.left_out.size();
    if (state.failing_since) kind.stalled = std::max(kind.stalled, now - *state.failing_since);
  }
  for (const auto& [resource, kind] : kinds) {
    metrics.SetWatchStalled(resource, kind.stalled);
    metrics.SetLeftOut(resource, kind.left_out);
  }
}

}  // namespace

Operator::Operator(const kube::Client& client, kube::EventRecorder& events,
                   metrics::Metrics& metrics, const Clock& clock, OperatorSettings settings,
                   std::stop_token hard_stop)
    : events_(events),
      metrics_(metrics),
      clock_(clock),
      settings_(std::move(settings)),
      queue_(clock, kube::WorkQueue::kRecheck, LimitsOf(settings_.workers),
             [](const std::string& key) { return NamespaceOf(key); }),
      cluster_(client, events, std::move(hard_stop)),
      caches_(client, clock, settings_.caches, Listen()),
      signing_(caches_, cluster_, clock, settings_.caches.own_namespace, settings_.key_threads,
               [this](const std::string& owner) {
                 queue_.Add(owner.starts_with(kAuthorityPrefix)
                                ? owner
                                : std::string{kSystemPrefix} + owner,
                            kube::Urgency::First);
               }),
      authorities_(caches_, cluster_, signing_, clock, settings_.caches.own_namespace),
      systems_(caches_, cluster_, signing_, clock, settings_.installation,
               {.issued = [this](std::string_view reason) { metrics_.CountIssued(reason); },
                .notified =
                    [this](core::NoticeOutcome::Kind outcome) {
                      metrics_.CountNotification(core::ToString(outcome));
                    }},
               kCheckInDepthEvery, settings_.postbox) {
  ExpectErrors(metrics_);
  queue_.Close();  // until a term begins
}

void Operator::WakeSystem(const std::string& system_key, kube::Urgency urgency) {
  queue_.Add(std::string{kSystemPrefix} + system_key, urgency);
}

CacheListeners Operator::Listen() {
  return {.system =
              [this](const std::string& key, const std::string& version, kube::Urgency urgency) {
                if (version.empty() || !systems_.IsEcho(key, version))
                  queue_.Add(std::string{kSystemPrefix} + key, urgency);
              },
          .authority =
              [this](const std::string& name) {
                queue_.Add(std::string{kAuthorityPrefix} + name, kube::Urgency::First);
              },
          .observe = [this](const std::string& key,
                            const StoredSystem* system) { ObserveExpiry(metrics_, key, system); }};
}

void Operator::Work(const std::stop_token& stop) {
  if (!caches_.WaitForSync(stop)) return;
  for (const std::string& why : LeftAside())
    log::Warn("a watched namespace is not served", {{"reason", why}});
  log::Info("working", {{"systems", std::to_string(caches_.SystemCount())},
                        {"workers", std::to_string(settings_.workers)}});
  systems_.ForgetAll();  // another may have written since
  // In this order: what changes before the queue is open is in the stores when all is told.
  queue_.Open();
  caches_.TellAll();
  working_ = true;
  {
    std::vector<std::jthread> workers;
    workers.reserve(settings_.workers);
    for (std::size_t i = 0; i < settings_.workers; ++i)
      workers.emplace_back([this, stop] { WorkerLoop(stop); });
  }
  working_ = false;
  signing_.ForgetKeys();  // another leader makes its own
  queue_.Close();
}

void Operator::WorkerLoop(const std::stop_token& stop) {
  while (const auto key = queue_.Take(stop)) {
    PassOver(*key);
    queue_.Done(*key);
  }
}

void Operator::PassOver(const std::string& key) {
  const auto started = clock_.Steady();
  const bool is_system = key.starts_with(kSystemPrefix);
  const std::string name = key.substr((is_system ? kSystemPrefix : kAuthorityPrefix).size());
  const PassResult result = is_system ? systems_.Pass(name) : authorities_.Pass(key, name);
  const std::string_view kind = is_system ? "ProvisioningSystem" : "CertificateAuthority";
  metrics_.CountReconcile(kind, ResultName(result.kind), clock_.Steady() - started);
  if (result.kind == PassResult::Kind::Failed) {
    metrics_.CountError(result.error_kind);
    log::Warn("a pass failed; it will be tried again",
              {{"kind", std::string{kind}}, {"name", name}, {"error", result.error}});
  }
  Schedule(queue_, key, result);
}

std::optional<std::string> Operator::WhyNotReady() const {
  std::string awaited = caches_.Sync().awaited;
  if (awaited.empty()) return std::nullopt;
  return awaited;
}

std::vector<std::string> Operator::Notes() const {
  SyncState sync = caches_.Sync();
  std::ranges::move(sync.unseen, std::back_inserter(sync.left_aside));
  return std::move(sync.left_aside);
}

void Operator::Measure(metrics::Metrics& metrics) {
  metrics.SetQueueDepth("reconcile", queue_.Depth());
  const std::uint64_t dropped = events_.Dropped();
  metrics.CountEventsDropped(dropped - std::exchange(dropped_told_, dropped));
  metrics.SetKeyPoolWaiting(signing_.KeysWaiting());
  metrics.SetLeader(working_);
  const auto states = caches_.States();
  restarts_told_.resize(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::uint64_t restarts = states[i].state.watch_restarts;
    metrics.CountWatchRestarts(states[i].resource,
                               restarts - std::exchange(restarts_told_[i], restarts));
  }
  MeasureUnseen(metrics, states, clock_.Steady());
}

}  // namespace certpair::reconcile
