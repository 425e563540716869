#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file_text.hpp"
#include "base/time_format.hpp"
#include "commands.hpp"
#include "foresight.hpp"
#include "reading.hpp"
#include "reconcile/authority_codec.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"
#include "table.hpp"
#include "text.hpp"
#include "yaml.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

constexpr seconds kDefaultLength = std::chrono::days{730};

struct Supposition {
  std::string_view key;
  std::array<const char*, 2> place;  // in the spec
};
constexpr std::array<Supposition, 6> kSuppositions{{{"auto", {"automaticRegeneration", "enabled"}},
                                                    {"before", {"automaticRegeneration", "before"}},
                                                    {"validity", {"certificate", "validity"}},
                                                    {"peerMatching", {"peerMatching", nullptr}},
                                                    {"issuance", {"issuance", nullptr}},
                                                    {"atExpiry", {"activation", "atExpiry"}}}};

Outcome Suppose(json& object, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  for (const Supposition& known : kSuppositions) {
    if (equals == std::string::npos || known.key != key) continue;
    json value = text.substr(equals + 1);
    if (key == "auto") {
      if (value != "on" && value != "off")
        return Fail(Exit::Usage, "--what-if auto: it is on or off");
      value = value == "on";
    }
    json& spec = object["spec"];
    json& place =
        known.place[1] == nullptr ? spec[known.place[0]] : spec[known.place[0]][known.place[1]];
    place = std::move(value);
    return {};
  }
  std::string keys;
  for (const Supposition& known : kSuppositions)
    keys += fmt::format("{}{}", keys.empty() ? "" : ", ", known.key);
  return Fail(Exit::Usage, fmt::format("--what-if {}: it is KEY=VALUE, and KEY is one of {}",
                                       Escaped(text), keys));
}

Expected<json> FromFile(const std::string& path) {
  auto text = ReadFileText(path == "-" ? "/dev/stdin" : path);
  if (!text) return Fail(Exit::Failed, Escaped(text.error().message));
  auto documents = ParseYaml(*text);
  if (!documents)
    return Fail(Exit::Failed, fmt::format("{}: {}", Escaped(path), documents.error().message));
  for (json& document : *documents) {
    if (Text(At(document, "kind")) != "ProvisioningSystem") continue;
    if (!At(document, "spec").is_object())
      return Fail(Exit::Failed, fmt::format("{}: it has no spec", Escaped(path)));
    // What the API server would add.
    if (At(document, "spec", "notifications", "warnBefore").is_null())
      document["spec"]["notifications"]["warnBefore"] = {"720h", "336h", "72h"};
    if (At(document, "spec", "authentication").is_null())
      document["spec"]["authentication"] = "ClientCertificateAuthentication";
    if (Text(At(document, "metadata", "uid")).empty()) document["metadata"]["uid"] = "simulated";
    document["metadata"]["generation"] = 1;
    document.erase("status");
    return std::move(document);
  }
  return Fail(Exit::Failed, fmt::format("{}: there is no ProvisioningSystem in it", Escaped(path)));
}

// One that signs whatever it is asked for, where the real one is not known.
core::AuthorityView AssumedAuthority(const std::string& name, const core::SystemStatus& status,
                                     sys_seconds now) {
  const std::vector<std::string> anything{"*"};
  return {.state = core::AuthorityView::State::Ready,
          .name = name,
          .message = {},
          .subject = status.active ? status.active->issuer : "",
          .fingerprint = status.active ? status.active->issuer_fingerprint : "",
          .earlier_fingerprints = {},
          .not_before = now - std::chrono::days{3650},
          .chain_end = now + std::chrono::days{365'000},
          .allow = {{.namespaces = {.all = true, .names = {}, .labels = {}},
                     .common_names = anything,
                     .organizations = anything,
                     .organizational_units = anything,
                     .countries = anything,
                     .localities = anything,
                     .provinces = anything}}};
}

// The real one, as far as we may read it and its rules need no labels that we may not read.
core::AuthorityView AuthorityOf(const Session& session, const reconcile::StoredSystem& system,
                                TextMap& namespace_labels, sys_seconds now) {
  const auto object =
      session.client.Get(reconcile::kAuthorities, "", system.spec.authority, session.stop);
  const auto home =
      session.client.Get(reconcile::kNamespaces, "", system.identity.namespace_, session.stop);
  if (!object && object.error().kind == kube::ApiErrorKind::NotFound)
    return reconcile::ViewOf(system.spec.authority, nullptr);
  if (!object || !home) {
    session.console.Remark(
        fmt::format("The authority \"{}\" cannot be read with your rights: it is taken for one "
                    "that signs whatever it is asked for.",
                    Escaped(system.spec.authority)));
    return AssumedAuthority(system.spec.authority, system.status, now);
  }
  namespace_labels = reconcile::json::DecodeTextMap(At(*home, "metadata", "labels"));
  const reconcile::StoredAuthority authority = reconcile::DecodeAuthority(*object);
  return reconcile::ViewOf(system.spec.authority, &authority);
}

Expected<core::Observation> Observe(const Session& session, const json& object, bool from_file) {
  reconcile::StoredSystem system = reconcile::DecodeSystem(object);
  if (!system.undecodable.empty()) return Fail(Exit::Failed, Escaped(system.undecodable));
  core::Observation seen;
  seen.now = session.clock.NowSeconds();
  seen.identity = system.identity;
  seen.authority = from_file
                       ? AssumedAuthority(system.spec.authority, system.status, seen.now)
                       : AuthorityOf(session, system, seen.identity.namespace_labels, seen.now);
  seen.spec = std::move(system.spec);
  seen.status = std::move(system.status);
  if (seen.status.active)
    seen.secret =
        core::CertificatePair{.active = *seen.status.active, .inactive = seen.status.inactive};
  seen.secret_resource_version = seen.status.secret_resource_version;
  const core::Condition* delivered = seen.status.Find("NotificationsDelivered");
  seen.installation.mail_configured =
      delivered == nullptr || delivered->reason != "MailNotConfigured";
  return seen;
}

json DocumentOf(const Foresight& foresight, const core::Observation& start, sys_seconds until) {
  json timeline = json::array();
  for (const Moment& moment : foresight.timeline)
    timeline.push_back({{"at", FormatTime(moment.at)},
                        {"warning", moment.warning},
                        {"reason", moment.reason},
                        {"message", moment.message}});
  return {{"system", start.identity.name},
          {"from", FormatTime(start.now)},
          {"until", FormatTime(until)},
          {"timeline", std::move(timeline)},
          {"complete", !foresight.cut_short},
          {"conditions", reconcile::EncodeConditions(foresight.end.conditions)}};
}

void PrintTimeline(const Console& console, const Foresight& foresight,
                   const core::Observation& start, sys_seconds until) {
  Table table{{"AT", "FROM NOW", "WHAT", "MESSAGE"}};
  for (const Moment& moment : foresight.timeline)
    table.Add({{FormatTime(moment.at)},
               {Relative(moment.at, start.now)},
               {Escaped(moment.reason), moment.warning ? Tint::Warn : Tint::Good},
               {Escaped(WithShortFingerprints(moment.message))}});
  if (table.Empty())
    console.Remark("Nothing would happen.");
  else
    table.Print(console);
  if (foresight.cut_short) {
    console.Remark("More would happen than is shown: it ends here.");
    return;
  }
  console.Print("");
  console.Print(fmt::format("On {}:", FormatTime(until)));
  for (const core::Condition& condition : foresight.end.conditions)
    console.Print(fmt::format("  {}={} ({}) {}", Escaped(condition.type),
                              core::ToString(condition.status), Escaped(condition.reason),
                              Escaped(WithShortFingerprints(condition.message))));
}

}  // namespace

Outcome Simulate(const Session& session, const SimulateCommand& command) {
  const bool from_file = !command.file.empty();
  json object;
  if (from_file) {
    auto read = FromFile(command.file);
    if (!read) return std::unexpected(std::move(read.error()));
    object = std::move(*read);
  } else {
    auto found = ReadSystem(session, command.name);
    if (!found) return std::unexpected(std::move(found.error()));
    object = std::move(found->object);
  }
  for (const std::string& text : command.what_if)
    if (auto supposed = Suppose(object, text); !supposed) return supposed;
  // What is supposed is a change of the spec: status does not describe it yet.
  auto start = Observe(session, object, from_file);
  if (!start) return std::unexpected(std::move(start.error()));
  const sys_seconds until = start->now + command.until.value_or(kDefaultLength);
  const Foresight foresight = Foresee(*start, until);
  if (command.format == Format::Table)
    PrintTimeline(session.console, foresight, *start, until);
  else
    PrintDocument(session.console, command.format, DocumentOf(foresight, *start, until));
  return {};
}

}  // namespace certpair::plugin
