#include "core/needs.hpp"

#include "core/keystore.hpp"

namespace certpair::core {
namespace {

// A change is decided upon what the API server holds, not upon what a cache remembers. A system
// without a status is new: the creation of its Secret fails where one exists, which is check
// enough.
std::optional<Need> NeedBefore(const PlannedChange& change, const View& view) {
  const ReadLive& live = view.o.live;
  const bool is_new = view.missing && view.o.status.observed_generation == 0;
  if (!is_new && !live.secret) return Need::Secret;
  // The Secret may be missing because its system is: the garbage collector's news can come first.
  if (!is_new && view.missing && !live.system) return Need::System;
  if (change.receipt && change.receipt->operation_uid != live.operation_uid) {
    return Need::Operation;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Need> NextNeed(const View& view, const std::optional<PlannedChange>& change,
                             bool lacks_attachment) {
  if (lacks_attachment && !view.o.live.secret) return Need::Secret;
  if (NeedsPassword(change, view)) return Need::Password;
  if (change && !view.o.written_in_this_pass) return NeedBefore(*change, view);
  return std::nullopt;
}

}  // namespace certpair::core
