// A mail that is due to one subscriber of one system (R10, R11): what core decides, src/notify
// sends, and the outcome that comes back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "core/certificate.hpp"
#include "core/system.hpp"

namespace certpair::core {

enum class NoticeKind {
  Expiring,  ///< a threshold of `warnBefore` has passed, and a person must act
  Expired,   ///< as Expiring, where the certificate expired before a mail could be sent
  Failing,   ///< regeneration is on and fails: `why` says what prevents it
  Held,     ///< R15: a certificate was pre-issued for a peer that matches by fingerprint, and waits
            ///< for its Activate
  Renewed,  ///< a new certificate became active automatically
};

/// One mail to one recipient. A value: it holds all that it tells, as of the time of the decision.
struct Notice {
  NoticeKind kind = NoticeKind::Expiring;
  /// What the ledger keeps of it (R11): derived from (system UID, fingerprint, threshold,
  /// recipient) alone, hex digits. The Message-ID is made of it too, so a repeat after a crash is
  /// recognisable.
  std::string id;
  std::string threshold;  ///< "720h" …; of Renewed and Held a word in its place
  Subscriber recipient;

  std::string system_namespace;
  std::string system_name;
  std::string system_uid;
  std::string display_name;  ///< any script; no control characters, but do not rely on it
  SystemType type = SystemType::Target;
  PeerMatching peer_matching = PeerMatching::SubjectAndIssuer;
  bool regeneration_enabled = false;

  /// The active certificate; of Renewed it is the new one, with its PEM (which others may lack).
  Certificate active;
  /// The other slot; of Held the certificate that waits, with its PEM.
  std::optional<Certificate> inactive;
  std::string
      why;  ///< of Failing: what keeps the regeneration from happening, for a person; else empty
  std::string
      what_to_do;  ///< prose, a sentence or two (`core/advice`), without commands; may be empty
  sys_seconds decided_at;

  friend bool operator==(const Notice&, const Notice&) = default;
};

/// What became of a notice.
struct NoticeOutcome {
  enum class Kind {
    Sent,     ///< the server took it (250 after DATA)
    Refused,  ///< it never will: 5xx for this recipient or this message, or an address that cannot
              ///< be written
    Delayed,  ///< not yet: server away, 4xx, credentials refused, no STARTTLS …; it is tried again
              ///< automatically
    GivenUp,  ///< Delayed for days, or the certificate's time is over: it is not tried any more
    Dropped,  ///< not sent, and forgotten: another process leads now
  };
  Kind kind = Kind::Sent;
  std::string id;  ///< of the notice
  std::string
      message;  ///< for a person: what the server said, no secret and no address in it; empty: Sent
  sys_seconds at;
  bool certificate_ended = false;  ///< of GivenUp: what it warned of came before it could be sent
  friend bool operator==(const NoticeOutcome&, const NoticeOutcome&) = default;
};

/// `sent`, `refused`, `delayed`, `given-up`, `dropped`: for metrics.
[[nodiscard]] constexpr std::string_view ToString(NoticeOutcome::Kind kind) {
  switch (kind) {
    case NoticeOutcome::Kind::Sent:
      return "sent";
    case NoticeOutcome::Kind::Refused:
      return "refused";
    case NoticeOutcome::Kind::Delayed:
      return "delayed";
    case NoticeOutcome::Kind::GivenUp:
      return "given-up";
    case NoticeOutcome::Kind::Dropped:
      return "dropped";
  }
  return "";
}

}  // namespace certpair::core
