// The one write of a pair's Secret, and what admission may have against its owners.
#include <utility>

#include "base/log.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_look.hpp"

namespace certpair::reconcile {

// The admission plugin OwnerReferencesPermissionEnforcement, which OpenShift has, lets only those
// change ownerReferences who may delete the object. The operator may not delete Secrets, and no
// certificate waits for an owner: what is refused with a change of owners is tried without.
kube::ApiResult<std::optional<Written>> SystemReconciler::Write(Look& look, Memory& memory,
                                                                SecretDraft draft) {
  const bool creates = !look.secret;
  const bool changes_owners = draft.owners.has_value();
  auto written = creates ? cluster_.CreateSecret(draft) : cluster_.PatchSecret(draft);
  const bool forbidden = !written && written.error().kind == kube::ApiErrorKind::Forbidden;
  if (forbidden && changes_owners && !creates) {
    look.seen.owner_refusal = written.error().message;
    look.seen.owner_refused_at = look.seen.now;
    look.decided = core::Decide(look.seen);
    // Nothing but the owners was to be changed.
    if (look.decided.change) {
      draft.owners.reset();
      written = cluster_.PatchSecret(draft);
    }
    if (look.decided.change && !written) {
      look.seen.owner_refusal.clear();  // it is not the owners alone
    } else {
      log::Warn("the Secret's owners could not be changed",
                {{"system", ObjectKey(draft.namespace_, look.system.identity.name)},
                 {"error", look.seen.owner_refusal}});
    }
    memory.owner_refusal = look.seen.owner_refusal;
    memory.owner_refused_at = look.seen.owner_refused_at;
    if (!look.decided.change) return std::nullopt;
  } else if (written && changes_owners) {
    memory.owner_refusal.clear();
    look.seen.owner_refusal.clear();
  }
  if (!written) return std::unexpected(std::move(written.error()));
  return std::move(*written);
}

}  // namespace certpair::reconcile
