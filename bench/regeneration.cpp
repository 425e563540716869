#include "regeneration.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>
#include <vector>

#include "base/time_format.hpp"
#include "measuring.hpp"
#include "objects.hpp"
#include "reconcile/names.hpp"

namespace certpair::bench {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

const kube::Resource kEvents{"", "v1", "events", true};

void CreateShortLived(const kube::Client& client, const Setup& setup, const std::string& prefix,
                      int count, const std::string& validity, const std::string& before) {
  InParallel(setup.workers, count, [&](int i) {
    const std::string name = prefix + "-" + std::to_string(i);
    Must(client.Create(reconcile::kSystems, kNamespace, ShortLived(name, validity, before), {},
                       kube::Shape::MetadataOnly),
         "create " + name);
  });
}

bool Issued(const Samples& s, const std::string& verb, double wanted) {
  return Count(s, verb, "secrets") >= wanted && Count(s, "PATCH", "provisioningsystems") >= wanted;
}

json NewestEvent(const kube::Client& client, const std::string& system) {
  json event;
  const kube::ListOptions options{.namespace_ = kNamespace,
                                  .field_selector = "involvedObject.name=" + system};
  Must(client.List(kEvents, options, [&](json& item) { event = item; }), "read an Event");
  event["apiVersion"] = "v1";
  event["kind"] = "Event";
  return event;
}

sys_seconds TimeIn(const json& certificate, const char* field) {
  return ParseTime(certificate.at(field).get<std::string>()).value_or(sys_seconds{});
}

// {when the active one was made, when the one before it ends}; nothing where there is no second.
struct Renewal {
  sys_seconds made;
  sys_seconds end_before;
};
std::vector<Renewal> Renewals(const kube::Client& client, const std::string& prefix) {
  std::vector<Renewal> renewals;
  kube::ListOptions options{.namespace_ = kNamespace};
  do {
    const auto page =
        Must(client.List(reconcile::kSystems, options,
                         [&](json& item) {
                           const json none = json::array();
                           const json& pair =
                               item.value("status", json::object()).value("certificates", none);
                           const std::string name = item.at("metadata").at("name");
                           if (!name.starts_with(prefix + "-") || pair.size() != 2) return;
                           // R22: it begins five minutes before it is made.
                           renewals.push_back({TimeIn(pair.at(0), "notBefore") + 5min,
                                               TimeIn(pair.at(1), "notAfter")});
                         }),
             "list the systems");
    options.continue_token = page.continue_token;
  } while (!options.continue_token.empty());
  return renewals;
}

}  // namespace

OverdueResult MeasureOverdue(const kube::Client& client, const Setup& setup,
                             const std::string& prefix, int count) {
  CreateShortLived(client, setup, prefix, count, "2m", "1m");
  const double wanted = count;
  {
    const Controller controller{setup};
    static_cast<void>(
        controller.Await([&](const Samples& s) { return Issued(s, "CREATE", wanted); }));
  }
  std::this_thread::sleep_for(80s);  // a minute, and the quarter of it over which they spread
  OverdueResult result;
  const Controller controller{setup};
  static_cast<void>(
      controller.Await([](const Samples& s) { return Count(s, "PATCH", "secrets") > 0; }));
  const auto start = Steady::now();
  const double before = Count(Scrape(controller.metrics_port), "PATCH", "secrets");
  const Samples last = controller.Await([&](const Samples& s) {
    return Issued(s, "PATCH", wanted) && Count(s, "CREATE", "events") >= wanted;
  });
  result.seconds = Since(start);
  result.systems_per_second = (wanted - before) / result.seconds;
  result.writes_per_system = CountRequests(last).writes / wanted;
  result.cpu_ms_per_system = controller.process.Used().cpu_seconds * 1000 / wanted;
  result.complete = Issued(last, "PATCH", wanted);
  return result;
}

double MeasureBareRegenerations(const kube::Client& client, const Setup& setup,
                                const std::string& prefix, int count) {
  const std::string like = prefix + "-0";
  const auto secret = Must(client.Get(reconcile::kSecrets, kNamespace, like + "-outbound"), "read");
  const auto system = Must(client.Get(reconcile::kSystems, kNamespace, like), "read");
  const json event = NewestEvent(client, like);
  std::vector<BareWrites> bare;
  bare.reserve(static_cast<std::size_t>(count));
  for (int i = 1; i <= count; ++i)
    bare.push_back(CopyFor(prefix + "-" + std::to_string(i), secret, system, event));
  const json change{{"metadata", {{"annotations", secret.at("metadata").at("annotations")}}},
                    {"data", secret.at("data")}};
  const auto start = Steady::now();
  InParallel(setup.workers, count, [&](int i) {
    const BareWrites& writes = bare[static_cast<std::size_t>(i)];
    const std::string name = prefix + "-" + std::to_string(i + 1);
    Must(client.MergePatch(reconcile::kSecrets, kNamespace, name + "-outbound", "", change, {},
                           kube::Shape::MetadataOnly),
         "PATCH Secret");
    Must(client.MergePatch(reconcile::kSystems, kNamespace, name, "status", writes.status_patch, {},
                           kube::Shape::MetadataOnly),
         "PATCH status");
    Must(client.Create(kEvents, kNamespace, writes.event, {}, kube::Shape::MetadataOnly),
         "POST Event");
  });
  return count / Since(start);
}

SpreadResult MeasureSpread(const kube::Client& client, const Setup& setup,
                           const std::string& prefix, int count) {
  CreateShortLived(client, setup, prefix, count, "4m", "2m");
  const double wanted = count;
  const Controller controller{setup};
  const Samples last = controller.Await([&](const Samples& s) {
    return Issued(s, "PATCH", wanted) && Count(s, "PATCH", "provisioningsystems") >= 2 * wanted;
  });
  SpreadResult result;
  const std::vector<Renewal> renewals = Renewals(client, prefix);
  result.complete = renewals.size() == static_cast<std::size_t>(count);
  if (renewals.empty()) return result;
  std::map<sys_seconds, int> per_second;
  for (const Renewal& renewal : renewals) {
    ++per_second[renewal.made];
    if (renewal.made < renewal.end_before - 2min) ++result.early;
    if (renewal.made > renewal.end_before - 1min) ++result.late;
  }
  result.span =
      static_cast<double>((per_second.rbegin()->first - per_second.begin()->first).count());
  const auto busiest =
      std::ranges::max_element(per_second, {}, [](const auto& second) { return second.second; });
  result.busiest = busiest->second / wanted;
  result.twice = static_cast<int>(
      std::lround(Sum(last, "certpair_certificates_issued_total", {"regenerate"}) - wanted));
  return result;
}

}  // namespace certpair::bench
