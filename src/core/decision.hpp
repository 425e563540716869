// Everything that Decide answers: at most one change of the Secret, and what to say about it.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/observation.hpp"
#include "core/slot_change.hpp"

namespace certpair::core {

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
  SlotChange slots;
  /// Set when an operation caused it. Its `fingerprint` is empty where a certificate is to be made:
  /// OutcomeOf (core/slots.hpp) fills it in.
  std::optional<Receipt> receipt;
  Budget budget;  ///< as it stands after the change
  /// The certificate that becomes active replaces another one automatically. The Secret says so in
  /// the same write, so that subscribers are told even if the process ends before it writes the
  /// status.
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

/// What a decision depends on and nothing has read yet.
enum class Need {
  Secret,     ///< the Secret from the API server: before a change, or for a mail's attachment
  Password,   ///< the password of the key store that is made. The change holds without it too
  System,     ///< whether the system still exists: its Secret may be gone with it
  Operation,  ///< whether the operation that asks for the change is still to be done
};

struct Decision {
  std::optional<PlannedChange> change;
  std::vector<OperationVerdict> verdicts;
  std::vector<EventNotice> events;
  /// Mails to post once `status`, whose ledger holds them as due, is what the API server has.
  std::vector<Notice> notices;
  std::vector<std::string> withdrawn;  ///< ids of mails under way that are no longer wanted
  /// Read this, put it into the observation, and decide again: until then nothing of this decision
  /// is carried out. Nothing: the decision stands.
  std::optional<Need> need;
  SystemStatus status;
  bool tells_failure = false;  ///< `status` says that the Secret cannot be written
  sys_seconds wake_at;         ///< look again at this time, if nothing happens before
  bool urgent = false;  ///< a certificate is made, activated or ends then: more than a warning
};

/// What is done about a system now. Total, deterministic, never throws, reads nothing but its
/// argument.
///
/// Protocol (ARCHITECTURE.md, "A pass"): while `need` is set, the pass learns it and decides again.
/// If `change` is set then, the pass writes it and decides upon AfterWrite (core/slots.hpp). That
/// answer holds no change, and its status is the one that is written. `status`, `verdicts` and
/// `events` of an answer that holds a change say what is so without it, in case the write fails.
[[nodiscard]] Decision Decide(const Observation& observation);

/// What is done about a system whose spec cannot be read (`why` names the field): it is told so,
/// and its Secret stays as it is. Of `observation`, identity, status, operations and time count;
/// what the status says of the certificates stays, and an operation that waits fails after a while.
[[nodiscard]] Decision DecideUnreadable(const Observation& observation, const std::string& why);

}  // namespace certpair::core
