// R1, R6, R15, R22 and the table of the pair's states: what happens automatically.
#include <algorithm>
#include <initializer_list>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "core/reasons.hpp"
#include "core/rules.hpp"

namespace certpair::core {
namespace {

Obstacle AuthorityEndsFirst(const View& view) {
  return {
      reason::kAuthorityExpiresFirst,
      fmt::format("CertificateAuthority \"{}\" expires on {}: a new certificate would not outlast "
                  "the present one by a tenth of the validity ({}). Renew the authority.",
                  view.o.spec.authority, FormatTime(view.o.authority.chain_end),
                  FormatDuration(view.o.spec.validity)),
      std::nullopt};
}

Obstacle AuthorityBeginsLater(const View& view) {
  const sys_seconds begin = view.o.authority.not_before;
  return {reason::kAuthorityNotReady,
          fmt::format("CertificateAuthority \"{}\" is not valid before {}. Check the clocks.",
                      view.o.spec.authority, FormatTime(begin)),
          begin};
}

// Whether the certificate that is made takes another's place. The very first one does not.
bool Renews(const View& view, ChangeKind kind) {
  if (kind == ChangeKind::IssueActive) return view.active_damaged || view.o.status.active;
  return kind == ChangeKind::Regenerate;
}

// One automatic certificate, that must outlast `present` (R22), within the budget (R27). `change`
// lacks only its order.
Outcome IssueAutomatically(const View& view, SlotChange change,
                           std::initializer_list<const Certificate*> present) {
  Outcome outcome;
  if (view.not_issuable) {
    outcome.obstacle = view.not_issuable;
    return outcome;
  }
  auto order = OrderNow(view.o.spec, view.o.authority, view.o.now);
  const bool outlasts = order && std::ranges::all_of(present, [&](const Certificate* one) {
                          return one == nullptr || Outlasts(*order, *one, view.o.spec);
                        });
  if (!order && view.o.now < view.o.authority.not_before) {
    outcome.obstacle = AuthorityBeginsLater(view);
    outcome.again = outcome.obstacle->retry_at;
    return outcome;
  }
  if (!outlasts) {
    outcome.obstacle = AuthorityEndsFirst(view);
    return outcome;
  }
  if (auto obstacle = BudgetObstacle(view)) {
    outcome.again = obstacle->retry_at;
    outcome.obstacle = std::move(obstacle);
    return outcome;
  }
  change.order = *std::move(order);
  const bool renews = Renews(view, change.kind);
  outcome.change = PlannedChange{std::move(change), std::nullopt, BudgetAfter(view, true), renews};
  return outcome;
}

Outcome ActivateAutomatically(const View& view) {
  Outcome outcome;
  outcome.change =
      PlannedChange{Activate(view.active != nullptr), std::nullopt, BudgetAfter(view, false), true};
  return outcome;
}

// A successor that was made within the lead time came too late to be held: it waits for the very
// end, since the peer may still know the active one only.
bool WasMadeInLead(const View& view) {
  return view.inactive->not_before + kBackdating >= view.window->lead;
}

}  // namespace

// R1. A Secret that a person deletes is made anew in the same way. With `Manual` it waits for a
// Generate.
std::optional<Outcome> IssueFirst(const View& view) {
  if (!view.missing) return std::nullopt;
  if (view.o.spec.issuance == Issuance::Automatic)
    return IssueAutomatically(view, IssueActive({}), {});
  Outcome wait;
  wait.obstacle = view.not_issuable;
  return wait;
}

// The active certificate is damaged. OFF: only reported; a Generate or an Activate mends it.
std::optional<Outcome> RepairActive(const View& view) {
  if (!view.active_damaged) return std::nullopt;
  if (!view.regenerating) return Outcome{};
  const bool usable = view.inactive && IsValid(*view.inactive, view.o.now);
  if (view.by_fingerprint && usable) return ActivateAutomatically(view);
  return IssueAutomatically(view, IssueActive({}, view.inactive != nullptr), {});
}

// The peer matched by fingerprint until now, and a certificate was held for it: it is activated
// rather than thrown away.
std::optional<Outcome> ReleaseHeld(const View& view) {
  if (!view.regenerating || view.by_fingerprint || !view.WasHeld()) return std::nullopt;
  if (!view.HasFreshSuccessor()) return std::nullopt;
  return ActivateAutomatically(view);
}

// R6: after a rollback the newer certificate is activated in the last quarter of the window, if it
// is still fresh. Until then nothing happens.
std::optional<Outcome> WaitAfterRollback(const View& view) {
  if (!view.regenerating || view.by_fingerprint || !view.Due() || !view.RolledBack()) {
    return std::nullopt;
  }
  if (view.o.now < view.window->last_quarter) return Outcome{};
  if (!view.HasFreshSuccessor()) return std::nullopt;
  Outcome outcome = ActivateAutomatically(view);
  outcome.urgent = true;
  return outcome;
}

// R6: new one active, old one inactive, what was inactive gone. Also after the end.
std::optional<Outcome> RegenerateExpiring(const View& view) {
  if (!view.regenerating || view.by_fingerprint || !view.Due()) return std::nullopt;
  Outcome outcome = IssueAutomatically(view, Regenerate({}), {view.active});
  outcome.urgent = view.o.now >= view.window->last_quarter;
  return outcome;
}

// R15, `atExpiry: Activate`: shortly before the active certificate ends the held one goes in. Where
// no certificate is held after the expiry, a new one goes in: late is better than never.
std::optional<Outcome> ActivateForFingerprintPeer(const View& view) {
  if (!view.regenerating || !view.by_fingerprint || !view.active) return std::nullopt;
  if (view.o.spec.at_expiry == AtExpiry::Hold || view.o.now < view.window->lead) {
    return std::nullopt;
  }
  if (view.HasSuccessor()) {
    if (!view.ActiveExpired() && WasMadeInLead(view)) return Outcome{};
    return ActivateAutomatically(view);
  }
  if (!view.ActiveExpired()) return std::nullopt;
  return IssueAutomatically(view, Regenerate({}), {view.active});
}

// R15: within the window (and after the end, with Hold) a newer valid certificate stands ready. It
// is replaced when it comes into its own window, never before. A status that does not yet describe
// the pair is written first: the peer learns of the certificate from it.
std::optional<Outcome> HoldForFingerprintPeer(const View& view) {
  if (!view.regenerating || !view.by_fingerprint || !view.Due()) return std::nullopt;
  if (view.HasFreshSuccessor()) return Outcome{};
  if (view.untold_change) {
    Outcome wait;
    wait.again = view.o.now + seconds{1};
    return wait;
  }
  return IssueAutomatically(view, IssueInactive({}),
                            {view.active, view.HasSuccessor() ? view.inactive : nullptr});
}

}  // namespace certpair::core
