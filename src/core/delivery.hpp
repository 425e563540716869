// Private to src/core: what became of mails, for the ledger, the Events and the condition
// NotificationsDelivered. Addresses stand in none of them: subscribers are named by display name.
#pragma once

#include <optional>
#include <vector>

#include "core/conditions.hpp"
#include "core/ledger.hpp"
#include "core/rules.hpp"

namespace certpair::core {

/// The subscribers, each address once, at most fifty.
[[nodiscard]] std::vector<const Subscriber*> Recipients(const SystemSpec& spec);

/// Enters the outcomes that are there, and tells of those that failed.
void Settle(const View& view, const std::vector<const Subscriber*>& recipients, MailBook& book,
            std::vector<EventNotice>& events);

/// Keeps in `ledger` what the mail server says of mails that failed and of mails that wait.
void NoteReplies(const View& view, const std::vector<const Subscriber*>& recipients,
                 const MailBook& book, NotificationLedger& ledger);

/// NotificationsDelivered, with the replies that `ledger` holds. Nothing where the system has no
/// subscribers and had none.
[[nodiscard]] std::optional<Statement> SayDelivered(
    const View& view, const std::vector<const Subscriber*>& recipients, const MailBook& book,
    const NotificationLedger& ledger);

}  // namespace certpair::core
