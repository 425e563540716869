#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time_format.hpp"
#include "commands.hpp"
#include "core/reasons.hpp"
#include "foresight.hpp"
#include "input.hpp"
#include "manifest.hpp"
#include "reading.hpp"
#include "reconcile/authority_codec.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"
#include "table.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

constexpr seconds kDefaultLength = std::chrono::days{730};

using Path = std::vector<const char*>;

// The place of a field, with its parents made where there are none.
Expected<json*> PlaceIn(json& object, const Path& path) {
  json* place = &object;
  std::string so_far;
  for (const char* key : path) {
    if (!place->is_object() && !place->is_null())
      return Fail(Exit::Failed,
                  fmt::format("{} is {}, and must be an object",
                              so_far.empty() ? "the document" : so_far, place->type_name()));
    so_far += so_far.empty() ? key : std::string{"."} + key;
    place = &(*place)[key];
  }
  return place;
}

struct Supposition {
  std::string_view key;
  Path path;
};

const std::vector<Supposition>& Suppositions() {
  static const std::vector<Supposition> kAll{
      {"auto", {"spec", "automaticRegeneration", "enabled"}},
      {"before", {"spec", "automaticRegeneration", "before"}},
      {"validity", {"spec", "certificate", "validity"}},
      {"peerMatching", {"spec", "peerMatching"}},
      {"issuance", {"spec", "issuance"}},
      {"atExpiry", {"spec", "activation", "atExpiry"}}};
  return kAll;
}

Outcome Suppose(json& object, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  for (const Supposition& known : Suppositions()) {
    if (equals == std::string::npos || known.key != key) continue;
    json value = text.substr(equals + 1);
    if (key == "auto") {
      if (value != "on" && value != "off")
        return Fail(Exit::Usage, "--what-if auto: it is on or off");
      value = value == "on";
    }
    auto place = PlaceIn(object, known.path);
    if (!place) return std::unexpected(std::move(place.error()));
    **place = std::move(value);
    return {};
  }
  std::string keys;
  for (const Supposition& known : Suppositions())
    keys += fmt::format("{}{}", keys.empty() ? "" : ", ", known.key);
  return Fail(Exit::Usage, fmt::format("--what-if {}: it is KEY=VALUE, and KEY is one of {}",
                                       Escaped(text), keys));
}

// The chosen one as the API server would keep it; Refused, with every reason, where it would not.
Outcome Prepare(json& document, const std::string& path) {
  const std::vector<std::string> found = PrepareSystem(document);
  if (found.empty()) {
    document["metadata"]["uid"] = "simulated";
    document["metadata"]["generation"] = 1;
    return {};
  }
  std::string list;
  for (const std::string& reason : found) list += "\n  " + reason;
  return Fail(Exit::Refused,
              fmt::format("{}: the API server would refuse this system:{}", path, list));
}

Expected<json> Choose(std::vector<json> documents, const std::string& path,
                      const std::string& name) {
  std::vector<json> systems;
  std::string names;
  for (json& document : documents) {
    if (Text(At(document, "kind")) != "ProvisioningSystem") continue;
    const std::string its_name = Text(At(document, "metadata", "name"));
    if (!name.empty() && its_name != name) continue;
    names += (names.empty() ? "" : ", ") + Escaped(its_name);
    systems.push_back(std::move(document));
  }
  if (systems.empty())
    return Fail(Exit::Failed, fmt::format("{}: there is no ProvisioningSystem {}in it", path,
                                          name.empty() ? "" : "\"" + Escaped(name) + "\" "));
  if (systems.size() > 1)
    return Fail(Exit::Usage,
                fmt::format("{}: there are {} ProvisioningSystems in it ({}), and one is simulated "
                            "at a time: give its NAME too",
                            path, systems.size(), names));
  return std::move(systems.front());
}

Expected<json> FromFile(const Session& session, const SimulateCommand& command) {
  const std::string path = command.file == "-" ? "standard input" : Escaped(command.file);
  auto text = ReadInput(command.file, session.stop);
  if (!text) return std::unexpected(std::move(text.error()));
  auto documents = ReadManifest(*text);
  if (!documents) return Fail(Exit::Failed, path + ": " + documents.error().message);
  auto document = Choose(std::move(*documents), path, command.name);
  if (!document) return document;
  if (auto good = Prepare(*document, path); !good) return std::unexpected(std::move(good.error()));
  session.console.Remark(
      fmt::format("The file fits the schema of certpair {}. Rules between fields are the API "
                  "server's to judge: "
                  "kubectl apply --dry-run=server -f {}",
                  CERTPAIR_VERSION, ShellWord(command.file)));
  return document;
}

// One that signs whatever it is asked for, where the real one is not known.
core::AuthorityView AssumedAuthority(const core::SystemSpec& spec, const core::SystemStatus& status,
                                     sys_seconds now) {
  // Its own values, to the letter: a star would not stand for all that a subject may hold.
  const core::Subject& subject = spec.subject;
  return {.state = core::AuthorityView::State::Ready,
          .name = spec.authority,
          .message = {},
          .subject = status.active ? status.active->issuer : "",
          .fingerprint = status.active ? status.active->issuer_fingerprint : "",
          .earlier_fingerprints = {},
          .not_before = now - std::chrono::days{3650},
          .chain_end = now + std::chrono::days{365'000},
          .allow = {{.namespaces = {.all = true, .names = {}, .labels = {}},
                     .common_names = {subject.common_name},
                     .organizations = subject.organizations,
                     .organizational_units = subject.organizational_units,
                     .countries = subject.countries,
                     .localities = subject.localities,
                     .provinces = subject.provinces}}};
}

bool ChoosesByLabels(const core::AuthorityView& authority) {
  return std::ranges::any_of(authority.allow,
                             [](const auto& rule) { return !rule.namespaces.labels.empty(); });
}

// The real one, as far as we may read it; the namespace only where its labels matter.
core::AuthorityView AuthorityOf(const Session& session, const reconcile::StoredSystem& system,
                                core::SystemIdentity& identity, sys_seconds now) {
  const std::string& name = system.spec.authority;
  const auto object = session.client.Get(reconcile::kAuthorities, "", name, session.stop);
  if (!object && object.error().kind == kube::ApiErrorKind::NotFound)
    return reconcile::ViewOf(name, nullptr);
  std::string unreadable = object ? "" : fmt::format("The authority \"{}\"", Escaped(name));
  if (object) {
    const reconcile::StoredAuthority authority = reconcile::DecodeAuthority(*object);
    core::AuthorityView view = reconcile::ViewOf(name, &authority);
    if (!ChoosesByLabels(view)) return view;
    const auto home =
        session.client.Get(reconcile::kNamespaces, "", system.identity.namespace_, session.stop);
    if (home) {
      identity.namespace_labels = reconcile::json::DecodeTextMap(At(*home, "metadata", "labels"));
      identity.namespace_known = true;
      return view;
    }
    unreadable = fmt::format(
        "The authority \"{}\" chooses namespaces by their labels, and this one", Escaped(name));
  }
  session.console.Remark(unreadable +
                         " cannot be read with your rights: the authority is taken for one that "
                         "signs whatever it is asked for.");
  return AssumedAuthority(system.spec, system.status, now);
}

// What the API server would refuse (the CRD's rules), and a simulation would show as never ending.
Outcome CheckSpec(const core::SystemSpec& spec) {
  if (!spec.regenerate_before || *spec.regenerate_before < spec.validity) return {};
  return Fail(Exit::Refused,
              fmt::format("automaticRegeneration.before is {}, and must be shorter than "
                          "certificate.validity, {}",
                          FormatDuration(*spec.regenerate_before), FormatDuration(spec.validity)));
}

Expected<core::Observation> Observe(const Session& session, const json& object, bool from_file) {
  reconcile::StoredSystem system = reconcile::DecodeSystem(object);
  if (!system.undecodable.empty()) return Fail(Exit::Failed, Escaped(system.undecodable));
  if (auto good = CheckSpec(system.spec); !good) return std::unexpected(std::move(good.error()));
  core::Observation seen;
  seen.now = session.clock.NowSeconds();
  if (from_file)
    session.console.Remark(fmt::format(
        "Nothing of the cluster is looked at: the authority \"{}\" is taken for one that signs "
        "whatever it is asked for.",
        Escaped(system.spec.authority)));
  seen.identity = system.identity;
  seen.authority = from_file ? AssumedAuthority(system.spec, system.status, seen.now)
                             : AuthorityOf(session, system, seen.identity, seen.now);
  seen.spec = std::move(system.spec);
  seen.status = std::move(system.status);
  if (seen.status.active)
    seen.secret =
        core::CertificatePair{.active = *seen.status.active, .inactive = seen.status.inactive};
  seen.secret_resource_version = seen.status.secret_resource_version;
  const core::Condition* delivered = seen.status.Find(core::condition::kNotificationsDelivered);
  seen.installation.mail_configured =
      delivered == nullptr || delivered->reason != core::reason::kMailNotConfigured;
  const core::Condition* regenerates = seen.status.Find(core::condition::kAutomaticRegeneration);
  seen.installation.regeneration_supported =
      regenerates == nullptr || regenerates->reason != core::reason::kNotSupported;
  const core::Condition* metadata = seen.status.Find(core::condition::kSecretMetadataAllowed);
  if (metadata == nullptr || metadata->reason != core::reason::kKeyNotAllowed) {
    for (const auto* entries : {&seen.spec.secret.labels, &seen.spec.secret.annotations})
      for (const auto& entry : *entries)
        seen.installation.secret_metadata_allow.push_back(entry.first);
  }
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
    auto read = FromFile(session, command);
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
