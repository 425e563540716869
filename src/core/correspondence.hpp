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
  bool lacks_attachment = false;  ///< of a mail that is due: only the Secret holds the certificate
  std::optional<Statement> delivered;  ///< nothing where the system has no subscribers and had none
  std::vector<EventNotice> events;
  std::optional<sys_seconds> again;
};

/// The rule for each recipient (R11): a mail that is true now and that the ledger does not have is
/// due. What is due is entered first and posted once that is written; an entry that is due with
/// nothing under way is posted again, with the same id, if it is still true.
[[nodiscard]] Correspondence Correspond(const View& view, const Outcome& automatic);

}  // namespace certpair::core
