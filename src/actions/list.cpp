#include "actions/list.hpp"

#include <nlohmann/json.hpp>

#include "reconcile/names.hpp"

namespace certpair::actions {

bool Matches(const SystemView& system, const ListRequest& request, sys_seconds now) {
  if (!request.type.empty() && system.type != request.type) return false;
  if (!request.expiring_within) return true;
  const CertificateView* active = system.Active();
  return active != nullptr && active->not_after &&
         *active->not_after - now <= *request.expiring_within;
}

OrRefusal<kube::Listed> List(const Session& session, const ListRequest& request,
                             const SystemSink& sink) {
  const sys_seconds now = session.clock.NowSeconds();
  auto listed = session.client.ListUpTo(
      reconcile::kSystems,
      {.namespace_ = session.namespace_,
       .label_selector = request.selector,
       .continue_token = request.continue_token},
      request.limits,
      [&](nlohmann::json& object) {
        const SystemView system = ViewOf(object);
        if (Matches(system, request, now)) sink(object, system);
      },
      session.stop);
  if (!listed)
    return Refuse(ApiProblem{std::move(listed.error()),
                             {"list", reconcile::kSystems, session.namespace_, ""}});
  return std::move(*listed);
}

}  // namespace certpair::actions
