// Private to src/core: what a rule answers, and the rules by topic. Each is a pure function of a
// View; decide.cpp has them in their order.
#pragma once

#include <optional>
#include <vector>

#include "core/view.hpp"

namespace certpair::core {

/// A rule's answer: what is done, or why what is due is not done. A rule that does not apply
/// answers nothing.
struct Outcome {
  std::optional<PlannedChange> change;
  std::optional<Obstacle> obstacle;
  std::vector<OperationVerdict> verdicts;
  std::optional<sys_seconds> again;  ///< look again then
  bool urgent = false;               ///< goes before a pending operation
};
using Rule = std::optional<Outcome> (*)(const View&);

// Ownership (R20).
[[nodiscard]] std::optional<Outcome> LeaveUnwritableSecret(const View& view);

// Issuance and regeneration (R1, R6, R15, and the table of states).
[[nodiscard]] std::optional<Outcome> IssueFirst(const View& view);
[[nodiscard]] std::optional<Outcome> RepairActive(const View& view);
[[nodiscard]] std::optional<Outcome> ReleaseHeld(const View& view);
[[nodiscard]] std::optional<Outcome> WaitAfterRollback(const View& view);
[[nodiscard]] std::optional<Outcome> RegenerateExpiring(const View& view);
[[nodiscard]] std::optional<Outcome> ActivateForFingerprintPeer(const View& view);
[[nodiscard]] std::optional<Outcome> HoldForFingerprintPeer(const View& view);

// Operations.
[[nodiscard]] std::optional<Outcome> SettleReceipt(const View& view);
[[nodiscard]] std::optional<Outcome> RunOperations(const View& view);

/// R27: six certificates were made automatically within one `before`; nothing: there is room.
[[nodiscard]] std::optional<Obstacle> BudgetObstacle(const View& view);
/// The budget as it is written beside a change and into the status: the last six, with `now` if the
/// change is an automatic issuance (R27).
[[nodiscard]] Budget BudgetAfter(const View& view, bool automatic_issuance);

}  // namespace certpair::core
