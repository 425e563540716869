#include "options.hpp"

#include <map>

#include <CLI/CLI.hpp>

#include "base/time_format.hpp"
#include "core/secret_metadata.hpp"

namespace certpair::controller {
namespace {

// `--smtp-rate` is CERTPAIR_SMTP_RATE in the environment.
std::string EnvironmentName(const std::string& flag) {
  std::string name = "CERTPAIR";
  for (const char c : flag.substr(1)) name += c == '-' ? '_' : static_cast<char>(c - ('a' - 'A'));
  return name;
}

// A flag with a value of this `kind`, which names the choices where there are some. docs/flags.md
// is written from these calls (scripts/documents), so the name, the kind and the text stand in each
// as literals.
template <class T>
CLI::Option* Add(CLI::App& app, const std::string& flag, const std::string& kind, T& target,
                 const std::string& what) {
  return app.add_option(flag, target, what)->type_name(kind)->envname(EnvironmentName(flag));
}

// The same, for a duration in whole seconds as Go writes it.
void AddDuration(CLI::App& app, const std::string& flag, const std::string& kind,
                 std::chrono::milliseconds& target, const std::string& what) {
  const auto read = [&target, flag](const std::string& text) {
    const auto parsed = ParseDuration(text);
    if (!parsed) throw CLI::ValidationError(flag, "\"" + text + "\" is not a duration such as 15s");
    target = *parsed;
  };
  app.add_option_function<std::string>(flag, read, what)
      ->type_name(kind)
      ->default_str(FormatDuration(std::chrono::floor<seconds>(target)))
      ->envname(EnvironmentName(flag));
}

void AddConnection(CLI::App& app, Options& options) {
  Add(app, "--kubeconfig", "FILE", options.kubeconfig,
      "kubeconfig file. Default: the service account of the pod, else kubectl's rules");
  Add(app, "--context", "NAME", options.context,
      "context of the kubeconfig. Default: its current context");
  Add(app, "--namespace", "NAME", options.namespace_,
      "the operator's own namespace, for the Secrets of authorities and the Lease. Default: "
      "POD_NAMESPACE, else the service account's, else certpair-system");
  Add(app, "--watch-namespaces", "A,B", options.watch_namespaces,
      "serve only these namespaces. Default: all")
      ->delimiter(',');
}

void AddElection(CLI::App& app, Options& options, std::string& leader_elect) {
  Add(app, "--leader-elect", "true|false", leader_elect,
      "true: one replica leads and works, and the others wait with full caches")
      ->check(CLI::IsMember({"true", "false"}).description(""))
      ->expected(0, 1)
      ->default_str("true");
  AddDuration(app, "--leader-elect-lease-duration", "DURATION", options.lease.duration,
              "another replica takes over when the Lease has not changed for this long");
  AddDuration(app, "--leader-elect-renew-deadline", "DURATION", options.lease.renew_deadline,
              "a leader stops when it could not renew the Lease for this long");
  AddDuration(app, "--leader-elect-retry-period", "DURATION", options.lease.retry_period,
              "time between two renewals");
}

void AddServers(CLI::App& app, Options& options) {
  Add(app, "--metrics-bind-address", "ADDRESS", options.metrics_bind_address,
      "address of /metrics; 0 turns it off, and port 0 picks a free one and logs it")
      ->capture_default_str();
  Add(app, "--health-probe-bind-address", "ADDRESS", options.health_probe_bind_address,
      "address of /healthz and /readyz, in the same form. Keep it on a port of its own")
      ->capture_default_str();
}

void AddWork(CLI::App& app, Options& options, std::string& regeneration) {
  Add(app, "--automatic-regeneration", "supported|unsupported", regeneration,
      "unsupported: systems that ask for automatic renewal are told that it is not offered")
      ->check(CLI::IsMember({"supported", "unsupported"}).description(""))
      ->capture_default_str();
  Add(app, "--secret-metadata-allow", "A,B", options.secret_metadata_allow,
      "labels and annotations that spec.secret may put on the Secret of a pair: keys, or prefixes "
      "followed by *. Default: none")
      ->delimiter(',')
      ->check([](const std::string& pattern) {
        const auto fault = core::FaultOfKeyPattern(pattern);
        return fault ? "\"" + pattern + "\" " + *fault : std::string{};
      });
  Add(app, "--workers", "N", options.workers, "systems and authorities handled at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  Add(app, "--key-threads", "N", options.key_threads,
      "threads that generate RSA keys; 0: one for each core")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
}

void AddMailServer(CLI::App& app, notify::MailFlags& mail) {
  Add(app, "--smtp-server", "HOST:PORT", mail.server,
      "mail server. Default: none, and no mail is sent");
  Add(app, "--smtp-from", "ADDRESS", mail.from,
      "sender of mails: an address, or \"Name <address>\"");
  Add(app, "--smtp-tls", "starttls|tls|none", mail.tls,
      "starttls: required, so nothing is sent in clear; tls: from the first byte; none: in clear")
      ->check(CLI::IsMember({"starttls", "tls", "none"}).description(""))
      ->capture_default_str();
  Add(app, "--smtp-ca-file", "FILE", mail.ca_file,
      "PEM file with the CA of the mail server, read again before each mail. Default: the "
      "system's");
  Add(app, "--smtp-credentials-file", "FILE", mail.credentials_file,
      "file with one line user:password, read again before each mail. Default: no login");
  Add(app, "--smtp-helo-name", "NAME", mail.helo_name,
      "host name, or address such as [192.0.2.1], in EHLO. Default: the domain of --smtp-from");
  Add(app, "--cluster-name", "NAME", mail.cluster_name, "name of this cluster in mails");
}

void AddMailRates(CLI::App& app, notify::MailFlags& mail) {
  Add(app, "--smtp-rate", "N", mail.rate, "maximum of mails in any minute; 0: no limit")
      ->capture_default_str();
  Add(app, "--smtp-namespace-rate", "N", mail.namespace_rate,
      "maximum of mails an hour about the systems of one namespace, a twelfth of them at once; "
      "0: no limit")
      ->capture_default_str();
  Add(app, "--smtp-address-rate", "N", mail.address_rate,
      "maximum of mails an hour to one address, a twelfth of them at once; 0: no limit")
      ->capture_default_str();
  Add(app, "--smtp-in-flight", "N", mail.in_flight,
      "mails that may be sent before the status of the first one records it, 1 to 50: after a "
      "crash, so many may arrive twice")
      ->capture_default_str();
}

void AddLogging(CLI::App& app, Options& options) {
  const std::map<std::string, log::Level> levels{{"debug", log::Level::Debug},
                                                 {"info", log::Level::Info},
                                                 {"warn", log::Level::Warn},
                                                 {"error", log::Level::Error}};
  const std::map<std::string, log::Format> formats{{"text", log::Format::Text},
                                                   {"json", log::Format::Json}};
  Add(app, "--log-level", "debug|info|warn|error", options.log_level, "least severe level to log")
      ->transform(CLI::CheckedTransformer(levels).description(""))
      ->default_str("info");
  Add(app, "--log-format", "text|json", options.log_format, "form of each line on stderr")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->default_str("text");
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  std::string leader_elect = "true";
  std::string regeneration = "supported";
  CLI::App app{
      "Manages the X.509 client certificates with which ProvisioningSystems connect to their "
      "peers."};
  app.name("certpair-controller");
  app.get_formatter()->column_width(46);
  app.set_version_flag("--version", "certpair-controller " CERTPAIR_VERSION,
                       "print the version and exit");
  app.set_help_flag("--help,-h", "print this help and exit");

  AddConnection(app, options);
  AddElection(app, options, leader_elect);
  AddServers(app, options);
  AddWork(app, options, regeneration);
  AddMailServer(app, options.mail);
  AddMailRates(app, options.mail);
  AddLogging(app, options);
  app.add_option("--check-ready", options.check_ready,
                 "ask /readyz of every address of HOST, print the answers, and exit with 0 if all "
                 "are ready")
      ->type_name("HOST:PORT");

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
