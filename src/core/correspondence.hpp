// Private to src/core: which mails are due to whom (R10, R11), and what became of those that were.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/conditions.hpp"
#include "core/rules.hpp"

namespace certpair::core {

struct Correspondence {
  NotificationLedger ledger;  ///< pruned, with what is due now and what is settled
  std::vector<Notice> notices;
  std::vector<std::string> withdrawn;
  bool needs_secret = false;
  std::optional<Statement> delivered;  ///< nothing where it concerns nobody
  std::vector<EventNotice> events;
  std::optional<sys_seconds> again;
};

/// The rule for each recipient (R11): of what there is to tell now, whatever the ledger does not
/// have is due. What is due is entered first and posted once that is written; an entry that is due
/// with nothing under way is posted again, with the same id, if it is still true.
[[nodiscard]] Correspondence Correspond(const View& view, const Outcome& automatic);

}  // namespace certpair::core
