#include "actions/liveness.hpp"

#include <nlohmann/json.hpp>

#include "actions/session.hpp"
#include "base/time_format.hpp"
#include "kube/lease.hpp"

namespace certpair::actions {
namespace {

const kube::Resource kLeases{"coordination.k8s.io", "v1", "leases", true};
constexpr const char* kLeaseName = "certpair-controller";
// For clocks that differ a little.
constexpr seconds kSlack{5};
// Longer than a leader takes between two renewals (2 s unless it is told otherwise).
constexpr int kLooks = 5;

}  // namespace

Liveness ReadLiveness(const Session& session, sys_seconds server_now) {
  using State = Liveness::State;
  Liveness liveness;
  liveness.lease = session.operator_namespace + "/" + kLeaseName;
  liveness.seen = server_now;
  auto lease = session.client.Get(kLeases, session.operator_namespace, kLeaseName, session.stop);
  if (!lease) {
    const bool is_absent = lease.error().kind == kube::ApiErrorKind::NotFound;
    liveness.state = is_absent ? State::Absent : State::Unknown;
    liveness.error = std::move(lease.error());
    return liveness;
  }
  const kube::LeaseRecord record = kube::DecodeLease(*lease);
  liveness.holder = record.holder;
  liveness.renewed_text = record.renew_time;
  liveness.renewed = ParseTime(record.renew_time);
  const bool is_fresh = liveness.renewed &&
                        server_now - *liveness.renewed <= seconds{record.duration_seconds} + kSlack;
  liveness.state = record.holder.empty() ? State::Free : is_fresh ? State::Alive : State::Expired;
  return liveness;
}

// As client-go's candidates judge it: what counts is that the Lease changes.
Liveness WatchLiveness(const Session& session) {
  Liveness first = ReadLiveness(session, session.clock.NowSeconds());
  if (!first.IsSilent() || first.renewed_text.empty()) return first;
  for (int look = 0; look < kLooks && session.pause(std::chrono::seconds{1}); ++look) {
    Liveness again = ReadLiveness(session, session.clock.NowSeconds());
    if (again.renewed_text.empty() || again.renewed_text == first.renewed_text) continue;
    again.state = Liveness::State::Alive;
    again.clocks_differ = true;
    return again;
  }
  return first;
}

}  // namespace certpair::actions
