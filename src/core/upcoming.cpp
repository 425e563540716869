#include "core/upcoming.hpp"

#include <algorithm>

#include "core/operations.hpp"

namespace certpair::core {
namespace {

constexpr seconds kFarOff = std::chrono::days{366};

/// Keeps the earliest of the times that are still to come, and before `limit`.
class Earliest {
 public:
  Earliest(sys_seconds now, sys_seconds limit) : now_(now), at_(limit) {}
  void Add(sys_seconds at) {
    if (at > now_) at_ = std::min(at_, at);
  }
  void Add(const std::optional<sys_seconds>& at) {
    if (at) Add(*at);
  }
  [[nodiscard]] sys_seconds Get() const { return at_; }

 private:
  sys_seconds now_;
  sys_seconds at_;
};

void AddCertificates(const View& view, Earliest& times) {
  if (view.active) {
    times.Add(view.active->not_before);
    times.Add(view.active->not_after);
    for (const seconds threshold : view.thresholds) {
      times.Add(view.active->not_after - threshold);
    }
  }
  if (view.inactive) {
    times.Add(view.inactive->not_before);
    times.Add(view.inactive->not_after);
  }
  if (!view.regenerating || !view.active) return;
  times.Add(view.window->starts);
  times.Add(FailingFrom(*view.window));
  if (view.by_fingerprint) {
    times.Add(view.window->lead);
  } else {
    times.Add(view.window->last_quarter);
  }
  if (view.inactive && (view.by_fingerprint || view.RolledBack())) {
    times.Add(view.InactiveWindow().starts);
  }
}

void AddOperations(const View& view, Earliest& times) {
  for (const Operation& op : view.o.operations) {
    if (op.being_deleted) continue;
    if (op.finished) {
      times.Add(RemovalTime(op));
    } else {
      times.Add(op.created + kOperationPatience);
    }
  }
}

// What ON does next; nothing where it can only wait.
std::optional<NextTransition> NextRegeneration(const View& view, const Outcome& automatic) {
  if (automatic.obstacle || !view.regenerating) return std::nullopt;
  const Window& window = *view.window;
  const sys_seconds now = view.o.now;
  if (!view.by_fingerprint) {
    if (view.RolledBack()) {
      const sys_seconds then = std::max(window.starts, window.last_quarter);
      return then > now ? std::optional(NextTransition{
                              then, view.HasFreshSuccessor() ? "Activate" : "Regenerate"})
                        : std::nullopt;
    }
    return window.starts > now ? std::optional(NextTransition{window.starts, "Regenerate"})
                               : std::nullopt;
  }
  if (window.starts > now) return NextTransition{window.starts, "Issue"};
  const bool activates = view.HasSuccessor() && view.o.spec.at_expiry == AtExpiry::Activate;
  return activates && window.lead > now ? std::optional(NextTransition{window.lead, "Activate"})
                                        : std::nullopt;
}

}  // namespace

std::optional<NextTransition> NextStep(const View& view, const Outcome& automatic) {
  if (!view.active) return std::nullopt;
  if (auto next = NextRegeneration(view, automatic)) return next;
  const sys_seconds end = view.active->not_after;
  if (!view.regenerating) {
    for (const seconds threshold : view.thresholds) {
      if (end - threshold > view.o.now)
        return NextTransition{.at = end - threshold, .action = std::string(kWarnAction)};
    }
  }
  if (end > view.o.now) return NextTransition{end, "Expire"};
  return std::nullopt;
}

sys_seconds NextLook(const View& view, const Outcome& outcome, const Outcome& automatic) {
  const sys_seconds now = view.o.now;
  if (outcome.again && *outcome.again <= now) return now;
  Earliest times(now, now + kFarOff);
  times.Add(outcome.again);
  times.Add(automatic.again);
  if (!view.Leaving()) AddCertificates(view, times);
  AddOperations(view, times);
  return times.Get();
}

}  // namespace certpair::core
