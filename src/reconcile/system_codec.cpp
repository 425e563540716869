#include "reconcile/system_codec.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/time_format.hpp"
#include "core/reasons.hpp"
#include "reconcile/json.hpp"

namespace certpair::reconcile {
namespace {

using json::At;
using json::Text;
using json::Value;

// A value as a message can quote it: short and in ASCII.
std::string Quoted(const Value& value) {
  constexpr std::size_t kMost = 80;
  std::string text = value.dump(-1, ' ', true, Value::error_handler_t::replace);
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

// Picks the enumerator that the text names; leaves `target` and notes the field where it names
// none.
template <class Enum>
void DecodeEnum(const Value& value, std::initializer_list<std::pair<std::string_view, Enum>> names,
                Enum& target, const char* field, std::string& undecodable) {
  if (value.is_null()) return;
  const std::string text = Text(value);
  for (const auto& [name, enumerator] : names) {
    if (text == name) {
      target = enumerator;
      return;
    }
  }
  if (undecodable.empty())
    undecodable = std::string{field} + ": this operator does not know the value " + Quoted(value);
}

void DecodeDuration(const Value& value, std::optional<seconds>& target, const char* field,
                    std::string& undecodable) {
  if (value.is_null()) return;
  target = json::Duration(value);
  if (!target && undecodable.empty())
    undecodable = std::string{field} + ": " + Quoted(value) + " is not a duration such as 720h";
}

core::Subject DecodeSubject(const Value& subject) {
  return {.common_name = Text(At(subject, "commonName")),
          .organizations = json::Texts(At(subject, "organizations")),
          .organizational_units = json::Texts(At(subject, "organizationalUnits")),
          .countries = json::Texts(At(subject, "countries")),
          .localities = json::Texts(At(subject, "localities")),
          .provinces = json::Texts(At(subject, "provinces"))};
}

core::SecretSpec DecodeSecretSpec(const Value& secret, const std::string& system_name,
                                  std::string& undecodable) {
  core::SecretSpec spec;
  spec.name = Text(At(secret, "name"));
  if (spec.name.empty()) spec.name = system_name + "-outbound";
  DecodeEnum(At(secret, "deletionPolicy"),
             {{"Delete", core::DeletionPolicy::Delete}, {"Retain", core::DeletionPolicy::Retain}},
             spec.deletion_policy, "spec.secret.deletionPolicy", undecodable);
  spec.labels = json::DecodeTextMap(At(secret, "labels"));
  spec.annotations = json::DecodeTextMap(At(secret, "annotations"));
  if (const Value& reference = At(secret, "pkcs12", "passwordSecretRef"); !reference.is_null())
    spec.pkcs12 = {.name = Text(At(reference, "name")), .key = Text(At(reference, "key"))};
  return spec;
}

void DecodeNotifications(const Value& notifications, core::SystemSpec& spec,
                         std::string& undecodable) {
  for (const Value& threshold : At(notifications, "warnBefore")) {
    std::optional<seconds> parsed;
    DecodeDuration(threshold, parsed, "spec.notifications.warnBefore", undecodable);
    if (parsed) spec.warn_before.push_back(*parsed);
  }
  for (const Value& subscriber : At(notifications, "subscribers"))
    spec.subscribers.push_back({.display_name = Text(At(subscriber, "displayName")),
                                .email = Text(At(subscriber, "email"))});
}

core::SystemSpec DecodeSpec(const Value& spec, const std::string& name, std::string& undecodable) {
  core::SystemSpec out;
  out.display_name = Text(At(spec, "displayName"));
  if (out.display_name.empty()) out.display_name = name;
  DecodeEnum(At(spec, "type"),
             {{"Source", core::SystemType::Source},
              {"Target", core::SystemType::Target},
              {"Proxy", core::SystemType::Proxy}},
             out.type, "spec.type", undecodable);
  out.authentication = Text(At(spec, "authentication"));
  DecodeEnum(At(spec, "peerMatching"),
             {{"SubjectAndIssuer", core::PeerMatching::SubjectAndIssuer},
              {"Fingerprint", core::PeerMatching::Fingerprint}},
             out.peer_matching, "spec.peerMatching", undecodable);
  DecodeEnum(At(spec, "issuance"),
             {{"Automatic", core::Issuance::Automatic}, {"Manual", core::Issuance::Manual}},
             out.issuance, "spec.issuance", undecodable);
  out.authority = Text(At(spec, "authorityRef", "name"));
  const Value& certificate = At(spec, "certificate");
  out.subject = DecodeSubject(At(certificate, "subject"));
  std::optional<seconds> validity;
  DecodeDuration(At(certificate, "validity"), validity, "spec.certificate.validity", undecodable);
  out.validity = validity.value_or(out.validity);
  if (const auto key = DecodeKeySpec(At(certificate, "key"), out.key)) {
    out.key = *key;
  } else if (undecodable.empty()) {
    undecodable = "spec.certificate.key.algorithm: this operator does not know the value " +
                  Quoted(At(certificate, "key", "algorithm"));
  }
  out.secret = DecodeSecretSpec(At(spec, "secret"), name, undecodable);
  out.regeneration_enabled = json::Boolean(At(spec, "automaticRegeneration", "enabled"));
  DecodeDuration(At(spec, "automaticRegeneration", "before"), out.regenerate_before,
                 "spec.automaticRegeneration.before", undecodable);
  DecodeEnum(At(spec, "activation", "atExpiry"),
             {{"Activate", core::AtExpiry::Activate}, {"Hold", core::AtExpiry::Hold}},
             out.at_expiry, "spec.activation.atExpiry", undecodable);
  DecodeNotifications(At(spec, "notifications"), out, undecodable);
  return out;
}

core::Certificate DecodeCertificate(const Value& entry) {
  const auto key_algorithm = Text(At(entry, "keyAlgorithm"));
  core::Certificate out{.fingerprint = Text(At(entry, "fingerprint")),
                        .fingerprint_sha1 = Text(At(entry, "fingerprintSHA1")),
                        .subject = Text(At(entry, "subject")),
                        .issuer = Text(At(entry, "issuer")),
                        .serial_number = Text(At(entry, "serialNumber")),
                        .signature_algorithm = Text(At(entry, "signatureAlgorithm")),
                        .key = {.algorithm = core::KeyAlgorithm::Rsa,
                                .size = static_cast<int>(json::Integer(At(entry, "keySize")))},
                        .not_before = json::Time(At(entry, "notBefore")).value_or(sys_seconds{}),
                        .not_after = json::Time(At(entry, "notAfter")).value_or(sys_seconds{}),
                        .issuer_fingerprint = Text(At(entry, "issuerFingerprint")),
                        .pem = Text(At(entry, "pem"))};
  for (const auto algorithm :
       {core::KeyAlgorithm::Rsa, core::KeyAlgorithm::Ecdsa, core::KeyAlgorithm::Ed25519})
    if (key_algorithm == core::ToString(algorithm)) out.key.algorithm = algorithm;
  return out;
}

std::optional<core::ServerReply> DecodeReply(const Value& reply) {
  if (!reply.is_object()) return std::nullopt;
  return core::ServerReply{.notice_id = Text(At(reply, "id")), .words = Text(At(reply, "message"))};
}

// Earlier operators wrote no fields for these facts, and read them from the reasons of their own
// conditions. Where a field is absent the reason counts. Decide writes no such reason without the
// field, so that a status of this operator reads back as it was written.
void ReadFactsFromConditions(const Value& status, core::SystemStatus& out) {
  const auto says = [&](std::string_view type, std::initializer_list<std::string_view> reasons) {
    const core::Condition* told = out.Find(type);
    return told != nullptr && std::ranges::find(reasons, told->reason) != reasons.end();
  };
  if (At(status, "secretBlocked").is_null())
    out.secret_blocked = says(core::condition::kReady,
                              {core::reason::kSecretNotOurs, core::reason::kSecretRetained,
                               core::reason::kSecretImmutable, core::reason::kSecretWriteFailed,
                               core::reason::kSecretDamaged});
  if (At(status, "heldFingerprint").is_null() && out.inactive &&
      says(core::condition::kAutomaticRegeneration, {core::reason::kWaitingForActivation}))
    out.held_fingerprint = out.inactive->fingerprint;
  if (At(status, "notifications", "delay").is_null() &&
      says(core::condition::kNotificationsDelivered, {core::reason::kMailDelayed}))
    out.ledger.delay = core::ServerReply{};
}

core::SystemStatus DecodeStatus(const Value& status) {
  core::SystemStatus out;
  out.observed_generation = json::Integer(At(status, "observedGeneration"));
  out.conditions = DecodeConditions(At(status, "conditions"));
  for (const Value& entry : At(status, "certificates")) {
    auto& slot = Text(At(entry, "state")) == "Active" ? out.active : out.inactive;
    slot = DecodeCertificate(entry);
  }
  out.secret_name = Text(At(status, "secretName"));
  out.secret_resource_version = Text(At(status, "secretResourceVersion"));
  if (const auto at = json::Time(At(status, "nextTransition", "at")))
    out.next = {.at = *at, .action = Text(At(status, "nextTransition", "action"))};
  for (const Value& at : At(status, "automaticIssuances"))
    if (const auto time = json::Time(at)) out.automatic_issuances.push_back(*time);
  out.secret_blocked = json::Boolean(At(status, "secretBlocked"));
  out.held_fingerprint = Text(At(status, "heldFingerprint"));
  for (const std::string& line : json::Texts(At(status, "notifications", "sent")))
    out.ledger.entries.push_back(core::ParseLedgerEntry(line));
  out.ledger.failure = DecodeReply(At(status, "notifications", "failure"));
  out.ledger.delay = DecodeReply(At(status, "notifications", "delay"));
  for (const Value& row : At(status, "notifications", "summary"))
    out.ledger.summary.push_back(
        {.threshold = Text(At(row, "threshold")),
         .fingerprint = Text(At(row, "fingerprint")),
         .at = json::Time(At(row, "at")).value_or(sys_seconds{}),
         .recipients = static_cast<int>(json::Integer(At(row, "recipients"))),
         .failed = static_cast<int>(json::Integer(At(row, "failed")))});
  ReadFactsFromConditions(status, out);
  return out;
}

Value EncodeCertificate(const core::Certificate& certificate, std::string_view state) {
  return {{"state", state},
          {"fingerprint", certificate.fingerprint},
          {"fingerprintSHA1", certificate.fingerprint_sha1},
          {"subject", certificate.subject},
          {"issuer", certificate.issuer},
          {"issuerFingerprint", certificate.issuer_fingerprint},
          {"serialNumber", certificate.serial_number},
          {"signatureAlgorithm", certificate.signature_algorithm},
          {"keyAlgorithm", core::ToString(certificate.key.algorithm)},
          {"keySize", certificate.key.size},
          {"notBefore", FormatTime(certificate.not_before)},
          {"notAfter", FormatTime(certificate.not_after)},
          {"pem", certificate.pem}};
}

Value EncodeReply(const core::ServerReply& reply) {
  Value out{{"message", reply.words}};
  if (!reply.notice_id.empty()) out["id"] = reply.notice_id;
  return out;
}

// A merge patch takes lists as a whole.
Value EncodeLedger(const core::NotificationLedger& before, const core::NotificationLedger& ledger) {
  Value summary = Value::array();
  for (const core::NotificationSummary& row : ledger.summary)
    summary.push_back({{"threshold", row.threshold},
                       {"fingerprint", row.fingerprint},
                       {"at", FormatTime(row.at)},
                       {"recipients", row.recipients},
                       {"failed", row.failed}});
  Value sent = Value::array();
  for (const core::LedgerEntry& entry : ledger.entries)
    sent.push_back(core::FormatLedgerEntry(entry));
  Value out{{"sent", std::move(sent)}, {"summary", std::move(summary)}};
  const auto reply = [&](const char* field, const std::optional<core::ServerReply>& was,
                         const std::optional<core::ServerReply>& is) {
    if (was != is) out[field] = is ? EncodeReply(*is) : Value();
  };
  reply("failure", before.failure, ledger.failure);
  reply("delay", before.delay, ledger.delay);
  return out;
}

Value EncodeTimes(const std::vector<sys_seconds>& times) {
  Value list = Value::array();
  for (const sys_seconds at : times) list.push_back(FormatTime(at));
  return list;
}

bool SameFacts(const std::optional<core::Certificate>& a,
               const std::optional<core::Certificate>& b) {
  if (!a || !b) return !a && !b;
  const auto facts = [](const core::Certificate& c) {
    return std::tie(c.fingerprint, c.fingerprint_sha1, c.subject, c.issuer, c.serial_number,
                    c.signature_algorithm, c.key.algorithm, c.key.size, c.not_before, c.not_after,
                    c.issuer_fingerprint);
  };
  return facts(*a) == facts(*b);
}

// What is written only from a Secret that was read: without its PEM a certificate is not news.
bool Writable(const core::SystemStatus& status) {
  const auto readable = [](const std::optional<core::Certificate>& slot) {
    return !slot || !slot->pem.empty();
  };
  return readable(status.active) && readable(status.inactive);
}

void EncodeCertificates(const StoredSystem& stored, const core::SystemStatus& after, Value& patch) {
  if (!CertificatesDiffer(stored, after)) return;
  const core::SystemStatus& before = stored.status;
  Value list = Value::array();
  if (after.active) list.push_back(EncodeCertificate(*after.active, "Active"));
  if (after.inactive) list.push_back(EncodeCertificate(*after.inactive, "Inactive"));
  patch["certificates"] = std::move(list);
  const auto fingerprint = [](const core::SystemStatus& s) {
    return s.active ? s.active->fingerprint : "";
  };
  if (fingerprint(before) != fingerprint(after) ||
      (before.active && after.active && before.active->not_after != after.active->not_after)) {
    patch["activeFingerprint"] = after.active ? Value(after.active->fingerprint) : Value();
    patch["expires"] = after.active ? Value(FormatTime(after.active->not_after)) : Value();
  }
}

}  // namespace

std::optional<core::KeySpec> DecodeKeySpec(const nlohmann::json& key, core::KeySpec otherwise) {
  const std::string algorithm = Text(At(key, "algorithm"));
  core::KeySpec spec = otherwise;
  if (algorithm == "RSA") {
    spec = {.algorithm = core::KeyAlgorithm::Rsa, .size = 3072};
  } else if (algorithm == "ECDSA") {
    spec = {.algorithm = core::KeyAlgorithm::Ecdsa, .size = 256};
  } else if (algorithm == "Ed25519") {
    return core::KeySpec{.algorithm = core::KeyAlgorithm::Ed25519, .size = 256};
  } else if (!algorithm.empty()) {
    return std::nullopt;
  }
  spec.size = static_cast<int>(json::Integer(At(key, "size"), spec.size));
  return spec;
}

StoredSystem DecodeSystem(const nlohmann::json& object) {
  StoredSystem out;
  const Value& metadata = At(object, "metadata");
  out.identity.uid = Text(At(metadata, "uid"));
  out.identity.namespace_ = Text(At(metadata, "namespace"));
  out.identity.name = Text(At(metadata, "name"));
  out.identity.being_deleted = !At(metadata, "deletionTimestamp").is_null();
  out.identity.generation = json::Integer(At(metadata, "generation"));
  out.resource_version = Text(At(metadata, "resourceVersion"));
  out.spec = DecodeSpec(At(object, "spec"), out.identity.name, out.undecodable);
  out.status = DecodeStatus(At(object, "status"));
  out.pems_digest = PemsDigest(out.status);
  for (auto* slot : {&out.status.active, &out.status.inactive})
    if (*slot) std::string{}.swap((*slot)->pem);
  return out;
}

// The PEMs are held as a digest alone: it tells whether they were edited.
bool CertificatesDiffer(const StoredSystem& before, const core::SystemStatus& after) {
  return Writable(after) && (!SameFacts(before.status.active, after.active) ||
                             !SameFacts(before.status.inactive, after.inactive) ||
                             before.pems_digest != PemsDigest(after));
}

nlohmann::json StatusPatch(const StoredSystem& stored, const core::SystemStatus& after) {
  const core::SystemStatus& before = stored.status;
  Value patch = Value::object();
  if (before.observed_generation != after.observed_generation)
    patch["observedGeneration"] = after.observed_generation;
  if (before.conditions != after.conditions)
    patch["conditions"] = EncodeConditions(after.conditions);
  EncodeCertificates(stored, after, patch);
  if (before.secret_name != after.secret_name) patch["secretName"] = after.secret_name;
  if (before.secret_resource_version != after.secret_resource_version)
    patch["secretResourceVersion"] =
        after.secret_resource_version.empty() ? Value() : Value(after.secret_resource_version);
  if (before.next != after.next)
    patch["nextTransition"] =
        after.next ? Value{{"at", FormatTime(after.next->at)}, {"action", after.next->action}}
                   : Value();
  if (before.automatic_issuances != after.automatic_issuances)
    patch["automaticIssuances"] = EncodeTimes(after.automatic_issuances);
  if (before.secret_blocked != after.secret_blocked)
    patch["secretBlocked"] = after.secret_blocked ? Value(true) : Value();
  if (before.held_fingerprint != after.held_fingerprint)
    patch["heldFingerprint"] =
        after.held_fingerprint.empty() ? Value() : Value(after.held_fingerprint);
  if (before.ledger != after.ledger)
    patch["notifications"] = EncodeLedger(before.ledger, after.ledger);
  if (patch.empty()) return nullptr;
  return {{"status", std::move(patch)}};
}

nlohmann::json EncodeConditions(const std::vector<core::Condition>& conditions) {
  Value list = Value::array();
  for (const core::Condition& condition : conditions)
    list.push_back({{"type", condition.type},
                    {"status", core::ToString(condition.status)},
                    {"reason", condition.reason},
                    {"message", condition.message},
                    {"observedGeneration", condition.observed_generation},
                    {"lastTransitionTime", FormatTime(condition.last_transition)}});
  return list;
}

std::vector<core::Condition> DecodeConditions(const nlohmann::json& list) {
  std::vector<core::Condition> conditions;
  conditions.reserve(list.size());  // a cache of thousands keeps them, and would keep spare room
  for (const Value& entry : list) {
    core::Condition condition{
        .type = Text(At(entry, "type")),
        .status = core::ConditionStatus::Unknown,
        .reason = Text(At(entry, "reason")),
        .message = Text(At(entry, "message")),
        .observed_generation = json::Integer(At(entry, "observedGeneration")),
        .last_transition = json::Time(At(entry, "lastTransitionTime")).value_or(sys_seconds{})};
    for (const auto status : {core::ConditionStatus::True, core::ConditionStatus::False})
      if (Text(At(entry, "status")) == core::ToString(status)) condition.status = status;
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

}  // namespace certpair::reconcile
