#include "reconcile/pass/system_pass.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

using Kind = PassResult::Kind;

constexpr std::chrono::seconds kLookAgain{5};
// Each need is met at most once; the rest is reserve.
constexpr int kMostRounds = 8;

}  // namespace

SystemPass::SystemPass(const PassTools& tools, const std::string& key, const StoredSystem& system,
                       Memory& memory)
    : tools_(tools),
      key_(key),
      system_(system),
      memory_(memory),
      resource_version_(system.resource_version) {}

PassResult SystemPass::Run() {
  if (IsBehind()) return LookAgainLater();
  remembered_ = memory_.issuances.Of(system_.identity.uid);
  PassResult result = system_.undecodable.empty() ? Look() : ReportUnreadable();
  memory_.issuances.Remember(decided_.status.automatic_issuances);
  // What comes next comes at its time, whatever failed now: a back-off does not delay it.
  if (result.kind == Kind::Failed && !result.wake_at) {
    result.wake_at = decided_.wake_at;
    result.urgency = decided_.urgent ? kube::Urgency::First : kube::Urgency::InTurn;
  }
  return result;
}

PassResult SystemPass::Look() {
  if (const auto read = Observe(); !read) return ReadFailed(read.error());
  if (auto ended = DecideFully()) return *ended;
  ForgetUnwantedKey();
  if (decided_.change) {
    if (auto ended = Change()) return *ended;
  } else if (memory_.trouble.IsAny()) {
    if (auto ended = Forgive()) return *ended;
  }
  if (auto ended = Report()) return *ended;
  return Finish();
}

// The owner of the system reads in its status why nothing happens. What this process remembers of
// status and Secret counts no more.
PassResult SystemPass::ReportUnreadable() {
  ObserveSystem();
  decided_ = core::DecideUnreadable(seen_, system_.undecodable);
  if (tools_.postbox != nullptr && !decided_.withdrawn.empty())
    tools_.postbox->Withdraw(key_, decided_.withdrawn);
  seen_.mail.outcomes.clear();  // they are entered once the spec can be read
  if (!decided_.events.empty())
    log::Error("a system's spec cannot be read: is the CRD of this version?",
               {{"system", key_}, {"field", system_.undecodable}});
  ForgetUnwantedKey();
  memory_.read_live = true;
  if (auto ended = Report()) return *ended;
  return {.kind = Kind::Settled, .wake_at = decided_.wake_at};
}

bool SystemPass::IsBehind() {
  const auto secret =
      tools_.view.Secret(ObjectKey(system_.identity.namespace_, system_.spec.secret.name));
  switch (memory_.writes.Check(system_.resource_version,
                               secret ? &secret->resource_version : nullptr,
                               tools_.clock.Steady())) {
    case OwnWrites::Lag::None:
      return false;
    case OwnWrites::Lag::Behind:
      return true;
    case OwnWrites::Lag::TooLong:
      break;
  }
  log::Warn("the caches do not show a write of this operator: it is read live", {{"system", key_}});
  memory_.DistrustCaches();
  return false;
}

// The one place that asks Decide. Mail that is not wanted any more is taken back at once, since the
// ledger then drops it.
void SystemPass::Decide() {
  do {
    decided_ = core::Decide(seen_);
  } while (TakeBackMail());
}

// Decides, and learns what the decision depends on, until it stands.
SystemPass::Ended SystemPass::DecideFully() {
  for (int round = 0; round < kMostRounds; ++round) {
    Decide();
    if (!decided_.need) return std::nullopt;
    if (auto ended = Learn(*decided_.need)) return ended;
  }
  log::Error("a decision needs what was read already", {{"system", key_}});
  memory_.read_live = true;
  return PassResult{.kind = Kind::Failed,
                    .error = "a decision needs what was read already",
                    .error_kind = "Unstable"};
}

PassResult SystemPass::LookAgainLater() const {
  return {.kind = Kind::Waiting, .wake_at = tools_.clock.NowSeconds() + kLookAgain};
}

PassResult SystemPass::Finish() {
  if (seen_.live.secret) {
    memory_.read_live = false;
    if (memory_.depth_check.IsDue(seen_.now))
      memory_.depth_check.PlanNext(system_.identity.uid, seen_.now, tools_.check_in_depth_every);
  }
  if (decided_.change) {
    memory_.read_live = true;
    return {.kind = Kind::Failed,
            .error = "after a change, another was wanted",
            .error_kind = "Unstable"};
  }
  if (!decided_.verdicts.empty()) return {.kind = Kind::Settled, .wake_at = seen_.now + seconds{1}};
  return {.kind = Kind::Settled,
          .wake_at = std::min(decided_.wake_at, memory_.depth_check.At()),
          .urgency = decided_.urgent ? kube::Urgency::First : kube::Urgency::InTurn};
}

}  // namespace certpair::reconcile
