#include "core/occasions.hpp"

#include <optional>
#include <utility>

#include "base/time_format.hpp"
#include "core/conditions.hpp"
#include "core/ledger.hpp"

namespace certpair::core {
namespace {

Occasion EndOf(const View& view, NoticeKind kind, seconds threshold) {
  return {kind, view.active, FormatDuration(threshold)};
}

NoticeKind Ending(const View& view) {
  return view.ActiveExpired() ? NoticeKind::Expired : NoticeKind::Expiring;
}

// Regeneration is on, and an obstacle keeps it from happening.
bool CannotRegenerate(const View& view, const Outcome& automatic) {
  if (!view.by_fingerprint) return !WillRegenerateByItself(view, automatic);
  return !view.HasSuccessor() && (automatic.obstacle || !view.write_failure.empty());
}

// R10: with ON only the last threshold counts, and only where a person must act.
std::optional<Occasion> EndWhileOn(const View& view, const Outcome& automatic) {
  const auto& thresholds = view.thresholds;
  if (thresholds.empty()) return std::nullopt;
  const seconds last = thresholds.back();
  if (view.o.now < view.active->not_after - last) return std::nullopt;
  if (CannotRegenerate(view, automatic) && view.o.now >= FailingFrom(*view.window)) {
    return EndOf(view, NoticeKind::Failing, last);
  }
  const bool held_for_good =
      view.by_fingerprint && view.HasSuccessor() && view.o.spec.at_expiry == AtExpiry::Hold;
  if (held_for_good) return EndOf(view, Ending(view), last);
  return std::nullopt;
}

std::optional<Occasion> End(const View& view, const Outcome& automatic) {
  if (view.regenerating) return EndWhileOn(view, automatic);
  const auto passed = PassedThreshold(view);
  if (!passed) return std::nullopt;
  return EndOf(view, Ending(view), *passed);
}

// R15: the peer must know the new certificate before it is activated. One that is replaced soon is
// not announced.
bool IsHeld(const View& view, const Outcome& automatic) {
  if (!view.regenerating || !view.by_fingerprint || !view.Due()) return false;
  return view.HasFreshSuccessor() || (view.HasSuccessor() && automatic.obstacle);
}

// The Secret says that the renewal was automatic; the status says whether it was announced.
Occasion Renewal(const View& view) {
  const SystemStatus& was = view.o.status;
  const bool was_told = was.observed_generation == 0 || (was.active && *was.active == *view.active);
  return {NoticeKind::Renewed, view.active, std::string{kRenewedThreshold}, was_told};
}

}  // namespace

std::vector<Occasion> Occasions(const View& view, const Outcome& automatic) {
  std::vector<Occasion> occasions;
  if (!view.active) return occasions;
  if (auto end = End(view, automatic)) occasions.push_back(*std::move(end));
  if (IsHeld(view, automatic)) {
    occasions.push_back({NoticeKind::Held, view.inactive, std::string{kHeldThreshold}});
  }
  if (view.o.renewed == view.active->fingerprint) occasions.push_back(Renewal(view));
  return occasions;
}

}  // namespace certpair::core
