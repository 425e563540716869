// A system whose spec this program cannot read: an object that another version of the schema let
// in.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/conditions.hpp"
#include "core/decision.hpp"
#include "core/operations.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

constexpr seconds kFarOff = std::chrono::days{366};
// The postbox forgets outcomes that are not asked for within a day.
constexpr seconds kAskAgain = std::chrono::hours{6};

OperationVerdict Refuse(const Operation& op, const std::string& message) {
  return {OperationVerdict::Kind::Fail,      op.uid,  op.name,
          std::string(reason::kInvalidSpec), message, op.fingerprint};
}

}  // namespace

Decision DecideUnreadable(const Observation& o, const std::string& why) {
  Decision decision;
  decision.status = o.status;
  decision.wake_at = o.now + kFarOff;
  decision.withdrawn = o.mail.under_way;
  if (!o.mail.outcomes.empty()) decision.wake_at = o.now + kAskAgain;
  const std::string message = fmt::format(
      "{}. Correct it: until then the operator does nothing for this system and leaves its Secret "
      "as it is.",
      why);
  for (const Operation& op : o.operations) {
    if (op.finished || op.being_deleted) continue;
    const sys_seconds deadline = op.created + kOperationPatience;
    if (o.now >= deadline) {
      decision.verdicts.push_back(Refuse(op, message));
    } else {
      decision.wake_at = std::min(decision.wake_at, deadline);
    }
  }
  if (o.identity.being_deleted || o.identity.namespace_terminating) return decision;

  const Condition* was = o.status.Find(condition::kReady);
  if (!was || was->reason != reason::kInvalidSpec) {
    decision.events.push_back({true, std::string(reason::kInvalidSpec), message});
  }
  decision.status.observed_generation = o.identity.generation;
  decision.status.conditions =
      WithConditions(o.status.conditions,
                     {{condition::kReady, ConditionStatus::False, reason::kInvalidSpec, message}},
                     o.identity.generation, o.now);
  decision.status.next.reset();
  return decision;
}

}  // namespace certpair::core
