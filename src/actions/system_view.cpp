#include "actions/system_view.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actions/fields.hpp"
#include "core/reasons.hpp"
#include "reconcile/json.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::actions {
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

// The inactive certificate, where it could take the active one's place.
const CertificateView* SuccessorOf(const SystemView& system, sys_seconds now) {
  const CertificateView* inactive = system.Inactive();
  const bool is_valid = inactive != nullptr && inactive->not_after && *inactive->not_after > now &&
                        inactive->not_before.value_or(now) <= now;
  return is_valid && inactive->not_after > system.Active()->not_after ? inactive : nullptr;
}

RegenerationEffect EffectAfterExpiry(const SystemView& system, sys_seconds now) {
  using What = RegenerationEffect::What;
  RegenerationEffect effect;
  effect.peer_knows_fingerprints = system.MatchesByFingerprint();
  effect.expired = system.Active()->not_after;
  const CertificateView* successor = SuccessorOf(system, now);
  if (successor != nullptr) effect.successor = successor->fingerprint;
  if (effect.peer_knows_fingerprints && successor != nullptr) {
    effect.what = system.HoldsAtExpiry() ? What::HoldsSuccessor : What::ActivatesSuccessorNow;
    return effect;
  }
  if (system.Inactive() != nullptr) effect.dropped = system.Inactive()->fingerprint;
  const bool holds = effect.peer_knows_fingerprints && system.HoldsAtExpiry();
  effect.what = holds ? What::IssuesAndHoldsNow : What::IssuesAndActivatesNow;
  return effect;
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
  view.peer_matching = Otherwise(Text(At(spec, "peerMatching")), fields::kPeerMatchingDefault);
  view.authority = Text(At(spec, "authorityRef", "name"));
  view.subject = Text(At(spec, "certificate", "subject", "commonName"));
  view.secret = Otherwise(Text(At(status, "secretName")), Text(At(spec, "secret", "name")));
  if (view.secret.empty()) view.secret = view.name + std::string{fields::kSecretSuffix};
  view.automatic = reconcile::json::Boolean(At(spec, "automaticRegeneration", "enabled"));
  view.before = Text(At(spec, "automaticRegeneration", "before"));
  view.at_expiry = Otherwise(Text(At(spec, "activation", "atExpiry")), fields::kAtExpiryDefault);
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

std::expected<const CertificateView*, BadFingerprint> Resolve(const SystemView& system,
                                                              std::string_view text) {
  using Why = BadFingerprint::Why;
  const auto fail = [&](Why why) {
    BadFingerprint bad{.why = why, .text = std::string{text}, .system = RefOf(system), .there = {}};
    for (const CertificateView& certificate : system.certificates)
      bad.there.emplace_back(certificate.fingerprint, certificate.state);
    return std::unexpected(std::move(bad));
  };
  const auto wanted = HexDigits(text);
  if (!wanted || wanted->size() < 2 || wanted->size() > 64) return fail(Why::NotHex);
  const CertificateView* found = nullptr;
  for (const CertificateView& certificate : system.certificates) {
    const auto digits = HexDigits(certificate.fingerprint);
    if (!digits || !digits->starts_with(*wanted)) continue;
    if (found != nullptr) return fail(Why::SeveralBeginSo);
    found = &certificate;
  }
  if (found == nullptr) return fail(Why::NoneBeginsSo);
  return found;
}

bool HasExpired(const SystemView& system, sys_seconds now) {
  const CertificateView* active = system.Active();
  return active != nullptr && active->not_after && *active->not_after <= now;
}

Health HealthOf(const SystemView& system, sys_seconds now) {
  const core::Condition* ready = system.Condition(core::condition::kReady);
  if (HasExpired(system, now)) return Health::Bad;
  if (ready != nullptr && ready->status == core::ConditionStatus::False)
    return ready->reason == core::reason::kIssuing ? Health::Attention : Health::Bad;
  const core::Condition* expiring = system.Condition(core::condition::kExpiringSoon);
  if (expiring != nullptr && expiring->status == core::ConditionStatus::True)
    return expiring->reason == core::reason::kWillBeRegenerated ? Health::Renews
                                                                : Health::Attention;
  return ready == nullptr ? Health::Attention : Health::Good;
}

RegenerationEffect EffectOf(const SystemView& system, bool on, sys_seconds now) {
  using What = RegenerationEffect::What;
  if (on && HasExpired(system, now)) return EffectAfterExpiry(system, now);
  RegenerationEffect effect;
  effect.peer_knows_fingerprints = system.MatchesByFingerprint();
  if (HasExpired(system, now)) effect.expired = system.Active()->not_after;
  if (!on) return effect;
  effect.what = !system.MatchesByFingerprint() ? What::RenewsBeforeExpiry
                : system.HoldsAtExpiry()       ? What::IssuesThenHolds
                                               : What::IssuesThenActivates;
  return effect;
}

}  // namespace certpair::actions
