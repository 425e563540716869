#include "phases.hpp"

#include <atomic>
#include <chrono>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "measuring.hpp"
#include "objects.hpp"
#include "reconcile/names.hpp"
#include "x509/key.hpp"

namespace certpair::bench {

using namespace std::chrono_literals;
void CreateSystems(const kube::Client& client, const Setup& setup, const std::string& prefix,
                   int count, const std::string& algorithm, int size) {
  InParallel(setup.workers, count, [&](int i) {
    const std::string name = prefix + "-" + std::to_string(i);
    Must(client.Create(reconcile::kSystems, kNamespace, System(name, algorithm, size), {},
                       kube::Shape::MetadataOnly),
         "create " + name);
  });
}

namespace {

// Beyond their queue's limit Events are dropped rather than waited for.
double EventsDropped(const Samples& samples) {
  return Sum(samples, "certpair_events_dropped_total");
}

}  // namespace

FleetResult MeasureFleet(const Setup& setup, int count) {
  FleetResult result;
  const Controller controller{setup};
  const double wanted = count;
  static_cast<void>(
      controller.Await([](const Samples& s) { return Count(s, "CREATE", "secrets") > 0; }, 20ms));
  const auto start = Steady::now();
  const Samples first = Scrape(controller.metrics_port);
  const double before = Count(first, "CREATE", "secrets");
  const Samples last = controller.Await([&](const Samples& s) {
    return Count(s, "CREATE", "secrets") >= wanted &&
           Count(s, "PATCH", "provisioningsystems") >= wanted &&
           Count(s, "CREATE", "events") + EventsDropped(s) >= wanted;
  });
  result.seconds = Since(start);
  const Usage usage = controller.process.Used();
  const Requests requests = CountRequests(last);
  result.systems_per_second = (wanted - before) / result.seconds;
  result.cpu_ms_per_system = usage.cpu_seconds * 1000 / wanted;
  result.peak_mib = usage.peak_mib;
  result.writes_per_system = requests.writes / wanted;
  result.reads_per_system = (requests.secret_reads + requests.other_reads) / wanted;
  result.events_dropped = EventsDropped(last);
  result.complete = Sum(last, "certpair_certificates", {"state=\"active\""}) >= 1 &&
                    Count(last, "CREATE", "secrets") >= wanted;
  return result;
}

double MeasureBareWrites(const kube::Client& client, const Setup& setup, const std::string& prefix,
                         int count, const std::string& like) {
  const auto secret =
      Must(client.Get(reconcile::kSecrets, kNamespace, like + "-outbound"), "read a Secret");
  const auto system = Must(client.Get(reconcile::kSystems, kNamespace, like), "read a system");
  const kube::Resource events{"", "v1", "events", true};
  nlohmann::json event;
  kube::ListOptions options{.namespace_ = kNamespace,
                            .field_selector = "involvedObject.name=" + like};
  Must(client.List(events, options, [&](nlohmann::json& item) { event = item; }), "read an Event");
  event["apiVersion"] = "v1";
  event["kind"] = "Event";
  std::vector<BareWrites> bare;
  bare.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    bare.push_back(CopyFor(prefix + "-" + std::to_string(i), secret, system, event));
  const auto start = Steady::now();
  InParallel(setup.workers, count, [&](int i) {
    const BareWrites& writes = bare[static_cast<std::size_t>(i)];
    const std::string name = prefix + "-" + std::to_string(i);
    Must(client.Create(reconcile::kSecrets, kNamespace, writes.secret, {},
                       kube::Shape::MetadataOnly),
         "POST Secret");
    Must(client.MergePatch(reconcile::kSystems, kNamespace, name, "status", writes.status_patch, {},
                           kube::Shape::MetadataOnly),
         "PATCH status");
    Must(client.Create(events, kNamespace, writes.event, {}, kube::Shape::MetadataOnly),
         "POST Event");
  });
  return count / Since(start);
}

void RemoveSystems(const kube::Client& client, const Setup& setup, const std::string& prefix,
                   int count) {
  InParallel(setup.workers, count, [&](int i) {
    const std::string name = prefix + "-" + std::to_string(i);
    for (const auto& gone :
         {client.Delete(reconcile::kSystems, kNamespace, name, {}),
          client.Delete(reconcile::kSecrets, kNamespace, name + "-outbound", {})})
      if (!gone && gone.error().kind != kube::ApiErrorKind::NotFound)
        throw std::runtime_error("delete " + name + ": " + gone.error().message);
  });
}

RestartResult MeasureRestart(const Setup& setup, int count) {
  RestartResult result;
  const auto start = Steady::now();
  const Controller controller{setup};
  const auto in_sync = [&](const Samples& s) {
    return Sum(s, "certpair_reconciles_total", {"kind=\"ProvisioningSystem\""}) >= count &&
           Sum(s, "certpair_work_queue_depth") <= 0;
  };
  static_cast<void>(controller.Await(in_sync, 50ms));
  result.seconds = Since(start);
  std::this_thread::sleep_for(2s);  // what came late would be counted too
  const Samples last = Scrape(controller.metrics_port);
  const Requests requests = CountRequests(last);
  result.writes = requests.writes;
  result.secret_reads = requests.secret_reads;
  result.other_reads = requests.other_reads;
  result.lists = requests.lists;
  result.peak_mib = controller.process.Used().peak_mib;
  result.complete = in_sync(last);
  return result;
}

double MeasureKeys(int size, int seconds) {
  const auto start = Steady::now();
  std::atomic<int> made = 0;
  {
    std::vector<std::jthread> pool;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
      pool.emplace_back([&] {
        // As nice as the operator's own threads for keys: what else runs takes as much from both.
        setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10);
        while (Since(start) < seconds)
          if (x509::GenerateKey({.algorithm = core::KeyAlgorithm::Rsa, .size = size})) ++made;
      });
  }
  return made / Since(start);
}

}  // namespace certpair::bench
