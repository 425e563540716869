#include "reading.hpp"

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "kube/lease.hpp"
#include "reconcile/names.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

const kube::Resource kLeases{"coordination.k8s.io", "v1", "leases", true};
constexpr const char* kLeaseName = "certpair-controller";
// For clocks that differ a little.
constexpr seconds kSlack{5};

}  // namespace

Expected<FoundSystem> ReadSystem(const Session& session, const std::string& name) {
  const Attempt attempt{"get", reconcile::kSystems, session.namespace_, name};
  if (!IsObjectName(name))
    return std::unexpected(
        Explain(session, {.kind = kube::ApiErrorKind::NotFound, .message = {}}, attempt));
  auto object = session.client.Get(reconcile::kSystems, session.namespace_, name, session.stop);
  if (!object) return std::unexpected(Explain(session, object.error(), attempt));
  SystemView view = ViewOf(*object);
  if (view.name != name || view.namespace_ != session.namespace_)
    return Fail(Exit::Failed,
                fmt::format("the API server was asked for {}, and answered with {} ({})",
                            SystemTitle(name, session.namespace_),
                            SystemTitle(view.name, view.namespace_), Escaped(session.context)));
  return FoundSystem{.object = std::move(*object), .view = std::move(view)};
}

Liveness ReadLiveness(const Session& session, sys_seconds server_now) {
  using State = Liveness::State;
  const std::string where =
      fmt::format("Lease {}/{}", Escaped(session.operator_namespace), kLeaseName);
  const auto lease =
      session.client.Get(kLeases, session.operator_namespace, kLeaseName, session.stop);
  if (!lease && lease.error().kind == kube::ApiErrorKind::NotFound)
    return {State::Absent,
            fmt::format("There is no {}: the operator has never run there (it may be in another "
                        "--operator-namespace), or runs without leader election.",
                        where),
            ""};
  if (!lease)
    return {State::Unknown,
            fmt::format("Whether the operator runs cannot be told: {} (--operator-namespace says "
                        "where it runs)",
                        Escaped(lease.error().message)),
            ""};
  const kube::LeaseRecord record = kube::DecodeLease(*lease);
  const auto renewed = ParseTime(record.renew_time);
  if (record.holder.empty())
    return {State::Silent,
            fmt::format("The operator does not run: nobody holds the {}{}.", where,
                        renewed ? fmt::format(", freed {}", Relative(*renewed, server_now)) : ""),
            ""};
  if (!renewed || server_now - *renewed > seconds{record.duration_seconds} + kSlack)
    return {State::Silent,
            fmt::format("The operator does not run: the {} was last renewed {}.", where,
                        renewed ? Relative(*renewed, server_now) : "never"),
            record.renew_time};
  return {State::Alive,
          fmt::format("{} renewed the {} {}.", Escaped(record.holder), where,
                      Relative(*renewed, server_now)),
          record.renew_time};
}

}  // namespace certpair::plugin
