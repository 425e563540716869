#include "system_view.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reconcile/json.hpp"
#include "reconcile/system_codec.hpp"
#include "session.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

std::string Otherwise(const std::string& text, std::string_view otherwise) {
  return text.empty() ? std::string{otherwise} : text;
}

CertificateView CertificateOf(const json& entry) {
  const auto size = reconcile::json::Integer(At(entry, "keySize"));
  return {.state = Text(At(entry, "state")),
          .fingerprint = Text(At(entry, "fingerprint")),
          .fingerprint_sha1 = Text(At(entry, "fingerprintSHA1")),
          .subject = Text(At(entry, "subject")),
          .issuer = Text(At(entry, "issuer")),
          .issuer_fingerprint = Text(At(entry, "issuerFingerprint")),
          .serial_number = Text(At(entry, "serialNumber")),
          .signature_algorithm = Text(At(entry, "signatureAlgorithm")),
          .key = fmt::format("{}{}", Text(At(entry, "keyAlgorithm")),
                             size > 0 ? fmt::format(" {}", size) : ""),
          .not_before = reconcile::json::Time(At(entry, "notBefore")),
          .not_after = reconcile::json::Time(At(entry, "notAfter")),
          .pem = Text(At(entry, "pem"))};
}

// Upper-case hex digits alone; nothing for anything else.
std::optional<std::string> HexDigits(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == ':') continue;
    const char upper = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    if (!((upper >= '0' && upper <= '9') || (upper >= 'A' && upper <= 'F'))) return std::nullopt;
    digits += upper;
  }
  return digits;
}

std::string ListOf(const SystemView& system) {
  std::string list;
  for (const CertificateView& certificate : system.certificates)
    list += fmt::format("\n  {}  {}", Escaped(certificate.fingerprint), Escaped(certificate.state));
  return list.empty() ? "\n  there is none" : list;
}

}  // namespace

const CertificateView* SystemView::Find(std::string_view state) const {
  const auto found = std::ranges::find(certificates, state, &CertificateView::state);
  return found == certificates.end() ? nullptr : &*found;
}

const core::Condition* SystemView::Condition(std::string_view type_) const {
  const auto found = std::ranges::find(conditions, type_, &core::Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

SystemView ViewOf(const json& object) {
  const json& metadata = At(object, "metadata");
  const json& spec = At(object, "spec");
  const json& status = At(object, "status");
  SystemView view;
  view.namespace_ = Text(At(metadata, "namespace"));
  view.name = Text(At(metadata, "name"));
  view.uid = Text(At(metadata, "uid"));
  view.version = Text(At(metadata, "resourceVersion"));
  view.being_deleted = !At(metadata, "deletionTimestamp").is_null();
  view.display_name = Otherwise(Text(At(spec, "displayName")), view.name);
  view.type = Text(At(spec, "type"));
  view.authentication = Text(At(spec, "authentication"));
  view.peer_matching = Otherwise(Text(At(spec, "peerMatching")), "SubjectAndIssuer");
  view.authority = Text(At(spec, "authorityRef", "name"));
  view.subject = Text(At(spec, "certificate", "subject", "commonName"));
  view.secret = Otherwise(Text(At(status, "secretName")), Text(At(spec, "secret", "name")));
  if (view.secret.empty()) view.secret = view.name + "-outbound";
  view.automatic = reconcile::json::Boolean(At(spec, "automaticRegeneration", "enabled"));
  view.before = Text(At(spec, "automaticRegeneration", "before"));
  view.at_expiry = Otherwise(Text(At(spec, "activation", "atExpiry")), "Activate");
  for (const json& entry : At(status, "certificates"))
    view.certificates.push_back(CertificateOf(entry));
  view.conditions = reconcile::DecodeConditions(At(status, "conditions"));
  view.next_action = Text(At(status, "nextTransition", "action"));
  view.next_at = reconcile::json::Time(At(status, "nextTransition", "at"));
  for (const json& entry : At(spec, "notifications", "subscribers"))
    view.subscribers.push_back(
        {.display_name = Text(At(entry, "displayName")), .email = Text(At(entry, "email"))});
  view.observed = reconcile::json::Integer(At(status, "observedGeneration")) >=
                      reconcile::json::Integer(At(metadata, "generation")) &&
                  !At(status, "observedGeneration").is_null();
  return view;
}

Expected<const CertificateView*> Resolve(const SystemView& system, std::string_view text) {
  const auto wanted = HexDigits(text);
  if (!wanted || wanted->size() < 2 || wanted->size() > 64)
    return Fail(Exit::Usage,
                fmt::format("\"{}\" is no beginning of a SHA-256 fingerprint: two hex digits or "
                            "more, with or without colons.{}",
                            Escaped(text), ListOf(system)));
  const CertificateView* found = nullptr;
  for (const CertificateView& certificate : system.certificates) {
    const auto digits = HexDigits(certificate.fingerprint);
    if (!digits || !digits->starts_with(*wanted)) continue;
    if (found != nullptr)
      return Fail(Exit::Usage, fmt::format("the fingerprint {} is ambiguous: both begin so.{}",
                                           Escaped(text), ListOf(system)));
    found = &certificate;
  }
  if (found == nullptr)
    return Fail(
        Exit::Usage,
        fmt::format("{} has no certificate whose fingerprint begins with {}.{}",
                    SystemTitle(system.name, system.namespace_), Escaped(text), ListOf(system)));
  return found;
}

bool HasEnded(const SystemView& system, sys_seconds now) {
  const CertificateView* active = system.Active();
  return active != nullptr && active->not_after && *active->not_after <= now;
}

Tint UrgencyOf(const SystemView& system, sys_seconds now) {
  const core::Condition* ready = system.Condition("Ready");
  if (HasEnded(system, now)) return Tint::Bad;
  if (ready != nullptr && ready->status == core::ConditionStatus::False)
    return ready->reason == "Issuing" ? Tint::Warn : Tint::Bad;
  const core::Condition* expiring = system.Condition("ExpiringSoon");
  if (expiring != nullptr && expiring->status == core::ConditionStatus::True)
    return expiring->reason == "WillBeRegenerated" ? Tint::None : Tint::Warn;
  return ready == nullptr ? Tint::Warn : Tint::Good;
}

std::string DescribeNext(const SystemView& system, sys_seconds now) {
  if (!system.next_at) return {};
  return fmt::format("{} {}", Escaped(system.next_action), Relative(*system.next_at, now));
}

}  // namespace certpair::plugin
