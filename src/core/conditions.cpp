#include "core/conditions.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/match.hpp"
#include "base/plain_text.hpp"
#include "base/time_format.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

Statement Say(std::string_view type, bool holds, std::string_view reason, std::string message) {
  return {type, holds ? ConditionStatus::True : ConditionStatus::False, reason, std::move(message)};
}

Statement ReadyWithoutCertificate(const View& view, const Outcome& automatic) {
  const auto say = [](std::string_view reason, std::string message) {
    return Say(condition::kReady, false, reason, std::move(message));
  };
  if (view.not_writable) return say(view.not_writable->reason, view.not_writable->message);
  const std::string_view failure = view.write_failure;
  if (view.active_damaged) {
    const auto* damaged = std::get_if<Damaged>(&view.o.secret);
    std::string message = fmt::format("The active certificate in Secret \"{}\" is damaged: {}.",
                                      view.o.spec.secret.name, damaged ? damaged->what : "");
    if (!failure.empty()) message += fmt::format(" It could not be repaired: {}.", failure);
    return say(reason::kSecretDamaged, message + " " + WhatToDo(view, automatic));
  }
  if (automatic.obstacle) return say(automatic.obstacle->reason, automatic.obstacle->message);
  if (!failure.empty() && view.o.signing_failed) {
    return say(view.FailureReason(), view.DescribeFailure());
  }
  if (!failure.empty()) {
    return say(reason::kSecretWriteFailed, fmt::format("Secret \"{}\" could not be written: {}",
                                                       view.o.spec.secret.name, failure));
  }
  if (view.o.spec.issuance == Issuance::Manual) {
    return say(reason::kWaitingForGenerate,
               fmt::format("spec.issuance is Manual: create a CertificateOperation with "
                           "systemRef.name: {} and action: Generate.",
                           view.o.identity.name));
  }
  return say(reason::kIssuing, "The first certificate is being issued.");
}

// One remark on a certificate that is valid: Ready stays True (R26).
struct Remark {
  std::string_view reason;
  std::string message;
};

bool IsClipped(const View& view) {
  const Certificate& active = *view.active;
  const AuthorityView& authority = view.o.authority;
  return authority.state == AuthorityView::State::Ready &&
         active.issuer_fingerprint == authority.fingerprint &&
         active.not_after == authority.chain_end &&
         ServiceLife(view.o.spec, active) < view.o.spec.validity;
}

bool HasOtherIssuer(const View& view) {
  const std::string& issuer = view.active->issuer_fingerprint;
  return view.o.authority.state == AuthorityView::State::Ready && !issuer.empty() &&
         issuer != view.o.authority.fingerprint;
}

// A peer that trusts the CA's former certificate or the renewed one accepts what either signed.
bool HasIssuerOfSameKey(const View& view) {
  return std::ranges::find(view.o.authority.same_key_fingerprints,
                           view.active->issuer_fingerprint) !=
         view.o.authority.same_key_fingerprints.end();
}

std::string DescribeKey(const KeySpec& key) {
  if (key.algorithm == KeyAlgorithm::Ed25519) return std::string(ToString(key.algorithm));
  return fmt::format("{} {}", ToString(key.algorithm), key.size);
}

// R21: who owns the Secret decides whether it goes with its system.
std::string DescribeOwnerRefusal(const View& view) {
  const Observation& o = view.o;
  const bool wants_owner = o.spec.secret.deletion_policy == DeletionPolicy::Delete;
  return fmt::format(
      "Secret \"{}\" {} although spec.secret.deletionPolicy is {}: the API server refuses to let "
      "the operator change metadata.ownerReferences ({}). {}, or allow the operator to delete this "
      "Secret, which that check asks for.",
      o.spec.secret.name,
      wants_owner ? "stays when this system is deleted" : "is deleted with this system",
      wants_owner ? "Delete" : "Retain", o.owner_refusal,
      wants_owner ? "Delete the Secret yourself after the system"
                  : "Remove this system from its metadata.ownerReferences yourself");
}

// A policy that writes such a label or annotation differs from ours for ever: one of the two must
// yield.
std::string DescribeChangedMetadata(const View& view) {
  return fmt::format(
      "Secret \"{}\" lacks the {} that the operator writes: an admission policy of this cluster "
      "changes it. Operations and renewals take effect, but may take longer. Exempt this Secret "
      "from the policy, or remove the entry from spec.secret.",
      view.o.spec.secret.name, view.o.changed_metadata);
}

std::vector<Remark> Remarks(const View& view) {
  std::vector<Remark> remarks;
  if (view.not_writable) {
    remarks.push_back({view.not_writable->reason, view.not_writable->message});
  }
  if (const auto* damaged = std::get_if<Damaged>(&view.o.secret)) {
    std::string message = fmt::format("Part of Secret \"{}\" is damaged: {}.",
                                      view.o.spec.secret.name, damaged->what);
    if (view.inactive_damaged)
      message += " A CertificateOperation with action: Generate replaces it.";
    remarks.push_back({reason::kInactiveDamaged, std::move(message)});
  }
  if (view.o.secret_owner_differs && !view.o.owner_refusal.empty()) {
    remarks.push_back({reason::kOwnerNotChanged, DescribeOwnerRefusal(view)});
  }
  if (view.o.secret_metadata_differs && !view.o.changed_metadata.empty()) {
    remarks.push_back({reason::kMetadataNotKept, DescribeChangedMetadata(view)});
  }
  if (HasOtherIssuer(view) && !HasIssuerOfSameKey(view)) {
    remarks.push_back(
        {reason::kAuthorityChanged,
         fmt::format("CertificateAuthority \"{}\" has changed its key since this certificate was "
                     "issued. The next certificate is signed with the new key.",
                     view.o.spec.authority)});
  }
  if (IsClipped(view)) {
    remarks.push_back(
        {reason::kValidityClipped,
         fmt::format("It expires with CertificateAuthority \"{}\", sooner than the validity of {}.",
                     view.o.spec.authority, FormatDuration(view.o.spec.validity))});
  }
  if (HasOtherIssuer(view) && HasIssuerOfSameKey(view)) {
    remarks.push_back(
        {reason::kValid,
         fmt::format("CertificateAuthority \"{}\" has renewed its own certificate since, with the "
                     "same key. The next certificate comes with the renewed one.",
                     view.o.spec.authority)});
  }
  // A changed spec counts from the next certificate on (R19), and the present one stays valid.
  if (const KeySpec& has = view.active->key; has != view.o.spec.key) {
    remarks.push_back(
        {reason::kValid,
         fmt::format("Its key is {}. The next certificate has {}, as spec.certificate.key says.",
                     DescribeKey(has), DescribeKey(view.o.spec.key))});
  }
  return remarks;
}

Statement Ready(const View& view, const Outcome& automatic) {
  if (!view.active) return ReadyWithoutCertificate(view, automatic);
  const Certificate& active = *view.active;
  if (IsExpired(active, view.o.now)) {
    return Say(condition::kReady, false, reason::kExpired,
               fmt::format("The active certificate {} expired on {}. {}", active.fingerprint,
                           FormatTime(active.not_after), WhatToDo(view, automatic)));
  }
  if (!IsValid(active, view.o.now)) {
    return Say(condition::kReady, false, reason::kNotYetValid,
               fmt::format("The active certificate {} is not valid before {}. Check the clocks.",
                           active.fingerprint, FormatTime(active.not_before)));
  }
  std::string message = fmt::format("The active certificate {} is valid until {}.",
                                    active.fingerprint, FormatTime(active.not_after));
  const auto remarks = Remarks(view);
  for (const Remark& remark : remarks) message += " " + remark.message;
  if (!view.write_failure.empty()) {
    message += " " + view.DescribeFailure();
  }
  return Say(condition::kReady, true, remarks.empty() ? reason::kValid : remarks.front().reason,
             std::move(message));
}

Statement ExpiringSoon(const View& view, const Outcome& automatic) {
  const auto say = [](bool holds, std::string_view reason, std::string message) {
    return Say(condition::kExpiringSoon, holds, reason, std::move(message));
  };
  if (!view.active) return say(false, reason::kNoCertificate, "The system has no certificate.");
  const Certificate& active = *view.active;
  const std::string end = FormatTime(active.not_after);
  if (IsExpired(active, view.o.now)) {
    return say(
        true, reason::kExpired,
        fmt::format("The active certificate expired on {}. {}", end, WhatToDo(view, automatic)));
  }
  const auto& thresholds = view.thresholds;
  if (thresholds.empty()) {
    return say(false, reason::kWarningsOff, "spec.notifications.warnBefore is empty.");
  }
  const auto passed = PassedThreshold(view);
  if (!passed) {
    return say(
        false, reason::kNotYet,
        fmt::format("The active certificate expires on {}. The first expiry warning is on {}.", end,
                    FormatTime(active.not_after - thresholds.front())));
  }
  // "less than" a threshold, not the days that are left: a text that counts days would be written
  // anew each day.
  return say(
      true,
      WillRegenerateByItself(view, automatic) ? reason::kWillBeRegenerated : reason::kActionNeeded,
      fmt::format("The active certificate {} expires on {}, in less than {}. {}",
                  active.fingerprint, end, DescribeDuration(*passed), WhatToDo(view, automatic)));
}

bool WaitsForPeer(const View& view) {
  return view.regenerating && view.by_fingerprint && view.HasSuccessor() && view.Due();
}

Statement RegenerationIsOn(const View& view, const Outcome& automatic) {
  const auto say = [](std::string_view reason, std::string message) {
    return Say(condition::kAutomaticRegeneration, true, reason, std::move(message));
  };
  if (!view.active) return say(reason::kNoCertificate, "It starts with the first certificate.");
  const std::string start = FormatTime(view.window->starts);
  if (view.by_fingerprint) {
    if (WaitsForPeer(view)) {
      return say(reason::kWaitingForActivation, WhatToDo(view, automatic));
    }
    return say(
        reason::kScheduled,
        fmt::format(
            "A new inactive certificate is issued on {}, for a peer that matches by fingerprint.",
            start));
  }
  if (view.RolledBack()) {
    return say(reason::kRolledBack,
               fmt::format("The older certificate was activated again and stays active until {}. "
                           "Then the newer one is activated, or a new one is issued.",
                           FormatTime(view.window->last_quarter)));
  }
  return say(reason::kScheduled,
             fmt::format("A new certificate is issued and activated on {}.", start));
}

// The reason stays what it was until the certificate is active.
Statement Releasing(const View& view) {
  const std::string_view failure = view.write_failure;
  std::string message =
      fmt::format("Certificate {} is about to be activated.", view.inactive->fingerprint);
  if (!failure.empty()) message += " " + view.DescribeFailure();
  return Say(condition::kAutomaticRegeneration, failure.empty(), reason::kWaitingForActivation,
             std::move(message));
}

bool IsReleasing(const View& view, const Outcome& automatic) {
  return automatic.change && !view.by_fingerprint && view.WasHeld() &&
         automatic.change->slots.kind == ChangeKind::Activate;
}

Statement AutomaticRegeneration(const View& view, const Outcome& automatic) {
  const auto no = [](std::string_view reason, std::string message) {
    return Say(condition::kAutomaticRegeneration, false, reason, std::move(message));
  };
  if (!view.o.spec.regeneration_enabled) {
    std::string message =
        "Automatic regeneration is off: generate and activate each new certificate yourself.";
    if (!view.by_fingerprint) {
      message +=
          " The peer matches by subject and issuer: with spec.automaticRegeneration.enabled: true "
          "the operator does both.";
    }
    return no(reason::kOff, std::move(message));
  }
  if (!view.regenerating) {
    return no(reason::kNotSupported,
              "Automatic regeneration is on, but this installation does not support it: no "
              "certificate is renewed automatically.");
  }
  if (automatic.obstacle) return no(automatic.obstacle->reason, automatic.obstacle->message);
  if (IsReleasing(view, automatic)) return Releasing(view);
  if (automatic.change && !view.write_failure.empty()) {
    return no(view.FailureReason(), view.DescribeFailure());
  }
  if (view.not_issuable && view.not_issuable->reason == reason::kNotAllowed) {
    return no(reason::kNotAllowed, view.not_issuable->message);
  }
  return RegenerationIsOn(view, automatic);
}

Statement InUse(const View& view) {
  const bool used = view.o.spec.authentication == reason::kClientCertificate;
  return Say(condition::kInUse, used,
             used ? reason::kClientCertificate : reason::kOtherAuthentication,
             used ? "The system authenticates with the active certificate."
                  : fmt::format("spec.authentication is \"{}\": the certificates are managed, but "
                                "not in use. Set it to ClientCertificateAuthentication to use "
                                "them.",
                                view.o.spec.authentication));
}

}  // namespace

std::vector<Condition> WithConditions(const std::vector<Condition>& before,
                                      std::vector<Statement> statements, std::int64_t generation,
                                      sys_seconds now) {
  std::vector<Condition> after;
  after.reserve(std::max(before.size(), statements.size()));
  for (Statement& said : statements) {
    const auto old = std::ranges::find(before, said.type, &Condition::type);
    const bool same = old != before.end() && old->status == said.status;
    after.push_back({std::string(said.type), said.status, std::string(said.reason),
                     PlainText(said.message), generation, same ? old->last_transition : now});
  }
  for (const Condition& other : before) {
    if (std::ranges::find(after, other.type, &Condition::type) == after.end()) {
      after.push_back(other);
    }
  }
  return after;
}

std::vector<Statement> Conditions(const View& view, const Outcome& automatic) {
  std::vector<Statement> said;  // a list in braces would copy each
  said.reserve(5);              // and NotificationsDelivered
  said.push_back(Ready(view, automatic));
  said.push_back(ExpiringSoon(view, automatic));
  said.push_back(AutomaticRegeneration(view, automatic));
  said.push_back(InUse(view));
  return said;
}

bool HoldsForPeer(const View& view, const Outcome& automatic) {
  return WaitsForPeer(view) || IsReleasing(view, automatic);
}

bool IsSecretBlocked(const View& view) {
  return std::visit(
      Match{[&](const Missing&) { return !view.write_failure.empty() && !view.o.signing_failed; },
            [](const NotOurs& foreign) { return !foreign.collectable; },
            [&](const Retained&) { return view.not_writable.has_value(); },
            [](const Immutable&) { return true; }, [](const Damaged&) { return true; },
            [](const CertificatePair&) { return false; }},
      view.o.secret);
}

std::optional<seconds> PassedThreshold(const View& view) {
  std::optional<seconds> passed;
  if (!view.active) return passed;
  for (const seconds threshold : view.thresholds) {
    if (view.o.now >= view.active->not_after - threshold) passed = threshold;
  }
  return passed;
}

}  // namespace certpair::core
