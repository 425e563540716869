// Private to src/core: the Events of a pass, from the difference between what status says and what
// is, and the ledger that keeps them from being told twice (R9).
#pragma once

#include <vector>

#include "core/rules.hpp"
#include "core/system.hpp"

namespace certpair::core {

struct Tidings {
  std::vector<EventNotice> events;
  NotificationLedger ledger;
};

/// `conditions` as they will be written, `ledger` as it is without what is told here.
[[nodiscard]] Tidings TellDifference(const View& view, const Outcome& outcome,
                                     const Outcome& automatic,
                                     const std::vector<Condition>& conditions,
                                     NotificationLedger ledger);

}  // namespace certpair::core
