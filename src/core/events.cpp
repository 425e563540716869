#include "core/events.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "core/conditions.hpp"
#include "core/ledger.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

// One that is so much older than the look at it was not made by the pass before.
constexpr seconds kFreshlyIssued = std::chrono::hours{1};

EventNotice Normal(std::string_view reason, std::string message) {
  return {false, std::string(reason), std::move(message), {}};
}
EventNotice Warning(std::string_view reason, std::string message) {
  return {true, std::string(reason), std::move(message), {}};
}

bool Is(const std::optional<Certificate>& described, const Certificate* present) {
  return described && present && *described == *present;
}

std::string Until(const Certificate& certificate, sys_seconds now) {
  return fmt::format("{} (until {}, for {})", certificate.fingerprint,
                     FormatTime(certificate.not_after),
                     DescribeDuration(certificate.not_after - now));
}

// ` by operation "x"`, where the receipt names the certificate and the operation is still there.
std::string ByWhom(const View& view, const std::string& fingerprint) {
  const auto& receipt = view.o.receipt;
  if (!receipt || receipt->fingerprint != fingerprint) return "";
  const auto op = std::ranges::find(view.o.operations, receipt->operation_uid, &Operation::uid);
  return op == view.o.operations.end() ? "" : fmt::format(" by operation \"{}\"", op->name);
}

// What became of the active slot. `told_inactive_gone`: an Event here names the deleted inactive
// certificate already.
void TellActive(const View& view, std::vector<EventNotice>& events, bool& told_inactive_gone) {
  const SystemStatus& was = view.o.status;
  const Certificate* now_active = view.active;
  const bool old_is_there = Is(was.active, view.active) || Is(was.active, view.inactive);
  if (was.active && !old_is_there && (now_active || view.missing)) {
    events.push_back(Warning(reason::kCertificateLost,
                             fmt::format("The active certificate {} was removed from Secret \"{}\" "
                                         "or damaged there, and not by the operator.",
                                         was.active->fingerprint, view.o.spec.secret.name)));
  }
  if (!now_active || Is(was.active, now_active)) return;
  const std::string what = Until(*now_active, view.o.now);
  const std::string who = ByWhom(view, now_active->fingerprint);
  if (Is(was.inactive, now_active)) {
    events.push_back(Normal(reason::kCertificateActivated,
                            fmt::format("Certificate {} was activated{}.", what, who)));
  } else if (!was.active && view.o.now - now_active->not_before > kFreshlyIssued) {
    events.push_back(Normal(reason::kCertificateAdopted,
                            fmt::format("Certificate {} was found and is active.", what)));
  } else if (!was.active || !old_is_there) {
    events.push_back(Normal(reason::kCertificateIssued,
                            fmt::format("Certificate {} was issued{} and is active.", what, who)));
  } else {
    std::string message =
        fmt::format("Certificate {} was issued and is active. {} is now inactive.", what,
                    was.active->fingerprint);
    if (was.inactive && !Is(was.inactive, view.inactive)) {
      message += fmt::format(" The inactive {} was deleted.", was.inactive->fingerprint);
      told_inactive_gone = true;
    }
    events.push_back(Normal(reason::kCertificateRegenerated, std::move(message)));
  }
}

// What became of the inactive slot.
void TellInactive(const View& view, std::vector<EventNotice>& events, bool told_inactive_gone) {
  const SystemStatus& was = view.o.status;
  const bool was_there = Is(was.inactive, view.active) || Is(was.inactive, view.inactive);
  if (was.inactive && !was_there && !told_inactive_gone && !view.inactive_damaged && view.active) {
    events.push_back(
        Normal(reason::kCertificateDeleted,
               fmt::format("The inactive certificate {} was deleted{}.", was.inactive->fingerprint,
                           ByWhom(view, was.inactive->fingerprint))));
  }
  if (!view.inactive || !was.active) return;
  if (Is(was.inactive, view.inactive) || Is(was.active, view.inactive)) return;
  const std::string who = ByWhom(view, view.inactive->fingerprint);
  std::string message = fmt::format("Certificate {} was issued{} and is inactive.",
                                    Until(*view.inactive, view.o.now), who);
  const bool for_peer = who.empty() && view.regenerating && view.by_fingerprint;
  if (for_peer) {
    message += fmt::format(
        " The peer matches by fingerprint: tell it the new certificate, then create a "
        "CertificateOperation with systemRef.name: {}, action: Activate and this fingerprint.",
        view.o.identity.name);
  }
  events.push_back({for_peer, std::string(reason::kCertificateIssued), std::move(message)});
}

struct Announced {
  std::string_view type;
  std::string_view reason;
  bool warning;
};
// Reasons that are worth an Event when a condition takes them on: a person must act, or would ask
// why.
constexpr std::array kAnnounced{
    Announced{condition::kReady, reason::kSecretDamaged, true},
    Announced{condition::kReady, reason::kInactiveDamaged, true},
    Announced{condition::kReady, reason::kSecretNotOurs, true},
    Announced{condition::kReady, reason::kSecretRetained, true},
    Announced{condition::kReady, reason::kSecretImmutable, true},
    Announced{condition::kReady, reason::kSecretWriteFailed, true},
    Announced{condition::kReady, reason::kOwnerNotChanged, true},
    Announced{condition::kReady, reason::kMetadataNotKept, true},
    Announced{condition::kReady, reason::kSigningFailed, true},
    Announced{condition::kReady, reason::kNotAllowed, true},
    Announced{condition::kReady, reason::kAuthorityExpiresFirst, true},
    Announced{condition::kReady, reason::kIssuanceBudgetExceeded, true},
    Announced{condition::kReady, reason::kNotYetValid, true},
    Announced{condition::kReady, reason::kAuthorityChanged, false},
    Announced{condition::kReady, reason::kValidityClipped, false},
    Announced{condition::kAutomaticRegeneration, reason::kNotSupported, true},
    Announced{condition::kAutomaticRegeneration, reason::kNotAllowed, true},
    Announced{condition::kAutomaticRegeneration, reason::kAuthorityNotFound, true},
    Announced{condition::kAutomaticRegeneration, reason::kAuthorityNotReady, true},
    Announced{condition::kAutomaticRegeneration, reason::kAuthorityExpiresFirst, true},
    Announced{condition::kAutomaticRegeneration, reason::kIssuanceBudgetExceeded, true},
    Announced{condition::kAutomaticRegeneration, reason::kSecretWriteFailed, true},
    Announced{condition::kAutomaticRegeneration, reason::kSigningFailed, true},
    Announced{condition::kNotificationsDelivered, reason::kMailDelayed, true},
    Announced{condition::kKeystoreWritten, reason::kPasswordMissing, true},
    Announced{condition::kKeystoreWritten, reason::kPasswordUnusable, true},
    Announced{condition::kSecretMetadataAllowed, reason::kKeyNotAllowed, true},
};

void TellConditions(const View& view, const std::vector<Condition>& conditions,
                    std::vector<EventNotice>& events) {
  for (const Announced& announced : kAnnounced) {
    const auto now = std::ranges::find(conditions, announced.type, &Condition::type);
    if (now == conditions.end() || now->reason != announced.reason) continue;
    const Condition* was = view.o.status.Find(announced.type);
    if (was && was->reason == announced.reason) continue;
    const bool said =
        std::ranges::find(events, announced.reason, &EventNotice::reason) != events.end();
    // While there is no certificate, Ready says what keeps the first from being made.
    const bool first = !view.active && announced.type == condition::kAutomaticRegeneration;
    if (said || first) continue;
    events.push_back({announced.warning, now->reason, now->message});
  }
}

// R9: the most urgent threshold that has passed, once; and the end, once.
void TellExpiry(const View& view, const Outcome& automatic, Tidings& tidings) {
  if (!view.active) return;
  const Certificate& active = *view.active;
  const bool act = !WillRegenerateByItself(view, automatic);
  const sys_seconds now = view.o.now;
  if (view.ActiveExpired()) {
    if (!EnterEvent(tidings.ledger, active, "expired")) return;
    tidings.events.push_back(
        {act, std::string(reason::kExpired),
         fmt::format("The active certificate {} expired on {}, {} ago. {}", active.fingerprint,
                     FormatTime(active.not_after), DescribeDuration(now - active.not_after),
                     WhatToDo(view, automatic))});
    return;
  }
  bool is_new = false;  // of the last that passed, which is the most urgent
  for (const seconds threshold : view.thresholds) {
    if (now < active.not_after - threshold) break;
    is_new = EnterEvent(tidings.ledger, active, FormatDuration(threshold));
  }
  if (!is_new) return;
  tidings.events.push_back(
      {act, std::string(reason::kExpiringSoonEvent),
       fmt::format("The active certificate {} expires on {}, in {}. {}", active.fingerprint,
                   FormatTime(active.not_after), DescribeDuration(active.not_after - now),
                   WhatToDo(view, automatic))});
}

void TellRefusals(const Outcome& outcome, std::vector<EventNotice>& events) {
  for (const OperationVerdict& verdict : outcome.verdicts) {
    if (verdict.kind != OperationVerdict::Kind::Fail) continue;
    if (verdict.reason == reason::kFinishedEarlier) continue;  // it was told then
    events.push_back(Warning(reason::kOperationFailed,
                             fmt::format("Operation \"{}\" was refused ({}). {}", verdict.name,
                                         verdict.reason, verdict.message)));
    events.back().verdict_uid = verdict.uid;
  }
}

}  // namespace

Tidings TellDifference(const View& view, const Outcome& outcome, const Outcome& automatic,
                       const std::vector<Condition>& conditions, NotificationLedger ledger) {
  Tidings tidings{{}, std::move(ledger)};
  bool told_inactive_gone = false;
  TellActive(view, tidings.events, told_inactive_gone);
  TellInactive(view, tidings.events, told_inactive_gone);
  TellConditions(view, conditions, tidings.events);
  TellExpiry(view, automatic, tidings);
  TellRefusals(outcome, tidings.events);
  return tidings;
}

}  // namespace certpair::core
