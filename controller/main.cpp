// The operator's main: who talks to whom, and in which order things start and stop.
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <iostream>
#include <malloc.h>
#include <memory>
#include <stop_token>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <variant>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "http/server.hpp"
#include "kube/client.hpp"
#include "kube/config.hpp"
#include "kube/events.hpp"
#include "kube/transport_cpprest.hpp"
#include "leadership.hpp"
#include "mail.hpp"
#include "metrics/check_ready.hpp"
#include "metrics/endpoints.hpp"
#include "metrics/registry.hpp"
#include "options.hpp"
#include "reconcile/operator.hpp"

namespace certpair::controller {
namespace {

// All from the signal on, so that the process is gone within five seconds whatever the API server
// does: then requests under way end, and with them the passes in hand; until a moment later Events
// that wait are written; then the Lease is freed (within a second, by the elector).
constexpr std::chrono::milliseconds kGrace{3500};
constexpr std::chrono::milliseconds kLastEvents{3700};

std::string OwnNamespace(const Options& options, const kube::Environment& environment,
                         const kube::ClusterConfig& config) {
  if (!options.namespace_.empty()) return options.namespace_;
  if (const auto pod = environment.variables.find("POD_NAMESPACE");
      pod != environment.variables.end())
    return pod->second;
  const bool in_cluster = config.description == "in-cluster";
  return in_cluster && !config.default_namespace.empty() ? config.default_namespace
                                                         : "certpair-system";
}

std::string HostName(const kube::Environment& environment) {
  if (const auto pod = environment.variables.find("POD_NAME"); pod != environment.variables.end())
    return pod->second;
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return std::string{host.data()};
}

// A core dump would hold keys.
void ForbidCoreDumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

using SteadyTime = std::chrono::steady_clock::time_point;

void WaitUntil(SteadyTime until, const std::stop_token& stop) {
  while (!stop.stop_requested() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
}

// Turns the first signal into the end of `mail`, then into `wish`, and `hard` after the grace, also
// where the mail takes longer; ends itself when `stop` is asked for.
void AwaitSignal(const std::stop_token& stop, const sigset_t& signals, Mail& mail,
                 kube::EventRecorder& events, std::stop_source& wish, std::stop_source& hard) {
  const timespec a_moment{0, 100'000'000};
  int signal = -1;
  while (signal < 0 && !stop.stop_requested()) signal = sigtimedwait(&signals, nullptr, &a_moment);
  if (signal < 0) return;
  log::Info("leaving", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  const SteadyTime left = std::chrono::steady_clock::now();
  events.EndBy(left + kLastEvents);
  const std::jthread limit{[&hard, left](const std::stop_token& over) {
    WaitUntil(left + kGrace, over);
    hard.request_stop();
  }};
  mail.Stop();
  wish.request_stop();
  WaitUntil(left + kGrace, stop);
}

int Fail(const std::string& message) {
  std::cerr << "certpair-controller: " << message << '\n';
  return 1;
}

int TellReadiness(const std::string& address) {
  const auto said = metrics::CheckReady(address);
  if (!said) return Fail(said.error().message);
  std::cout << *said;
  return 0;
}

int Run(const Options& options, const sigset_t& signals) {
  if (const auto timings = kube::Check(options.lease); options.leader_elect && !timings)
    return Fail(timings.error().message);
  const auto mail_settings = notify::CheckSettings(options.mail);
  if (!mail_settings) return Fail(mail_settings.error().message);
  const SystemClock clock;
  const kube::Environment environment = kube::EnvironmentOf(environ);
  auto config = kube::LoadConfig(environment, options.kubeconfig, options.context);
  if (!config) return Fail(config.error().message);
  const std::string server = config->server;
  const std::string own_namespace = OwnNamespace(options, environment, *config);
  auto transport = kube::MakeTransport(std::move(*config), clock);
  if (!transport) return Fail(transport.error().message);

  std::stop_source wish;
  std::stop_source hard;
  metrics::Metrics metrics{clock};
  const kube::Client client{*transport, clock, [&metrics](const kube::RequestRecord& record) {
                              metrics.CountApiRequest(record.verb, record.resource, record.code,
                                                      record.took);
                            }};
  kube::EventRecorder events{client, clock, "certpair-controller", HostName(environment)};
  events.Close();  // until a term begins
  Mail mail{*mail_settings, clock, metrics};
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  reconcile::Operator op{
      client,
      events,
      metrics,
      clock,
      {.caches = {.own_namespace = own_namespace, .watch_namespaces = options.watch_namespaces},
       .installation = {.regeneration_supported = options.regeneration_supported,
                        .secret_metadata_allow = options.secret_metadata_allow},
       .workers = options.workers,
       .key_threads = options.key_threads == 0 ? cores : options.key_threads,
       .postbox = mail.Postbox()},
      hard.get_token()};
  mail.BelongTo(op);
  metrics.BeforeScrape([&op, &mail](metrics::Metrics& m) {
    op.Measure(m);
    mail.Measure(m);
  });
  auto metrics_server = http::Server::Start(options.metrics_bind_address,
                                            http::ReadOnly(metrics::MetricsRoutes(metrics)));
  if (!metrics_server) return Fail("--metrics-bind-address: " + metrics_server.error().message);
  auto health_server =
      http::Server::Start(options.health_probe_bind_address,
                          http::ReadOnly(metrics::HealthRoutes([&op] { return op.WhyNotReady(); },
                                                               [&op] { return op.Notes(); })));
  if (!health_server) return Fail("--health-probe-bind-address: " + health_server.error().message);

  log::Info("certpair-controller " CERTPAIR_VERSION " starts",
            {{"server", server},
             {"namespace", own_namespace},
             {"mail", options.mail.server.empty() ? "off" : options.mail.server},
             {"metricsPort", std::to_string((*metrics_server)->Port())},
             {"healthPort", std::to_string((*health_server)->Port())}});
  std::jthread on_signal{
      [&](const std::stop_token& stop) { AwaitSignal(stop, signals, mail, events, wish, hard); }};
  op.Start();
  std::function<std::uint64_t()> present = [] { return std::uint64_t{1}; };
  const auto work = [&](const std::stop_token& term) {
    // What this term began, no later one of this process goes on with.
    const auto leads = [&present, ours = present()] { return ours != 0 && present() == ours; };
    op.WriteOnlyWhile(leads);
    mail.Begin(leads);
    events.Open(leads);
    op.Work(term);
    events.Close();  // while it leads: only after this is the Lease freed
    mail.End();
  };
  if (options.leader_elect) {
    WorkWhileLeading(
        client, clock,
        {.namespace_ = own_namespace,
         .name = "certpair-controller",
         .identity = kube::MakeIdentity(HostName(environment)),
         .timings = options.lease},
        [&](const kube::LeaderElector& elector) {
          present = [&elector] { return elector.Term(); };
        },
        [&](const std::stop_token& term) { work(term); }, wish.get_token());
  } else {
    work(wish.get_token());
  }
  log::Info("all passes are finished");
  return 0;
}

}  // namespace
}  // namespace certpair::controller

int main(int argc, char** argv) {
  namespace controller = certpair::controller;
  const auto parsed = controller::ParseOptions(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const auto& options = std::get<controller::Options>(parsed);
  if (!options.check_ready.empty()) return controller::TellReadiness(options.check_ready);
  const sigset_t signals = controller::BlockSignals();  // before any thread: each inherits the mask
  controller::ForbidCoreDumps();
  // Two dozen threads that mostly wait: an arena each would hold megabytes that nobody uses.
  mallopt(M_ARENA_MAX, 2);
  // A page of a list, or what /metrics answers, goes back to the system: else the threshold would
  // grow with them, and they would leave holes of megabytes among what caches keep.
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  certpair::log::Configure(options.log_level, options.log_format);
  certpair::kube::InitializeNetwork();
  return controller::Run(options, signals);
}
