#include "reconcile/system_reconciler.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/operations.hpp"
#include "reconcile/pass/system_pass.hpp"

namespace certpair::reconcile {
namespace {

using Kind = PassResult::Kind;

// Until a cache shows what was read live.
constexpr std::chrono::seconds kLookAgain{5};

}  // namespace

SystemReconciler::SystemReconciler(const View& view, Cluster& cluster,
                                   CertificateSource& certificates, const Clock& clock,
                                   core::Installation installation, PassObserver observer,
                                   seconds check_in_depth_every, notify::Postbox* postbox)
    : tools_{
          .view = view,
          .cluster = cluster,
          .certificates = certificates,
          .clock = clock,
          .installation = {.regeneration_supported = installation.regeneration_supported,
                           .mail_configured = postbox != nullptr,
                           .secret_metadata_allow = std::move(installation.secret_metadata_allow)},
          .observer = std::move(observer),
          .check_in_depth_every = check_in_depth_every,
          .postbox = postbox} {}

PassResult SystemReconciler::Pass(const std::string& key) {
  const auto system = tools_.view.System(key);
  if (!system) return PassWithout(key);
  Memory memory = (*memories_.Lock())[key];
  PassResult result = SystemPass(tools_, key, *system, memory).Run();
  (*memories_.Lock())[key] = std::move(memory);
  return result;
}

bool SystemReconciler::IsEcho(const std::string& key, const std::string& resource_version) {
  auto memories = memories_.Lock();
  const auto found = memories->find(key);
  return found != memories->end() && found->second.writes.TakeEcho(resource_version);
}

// The system is gone: operations that name it still want an answer.
PassResult SystemReconciler::PassWithout(const std::string& key) {
  memories_.Lock()->erase(key);
  tools_.certificates.Forget(key);
  if (tools_.postbox != nullptr) tools_.postbox->Forget(key);
  const sys_seconds now = tools_.clock.NowSeconds();
  std::optional<sys_seconds> wake_at;
  bool is_surely_gone = false;
  for (const auto& operation : tools_.view.OperationsOf(key)) {
    const core::OrphanDecision decided =
        core::DecideOrphan(operation->operation, operation->system, now);
    const bool fails =
        decided.verdict && decided.verdict->kind == core::OperationVerdict::Kind::Fail;
    if (fails && !is_surely_gone) {
      // A verdict is final: a cache, which may be behind, does not suffice for it.
      const auto live = tools_.cluster.ReadSystem(operation->namespace_, operation->system);
      if (!live) return FailedBy(live.error());
      if (*live) return {.kind = Kind::Waiting, .wake_at = now + kLookAgain};
      is_surely_gone = true;
    }
    if (decided.verdict) {
      const auto settled = tools_.cluster.Settle(*operation, *decided.verdict, now);
      if (!settled && settled.error().kind != kube::ApiErrorKind::NotFound)
        return FailedBy(settled.error());
    }
    if (decided.wake_at) wake_at = wake_at ? std::min(*wake_at, *decided.wake_at) : decided.wake_at;
  }
  return {.kind = wake_at ? Kind::Settled : Kind::Gone, .wake_at = wake_at};
}

}  // namespace certpair::reconcile
