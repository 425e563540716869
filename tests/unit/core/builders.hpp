// Observations by the word, and a stand-in for Apply: what a SecretChange does to a pair, with
// certificates that are made up.
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

/// What Apply does to the Secret, without Kubernetes and without keys.
class Signer {
 public:
  /// Performs `planned` on the observation; answers the fingerprint of what was made, or "".
  std::string Perform(Observation& o, const PlannedChange& planned) {
    made_.clear();
    std::visit([&](const auto& change) { Do(o, change); }, planned.what);
    o.budget = planned.budget;
    if (planned.renews) {
      const auto* activate = std::get_if<Activate>(&planned.what);
      o.renewed = activate ? activate->fingerprint : made_;
    }
    if (planned.receipt) {
      o.receipt = planned.receipt;
      if (o.receipt->fingerprint.empty()) o.receipt->fingerprint = made_;
    }
    if (const auto* make = std::get_if<MakeKeystore>(&planned.keystore)) {
      o.keystore = {Read(o.secret).active->fingerprint, make->password, make->password_version};
      o.keystore_damaged = false;
    } else if (std::holds_alternative<RemoveKeystore>(planned.keystore)) {
      o.keystore.reset();
      o.keystore_damaged = false;
    }
    o.secret_metadata_differs = false;
    if (!planned.keep_owners) o.secret_owner_differs = false;
    o.secret_resource_version = std::to_string(++version_);
    return made_;
  }
  [[nodiscard]] int Issued() const { return issued_; }

 private:
  struct Slots {
    std::optional<Certificate> active;
    std::optional<Certificate> inactive;
  };

  static Slots Read(const SecretState& state) {
    if (const auto* damaged = std::get_if<Damaged>(&state)) {
      return {damaged->intact_active, damaged->intact_inactive};
    }
    if (const auto pair = PairOf(state)) return {pair->active, pair->inactive};
    return {};
  }
  static void Write(Observation& o, Slots slots) {
    if (slots.active) {
      o.secret = CertificatePair{*std::move(slots.active), std::move(slots.inactive)};
    } else {
      o.secret = Damaged{std::nullopt, std::move(slots.inactive), "no active certificate"};
    }
  }
  Certificate Sign(const Observation& o, const CertificateOrder& order) {
    Certificate certificate = Made(++issued_ + 5000, o.now);
    certificate.not_before = order.not_before;
    certificate.not_after = order.not_after;
    certificate.key = order.key;
    certificate.issuer_fingerprint = o.authority.fingerprint;
    made_ = certificate.fingerprint;
    return certificate;
  }

  void Do(Observation& o, const IssueActive& change) {
    Slots slots = Read(o.secret);
    if (!change.keep_inactive) slots.inactive.reset();
    slots.active = Sign(o, change.order);
    Write(o, std::move(slots));
  }
  void Do(Observation& o, const IssueInactive& change) {
    Slots slots = Read(o.secret);
    slots.inactive = Sign(o, change.order);
    Write(o, std::move(slots));
  }
  void Do(Observation& o, const ReplaceInactive& change) { Do(o, IssueInactive{change.order}); }
  void Do(Observation& o, const Regenerate& change) {
    Slots slots = Read(o.secret);
    slots.inactive = change.keep_old ? slots.active : std::nullopt;
    slots.active = Sign(o, change.order);
    Write(o, std::move(slots));
  }
  void Do(Observation& o, const Activate& change) {
    Slots slots = Read(o.secret);
    std::swap(slots.active, slots.inactive);
    if (!change.keep_old) slots.inactive.reset();
    Write(o, std::move(slots));
  }
  void Do(Observation& o, const DeleteInactive&) {
    Slots slots = Read(o.secret);
    slots.inactive.reset();
    Write(o, std::move(slots));
  }
  void Do(Observation& o, const Relabel&) {
    if (const auto pair = PairOf(o.secret)) o.secret = *pair;
  }

  int issued_ = 0;
  int version_ = 1;
  std::string made_;
};

/// The name of a decision's change, for tables: "" for none.
inline std::string NameOf(const std::optional<PlannedChange>& planned) {
  if (!planned) return "";
  struct Name {
    std::string operator()(const IssueActive& c) const {
      return c.keep_inactive ? "IssueActive" : "IssueActive, dropping the other";
    }
    std::string operator()(const IssueInactive&) const { return "IssueInactive"; }
    std::string operator()(const ReplaceInactive&) const { return "ReplaceInactive"; }
    std::string operator()(const Regenerate& c) const {
      return c.keep_old ? "Regenerate" : "Regenerate, dropping the old";
    }
    std::string operator()(const Activate& c) const {
      return c.keep_old ? "Activate" : "Activate, dropping the old";
    }
    std::string operator()(const DeleteInactive&) const { return "DeleteInactive"; }
    std::string operator()(const Relabel&) const { return "Relabel"; }
  };
  return std::visit(Name{}, planned->what);
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
