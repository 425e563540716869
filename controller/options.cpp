#include "options.hpp"

#include <map>

#include <CLI/CLI.hpp>

#include "base/time_format.hpp"
#include "core/secret_metadata.hpp"

namespace certpair::controller {
namespace {

// An option that is a duration in whole seconds, as Go writes it.
void AddDuration(CLI::App& app, const std::string& name, std::chrono::milliseconds& target,
                 const std::string& what, const std::string& environment) {
  app.add_option_function<std::string>(
         name,
         [&target, name](const std::string& text) {
           const auto parsed = ParseDuration(text);
           if (!parsed)
             throw CLI::ValidationError(name, "\"" + text + "\" is not a duration such as 15s");
           target = *parsed;
         },
         what)
      ->default_str(FormatDuration(std::chrono::floor<seconds>(target)))
      ->envname(environment);
}

void AddLogging(CLI::App& app, Options& options) {
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, log::Level>{{"debug", log::Level::Debug},
                                                                    {"info", log::Level::Info},
                                                                    {"warn", log::Level::Warn},
                                                                    {"error", log::Level::Error}}))
      ->default_str("info")
      ->envname("CERTPAIR_LOG_LEVEL");
  app.add_option("--log-format", options.log_format, "text or json")
      ->transform(CLI::CheckedTransformer(std::map<std::string, log::Format>{
          {"text", log::Format::Text}, {"json", log::Format::Json}}))
      ->default_str("text")
      ->envname("CERTPAIR_LOG_FORMAT");
}

void AddMail(CLI::App& app, notify::MailFlags& mail) {
  app.add_option("--smtp-server", mail.server,
                 "host:port that mails are handed to; without it no mail is sent")
      ->envname("CERTPAIR_SMTP_SERVER");
  app.add_option("--smtp-from", mail.from, "who mails are from: an address, or \"Name <address>\"")
      ->envname("CERTPAIR_SMTP_FROM");
  app.add_option("--smtp-tls", mail.tls,
                 "starttls (required, nothing goes in clear), tls (from the first byte) or none")
      ->check(CLI::IsMember({"starttls", "tls", "none"}))
      ->capture_default_str()
      ->envname("CERTPAIR_SMTP_TLS");
  app.add_option("--smtp-ca-file", mail.ca_file,
                 "PEM file of the CA of the mail server; without it the system's")
      ->envname("CERTPAIR_SMTP_CA_FILE");
  app.add_option("--smtp-credentials-file", mail.credentials_file,
                 "file with one line user:password; without it no login")
      ->envname("CERTPAIR_SMTP_CREDENTIALS_FILE");
  app.add_option("--smtp-helo-name", mail.helo_name,
                 "host name that the mail server is greeted with; without it the domain of "
                 "--smtp-from")
      ->envname("CERTPAIR_SMTP_HELO_NAME");
  app.add_option("--smtp-rate", mail.rate, "mails a minute at most; 0: no limit")
      ->capture_default_str()
      ->envname("CERTPAIR_SMTP_RATE");
  app.add_option("--smtp-namespace-rate", mail.namespace_rate,
                 "mails an hour about the systems of one namespace; 0: no limit")
      ->capture_default_str()
      ->envname("CERTPAIR_SMTP_NAMESPACE_RATE");
  app.add_option("--smtp-address-rate", mail.address_rate,
                 "mails an hour to one address; 0: no limit")
      ->capture_default_str()
      ->envname("CERTPAIR_SMTP_ADDRESS_RATE");
  app.add_option("--smtp-in-flight", mail.in_flight,
                 "mails that may be sent before the first of them stands in its system's status as "
                 "sent: so many may come twice after a crash, 1 to 50")
      ->capture_default_str()
      ->envname("CERTPAIR_SMTP_IN_FLIGHT");
  app.add_option("--cluster-name", mail.cluster_name, "what mails call this cluster")
      ->envname("CERTPAIR_CLUSTER_NAME");
}

void AddSecretMetadata(CLI::App& app, Options& options) {
  app.add_option("--secret-metadata-allow", options.secret_metadata_allow,
                 "labels and annotations that spec.secret may put on a pair's Secret: keys, or "
                 "their beginnings followed by *, separated by commas; without it: none")
      ->delimiter(',')
      ->check([](const std::string& pattern) {
        const auto fault = core::FaultOfKeyPattern(pattern);
        return fault ? "\"" + pattern + "\" " + *fault : std::string{};
      })
      ->envname("CERTPAIR_SECRET_METADATA_ALLOW");
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  std::string leader_elect = "true";
  std::string regeneration = "supported";
  CLI::App app{
      "Keeps the X.509 client certificates of outbound connections, as ProvisioningSystems ask for "
      "them."};
  app.name("certpair-controller");
  app.get_formatter()->column_width(46);
  app.set_version_flag("--version", "certpair-controller " CERTPAIR_VERSION);

  app.add_option("--kubeconfig", options.kubeconfig,
                 "kubeconfig file; without it: in-cluster, else kubectl's rules")
      ->envname("CERTPAIR_KUBECONFIG");
  app.add_option("--context", options.context,
                 "context of the kubeconfig; without it: its current one")
      ->envname("CERTPAIR_CONTEXT");
  app.add_option("--namespace", options.namespace_,
                 "the operator's own namespace (CA Secrets, Lease); without it: POD_NAMESPACE, the "
                 "service account's, "
                 "else certpair-system")
      ->envname("CERTPAIR_NAMESPACE");
  app.add_option("--watch-namespaces", options.watch_namespaces,
                 "only these namespaces, separated by commas; without it: all")
      ->delimiter(',')
      ->envname("CERTPAIR_WATCH_NAMESPACES");
  app.add_option("--leader-elect", leader_elect,
                 "true: only one of several replicas works; the others wait, warm")
      ->check(CLI::IsMember({"true", "false"}))
      ->expected(0, 1)
      ->default_str("true")
      ->envname("CERTPAIR_LEADER_ELECT");
  AddDuration(app, "--leader-elect-lease-duration", options.lease.duration,
              "others wait so long before they take over", "CERTPAIR_LEADER_ELECT_LEASE_DURATION");
  AddDuration(app, "--leader-elect-renew-deadline", options.lease.renew_deadline,
              "a leader that could not renew for so long stops",
              "CERTPAIR_LEADER_ELECT_RENEW_DEADLINE");
  AddDuration(app, "--leader-elect-retry-period", options.lease.retry_period,
              "between renewals, and between looks", "CERTPAIR_LEADER_ELECT_RETRY_PERIOD");
  app.add_option("--metrics-bind-address", options.metrics_bind_address,
                 "address of /metrics; 0: off")
      ->capture_default_str()
      ->envname("CERTPAIR_METRICS_BIND_ADDRESS");
  app.add_option("--health-probe-bind-address", options.health_probe_bind_address,
                 "address of /healthz and /readyz; 0: off")
      ->capture_default_str()
      ->envname("CERTPAIR_HEALTH_PROBE_BIND_ADDRESS");
  app.add_option("--automatic-regeneration", regeneration,
                 "whether this installation offers automatic regeneration")
      ->check(CLI::IsMember({"supported", "unsupported"}))
      ->capture_default_str()
      ->envname("CERTPAIR_AUTOMATIC_REGENERATION");
  AddSecretMetadata(app, options);
  app.add_option("--workers", options.workers, "passes made at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str()
      ->envname("CERTPAIR_WORKERS");
  app.add_option("--key-threads", options.key_threads, "threads that make RSA keys; 0: one a core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str()
      ->envname("CERTPAIR_KEY_THREADS");
  app.add_option("--check-ready", options.check_ready,
                 "asks /readyz of HOST:PORT, says what it answers, and ends: 0 if it is ready");
  AddMail(app, options.mail);
  AddLogging(app, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : 2;
  }
  options.leader_elect = leader_elect != "false";
  options.regeneration_supported = regeneration == "supported";
  return options;
}

}  // namespace certpair::controller
