// SystemPass: what a pass leaves behind beside the Secret: ended operations, the status, Events and
// mail.
#include <algorithm>
#include <utility>

#include "reconcile/pass/system_pass.hpp"

namespace certpair::reconcile {
namespace {

using Kind = PassResult::Kind;
using VerdictKind = core::OperationVerdict::Kind;
using kube::ApiErrorKind;

// Until a cache shows what was read live.
constexpr std::chrono::seconds kLookAgain{5};

}  // namespace

// Operations first: the end of one is durable before the next change. Then the status, then the
// other Events and the mail that the status holds as due.
SystemPass::Ended SystemPass::Report() {
  if (auto ended = FinishOperations()) return ended;
  // The status of a system that is being deleted serves nobody.
  if (seen_.identity.being_deleted || seen_.identity.namespace_terminating) return std::nullopt;
  if (auto ended = WriteStatus()) return ended;
  RecordEvents("");
  return PostMail();
}

// Each verdict with its Event, since no later pass comes to it again.
SystemPass::Ended SystemPass::FinishOperations() {
  for (const core::OperationVerdict& verdict : decided_.verdicts) {
    const auto operation =
        std::ranges::find(operations_, verdict.uid, [](const auto& o) { return o->operation.uid; });
    if (operation == operations_.end()) continue;
    const auto settled = tools_.cluster.Settle(**operation, verdict, seen_.now);
    // A mark serves a restore: nothing waits for it, and the next pass tries again.
    if (verdict.kind == VerdictKind::Mark) continue;
    // It has ended already, most likely by an earlier pass of this operator: the cache will show
    // it.
    if (!settled && settled.error().kind == ApiErrorKind::Conflict)
      return PassResult{.kind = Kind::Waiting, .wake_at = seen_.now + seconds{1}};
    if (!settled && settled.error().kind != ApiErrorKind::NotFound)
      return FailedBy(settled.error());
    RecordEvents(verdict.uid);
  }
  std::erase_if(decided_.verdicts,
                [](const auto& verdict) { return verdict.kind == VerdictKind::Mark; });
  return std::nullopt;
}

SystemPass::Ended SystemPass::WriteStatus() {
  core::SystemStatus& status = decided_.status;
  const bool holds_pair = std::holds_alternative<core::CertificatePair>(seen_.secret);
  status.secret_name = system_.spec.secret.name;
  status.secret_resource_version = holds_pair ? seen_.secret_resource_version : "";
  const auto written = tools_.cluster.WriteStatus(system_, status);
  if (!written && written.error().kind == ApiErrorKind::NotFound)
    return PassResult{.kind = Kind::Waiting, .wake_at = seen_.now + kLookAgain};
  if (!written) return FailedBy(written.error());
  const bool pems_known =
      (status.active && !status.active->pem.empty()) || (!status.active && !status.inactive);
  memory_.status.Wrote(StatusDigest(status, pems_known ? PemsDigest(status) : system_.pems_digest),
                       written->has_value());
  if (*written) {
    memory_.writes.WroteSystem((*written)->resource_version);
    resource_version_ = (*written)->resource_version;
  }
  return std::nullopt;
}

// Those of one verdict, or, with an empty uid, those of none.
void SystemPass::RecordEvents(const std::string& verdict_uid) {
  for (const core::EventNotice& event : decided_.events)
    if (event.verdict_uid == verdict_uid) tools_.cluster.Tell(seen_.identity, event);
}

// Whether mail was taken back that was under way. What is being sent at this moment stays under
// way, and is tried once in a pass.
bool SystemPass::TakeBackMail() {
  if (tools_.postbox == nullptr || decided_.withdrawn.empty()) return false;
  if (decided_.withdrawn == taken_back_) return false;
  taken_back_ = decided_.withdrawn;
  tools_.postbox->Withdraw(key_, taken_back_);
  ObserveMail();
  return true;
}

// What is due stands in the ledger before it is posted, and outcomes in it before they are let go.
// A ledger that this process did not write is compared with the API server's: an earlier leader may
// have sent what the cache shows as due.
SystemPass::Ended SystemPass::PostMail() {
  if (tools_.postbox == nullptr) return std::nullopt;
  if (!seen_.mail.outcomes.empty()) {
    tools_.postbox->Acknowledge(key_, seen_.mail.outcomes);
    for (const core::NoticeOutcome& outcome : seen_.mail.outcomes)
      if (tools_.observer.notified) tools_.observer.notified(outcome.kind);
  }
  if (decided_.notices.empty()) return std::nullopt;
  if (!memory_.status.IsOurs()) {
    const auto live = tools_.cluster.ReadSystem(system_.identity.namespace_, system_.identity.name);
    if (!live) return FailedBy(live.error());
    if (!*live || (*live)->resource_version != resource_version_)
      return PassResult{.kind = Kind::Waiting, .wake_at = seen_.now + kLookAgain};
  }
  for (core::Notice& notice : decided_.notices) tools_.postbox->Post(key_, std::move(notice));
  return std::nullopt;
}

}  // namespace certpair::reconcile
