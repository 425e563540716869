// Decide: the rules in their order. Each rule stands in the file of its topic; rules.hpp lists
// them.
#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

#include "core/conditions.hpp"
#include "core/correspondence.hpp"
#include "core/decision.hpp"
#include "core/events.hpp"
#include "core/keystore.hpp"
#include "core/needs.hpp"
#include "core/operations.hpp"
#include "core/reasons.hpp"
#include "core/rules.hpp"
#include "core/upcoming.hpp"

namespace certpair::core {
namespace {

constexpr std::size_t kMostRemovals = 32;  // in one pass; the rest in the next

// What happens automatically. The first rule that applies answers.
constexpr std::array<Rule, 8> kAutomatic{
    &LeaveUnwritableSecret,       // R20: foreign, still being removed, immutable
    &IssueFirst,                  // R1
    &RepairActive,                // the active certificate is damaged
    &ReleaseHeld,                 // R15: Fingerprint -> SubjectAndIssuer while one is held
    &WaitAfterRollback,           // R6
    &RegenerateExpiring,          // R6
    &ActivateForFingerprintPeer,  // R15: at the end of the active one
    &HoldForFingerprintPeer,      // R15: within the window
};

Outcome AnswerOf(const auto& rules, const View& view) {
  for (const Rule rule : rules) {
    if (auto outcome = rule(view)) return *std::move(outcome);
  }
  return {};
}

// What this pass does: at most one effect. Operations go before automatic changes, except for a
// regeneration in the last quarter of its window.
Outcome Choose(const View& view, const Outcome& automatic) {
  if (auto settled = SettleReceipt(view)) return *std::move(settled);
  if (view.Leaving()) {
    // A namespace takes the operations with it; a system that goes alone owes them an answer.
    return view.o.identity.namespace_terminating ? Outcome{}
                                                 : RunOperations(view).value_or(Outcome{});
  }
  if (automatic.change && automatic.urgent) return automatic;
  if (auto ran = RunOperations(view)) return *std::move(ran);
  return automatic;
}

bool MendsSomething(const View& view) {
  if (view.relabel) return true;
  const KeystoreChange keystore = KeystoreBeside(Relabel(), view);
  return !view.not_writable && !view.missing && !std::holds_alternative<std::monostate>(keystore);
}

// Also for a certificate that an operation asks for: a system whose certificate is in its window or
// cannot be used needs the next one.
std::optional<sys_seconds> NeededBy(const View& view) {
  const bool lost = view.active_damaged || (view.missing && view.o.status.active);
  if (lost) return view.o.now;
  return view.Due() ? std::optional{view.window->ends} : std::nullopt;
}

Outcome Mend(const View& view, Outcome outcome) {
  const bool idle = !outcome.change && outcome.verdicts.empty();
  if (idle && !view.Leaving() && MendsSomething(view)) {
    outcome.change = PlannedChange{Relabel(), std::nullopt, BudgetAfter(view, false)};
  }
  if (outcome.change) {
    outcome.change->keystore = KeystoreBeside(outcome.change->slots, view);
    if (auto& order = outcome.change->slots.order) order->needed_by = NeededBy(view);
    outcome.change->keep_owners = view.keep_owners;
  }
  return outcome;
}

void RemoveFinishedOperations(const View& view, Outcome& outcome) {
  std::size_t removed = 0;
  for (const Operation& op : view.o.operations) {
    const auto end = RemovalTime(op);
    if (!end || *end > view.o.now) continue;
    outcome.verdicts.push_back(RemoveFinished(op));
    if (++removed == kMostRemovals) {
      outcome.again = view.o.now;
      return;
    }
  }
}

// The end of an operation and its mark are two writes: what came between them is made up for here,
// and what ended under an operator that knew no marks is marked.
void MarkFinishedOperations(const View& view, Outcome& outcome) {
  std::size_t marked = 0;
  for (const Operation& op : view.o.operations) {
    if (!op.finished || op.mark || op.being_deleted) continue;
    if (const auto end = RemovalTime(op); end && *end <= view.o.now) continue;
    outcome.verdicts.push_back(MarkFinished(op));
    if (++marked == kMostRemovals) return;
  }
}

// Where a pass read only the status, the PEM of a certificate that is known stays known.
std::optional<Certificate> Describe(const Certificate* present, const SystemStatus& was) {
  if (!present) return std::nullopt;
  std::optional<Certificate> described = *present;
  if (!described->pem.empty()) return described;
  for (const auto* old : {&was.active, &was.inactive}) {
    if (*old && **old == *present) described->pem = (*old)->pem;
  }
  return described;
}

std::optional<sys_seconds> EarlierOf(std::optional<sys_seconds> one,
                                     std::optional<sys_seconds> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

}  // namespace

std::optional<Outcome> LeaveUnwritableSecret(const View& view) {
  if (!view.not_writable) return std::nullopt;
  Outcome outcome;
  outcome.obstacle = view.not_writable;
  outcome.again = view.not_writable->retry_at;
  return outcome;
}

Decision Decide(const Observation& observation) {
  const View view(observation);
  const Outcome automatic = view.Leaving() ? Outcome{} : AnswerOf(kAutomatic, view);
  Outcome outcome = Mend(view, Choose(view, automatic));
  if (!observation.identity.namespace_terminating) {
    RemoveFinishedOperations(view, outcome);
    MarkFinishedOperations(view, outcome);
  }

  Decision decision;
  std::optional<sys_seconds> again;
  bool lacks_attachment = false;
  if (!view.Leaving()) {
    SystemStatus& status = decision.status;
    status.secret_name = observation.status.secret_name;  // the rest is said anew
    status.observed_generation = observation.identity.generation;
    Correspondence mail = Correspond(view, automatic);
    std::vector<Statement> said = Conditions(view, automatic);
    if (mail.delivered) said.push_back(*std::move(mail.delivered));
    const auto keystore = DescribeKeystore(view);
    if (keystore) said.push_back(*keystore);
    const auto metadata = DescribeSecretMetadata(observation);
    if (metadata) said.push_back(*metadata);
    status.conditions = WithConditions(observation.status.conditions, std::move(said),
                                       observation.identity.generation, observation.now);
    std::erase_if(status.conditions, [&](const Condition& c) {
      return (!keystore && c.type == condition::kKeystoreWritten) ||
             (!metadata && c.type == condition::kSecretMetadataAllowed);
    });
    status.active = Describe(view.active, observation.status);
    status.inactive = Describe(view.inactive, observation.status);
    status.secret_resource_version = observation.secret_resource_version;
    status.next = NextStep(view, automatic);
    status.automatic_issuances = BudgetAfter(view, false).automatic;
    status.secret_blocked = IsSecretBlocked(view);
    if (HoldsForPeer(view, automatic)) status.held_fingerprint = view.inactive->fingerprint;
    Tidings tidings =
        TellDifference(view, outcome, automatic, status.conditions, std::move(mail.ledger));
    status.ledger = std::move(tidings.ledger);
    decision.events = std::move(tidings.events);
    std::ranges::move(mail.events, std::back_inserter(decision.events));
    decision.notices = std::move(mail.notices);
    decision.withdrawn = std::move(mail.withdrawn);
    lacks_attachment = mail.lacks_attachment;
    again = EarlierOf(mail.again, LookAgainAtPassword(view));
    if (view.keep_owners && observation.secret_owner_differs)
      again = EarlierOf(again, observation.owner_refused_at + kOwnerRetry);
    if (view.keep_metadata && observation.secret_metadata_differs)
      again = EarlierOf(again, observation.metadata_changed_at + kOwnerRetry);
  } else {
    decision.status = observation.status;
    decision.withdrawn = observation.mail.under_way;
  }
  decision.need = NextNeed(view, outcome.change, lacks_attachment);
  decision.tells_failure = !view.write_failure.empty();
  decision.wake_at = NextLook(view, outcome, automatic);
  if (again) decision.wake_at = std::min(decision.wake_at, *again);
  const auto& next = decision.status.next;
  decision.urgent = next && next->at <= decision.wake_at && next->action != kWarnAction;
  decision.change = std::move(outcome.change);
  decision.verdicts = std::move(outcome.verdicts);
  return decision;
}

}  // namespace certpair::core
