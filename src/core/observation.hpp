// Everything that Decide is given: the one input of the domain.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/authority.hpp"
#include "core/certificate.hpp"
#include "core/notice.hpp"
#include "core/operation.hpp"
#include "core/system.hpp"

namespace certpair::core {

/// No Secret of that name.
struct Missing {};
/// A Secret of that name which is not this system's (R20). `collectable`: it belongs to an earlier
/// system of the same name, and the garbage collector removes it: wait for it.
struct NotOurs {
  std::string owner;  ///< for the message: what is known of whose it is
  bool collectable = false;
};
/// Retained by an earlier system of this name (R20, R21). `adoptable` if label, DN, CA and keys
/// fit; else `why_not`. It is adopted only if the authority is ready and allows it, and the spec
/// retains it too or a backup tool restored it.
struct Retained {
  std::optional<CertificatePair> adoptable;
  std::string why_not;
  bool restored = false;  ///< from a backup, which leaves the ownerReference of its system out
};
/// `immutable: true`: neither written nor deleted. What it holds still counts.
struct Immutable {
  std::optional<CertificatePair> pair;
};
/// Ours, but something in it is broken. What is still good in each slot, and what is wrong, for a
/// person.
struct Damaged {
  std::optional<Certificate> intact_active;
  std::optional<Certificate> intact_inactive;
  std::string what;
};
using SecretState = std::variant<Missing, NotOurs, Retained, Immutable, Damaged, CertificatePair>;

/// What our PKCS#12 in the Secret was made of (R13), from the annotation beside it.
struct Keystore {
  std::string fingerprint;  ///< of the certificate in it
  PasswordReference password;
  std::string password_version;  ///< the resourceVersion of the Secret that held the password
  friend bool operator==(const Keystore&, const Keystore&) = default;
};

/// The password that `spec.secret.pkcs12` names. The domain never sees the password itself.
struct PasswordView {
  enum class State {
    NotRead,
    There,     ///< a key store can be made with it
    Missing,   ///< no such Secret or key, or nothing in it
    Unusable,  ///< it cannot be read, or no key store can have it
  };
  State state = State::NotRead;
  std::string version;  ///< There: the resourceVersion of its Secret
  std::string problem;  ///< Missing, Unusable: what is wrong and what to do, in sentences
};

/// When automatic issuances happened (R27): from the Secret's annotation, and what the process
/// remembers of it; at most 16, oldest first.
struct Budget {
  std::vector<sys_seconds> automatic;
  friend bool operator==(const Budget&, const Budget&) = default;
};
/// Of two records of the same issuances what either has: each time as often as the record that has
/// it more often; the last 16, oldest first.
[[nodiscard]] Budget Merge(Budget one, Budget other);

/// What the installation offers and how.
struct Installation {
  bool regeneration_supported = true;  ///< R18
  bool mail_configured = false;        ///< there is a mail server, so subscribers can be told
  /// Keys, or their beginnings followed by `*`, that spec.secret may put on the Secret:
  /// `core/secret_metadata.hpp`.
  std::vector<std::string> secret_metadata_allow;
};

/// What is known of the mails of this system outside its ledger.
struct MailView {
  std::size_t room = 0;                 ///< how many notices can be posted now
  std::vector<std::string> under_way;   ///< ids of the ledger's due entries that need no posting
  std::vector<NoticeOutcome> outcomes;  ///< not in the ledger yet, oldest first
};

/// What was read from the API server in this pass, instead of from a cache.
struct ReadLive {
  bool secret = false;
  bool system = false;        ///< it exists, with the same UID, and is not being deleted
  std::string operation_uid;  ///< of an operation that has not finished
};

struct Observation {
  SystemIdentity identity;
  SystemSpec spec;
  SystemStatus status;
  AuthorityView authority;
  SecretState secret;
  std::string secret_resource_version;  ///< of what `secret` was read from; empty: Missing
  /// Labels or annotations are not what the spec asks for: a Relabel would mend it.
  bool secret_metadata_differs = false;
  /// Nor is the ownerReference (R21).
  bool secret_owner_differs = false;
  /// What the API server said, and when, as it refused to change the ownerReferences; empty: it did
  /// not. Admission may ask for the right to delete the Secret, which the operator does not have.
  std::string owner_refusal;
  sys_seconds owner_refused_at;
  /// The label or annotation that admission changed as the Secret was last written, such as
  /// `label a/b`, and when; empty: it changed none. To write it again would change nothing.
  std::string changed_metadata;
  sys_seconds metadata_changed_at;
  std::optional<Receipt> receipt;
  Budget budget;
  /// The fingerprint of the certificate that last replaced another one automatically, from the
  /// Secret's annotation; empty: none.
  std::string renewed;
  std::optional<Keystore> keystore;  ///< nothing: the Secret has no key store of ours
  bool keystore_damaged = false;     ///< read in depth, and not the bytes that were written
  PasswordView password;
  MailView mail;
  std::vector<Operation> operations;  ///< of this system, in order of creation, then name
  /// Why the last attempt to write the Secret failed, or to read it before a write; empty: it did
  /// not.
  std::string write_failure;
  /// `write_failure` says why the authority did not sign what was to be written.
  bool signing_failed = false;
  /// Since when attempts have failed one after the other for reasons that may pass. Nothing: a
  /// person must mend the reason (quota, forbidden).
  std::optional<sys_seconds> write_fails_since;
  /// The Secret was written in this very pass: no status can tell of it yet.
  bool written_in_this_pass = false;
  ReadLive live;
  Installation installation;
  sys_seconds now;
};

}  // namespace certpair::core
