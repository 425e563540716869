// A ProvisioningSystem as the domain sees it: identity, spec, status. See crds/ for the meaning of
// each field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/boxed.hpp"
#include "base/clock.hpp"
#include "core/certificate.hpp"
#include "core/ledger_entry.hpp"
#include "core/text_map.hpp"

namespace certpair::core {

enum class SystemType { Source, Target, Proxy };
enum class PeerMatching { SubjectAndIssuer, Fingerprint };
enum class Issuance { Automatic, Manual };
enum class DeletionPolicy { Delete, Retain };
enum class AtExpiry { Activate, Hold };

struct SystemIdentity {
  std::string uid;
  std::string namespace_;
  std::string name;
  TextMap namespace_labels;
  /// The Namespace was read. Where it was not, `namespace_labels` say nothing, not even that a
  /// label is absent.
  bool namespace_known = false;
  bool being_deleted = false;          ///< deletionTimestamp is set
  bool namespace_terminating = false;  ///< nothing can be created in it
  std::int64_t generation = 0;
  friend bool operator==(const SystemIdentity&, const SystemIdentity&) = default;
};

struct Subscriber {
  std::string display_name;
  std::string email;
  friend bool operator==(const Subscriber&, const Subscriber&) = default;
};

/// Where the password of a key store stands: a key of a Secret in the system's namespace.
struct PasswordReference {
  std::string name;
  std::string key;
  friend bool operator==(const PasswordReference&, const PasswordReference&) = default;
};

struct SecretSpec {
  std::string name;  ///< effective: never empty
  DeletionPolicy deletion_policy = DeletionPolicy::Delete;
  TextMap labels;
  TextMap annotations;
  std::optional<PasswordReference> pkcs12;  ///< R13: also keep the active slot as PKCS#12
  friend bool operator==(const SecretSpec&, const SecretSpec&) = default;
};

/// Defaults applied: what the API server defaults, and what the controller picks (`key.size`,
/// Secret name).
struct SystemSpec {
  std::string display_name;  ///< effective: never empty
  SystemType type = SystemType::Target;
  std::string authentication;
  PeerMatching peer_matching = PeerMatching::SubjectAndIssuer;
  Issuance issuance = Issuance::Automatic;
  std::string authority;
  Subject subject;
  seconds validity{std::chrono::hours{8760}};
  KeySpec key;
  SecretSpec secret;
  bool regeneration_enabled = false;
  std::optional<seconds> regenerate_before;  ///< R23 says what stands in when absent
  AtExpiry at_expiry = AtExpiry::Activate;
  std::vector<seconds> warn_before;  ///< as given: unsorted, maybe longer than the validity
  std::vector<Subscriber> subscribers;
  friend bool operator==(const SystemSpec&, const SystemSpec&) = default;
};

enum class ConditionStatus { True, False, Unknown };

/// Kubernetes API conventions, "Typical status properties".
struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::Unknown;
  std::string reason;
  std::string message;
  std::int64_t observed_generation = 0;
  sys_seconds last_transition;  ///< changes only when `status` changes
  friend bool operator==(const Condition&, const Condition&) = default;
};

enum class Slot { Active, Inactive };

/// The next thing that happens automatically. `action` is a word for people: Issue, Regenerate,
/// Activate, Warn, Expire, …
struct NextTransition {
  sys_seconds at;
  std::string action;
  friend bool operator==(const NextTransition&, const NextTransition&) = default;
};

/// What became of the mails of one certificate and threshold, for people.
struct NotificationSummary {
  std::string threshold;  ///< `336h`; of mails that no time calls for a word: `renewed`, `held`
  std::string fingerprint;
  sys_seconds at;      ///< of the latest news
  int recipients = 0;  ///< how many were to get it
  int failed = 0;      ///< how many will not
  friend bool operator==(const NotificationSummary&, const NotificationSummary&) = default;
};

/// What the mail server last said of a mail: for people, without an address.
struct ServerReply {
  std::string notice_id;  ///< of the mail; empty where it does not matter which
  std::string words;      ///< may be empty
  friend bool operator==(const ServerReply&, const ServerReply&) = default;
};

/// `status.notifications`: which Events (R9) and mails (R11) went out. Bounded; an entry goes with
/// the certificate that it names.
struct NotificationLedger {
  std::vector<LedgerEntry> entries;          ///< `sent`, oldest first
  std::vector<NotificationSummary> summary;  ///< follows from `entries`, but for `at`
  std::optional<ServerReply> failure;        ///< of the last mail that failed
  std::optional<ServerReply> delay;          ///< present while mail waits for the server
  friend bool operator==(const NotificationLedger&, const NotificationLedger&) = default;
};

struct SystemStatus {
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;  ///< at most one of a type, in a fixed order
  Boxed<Certificate> active;
  Boxed<Certificate> inactive;
  std::string secret_name;  ///< effective: for people, who may have left it out of the spec
  std::string secret_resource_version;  ///< the version of the Secret that this status describes;
                                        ///< empty: none
  /// A Secret of the system's name is in the way, or was refused: the watch may not show it, and
  /// each pass reads it.
  bool secret_blocked = false;
  /// R15: of the inactive certificate, while it waits for a peer that matches by fingerprint to
  /// know it; empty: none waits. It is activated where the peer stops to match so.
  std::string held_fingerprint;
  std::optional<NextTransition> next;
  NotificationLedger ledger;
  /// R27: when certificates were last made automatically, oldest first, at most six. The same times
  /// stand in an annotation of the Secret; here they outlive it.
  std::vector<sys_seconds> automatic_issuances;
  friend bool operator==(const SystemStatus&, const SystemStatus&) = default;

  [[nodiscard]] const Condition* Find(std::string_view type) const;
};

[[nodiscard]] std::string_view ToString(SystemType type);
[[nodiscard]] std::string_view ToString(PeerMatching matching);
[[nodiscard]] std::string_view ToString(ConditionStatus status);

}  // namespace certpair::core
