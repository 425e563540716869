// Operations: one at a time, in order of creation, each effect once (R2-R4, and the protocol).
#include "core/operations.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "core/reasons.hpp"
#include "core/rules.hpp"

namespace certpair::core {
namespace {

constexpr std::size_t kMostVerdicts = 32;  // in one pass; the rest in the next

struct Wait {};
using Judgement = std::variant<Wait, OperationVerdict, SlotChange>;

OperationVerdict Verdict(OperationVerdict::Kind kind, const Operation& op, std::string_view reason,
                         std::string message) {
  return {kind, op.uid, op.name, std::string(reason), std::move(message), op.fingerprint};
}
OperationVerdict Refuse(const Operation& op, std::string_view reason, std::string message) {
  return Verdict(OperationVerdict::Kind::Fail, op, reason, std::move(message));
}

Judgement WaitOrRefuse(const View& view, const Operation& op, const Obstacle& obstacle) {
  if (view.o.now < op.created + kOperationPatience) return Wait{};
  return Refuse(op, obstacle.reason, obstacle.message);
}

// What keeps this operation from writing the Secret at all.
std::optional<Judgement> JudgeObstacle(const View& view, const Operation& op) {
  if (!view.not_writable) return std::nullopt;
  const std::string_view why = view.not_writable->reason;
  const bool may_pass = why == reason::kWaitingForRemoval || why == reason::kAuthorityNotFound ||
                        why == reason::kAuthorityNotReady;
  if (may_pass) {
    return WaitOrRefuse(view, op, *view.not_writable);
  }
  return Refuse(op, view.not_writable->reason, view.not_writable->message);
}

OperationVerdict RefuseThird(const View& view, const Operation& op) {
  const std::string& spare = view.inactive->fingerprint;
  return Refuse(
      op, reason::kLimitReached,
      fmt::format("The system already has two certificates, the maximum. Delete the inactive one "
                  "first: create a CertificateOperation with action: Delete and fingerprint: {}",
                  spare));
}

// R2, and the rows of the table in which a Generate mends.
Judgement JudgeGenerate(const View& view, const Operation& op) {
  if (view.active && view.inactive) return RefuseThird(view, op);
  if (auto judged = JudgeObstacle(view, op)) return *std::move(judged);
  if (view.not_issuable) {
    // Who may get which name does not change by waiting, but where the namespace is still to come.
    if (view.not_issuable->reason == reason::kNotAllowed && view.o.identity.namespace_known) {
      return Refuse(op, view.not_issuable->reason, view.not_issuable->message);
    }
    return WaitOrRefuse(view, op, *view.not_issuable);
  }
  auto order = OrderNow(view.o.spec, view.o.authority, view.o.now);
  if (!order) {
    return Refuse(op, reason::kAuthorityExpiresFirst,
                  fmt::format("CertificateAuthority \"{}\" is valid from {} to {}.",
                              view.o.spec.authority, FormatTime(view.o.authority.not_before),
                              FormatTime(view.o.authority.chain_end)));
  }
  if (view.active) return IssueInactive(*std::move(order));
  return IssueActive(*std::move(order), view.missing || view.inactive);
}

// The operation names a certificate that neither intact slot holds.
OperationVerdict RefuseUnknown(const View& view, const Operation& op) {
  const auto was = [&](const std::optional<Certificate>& described, bool damaged) {
    return damaged && described && described->fingerprint == op.fingerprint;
  };
  if (was(view.o.status.active, view.active_damaged) ||
      was(view.o.status.inactive, view.inactive_damaged)) {
    return Refuse(op, reason::kCertificateDamaged,
                  "This certificate is damaged in the Secret. A CertificateOperation with action: "
                  "Generate replaces it.");
  }
  std::string there = view.active || view.inactive ? "It has" : "It has none";
  if (view.active) there += fmt::format(" {} (active)", view.active->fingerprint);
  if (view.inactive) {
    there += fmt::format("{} {} (inactive)", view.active ? " and" : "", view.inactive->fingerprint);
  }
  return Refuse(op, reason::kUnknownFingerprint,
                fmt::format("This system has no certificate {}. {}.", op.fingerprint, there));
}

bool Names(const Operation& op, const Certificate* certificate) {
  return certificate && certificate->fingerprint == op.fingerprint;
}

// R3. One that the peer could only refuse is not activated.
Judgement JudgeActivate(const View& view, const Operation& op) {
  if (Names(op, view.active)) {
    return Verdict(OperationVerdict::Kind::Complete, op, reason::kAlreadyActive,
                   "This certificate was already active.");
  }
  if (!Names(op, view.inactive)) return RefuseUnknown(view, op);
  if (IsExpired(*view.inactive, view.o.now)) {
    return Refuse(op, reason::kCertificateExpired,
                  fmt::format("This certificate expired on {}. Generate a new one.",
                              FormatTime(view.inactive->not_after)));
  }
  if (!IsValid(*view.inactive, view.o.now)) {
    return Refuse(op, reason::kCertificateNotYetValid,
                  fmt::format("This certificate is not valid before {}. The time is {}.",
                              FormatTime(view.inactive->not_before), FormatTime(view.o.now)));
  }
  if (auto judged = JudgeObstacle(view, op)) return *std::move(judged);
  return Activate(view.active != nullptr);
}

// R4.
Judgement JudgeDelete(const View& view, const Operation& op) {
  if (Names(op, view.active)) {
    return Refuse(op, reason::kCertificateActive,
                  "This certificate is active. Activate the other one first.");
  }
  if (!Names(op, view.inactive)) return RefuseUnknown(view, op);
  if (auto judged = JudgeObstacle(view, op)) return *std::move(judged);
  return DeleteInactive();
}

// Restored from a backup, without its status: it has run, and does not run again. Where nothing
// says whether it has, it does not run either.
std::optional<OperationVerdict> JudgeRestored(const Operation& op) {
  if (op.mark) {
    const auto kind =
        op.mark->succeeded ? OperationVerdict::Kind::Complete : OperationVerdict::Kind::Fail;
    return Verdict(
        kind, op, reason::kFinishedEarlier,
        "This operation finished before its status was lost, as when it is restored from "
        "a backup. It does not run again. To run it again, create it without the "
        "annotation certpair.dev/finished.");
  }
  if (!op.restored) return std::nullopt;
  return Refuse(op, reason::kRestoredFromBackup,
                "This operation was restored from a backup, and the backup does not say whether it "
                "had run. It does not run again. If you still want it, create it anew.");
}

Judgement Judge(const View& view, const Operation& op) {
  if (auto verdict = JudgeRestored(op)) return *std::move(verdict);
  if (view.Leaving()) {
    return Refuse(op, reason::kSystemBeingDeleted, "The system is being deleted.");
  }
  switch (op.action) {
    case OperationAction::Generate:
      return JudgeGenerate(view, op);
    case OperationAction::Activate:
      return JudgeActivate(view, op);
    case OperationAction::Delete:
      return JudgeDelete(view, op);
  }
  return Wait{};
}

Receipt ReceiptFor(const View& view, const Operation& op) {
  Receipt receipt{op.uid, op.action, op.fingerprint, ""};
  if (op.action == OperationAction::Activate && view.active) {
    receipt.replaced = view.active->fingerprint;
  }
  return receipt;
}

std::pair<std::string_view, std::string> Outcomes(const View& view, const Receipt& receipt) {
  const std::string& made = receipt.fingerprint;
  switch (receipt.action) {
    case OperationAction::Activate:
      return {reason::kActivated, fmt::format("Certificate {} is active.", made)};
    case OperationAction::Delete:
      return {reason::kDeleted, fmt::format("Certificate {} is deleted.", made)};
    case OperationAction::Generate:
      break;
  }
  const bool is_active = view.active && view.active->fingerprint == made;
  return {reason::kGenerated,
          is_active
              ? fmt::format("Certificate {} was issued and is active.", made)
              : fmt::format(
                    "Certificate {} was issued and is inactive. Once the peer knows it, activate "
                    "it: create a CertificateOperation with action: Activate and this fingerprint.",
                    made)};
}

}  // namespace

std::optional<sys_seconds> RemovalTime(const Operation& operation) {
  if (!operation.finished || operation.being_deleted) return std::nullopt;
  if (!operation.name_was_generated || !operation.ttl_after_finished) return std::nullopt;
  return operation.completed_at.value_or(operation.created) + *operation.ttl_after_finished;
}

OperationVerdict RemoveFinished(const Operation& operation) {
  return Verdict(OperationVerdict::Kind::Remove, operation, "", "");
}

OperationVerdict MarkFinished(const Operation& operation) {
  return Verdict(OperationVerdict::Kind::Mark, operation, "", "");
}

// The receipt is the effect's proof: its operation is told so before anything else is changed.
std::optional<Outcome> SettleReceipt(const View& view) {
  const auto& receipt = view.o.receipt;
  if (!receipt) return std::nullopt;
  const auto op = std::ranges::find(view.o.operations, receipt->operation_uid, &Operation::uid);
  if (op == view.o.operations.end() || op->finished) return std::nullopt;
  auto [reason, message] = Outcomes(view, *receipt);
  Outcome outcome;
  outcome.verdicts.push_back(
      Verdict(OperationVerdict::Kind::Complete, *op, reason, std::move(message)));
  outcome.verdicts.back().fingerprint = receipt->fingerprint;
  outcome.again = view.o.now;
  return outcome;
}

// Refusals first, all that come before the next effect; the effect itself only once they are
// durable, or a refused one might be judged anew against what comes after it. Likewise it waits for
// a status that tells what happened before it.
std::optional<Outcome> RunOperations(const View& view) {
  Outcome outcome;
  for (const Operation& op : view.o.operations) {
    if (op.finished || op.being_deleted) continue;
    Judgement judgement = Judge(view, op);
    if (auto* verdict = std::get_if<OperationVerdict>(&judgement)) {
      outcome.verdicts.push_back(std::move(*verdict));
      if (outcome.verdicts.size() < kMostVerdicts) continue;
    }
    auto* change = std::get_if<SlotChange>(&judgement);
    if (change && outcome.verdicts.empty()) {
      if (view.untold_change) {
        outcome.again = view.o.now + seconds{1};
      } else {
        outcome.change =
            PlannedChange{std::move(*change), ReceiptFor(view, op), BudgetAfter(view, false)};
      }
      return outcome;
    }
    break;
  }
  if (outcome.verdicts.empty()) return std::nullopt;
  outcome.again = view.o.now;
  return outcome;
}

}  // namespace certpair::core
