#include "core/view.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "core/reasons.hpp"

namespace certpair::core {
namespace {

constexpr seconds kShortestWait{15};
constexpr seconds kLongestWait = std::chrono::minutes{10};

Obstacle Foreign(const Observation& o, std::string_view what) {
  return {
      reason::kSecretNotOurs,
      fmt::format("Secret \"{}\" does not belong to this system: {}. The operator does not change "
                  "it. Remove or rename it, or give this system another spec.secret.name.",
                  o.spec.secret.name, what),
      LookAgainAtUnwatched(o, condition::kReady)};
}

void Show(View& view, const CertificatePair& pair) {
  view.active = &pair.active;
  view.inactive = pair.inactive ? &*pair.inactive : nullptr;
}

// R25 first: it holds in each state of the authority, and before a key is made.
std::optional<Obstacle> WhyNotIssuable(const Observation& o) {
  const AuthorityView& authority = o.authority;
  if (authority.state == AuthorityView::State::Absent) {
    return Obstacle{reason::kAuthorityNotFound,
                    fmt::format("CertificateAuthority \"{}\" does not exist. Create it: this "
                                "system then continues automatically.",
                                o.spec.authority),
                    std::nullopt};
  }
  if (auto refusal = WhyNotAllowed(authority, o.spec.subject, o.identity)) {
    return Obstacle{reason::kNotAllowed, *std::move(refusal), std::nullopt};
  }
  if (authority.state == AuthorityView::State::NotReady) {
    return Obstacle{
        reason::kAuthorityNotReady,
        fmt::format("CertificateAuthority \"{}\" is not ready: {}", o.spec.authority,
                    authority.message.empty() ? "no reason is known yet" : authority.message),
        std::nullopt};
  }
  return std::nullopt;
}

// A retained Secret is adopted on the terms of a new certificate: its authority is ready and lets
// this system have the name. It stays retained, or the deletion of this system would take what the
// earlier one was told to keep. A restored Secret has no owner, with either policy: the restored
// spec decides.
std::optional<Obstacle> WhyNotAdopted(const Observation& o, const Retained& retained) {
  if (!retained.restored && o.spec.secret.deletion_policy != DeletionPolicy::Retain) {
    return Obstacle{
        reason::kSecretRetained,
        fmt::format("Secret \"{}\" was retained by an earlier system of this name, and "
                    "spec.secret.deletionPolicy is Delete. The Secret is not adopted, since it "
                    "would be deleted with this system. Set spec.secret.deletionPolicy to Retain "
                    "to adopt its certificates, or remove the Secret to get new ones.",
                    o.spec.secret.name),
        std::nullopt};
  }
  auto obstacle = WhyNotIssuable(o);
  if (!obstacle) return std::nullopt;
  obstacle->message =
      fmt::format(
          "Secret \"{}\" was retained by an earlier system of this name and is not adopted. ",
          o.spec.secret.name) +
      obstacle->message;
  return obstacle;
}

struct ReadSecret {
  View& view;
  const Observation& o;

  void operator()(const Missing&) const { view.missing = true; }
  void operator()(const NotOurs& foreign) const {
    if (!foreign.collectable) {
      view.not_writable = Foreign(o, foreign.owner.empty() ? "it has no owner" : foreign.owner);
      return;
    }
    view.not_writable = Obstacle{
        reason::kWaitingForRemoval,
        fmt::format("Secret \"{}\" belongs to an earlier system of this name and is being removed.",
                    o.spec.secret.name),
        LookAgainAtUnwatched(o, condition::kReady)};
  }
  void operator()(const Retained& retained) const {
    // Only an authority that is ready can tell whether it fits.
    const bool can_tell = o.authority.state == AuthorityView::State::Ready;
    if (can_tell && !retained.adoptable) {
      view.not_writable =
          Foreign(o, fmt::format("an earlier system of this name left it, and it does not fit ({})",
                                 retained.why_not));
      return;
    }
    view.not_writable = WhyNotAdopted(o, retained);
    if (view.not_writable) return;
    view.relabel = true;
    Show(view, *retained.adoptable);
  }
  void operator()(const Immutable& immutable) const {
    view.not_writable = Obstacle{
        reason::kSecretImmutable,
        fmt::format("Secret \"{}\" is immutable, so its certificates cannot change. Delete it to "
                    "get a new one, or give this system another spec.secret.name.",
                    o.spec.secret.name),
        std::nullopt};
    if (immutable.pair) {
      Show(view, *immutable.pair);
    } else {
      view.active_damaged = true;
    }
  }
  void operator()(const Damaged& damaged) const {
    view.relabel = view.MetadataDiffers();
    view.active = damaged.intact_active ? &*damaged.intact_active : nullptr;
    view.inactive = damaged.intact_inactive ? &*damaged.intact_inactive : nullptr;
    view.active_damaged = view.active == nullptr;
    view.inactive_damaged = view.inactive == nullptr;
  }
  void operator()(const CertificatePair& pair) const {
    view.relabel = view.MetadataDiffers();
    Show(view, pair);
  }
};

// By the times of automatic issuances: a certificate begins so much before it is made (R22).
bool IsAutomatic(const View& view, const Certificate& certificate) {
  const sys_seconds made = certificate.not_before + kBackdating;
  return std::ranges::find(view.o.budget.automatic, made) != view.o.budget.automatic.end();
}

bool Same(const std::optional<Certificate>& described, const Certificate* present) {
  if (!described || !present) return !described && !present;
  return *described == *present;
}

}  // namespace

View::View(const Observation& observation) : o(observation) {
  keep_owners = !o.owner_refusal.empty() && o.now < o.owner_refused_at + kOwnerRetry;
  keep_metadata = !o.changed_metadata.empty() && o.now < o.metadata_changed_at + kOwnerRetry;
  std::visit(ReadSecret{*this, o}, o.secret);
  regenerating = o.spec.regeneration_enabled && o.installation.regeneration_supported;
  by_fingerprint = o.spec.peer_matching == PeerMatching::Fingerprint;
  stale_status = !Same(o.status.active, active) || !Same(o.status.inactive, inactive);
  const std::string& described = o.status.secret_resource_version;
  untold_change = stale_status || o.written_in_this_pass ||
                  (std::holds_alternative<CertificatePair>(o.secret) && !described.empty() &&
                   described != o.secret_resource_version);
  before = EffectiveBefore(o.spec, active);
  if (active) {
    window = RegenerationWindow(o.identity.uid, o.spec, *active);
    thresholds = EffectiveThresholds(o.spec, *active);
  }
  not_issuable = WhyNotIssuable(o);
  const bool may_pass = o.write_fails_since && o.now < *o.write_fails_since + Patience(window);
  if (!may_pass) write_failure = o.write_failure;
}

sys_seconds LookAgainAtUnwatched(const Observation& o, std::string_view type) {
  const Condition* told = o.status.Find(type);
  const seconds age =
      told && told->status == ConditionStatus::False ? o.now - told->last_transition : seconds{0};
  return o.now + std::clamp(age, kShortestWait, kLongestWait);
}

bool View::MetadataDiffers() const {
  return (o.secret_metadata_differs && !keep_metadata) || (o.secret_owner_differs && !keep_owners);
}

std::string_view View::FailureReason() const {
  return o.signing_failed ? reason::kSigningFailed : reason::kSecretWriteFailed;
}

std::string View::DescribeFailure() const {
  if (!o.signing_failed) return fmt::format("The Secret could not be written: {}", o.write_failure);
  return fmt::format("CertificateAuthority \"{}\" did not sign a certificate: {}", o.spec.authority,
                     o.write_failure);
}

bool View::Leaving() const { return o.identity.being_deleted || o.identity.namespace_terminating; }

Window View::InactiveWindow() const {
  return RegenerationWindow(o.identity.uid, o.spec, *inactive);
}

bool View::HasSuccessor() const {
  return inactive && IsValid(*inactive, o.now) &&
         (!active || inactive->not_after > active->not_after);
}

bool View::HasFreshSuccessor() const { return HasSuccessor() && o.now < InactiveWindow().starts; }

bool View::RolledBack() const {
  if (!active || !inactive || !o.receipt) return false;
  return o.receipt->action == OperationAction::Activate &&
         o.receipt->fingerprint == active->fingerprint &&
         o.receipt->replaced == inactive->fingerprint &&
         std::tie(inactive->not_before, inactive->not_after) >
             std::tie(active->not_before, active->not_after);
}

bool View::WasHeld() const {
  if (o.status.Find(condition::kAutomaticRegeneration)) {
    return inactive && o.status.held_fingerprint == inactive->fingerprint && !stale_status;
  }
  // The status was lost. What was made automatically becomes active in the same write, unless it is
  // held, or a person rolled back from it.
  return inactive && !RolledBack() && IsAutomatic(*this, *inactive);
}

}  // namespace certpair::core
