#include "actions/reading.hpp"

#include "actions/object_name.hpp"
#include "reconcile/names.hpp"

namespace certpair::actions {

bool MayPass(kube::ApiErrorKind kind) {
  using kube::ApiErrorKind;
  return kind == ApiErrorKind::Transport || kind == ApiErrorKind::Timeout ||
         kind == ApiErrorKind::Server || kind == ApiErrorKind::Throttled;
}

OrRefusal<FoundSystem> ReadSystem(const Session& session, const std::string& name) {
  Attempt attempt{"get", reconcile::kSystems, session.namespace_, name};
  if (!IsObjectName(name))
    return Refuse(ApiProblem{{.kind = kube::ApiErrorKind::NotFound, .message = {}}, attempt});
  auto object = session.client.Get(reconcile::kSystems, session.namespace_, name, session.stop);
  if (!object) return Refuse(ApiProblem{std::move(object.error()), std::move(attempt)});
  SystemView view = ViewOf(*object);
  if (view.name != name || view.namespace_ != session.namespace_)
    return Refuse(AnotherSystem{{session.namespace_, name}, RefOf(view)});
  return FoundSystem{.object = std::move(*object), .view = std::move(view)};
}

}  // namespace certpair::actions
