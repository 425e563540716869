// Sends one mail at a time: what the outbox knows of SMTP.
#pragma once

#include <stop_token>
#include <string>

#include "notify/message.hpp"

namespace certpair::notify {

/// One for each reaction of the outbox.
enum class Verdict {
  Sent,          ///< the server took it
  Refused,       ///< it will never take this mail
  DelayedAlone,  ///< not yet; other mails may go
  DelayedAll,    ///< the server takes no mail at present
  Stopped,       ///< the stop request came first; whether it was sent is not known
};

struct Delivery {
  Verdict verdict = Verdict::Sent;
  std::string message;  ///< for a person; no address, no secret; empty: Sent
};

/// Used by one thread at a time.
class Mailer {
 public:
  virtual ~Mailer() = default;
  /// Blocks until there is an answer, a deadline passes or `stop`.
  virtual Delivery Send(const Letter& letter, const std::stop_token& stop) = 0;
  /// Closes the connection: nothing is to be sent for a while. Blocks for two seconds at most.
  virtual void Rest() = 0;
};

}  // namespace certpair::notify
