#include "neighbour.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "core/schedule.hpp"
#include "measuring.hpp"
#include "objects.hpp"
#include "reconcile/names.hpp"

namespace certpair::bench {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr int kAlone = 30;
constexpr auto kLife = 2min;  // of certificates that are renewed
constexpr auto kBefore = 100s;

json InQuietNamespace(json object) {
  object["metadata"]["namespace"] = kQuietNamespace;
  return object;
}

json Operation(const std::string& namespace_, const std::string& name, const std::string& system,
               const std::string& action, const std::string& fingerprint) {
  json spec{{"systemRef", {{"name", system}}}, {"action", action}};
  if (!fingerprint.empty()) spec["fingerprint"] = fingerprint;
  return {{"apiVersion", "certpair.dev/v1"},
          {"kind", "CertificateOperation"},
          {"metadata", {{"name", name}, {"namespace", namespace_}}},
          {"spec", std::move(spec)}};
}

void Remove(const kube::Client& client, const kube::Resource& resource,
            const std::string& namespace_, const std::string& name) {
  const auto gone = client.Delete(resource, namespace_, name, {});
  if (!gone && gone.error().kind != kube::ApiErrorKind::NotFound)
    throw std::runtime_error("delete " + name + ": " + gone.error().message);
}

void RemoveQuiet(const kube::Client& client, const std::string& system) {
  Remove(client, reconcile::kSystems, kQuietNamespace, system);
  Remove(client, reconcile::kSecrets, kQuietNamespace, system + "-outbound");
}

// The certificates of a system's status, the active one first.
json CertificatesOf(const kube::Client& client, const std::string& system) {
  const json object = Must(client.Get(reconcile::kSystems, kQuietNamespace, system), "read");
  return object.value("status", json::object()).value("certificates", json::array());
}

// One system, whose two certificates are activated by turns.
class QuietSystem {
 public:
  explicit QuietSystem(const kube::Client& client) : client_(client) {
    Must(client_.Create(reconcile::kSystems, kQuietNamespace,
                        InQuietNamespace(System(kName, "ECDSA", 256))),
         "create the quiet system");
  }
  // Milliseconds that one operation takes.
  [[nodiscard]] double ActivateOther() {
    const json pair = CertificatesOf(client_, kName);
    if (pair.size() < 2) {
      RunOperation("Generate", "");
      return ActivateOther();
    }
    return RunOperation("Activate", pair.at(1).at("fingerprint").get<std::string>());
  }

  void Clear() const {
    for (int i = 1; i <= operations_; ++i)
      Remove(client_, reconcile::kOperations, kQuietNamespace, fmt::format("quiet-{}", i));
    RemoveQuiet(client_, kName);
  }

 private:
  double RunOperation(const std::string& action, const std::string& fingerprint) {
    const std::string name = fmt::format("quiet-{}", ++operations_);
    const auto start = Steady::now();
    Must(client_.Create(reconcile::kOperations, kQuietNamespace,
                        Operation(kQuietNamespace, name, kName, action, fingerprint)),
         "create an operation");
    while (Since(start) < 120) {
      const json object = Must(client_.Get(reconcile::kOperations, kQuietNamespace, name), "read");
      if (object.value("status", json::object()).contains("completionTime"))
        return Since(start) * 1000;
      std::this_thread::sleep_for(5ms);
    }
    throw std::runtime_error("an operation of the quiet namespace did not end");
  }
  static constexpr const char* kName = "quiet";
  const kube::Client& client_;
  int operations_ = 0;
};

double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double Settled(const Samples& samples) { return Count(samples, "PATCH", "certificateoperations"); }

// Those of the quiet system, from the first that the other namespace's operations get done to the
// last.
std::vector<double> DelaysBeside(const Setup& setup, QuietSystem& quiet, int operations,
                                 DelayResult& result) {
  const Controller controller{setup};
  static_cast<void>(controller.Await([](const Samples& s) { return Settled(s) > 0; }, 20ms));
  std::vector<double> beside;
  const auto start = Steady::now();
  std::atomic<bool> over = false;
  {
    const std::jthread loud{[&] {
      const Samples last =
          controller.Await([&](const Samples& s) { return Settled(s) >= operations; }, 500ms);
      result.seconds = Since(start);
      result.complete = Settled(last) >= operations;
      over = true;
    }};
    // The last of them may end after the others.
    while (!over) beside.push_back(quiet.ActivateOther());
  }
  return beside;
}

}  // namespace

DelayResult MeasureDelay(const kube::Client& client, const Setup& setup, int systems,
                         int operations) {
  DelayResult result;
  CreateSystems(client, setup, "loud", systems, "ECDSA", 256);
  QuietSystem quiet{client};
  std::vector<double> alone;
  {
    const Controller controller{setup};
    static_cast<void>(controller.Await([&](const Samples& s) {
      return Count(s, "CREATE", "secrets") > systems &&
             Count(s, "PATCH", "provisioningsystems") > systems &&
             Count(s, "CREATE", "events") > systems;
    }));
    for (int i = 0; i < kAlone; ++i) alone.push_back(quiet.ActivateOther());
  }
  // Each is refused, which costs its status and an Event.
  InParallel(setup.workers, operations, [&](int i) {
    const std::string name = fmt::format("loud-{}", i);
    Must(client.Create(reconcile::kOperations, kNamespace,
                       Operation(kNamespace, name, fmt::format("loud-{}", i % systems), "Activate",
                                 std::string(64, 'A')),
                       {}, kube::Shape::MetadataOnly),
         "create " + name);
  });
  std::vector<double> beside = DelaysBeside(setup, quiet, operations, result);
  InParallel(setup.workers, operations, [&](int i) {
    Remove(client, reconcile::kOperations, kNamespace, fmt::format("loud-{}", i));
  });
  RemoveSystems(client, setup, "loud", systems);
  quiet.Clear();
  result.samples = static_cast<int>(beside.size());
  result.worst_alone_ms = std::ranges::max(alone);
  result.worst_beside_ms = std::ranges::max(beside);
  result.alone_ms = MedianOf(std::move(alone));
  result.beside_ms = MedianOf(std::move(beside));
  return result;
}

RivalResult MeasureRivals(const kube::Client& client, const Setup& setup, int rivals) {
  RivalResult result;
  const auto short_lived = [](const std::string& name) {
    json system = ShortLived(name, "2m", "100s");
    system["spec"]["certificate"]["key"] = {{"algorithm", "RSA"}, {"size", 4096}};
    return system;
  };
  const json system = Must(
      client.Create(reconcile::kSystems, kQuietNamespace, InQuietNamespace(short_lived("renewed"))),
      "create");
  const SystemClock clock;
  auto controller = std::make_unique<Controller>(setup);
  json first;
  while (first.is_null()) {
    const json pair = CertificatesOf(client, "renewed");
    if (!pair.empty()) first = pair.at(0);
    std::this_thread::sleep_for(100ms);
  }
  InParallel(setup.workers, rivals, [&](int i) {
    Must(client.Create(reconcile::kSystems, kNamespace, short_lived(fmt::format("rival-{}", i)), {},
                       kube::Shape::MetadataOnly),
         "create");
  });
  const auto time = [](const json& certificate, const char* field) {
    return ParseTime(certificate.at(field).get<std::string>()).value_or(sys_seconds{});
  };
  const sys_seconds end = time(first, "notAfter");
  sys_seconds made = end + 60s;  // nothing is waited for beyond
  while (clock.NowSeconds() < made) {
    const json active = CertificatesOf(client, "renewed").at(0);
    if (active.at("fingerprint") != first.at("fingerprint"))
      made = std::min(made, time(active, "notAfter") - kLife);
    std::this_thread::sleep_for(200ms);
  }
  result.left_seconds = static_cast<double>((end - made).count());
  const auto due = end - kBefore +
                   core::StartOffset(system.at("metadata").at("uid").get<std::string>(), kBefore);
  result.waited_seconds = static_cast<double>((made - due).count());
  result.rivals_keys = Sum(Scrape(controller->metrics_port), "certpair_certificates_issued_total");
  controller.reset();
  RemoveSystems(client, setup, "rival", rivals);
  RemoveQuiet(client, "renewed");
  return result;
}

}  // namespace certpair::bench
