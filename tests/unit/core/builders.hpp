// Observations in few words, and passes over them with certificates that are made up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "core/decision.hpp"
#include "core/reasons.hpp"
#include "core/schedule.hpp"
#include "core/slots.hpp"

namespace certpair::core::testing {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

inline constexpr sys_seconds kNow{seconds{1'767'268'800}};  // 2026-01-01T12:00:00Z

/// Fingerprint number `n`, canonical.
inline std::string Fingerprint(int n) {
  std::string text;
  for (int octet = 0; octet < 32; ++octet) {
    text +=
        fmt::format("{}{:02X}", octet ? ":" : "", octet < 4 ? (n >> (8 * (3 - octet))) & 255 : 0);
  }
  return text;
}

/// A certificate that was made at `made` for `validity`, backdated as all of ours are.
inline Certificate Made(int n, sys_seconds made, seconds validity = hours{8760}) {
  Certificate certificate;
  certificate.fingerprint = Fingerprint(n);
  certificate.subject = "CN=abap-prod,O=Example";
  certificate.issuer = "CN=Demo CA";
  certificate.key = {KeyAlgorithm::Ecdsa, 256};
  certificate.not_before = made - kBackdating;
  certificate.not_after = made + validity;
  certificate.issuer_fingerprint = Fingerprint(1'000'000);
  certificate.pem = fmt::format("PEM {}", n);
  return certificate;
}

/// A system that may have its name, a ready authority, no Secret.
inline Observation Fresh(sys_seconds now = kNow) {
  Observation o;
  o.identity.uid = "5f1c0a36-8f6e-4a55-9e0b-6c1f6ac0a001";
  o.identity.namespace_ = "idm";
  o.identity.name = "abap-prod";
  o.identity.namespace_known = true;
  o.identity.namespace_labels = {{"team", "identity"}};
  o.identity.generation = 3;
  o.spec.display_name = "ABAP Production";
  o.spec.authentication = "ClientCertificateAuthentication";
  o.spec.authority = "corporate-ca";
  o.spec.subject = {"abap-prod", {"Example"}, {}, {}, {}, {}};
  o.spec.key = {KeyAlgorithm::Ecdsa, 256};
  o.spec.secret.name = "abap-prod-outbound";
  o.spec.warn_before = {hours{720}, hours{336}, hours{72}};
  o.authority.state = AuthorityView::State::Ready;
  o.authority.name = "corporate-ca";
  o.authority.subject = "CN=Demo CA";
  o.authority.fingerprint = Fingerprint(1'000'000);
  o.authority.not_before = now - days{3650};
  o.authority.chain_end = now + days{36500};
  AllowRule rule;
  rule.namespaces.names = {"idm"};
  rule.common_names = {"abap-*"};
  rule.organizations = {"Example"};
  o.authority.allow = {rule};
  o.now = now;
  return o;
}

/// Puts `state` into the observation and makes the status describe it, as after a quiet pass.
inline Observation With(Observation o, SecretState state) {
  o.secret = std::move(state);
  o.secret_resource_version = std::holds_alternative<Missing>(o.secret) ? "" : "1";
  Decision settled = Decide(o);
  o.status = std::move(settled.status);
  return o;
}

/// A pair in a quiet system: `active` and maybe `inactive`.
inline Observation WithPair(Observation o, Certificate active,
                            std::optional<Certificate> inactive = std::nullopt) {
  return With(std::move(o), CertificatePair{std::move(active), std::move(inactive)});
}

inline Operation Op(OperationAction action, int n, int fingerprint = 0,
                    sys_seconds created = kNow) {
  Operation op;
  op.uid = fmt::format("op-{}", n);
  op.name = fmt::format("operation-{}", n);
  op.created = created;
  op.action = action;
  if (action != OperationAction::Generate) op.fingerprint = Fingerprint(fingerprint);
  return op;
}

/// The pair behind any state; nothing where there is none or half of one.
inline std::optional<CertificatePair> PairOf(const SecretState& state) {
  if (const auto* pair = std::get_if<CertificatePair>(&state)) return *pair;
  if (const auto* retained = std::get_if<Retained>(&state)) return retained->adoptable;
  if (const auto* immutable = std::get_if<Immutable>(&state)) return immutable->pair;
  return std::nullopt;
}

/// Makes up certificates, and writes without Kubernetes.
class Signer {
 public:
  /// Performs `planned` on the observation; answers the fingerprint of what was made, or "".
  std::string Perform(Observation& o, const PlannedChange& planned) {
    std::optional<Certificate> made;
    if (planned.slots.order) made = Sign(o, *planned.slots.order);
    if (!planned.keep_owners) o.owner_refusal.clear();
    o.changed_metadata.clear();
    o = AfterWrite(std::move(o), planned, made ? &*made : nullptr, std::to_string(++version_));
    return made ? made->fingerprint : "";
  }
  [[nodiscard]] int Issued() const { return issued_; }

 private:
  Certificate Sign(const Observation& o, const CertificateOrder& order) {
    Certificate certificate = Made(++issued_ + 5000, o.now);
    certificate.not_before = order.not_before;
    certificate.not_after = order.not_after;
    certificate.key = order.key;
    certificate.issuer_fingerprint = o.authority.fingerprint;
    return certificate;
  }

  int issued_ = 0;
  int version_ = 1;
};

/// The name of a decision's change, for tables: "" for none. The slots tell what is dropped.
inline std::string NameOf(const std::optional<PlannedChange>& planned) {
  if (!planned) return "";
  const bool drops_inactive = planned->slots.inactive == From::Nothing;
  switch (planned->slots.kind) {
    case ChangeKind::IssueActive:
      return drops_inactive ? "IssueActive, dropping the other" : "IssueActive";
    case ChangeKind::IssueInactive:
      return "IssueInactive";
    case ChangeKind::Regenerate:
      return drops_inactive ? "Regenerate, dropping the old" : "Regenerate";
    case ChangeKind::Activate:
      return drops_inactive ? "Activate, dropping the old" : "Activate";
    case ChangeKind::DeleteInactive:
      return "DeleteInactive";
    case ChangeKind::Relabel:
      break;
  }
  return "Relabel";
}

/// The ledger as the status has it.
inline std::vector<std::string> Lines(const NotificationLedger& ledger) {
  std::vector<std::string> lines;
  for (const LedgerEntry& entry : ledger.entries) lines.push_back(FormatLedgerEntry(entry));
  return lines;
}
inline NotificationLedger LedgerOf(const std::vector<std::string>& lines) {
  NotificationLedger ledger;
  for (const std::string& line : lines) ledger.entries.push_back(ParseLedgerEntry(line));
  return ledger;
}

/// `True/Valid`, or `-` where the status has no such condition.
inline std::string Says(const SystemStatus& status, std::string_view type) {
  const Condition* found = status.Find(type);
  if (!found) return "-";
  return fmt::format("{}/{}", ToString(found->status), found->reason);
}

inline std::string MessageOf(const SystemStatus& status, std::string_view type) {
  const Condition* found = status.Find(type);
  return found ? found->message : "";
}

inline std::vector<std::string> Reasons(const std::vector<EventNotice>& events) {
  std::vector<std::string> reasons;
  for (const EventNotice& event : events) {
    reasons.push_back((event.warning ? "Warning " : "Normal ") + event.reason);
  }
  return reasons;
}

/// One pass as the reconciler makes it: Decide, the write, Decide again. Asserts nothing; `again`
/// holds a change only if the protocol is broken.
struct Pass {
  Decision first;
  Decision last;
};
inline Pass RunPass(Observation& o, Signer& signer) {
  Pass pass;
  pass.first = Decide(o);
  if (pass.first.change) {
    signer.Perform(o, *pass.first.change);
    pass.last = Decide(o);
    o.written_in_this_pass = false;
    o.live = {};
  } else {
    pass.last = pass.first;
  }
  for (const OperationVerdict& verdict : pass.last.verdicts) {
    const auto op = std::ranges::find(o.operations, verdict.uid, &Operation::uid);
    if (op == o.operations.end()) continue;
    if (verdict.kind == OperationVerdict::Kind::Remove) {
      o.operations.erase(op);
    } else if (verdict.kind == OperationVerdict::Kind::Mark) {
      op->mark = FinishedMark{op->uid, op->succeeded, op->name_was_generated};
    } else {
      op->finished = true;
      op->succeeded = verdict.kind == OperationVerdict::Kind::Complete;
      op->completed_at = o.now;
      op->mark = FinishedMark{op->uid, op->succeeded, op->name_was_generated};
    }
  }
  o.status = pass.last.status;
  return pass;
}

}  // namespace certpair::core::testing
