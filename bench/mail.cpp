#include "mail.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "measuring.hpp"
#include "notify/smtp_mailer.hpp"
#include "objects.hpp"
#include "reconcile/names.hpp"
#include "support/child.hpp"
#include "support/tls_identity.hpp"

namespace certpair::bench {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr int kBeside = 40;  // systems that are renewed meanwhile
constexpr int kProbes = 1500;
constexpr int kCrossing = 1500;  // systems that do for what is compared with

std::string NameOf(const std::string& prefix, int i) { return prefix + "-" + std::to_string(i); }

// aiosmtpd, as the tests have it.
class MailServer {
 public:
  explicit MailServer(const std::string& script) : script_(script) {
    test::TlsAuthority authority("mail CA");
    const test::TlsIdentity identity = authority.Issue({.ends = 24h});
    Write("ca.crt", authority.Certificate());
    Write("server.crt", identity.certificate);
    Write("server.key", identity.key);
    Write("credentials", "bench:open sesame\n");
    Write("behaviour", R"({"user": "bench", "password": "open sesame", "keep": "raw"})");
    child_ = std::make_unique<test::Child>(
        std::vector<std::string>{"/usr/bin/python3", script_, folder_.Path()}, folder_ / "log");
    for (int i = 0; i < 600 && test::ReadFile(folder_ / "port").empty(); ++i)
      std::this_thread::sleep_for(50ms);
    if (test::ReadFile(folder_ / "port").empty())
      throw std::runtime_error("the mail server: " + test::ReadFile(folder_ / "log"));
  }
  [[nodiscard]] notify::SmtpServer Settings() const {
    return {.host = "127.0.0.1",
            .port = std::stoi(test::ReadFile(folder_ / "port")),
            .tls = notify::Tls::StartTls,
            .ca_file = folder_ / "ca.crt",
            .credentials_file = folder_ / "credentials",
            .deadlines = {}};
  }
  [[nodiscard]] std::vector<std::string> Flags() const {
    return {"--smtp-server=127.0.0.1:" + test::ReadFile(folder_ / "port"),
            "--smtp-from=certpair@example.com", "--smtp-ca-file=" + folder_ / "ca.crt",
            "--smtp-credentials-file=" + folder_ / "credentials", "--cluster-name=bench",
            // As fast as it can.
            "--smtp-rate=0", "--smtp-namespace-rate=0", "--smtp-address-rate=0"};
  }
  // Ends it, and looks at what it was sent.
  [[nodiscard]] json Check() {
    child_->CloseInput();
    child_->WaitForExit(10s);
    test::Child look{{"/usr/bin/python3", script_, folder_.Path(), "--check"}, folder_ / "found"};
    if (look.WaitForExit(600s) != 0)
      throw std::runtime_error("the mails: " + test::ReadFile(folder_ / "found"));
    return json::parse(test::ReadFile(folder_ / "found"));
  }

 private:
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream{folder_ / name} << text;
  }
  const std::string script_;
  test::ScratchFolder folder_;
  std::unique_ptr<test::Child> child_;
};

// A mail as the operator sends them, again and again over each of so many connections.
double MeasureServer(const MailServer& server, int connections) {
  core::Certificate certificate;
  certificate.fingerprint = "AB:CD";
  certificate.subject = "CN=bench,O=Example";
  certificate.issuer = "CN=Bench CA";
  certificate.not_after = sys_seconds{std::chrono::hours{24 * 365 * 60}};
  core::Notice notice;
  notice.id = "1f";
  notice.recipient = {"Reader", "reader@example.com"};
  notice.system_namespace = kNamespace;
  notice.system_name = notice.display_name = "bench";
  notice.active = certificate;
  notice.what_to_do = "Generate a second certificate, and activate it once the peer knows it.";
  const auto letter =
      notify::Compose(notice,
                      {.from = {.name = "", .address = {.local = "bench", .domain = "example.com"}},
                       .cluster_name = "bench"},
                      sys_seconds{});
  if (!letter) throw std::runtime_error(letter.error().message);
  std::atomic<bool> failed = false;
  std::atomic<int> next = 0;
  const auto start = Steady::now();
  {
    std::vector<std::jthread> senders;
    senders.reserve(static_cast<std::size_t>(connections));
    for (int n = 0; n < connections; ++n)
      senders.emplace_back([&] {
        notify::SmtpMailer mailer{server.Settings()};
        while (next++ < kProbes)
          if (mailer.Send(*letter, {}).verdict != notify::Verdict::Sent) failed = true;
      });
  }
  if (failed) throw std::runtime_error("the mail server refused a probe");
  return kProbes / Since(start);
}

json Reader(const MailFleet& fleet, int i) {
  const std::string name = NameOf(fleet.prefix, i);
  json system = ShortLived(name, "2h", "10m");
  system["spec"]["automaticRegeneration"] = {{"enabled", false}};
  json readers = json::array();
  for (int n = 0; n < fleet.readers; ++n)
    readers.push_back(
        {{"displayName", "Reader"}, {"email", fmt::format("{}.{}@example.com", name, n)}});
  system["spec"]["notifications"] = {{"warnBefore", {"1h59m59s"}},
                                     {"subscribers", std::move(readers)}};
  return system;
}

// They are beyond another threshold at once, which they have not heard of yet.
void Cross(const kube::Client& client, const Setup& setup, const std::string& prefix, int count) {
  InParallel(setup.workers, count, [&](int i) {
    Must(client.MergePatch(reconcile::kSystems, kNamespace, NameOf(prefix, i), "",
                           {{"spec", {{"notifications", {{"warnBefore", {"1h59m58s"}}}}}}}, {},
                           kube::Shape::MetadataOnly),
         "PATCH spec");
  });
}

// Turns regeneration on, of one system after the other, and waits for each new certificate.
class Renewals {
 public:
  Renewals(const kube::Client& client, std::string prefix)
      : client_(client), prefix_(std::move(prefix)) {}
  void Create(int first, int count) const {
    for (int i = first; i < first + count; ++i) {
      json system = ShortLived(NameOf(prefix_, i), "2h", "10m");
      system["spec"]["automaticRegeneration"] = {{"enabled", false}};
      Must(client_.Create(reconcile::kSystems, kNamespace, system), "create");
    }
  }
  // The median in milliseconds.
  [[nodiscard]] double Measure(int first, int count, const std::stop_token& stop = {}) const {
    std::vector<double> times;
    for (int i = first; i < first + count && !stop.stop_requested(); ++i) {
      std::this_thread::sleep_for(100ms);
      times.push_back(RenewOne(NameOf(prefix_, i)) * 1000);
    }
    std::ranges::sort(times);
    return times.empty() ? 0 : times[times.size() / 2];
  }

 private:
  [[nodiscard]] double RenewOne(const std::string& name) const {
    const auto start = Steady::now();
    Must(
        client_.MergePatch(reconcile::kSystems, kNamespace, name, "",
                           {{"spec",
                             {{"certificate", {{"validity", "8760h"}}},
                              {"automaticRegeneration", {{"enabled", true}, {"before", "12h"}}}}}}),
        "PATCH spec");
    while (Since(start) < 120) {
      const auto secret =
          Must(client_.Get(reconcile::kSecrets, kNamespace, name + "-outbound"), "read a Secret");
      if (secret.at("data").contains("inactive.crt")) return Since(start);
      std::this_thread::sleep_for(2ms);
    }
    throw std::runtime_error(name + " was not renewed");
  }
  const kube::Client& client_;
  const std::string prefix_;
};

double Sent(const Samples& s) {
  return Sum(s, "certpair_notifications_total", {"outcome=\"sent\""});
}
double Patches(const Samples& s) { return Count(s, "PATCH", "provisioningsystems"); }

// Each has its certificate, and has said a second later that it ends soon; nobody is told.
void IssueAndWarn(const Setup& setup, int readers, int others) {
  const Controller controller{setup};
  static_cast<void>(controller.Await([&](const Samples& s) {
    return Count(s, "CREATE", "secrets") >= readers + others && Patches(s) >= 2 * readers + others;
  }));
}

// The two writes that a mail costs, as the operator has just made them: the status that holds it as
// due, and the one that holds it as sent.
double MeasureBare(const kube::Client& client, const Setup& setup, const std::string& prefix,
                   int count) {
  const json system = Must(client.Get(reconcile::kSystems, kNamespace, NameOf(prefix, 0)), "read");
  const json& status = system.at("status");
  const json sent{
      {"status",
       {{"conditions", status.at("conditions")}, {"notifications", status.at("notifications")}}}};
  json due = sent;
  for (json& line : due["status"]["notifications"]["sent"])
    if (line.get<std::string>().starts_with("sent/"))
      line = "due/" + line.get<std::string>().substr(5);
  const auto start = Steady::now();
  InParallel(setup.workers, count, [&](int i) {
    for (const json& patch : {due, sent})
      Must(client.MergePatch(reconcile::kSystems, kNamespace, NameOf(prefix, i), "status", patch,
                             {}, kube::Shape::MetadataOnly),
           "PATCH status");
  });
  return count / Since(start);
}

}  // namespace

MailResult MeasureMail(const kube::Client& client, const Setup& setup, const MailFleet& fleet,
                       const std::string& script) {
  MailResult result;
  const int count = fleet.systems;
  const int wanted = count * fleet.readers;
  const std::string beside = fleet.prefix + "-beside";
  const Renewals renewals{client, beside};
  InParallel(setup.workers, count, [&](int i) {
    Must(client.Create(reconcile::kSystems, kNamespace, Reader(fleet, i), {},
                       kube::Shape::MetadataOnly),
         "create a system");
  });
  renewals.Create(0, 3 * kBeside);
  IssueAndWarn(setup, count, 3 * kBeside);
  {
    const Controller controller{setup};
    result.renewal_alone_ms = renewals.Measure(0, kBeside);
  }
  const int crossing = std::min(count, kCrossing);
  Cross(client, setup, fleet.prefix, crossing);
  {
    const Controller controller{setup};
    static_cast<void>(controller.Await([](const Samples& s) { return Patches(s) > 0; }));
    std::jthread other{[&](const std::stop_token& stop) {
      result.renewal_without_ms = renewals.Measure(kBeside, kBeside, stop);
    }};
    static_cast<void>(controller.Await([&](const Samples& s) {
      return Patches(s) >= crossing && Count(s, "CREATE", "events") >= crossing;
    }));
  }
  MailServer server{script};
  result.one_connection = MeasureServer(server, 1);
  result.four_connections = MeasureServer(server, 4);
  {
    std::vector<std::string> flags = server.Flags();
    flags.push_back(fmt::format("--smtp-in-flight={}", fleet.in_flight));
    const Controller controller{setup, flags};
    static_cast<void>(controller.Await([](const Samples& s) { return Patches(s) > 0; }));
    const auto start = Steady::now();
    const double memory = controller.process.Used().mib;
    std::jthread other{[&](const std::stop_token& stop) {
      result.renewal_beside_ms = renewals.Measure(2 * kBeside, kBeside, stop);
    }};
    const Samples last = controller.Await([&](const Samples& s) { return Sent(s) >= wanted; });
    result.mails_per_second = Sent(last) / Since(start);
    const Requests requests = CountRequests(last);
    result.writes_per_mail = requests.writes / wanted;
    result.reads_per_mail = (requests.secret_reads + requests.other_reads) / wanted;
    result.cpu_ms_per_mail = controller.process.Used().cpu_seconds * 1000 / wanted;
    result.growth_mib = controller.process.Used().peak_mib - memory;
    result.complete = Sent(last) >= wanted;
  }
  result.bare_per_second =
      fleet.readers * MeasureBare(client, setup, fleet.prefix, std::min(count, kCrossing));
  const json found = server.Check();
  // The probes are all one mail to one reader.
  const int mails = found.at("mails").get<int>() - 2 * kProbes;
  result.missing = wanted + 1 - found.at("readers").get<int>();
  result.twice = mails + 1 - found.at("ids").get<int>();
  result.faulty = found.at("faulty").get<int>();
  return result;
}

}  // namespace certpair::bench
