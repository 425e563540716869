#include "actions/simulate.hpp"

#include <algorithm>

#include "actions/fields.hpp"
#include "core/reasons.hpp"
#include "reconcile/authority_codec.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::actions {
namespace {

using nlohmann::json;
using reconcile::json::At;

const fields::Supposable* SupposableOf(const std::string& key) {
  const auto* const found = std::ranges::find(fields::kSupposables, key, &fields::Supposable::key);
  return found == fields::kSupposables.end() ? nullptr : found;
}

// Puts the value to its place; parents are made where there are none.
OrRefusal<void> Suppose(json& object, const Supposition& supposition) {
  const fields::Supposable* field = SupposableOf(supposition.key);
  if (field == nullptr) return Refuse(UnknownSupposition{supposition.key});
  json value = supposition.value;
  if (field->key == "auto") {
    if (value != "on" && value != "off") return Refuse(BadSwitch{supposition.value});
    value = value == "on";
  }
  json* place = &object;
  std::string so_far;
  for (const std::string_view key : field->path) {
    if (key.empty()) break;
    if (!place->is_object() && !place->is_null())
      return Refuse(NotAnObject{so_far, place->type_name()});
    so_far += (so_far.empty() ? "" : ".") + std::string{key};
    place = &(*place)[std::string{key}];
  }
  *place = std::move(value);
  return {};
}

core::AuthorityView Assumed(const core::SystemSpec& spec, const core::SystemStatus& status,
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

// The real authority as far as the user may read it, and the namespace where its labels matter;
// else why it has to be assumed.
std::expected<core::AuthorityView, AssumedAuthority::Why> AuthorityOf(
    const Session& session, const std::string& name, core::SystemIdentity& identity) {
  const auto object = session.client.Get(reconcile::kAuthorities, "", name, session.stop);
  if (!object && object.error().kind == kube::ApiErrorKind::NotFound)
    return reconcile::ViewOf(name, nullptr);
  if (!object) return std::unexpected(AssumedAuthority::Why::AuthorityUnreadable);
  const reconcile::StoredAuthority authority = reconcile::DecodeAuthority(*object);
  core::AuthorityView view = reconcile::ViewOf(name, &authority);
  if (!ChoosesByLabels(view)) return view;
  const auto home =
      session.client.Get(reconcile::kNamespaces, "", identity.namespace_, session.stop);
  if (!home) return std::unexpected(AssumedAuthority::Why::NamespaceUnreadable);
  identity.namespace_labels = reconcile::json::DecodeTextMap(At(*home, "metadata", "labels"));
  identity.namespace_known = true;
  return view;
}

// What status tells of the installation.
core::Installation InstallationOf(const core::Observation& seen) {
  core::Installation installation;
  const core::Condition* delivered = seen.status.Find(core::condition::kNotificationsDelivered);
  installation.mail_configured =
      delivered == nullptr || delivered->reason != core::reason::kMailNotConfigured;
  const core::Condition* regenerates = seen.status.Find(core::condition::kAutomaticRegeneration);
  installation.regeneration_supported =
      regenerates == nullptr || regenerates->reason != core::reason::kNotSupported;
  const core::Condition* metadata = seen.status.Find(core::condition::kSecretMetadataAllowed);
  if (metadata == nullptr || metadata->reason != core::reason::kKeyNotAllowed)
    for (const auto* entries : {&seen.spec.secret.labels, &seen.spec.secret.annotations})
      for (const auto& entry : *entries) installation.secret_metadata_allow.push_back(entry.first);
  return installation;
}

// The CRD's rules forbid it, and a simulation would show it as never ending.
OrRefusal<void> CheckSpec(const core::SystemSpec& spec) {
  if (!spec.regenerate_before || *spec.regenerate_before < spec.validity) return {};
  return Refuse(BeforeNotShorter{*spec.regenerate_before, spec.validity});
}

OrRefusal<core::Observation> Observe(const Session& session, const json& object, bool in_cluster,
                                     std::optional<AssumedAuthority>& assumed) {
  reconcile::StoredSystem system = reconcile::DecodeSystem(object);
  if (!system.undecodable.empty()) return Refuse(UnreadableSpec{std::move(system.undecodable)});
  if (auto good = CheckSpec(system.spec); !good) return std::unexpected(std::move(good.error()));
  core::Observation seen;
  seen.now = session.clock.NowSeconds();
  seen.identity = system.identity;
  auto authority = in_cluster ? AuthorityOf(session, system.spec.authority, seen.identity)
                              : std::unexpected(AssumedAuthority::Why::NotLookedAt);
  if (!authority) assumed = AssumedAuthority{authority.error(), system.spec.authority};
  seen.authority =
      authority ? std::move(*authority) : Assumed(system.spec, system.status, seen.now);
  seen.spec = std::move(system.spec);
  seen.status = std::move(system.status);
  if (seen.status.active)
    seen.secret =
        core::CertificatePair{.active = *seen.status.active, .inactive = seen.status.inactive};
  seen.secret_resource_version = seen.status.secret_resource_version;
  seen.installation = InstallationOf(seen);
  return seen;
}

}  // namespace

OrRefusal<Supposition> ParseSupposition(const std::string& text) {
  const std::size_t equals = text.find('=');
  Supposition supposition{.key = text.substr(0, equals), .value = {}};
  if (equals == std::string::npos || SupposableOf(supposition.key) == nullptr)
    return Refuse(UnknownSupposition{text});
  supposition.value = text.substr(equals + 1);
  return supposition;
}

OrRefusal<Simulated> Simulate(const Session& session, SimulationRequest request) {
  const bool in_cluster = !request.object;
  json object;
  if (in_cluster) {
    auto found = ReadSystem(session, request.name);
    if (!found) return std::unexpected(std::move(found.error()));
    object = std::move(found->object);
  } else {
    object = std::move(*request.object);
  }
  for (const Supposition& supposition : request.suppositions)
    if (auto supposed = Suppose(object, supposition); !supposed)
      return std::unexpected(std::move(supposed.error()));
  // What is supposed is a change of the spec: status does not describe it yet.
  Simulated simulated;
  auto start = Observe(session, object, in_cluster, simulated.assumed);
  if (!start) return std::unexpected(std::move(start.error()));
  simulated.system = start->identity.name;
  simulated.from = start->now;
  simulated.until = start->now + request.length;
  simulated.foresight = Foresee(std::move(*start), simulated.until);
  return simulated;
}

}  // namespace certpair::actions
