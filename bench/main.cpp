// Measures the operator against the bare writes that it cannot avoid, in the same run on the same
// API server.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "kube/config.hpp"
#include "kube/transport_cpprest.hpp"
#include "listing.hpp"
#include "mail.hpp"
#include "neighbour.hpp"
#include "objects.hpp"
#include "phases.hpp"
#include "reconcile/names.hpp"
#include "regeneration.hpp"

namespace certpair::bench {
namespace {

struct Options {
  Setup setup;
  int systems = 1000;
  int rsa = 120;
  int large = 0;  ///< further systems before the restart
  std::string kubectl = "kubectl";
  std::string plugin;       ///< empty: its list is not measured
  int mail = 0;             ///< systems that cross a threshold at once, with a reader each
  int in_flight = 4;        ///< the operator's --smtp-in-flight
  std::string mail_server;  ///< tests/support/smtp_server.py
  int overdue = 0;          ///< systems that are overdue when the operator starts, and due together
  int operations = 0;       ///< of one namespace, while another's are timed
  int rivals = 0;           ///< RSA-4096 systems of one namespace, while another's one is renewed
};

bool all_met = true;

void Row(const std::string& what, double value, const std::string& unit, double limit,
         bool at_least) {
  const bool met = at_least ? value >= limit : value <= limit;
  all_met &= met;
  std::printf("| %-52s | %9.2f %-9s | %s %-6g | %s |\n", what.c_str(), value, unit.c_str(),
              at_least ? "≥" : "≤", limit, met ? "yes" : "NO");
  std::fflush(stdout);
}

void Fact(const std::string& what, double value, const std::string& unit) {
  std::printf("| %-52s | %9.2f %-9s | %8s | %s |\n", what.c_str(), value, unit.c_str(), "", "   ");
  std::fflush(stdout);
}

void Want(const kube::ApiResult<nlohmann::json>& made) {
  if (!made && made.error().kind != kube::ApiErrorKind::AlreadyExists)
    throw std::runtime_error(made.error().message);
}

void Prepare(const kube::Client& client) {
  for (const char* name : {kNamespace, kQuietNamespace, "certpair-system"})
    Want(client.Create(
        reconcile::kNamespaces, "",
        {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}}));
  Want(client.Create(reconcile::kAuthorities, "", Authority()));
}

// Figures of a fleet of which some got nothing would be no figures.
FleetResult MeasureWholeFleet(const Setup& setup, int count) {
  FleetResult fleet = MeasureFleet(setup, count);
  if (!fleet.complete)
    throw std::runtime_error("not all systems got a certificate; the operator's log: " +
                             setup.log_path);
  return fleet;
}

void ShowRestart(const Setup& setup, int systems, double memory_limit) {
  const RestartResult restart = MeasureRestart(setup, systems);
  if (!restart.complete)
    throw std::runtime_error("the operator did not come to rest; its log: " + setup.log_path);
  const std::string with = " with " + std::to_string(systems) + " systems";
  Fact("restart" + with + ": in sync after", restart.seconds, "s");
  Row("restart" + with + ": writes", restart.writes, "", 0, false);
  Row("restart" + with + ": Secret reads", restart.secret_reads, "", 0, false);
  Row("restart" + with + ": other reads", restart.other_reads, "", 0, false);
  Fact("restart" + with + ": list pages", restart.lists, "");
  Row("restart" + with + ": peak RSS", restart.peak_mib, "MiB", memory_limit, false);
}

void ShowRegeneration(const kube::Client& client, const Setup& setup, int count) {
  const OverdueResult overdue = MeasureOverdue(client, setup, "overdue", count);
  if (!overdue.complete)
    throw std::runtime_error("not all were renewed; the operator's log: " + setup.log_path);
  const double bare = MeasureBareRegenerations(client, setup, "overdue", count - 1);
  RemoveSystems(client, setup, "overdue", count);
  const std::string of = std::to_string(count) + " overdue systems: ";
  Fact(of + "rate", overdue.systems_per_second, "systems/s");
  Fact(of + "the bare writes alone", bare, "systems/s");
  Row(of + "ratio", overdue.systems_per_second / bare, "", 0.6, true);
  Row(of + "API writes each", overdue.writes_per_system, "", 3.05, false);
  Fact(of + "operator's CPU each", overdue.cpu_ms_per_system, "ms");

  const SpreadResult spread = MeasureSpread(client, setup, "due", count);
  if (!spread.complete)
    throw std::runtime_error("not all were renewed; the operator's log: " + setup.log_path);
  RemoveSystems(client, setup, "due", count);
  // A quarter of their two minutes.
  const std::string due = std::to_string(count) + " due in one minute: ";
  Row(due + "first to last", spread.span, "s", 25, true);
  Row(due + "share of the busiest second", 100 * spread.busiest, "%", 10, false);
  Row(due + "before their window", spread.early, "", 0, false);
  Row(due + "after half of it", spread.late, "", 0, false);
  Row(due + "more than once", spread.twice, "", 0, false);
}

void ShowMail(const kube::Client& client, const Setup& setup, const MailFleet& fleet,
              const std::string& server) {
  const MailResult mail = MeasureMail(client, setup, fleet, server);
  if (!mail.complete)
    throw std::runtime_error("not all mails went; the operator's log: " + setup.log_path);
  const std::string of =
      std::to_string(fleet.systems) + " x " + std::to_string(fleet.readers) + " mails: ";
  const double limit = std::max(mail.one_connection, mail.four_connections);
  // Server and writes share the cores: what both take, one after the other, is what can be reached.
  const double both = 1 / (1 / limit + 1 / mail.bare_per_second);
  Fact(of + "rate", mail.mails_per_second, "mails/s");
  Fact(of + "server alone", limit, "mails/s");
  Fact(of + "server alone, one connection", mail.one_connection, "mails/s");
  Fact(of + "bare writes alone", mail.bare_per_second, "mails/s");
  Fact(of + "server, then bare writes", both, "mails/s");
  Row(of + "ratio to the server", mail.mails_per_second / limit, "", 0.5, true);
  Row(of + "ratio to both", mail.mails_per_second / both, "", 0.6, true);
  Fact(of + "API writes a mail", mail.writes_per_mail, "");
  Fact(of + "API reads a mail", mail.reads_per_mail, "");
  Fact(of + "operator's CPU a mail", mail.cpu_ms_per_mail, "ms");
  Row(of + "RSS grows by", mail.growth_mib, "MiB", 48, false);
  Row(of + "readers not told", mail.missing, "", 0, false);
  Row(of + "told twice", mail.twice, "", 0, false);
  Row(of + "faults to Python's email", mail.faulty, "", 0, false);
  Fact("a regeneration, alone", mail.renewal_alone_ms, "ms");
  Fact("a regeneration, beside warnings without mail", mail.renewal_without_ms, "ms");
  Fact("a regeneration, beside warnings with mail", mail.renewal_beside_ms, "ms");
  Row("with mail to without", mail.renewal_beside_ms / mail.renewal_without_ms, "", 1.25, false);
}

void ShowNeighbour(const kube::Client& client, const Setup& setup, const Options& options) {
  if (options.operations > 0) {
    constexpr int kLoud = 500;
    const DelayResult delay = MeasureDelay(client, setup, kLoud, options.operations);
    if (!delay.complete)
      throw std::runtime_error("not all operations ended; the operator's log: " + setup.log_path);
    const std::string beside =
        "beside " + std::to_string(options.operations) + " operations of another namespace";
    Fact("an operation, alone", delay.alone_ms, "ms");
    Fact("an operation, alone: the slowest", delay.worst_alone_ms, "ms");
    Fact("an operation, " + beside, delay.beside_ms, "ms");
    Fact("an operation, beside them: the slowest", delay.worst_beside_ms, "ms");
    Fact("they took", delay.seconds, "s");
    Row("beside to alone", delay.beside_ms / delay.alone_ms, "", 3, false);
  }
  if (options.rivals > 0) {
    const RivalResult renewal = MeasureRivals(client, setup, options.rivals);
    const std::string of = "RSA-4096 beside " + std::to_string(options.rivals) + " of another: ";
    Fact(of + "renewed after", renewal.waited_seconds, "s");
    Row(of + "before its end", renewal.left_seconds, "s", 0, true);
    Fact(of + "certificates made meanwhile", renewal.rivals_keys, "");
  }
}

void ShowListing(const Setup& setup, const Options& options, int systems) {
  const ListingResult list = MeasureListing(setup.kubeconfig, options.kubectl, options.plugin);
  if (!list.complete) throw std::runtime_error("kubectl or the plugin failed");
  const std::string of = "list of " + std::to_string(systems) + " systems: ";
  Fact(of + "kubectl get --raw", list.kubectl_seconds, "s");
  Fact(of + "kubectl certpair list", list.plugin_seconds, "s");
  Row(of + "ratio", list.plugin_seconds / list.kubectl_seconds, "", 1.5, false);
  Row(of + "plugin's peak RSS", list.plugin_peak_mib, "MiB", 64, false);
  const double start = MeasureStartUp(options.plugin);
  if (start < 0) throw std::runtime_error("kubectl certpair version failed");
  Row("start-up of kubectl certpair version", 1000 * start, "ms", 20, false);
}

void ShowFleet(const kube::Client& client, const Setup& setup, int count) {
  CreateSystems(client, setup, "fleet", count, "ECDSA", 256);
  const FleetResult fleet = MeasureWholeFleet(setup, count);
  ShowRestart(setup, count, 40);
  CreateSystems(client, setup, "bare", count, "ECDSA", 256);
  const double bare = MeasureBareWrites(client, setup, "bare", count, "fleet-0");
  const std::string of = std::to_string(count) + " P-256 systems: ";
  Fact(of + "rate", fleet.systems_per_second, "systems/s");
  Fact(of + "the bare writes alone", bare, "systems/s");
  Row(of + "ratio", fleet.systems_per_second / bare, "", 0.6, true);
  Row(of + "API writes each", fleet.writes_per_system, "", 3.05, false);
  Fact(of + "API reads each", fleet.reads_per_system, "");
  Row(of + "operator's CPU each", fleet.cpu_ms_per_system, "ms", 2, false);
  Row(of + "operator's peak RSS", fleet.peak_mib, "MiB", 32, false);
  RemoveSystems(client, setup, "bare", count);
}

int Run(const Options& options) {
  const Setup& setup = options.setup;
  const SystemClock clock;
  auto config = kube::LoadConfig({}, setup.kubeconfig, "");
  if (!config) throw std::runtime_error(config.error().message);
  auto transport = kube::MakeTransport(std::move(*config), clock);
  if (!transport) throw std::runtime_error(transport.error().message);
  const kube::Client client{*transport, clock};
  Prepare(client);

  std::printf("| %-52s | %-19s | %-8s | met |\n|---|---|---|---|\n", "measured", "value", "limit");
  if (options.systems > 0) ShowFleet(client, setup, options.systems);
  if (options.rsa > 0) {
    const double keys = MeasureKeys(2048, 25);
    CreateSystems(client, setup, "rsa", options.rsa, "RSA", 2048);
    const FleetResult rsa = MeasureWholeFleet(setup, options.rsa);
    const std::string of_rsa = std::to_string(options.rsa) + " RSA-2048 systems: ";
    Fact(of_rsa + "rate", rsa.systems_per_second, "systems/s");
    Fact(of_rsa + "key generation alone, all cores", keys, "keys/s");
    Row(of_rsa + "ratio", rsa.systems_per_second / keys, "", 0.8, true);
  }
  if (options.overdue > 0) ShowRegeneration(client, setup, options.overdue);
  ShowNeighbour(client, setup, options);
  if (options.large > 0) {
    CreateSystems(client, setup, "large", options.large, "ECDSA", 256);
    const FleetResult large = MeasureWholeFleet(setup, options.large);
    Fact(std::to_string(options.large) + " more P-256 systems: rate", large.systems_per_second,
         "systems/s");
    Fact(std::to_string(options.large) + " more P-256 systems: Events dropped",
         large.events_dropped, "");
    Row(std::to_string(options.large) + " more P-256 systems: operator's peak RSS", large.peak_mib,
        "MiB", 80, false);
    ShowRestart(setup, options.systems + options.rsa + options.large, 80);
  }
  if (!options.plugin.empty())
    ShowListing(setup, options, options.systems + options.rsa + options.large);
  if (options.mail > 0) {
    const auto show = [&](const char* prefix, int systems, int readers) {
      ShowMail(client, setup,
               {.prefix = prefix,
                .systems = systems,
                .readers = readers,
                .in_flight = options.in_flight},
               options.mail_server);
    };
    // The bare writes leave statuses that no operator believes: none may find them.
    const int crowd = std::max(1, options.mail / 10);
    show("crowd", crowd, 10);
    RemoveSystems(client, setup, "crowd", crowd);
    show("reader", options.mail, 1);
  }
  return all_met ? 0 : 3;
}

}  // namespace
}  // namespace certpair::bench

int main(int argc, char** argv) {
  namespace bench = certpair::bench;
  bench::Options options;
  CLI::App app{"certpair's benchmarks; scripts/bench starts what they need"};
  app.add_option("--kubeconfig", options.setup.kubeconfig)->required();
  app.add_option("--controller", options.setup.controller)->required();
  app.add_option("--log", options.setup.log_path)->required();
  app.add_option("--systems", options.systems)->capture_default_str();
  app.add_option("--large", options.large)->capture_default_str();
  app.add_option("--rsa", options.rsa)->capture_default_str();
  app.add_option("--overdue", options.overdue)->capture_default_str();
  app.add_option("--operations", options.operations)->capture_default_str();
  app.add_option("--rivals", options.rivals)->capture_default_str();
  app.add_option("--mail", options.mail)->capture_default_str();
  app.add_option("--in-flight", options.in_flight)->capture_default_str();
  app.add_option("--mail-server", options.mail_server);
  app.add_option("--kubectl", options.kubectl)->capture_default_str();
  app.add_option("--plugin", options.plugin);
  app.add_option("--workers", options.setup.workers)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  certpair::log::Configure(certpair::log::Level::Warn, certpair::log::Format::Text);
  certpair::kube::InitializeNetwork();
  try {
    return bench::Run(options);
  } catch (const std::exception& error) {
    std::cerr << "certpair-bench: " << error.what() << '\n';
    return 1;
  }
}
