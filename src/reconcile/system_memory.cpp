// SystemReconciler: what it remembers between passes of its own writes, and when it looks again.
#include <cstdint>
#include <utility>

#include "base/log.hpp"
#include "core/schedule.hpp"
#include "reconcile/names.hpp"
#include "reconcile/objects.hpp"
#include "reconcile/pass_result.hpp"
#include "reconcile/system_reconciler.hpp"

namespace certpair::reconcile {

bool SystemReconciler::IsEcho(const std::string& key, const std::string& resource_version) {
  auto memories = memories_.Lock();
  const auto found = memories->find(key);
  if (found == memories->end() || found->second.behind_since) return false;
  for (std::string* awaited : {&found->second.system_version, &found->second.secret_version}) {
    if (*awaited != resource_version) continue;
    // It has arrived: a Secret that is not in the cache from now on is gone, not on its way.
    awaited->clear();
    return true;
  }
  return false;
}

// Our own writes are not in the caches yet: to decide upon the past would be to write twice.
bool SystemReconciler::IsBehind(const std::string& key, const StoredSystem& system,
                                Memory& memory) const {
  const auto secret = view_.Secret(ObjectKey(system.identity.namespace_, system.spec.secret.name));
  const bool system_lags =
      !memory.system_version.empty() && !HasReached(system.resource_version, memory.system_version);
  const bool secret_lags = !memory.secret_version.empty() && secret &&
                           !HasReached(secret->resource_version, memory.secret_version);
  const bool secret_awaited = !memory.secret_version.empty() && !secret;
  if (!system_lags && !secret_lags && !secret_awaited) {
    memory.system_version.clear();
    memory.secret_version.clear();
    memory.behind_since.reset();
    return false;
  }
  const auto now = clock_.Steady();
  if (!memory.behind_since) memory.behind_since = now;
  if (now - *memory.behind_since < kCacheMayLag) return true;
  log::Warn("the caches do not show a write of ours: reading it live", {{"system", key}});
  memory = Memory{.key_wanted_since = memory.key_wanted_since,
                  .read_live = true,
                  .uid = std::move(memory.uid),
                  .automatic_issuances = std::move(memory.automatic_issuances),
                  .depth_check_at = memory.depth_check_at};
  return false;
}

// At the system's own time of each day: a process that is restarted often puts nothing off.
sys_seconds SystemReconciler::NextCheckInDepth(const std::string& uid, sys_seconds now) const {
  const std::int64_t period = check_in_depth_every_.count();
  const auto phase =
      static_cast<std::int64_t>(core::StableHash(uid) % static_cast<std::uint64_t>(period));
  const std::int64_t since = (now.time_since_epoch().count() - phase) % period;
  return now + seconds{period - since};
}

}  // namespace certpair::reconcile
