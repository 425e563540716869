// Everything that Decide answers: at most one change of the Secret, and what to say about it.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/observation.hpp"

namespace certpair::core {

/// A certificate for the active slot. Makes the Secret, or fills a damaged slot; the inactive slot
/// stays if `keep_inactive`.
struct IssueActive {
  CertificateOrder order;
  bool keep_inactive = true;
  friend bool operator==(const IssueActive&, const IssueActive&) = default;
};
/// A certificate for the empty (or damaged) inactive slot.
struct IssueInactive {
  CertificateOrder order;
  friend bool operator==(const IssueInactive&, const IssueInactive&) = default;
};
/// A new certificate in place of the inactive one that is there.
struct ReplaceInactive {
  CertificateOrder order;
  friend bool operator==(const ReplaceInactive&, const ReplaceInactive&) = default;
};
/// R6: the new one active, the old active one inactive (dropped if `!keep_old`: it is damaged),
/// what was inactive gone.
struct Regenerate {
  CertificateOrder order;
  bool keep_old = true;
  friend bool operator==(const Regenerate&, const Regenerate&) = default;
};
/// The slots change places; the old active one is dropped if `!keep_old` (it is damaged).
struct Activate {
  std::string fingerprint;
  bool keep_old = true;
  friend bool operator==(const Activate&, const Activate&) = default;
};
struct DeleteInactive {
  std::string fingerprint;
  friend bool operator==(const DeleteInactive&, const DeleteInactive&) = default;
};
/// Only what stands beside the slots: labels, annotations, the ownerReference, and with
/// PlannedChange::keystore the key store. Also how a retained Secret is adopted.
struct Relabel {
  friend bool operator==(const Relabel&, const Relabel&) = default;
};
using SecretChange = std::variant<IssueActive, IssueInactive, ReplaceInactive, Regenerate, Activate,
                                  DeleteInactive, Relabel>;

/// R13: keystore.p12 is made of what is active after the change, with the password that was read.
struct MakeKeystore {
  PasswordReference password;
  std::string password_version;
  friend bool operator==(const MakeKeystore&, const MakeKeystore&) = default;
};
/// R13: keystore.p12 goes.
struct RemoveKeystore {
  friend bool operator==(const RemoveKeystore&, const RemoveKeystore&) = default;
};
/// Nothing: it stays as it is.
using KeystoreChange = std::variant<std::monostate, MakeKeystore, RemoveKeystore>;

/// The change and what is written beside it, in the same write.
struct PlannedChange {
  SecretChange what;
  /// Set when an operation caused it; its `fingerprint` is filled in by Apply where a certificate
  /// is made.
  std::optional<Receipt> receipt;
  Budget budget;  ///< as it stands after the change
  /// The certificate that becomes active takes another's place by itself: the Secret says so in the
  /// same write, so that subscribers are told of it whatever happens before the status is written.
  bool renews = false;
  KeystoreChange keystore;
  /// The ownerReferences stay as they are: the API server refuses to change them, and no
  /// certificate waits for that.
  bool keep_owners = false;
  friend bool operator==(const PlannedChange&, const PlannedChange&) = default;
};

struct EventNotice {
  bool warning = false;
  std::string reason;
  std::string message;
  std::string verdict_uid;  ///< of the operation whose end it tells; empty: of none
  friend bool operator==(const EventNotice&, const EventNotice&) = default;
};

struct Decision {
  std::optional<PlannedChange> change;
  std::vector<OperationVerdict> verdicts;
  std::vector<EventNotice> events;
  /// Mails to post once `status`, whose ledger holds them as due, is what the API server has.
  std::vector<Notice> notices;
  std::vector<std::string> withdrawn;  ///< ids of mails under way that nobody wants any more
  bool needs_secret = false;    ///< a mail is due whose certificate only the Secret holds: read it,
                                ///< and decide again
  bool needs_password = false;  ///< a key store is to be made: read its password, and decide again.
                                ///< The change holds without it too
  SystemStatus status;
  bool tells_failure = false;  ///< `status` says that the Secret cannot be written
  sys_seconds wake_at;         ///< look again at this time, if nothing happens before
  bool urgent = false;  ///< a certificate is made, activated or ends then: more than a warning
};

/// What is done about a system now. Total, deterministic, never throws, reads nothing but its
/// argument.
///
/// Protocol (ARCHITECTURE.md, "A pass"): if `change` is set, Apply writes it, observes the outcome,
/// and calls Decide again; that second answer must hold no change, and its status is the one that
/// is written. `status`, `verdicts` and `events` of an answer that holds a change say what is so
/// without it, for the case that the change fails.
[[nodiscard]] Decision Decide(const Observation& observation);

/// What is done about a system whose spec cannot be read (`why` names the field): it is told so,
/// and its Secret stays as it is. Of `observation`, identity, status, operations and time count;
/// what the status says of the certificates stays, and an operation that waits fails after a while.
[[nodiscard]] Decision DecideUnreadable(const Observation& observation, const std::string& why);

}  // namespace certpair::core
