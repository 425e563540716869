// A CertificateAuthority as the domain sees it, and who may get which name from it (R25).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "core/certificate.hpp"
#include "core/system.hpp"
#include "core/text_map.hpp"

namespace certpair::core {

/// A Kubernetes label selector: matchLabels and matchExpressions. Present but empty selects nothing
/// here (the CRD refuses `allow: [{}]`; `all: true` says it out loud).
struct LabelRequirement {
  enum class Operator { In, NotIn, Exists, DoesNotExist };
  std::string key;
  Operator op = Operator::In;
  std::vector<std::string> values;
  friend bool operator==(const LabelRequirement&, const LabelRequirement&) = default;
};

struct NamespaceSelection {
  bool all = false;
  std::vector<std::string> names;
  std::vector<LabelRequirement>
      labels;  ///< matchLabels are In with one value; all must hold; empty selects nothing
  friend bool operator==(const NamespaceSelection&, const NamespaceSelection&) = default;
};

/// One rule of `spec.allow`. Patterns are anchored: see MatchesPattern. An attribute with no
/// pattern must be absent from the subject.
struct AllowRule {
  NamespaceSelection namespaces;
  std::vector<std::string> common_names;
  std::vector<std::string> organizations;
  std::vector<std::string> organizational_units;
  std::vector<std::string> countries;
  std::vector<std::string> localities;
  std::vector<std::string> provinces;
  std::vector<std::string> required = {};  ///< names of attributes that must be present
  friend bool operator==(const AllowRule&, const AllowRule&) = default;
};

/// The authority as a system's Decide sees it.
struct AuthorityView {
  enum class State { Absent, NotReady, Ready };
  State state = State::Absent;
  std::string name;
  std::string message;      ///< why it is not ready, for the system's condition
  std::string subject;      ///< RFC 4514
  std::string fingerprint;  ///< SHA-256 of the CA certificate that signs
  std::vector<std::string> earlier_fingerprints;  ///< of CA certificates that it had before (R24)
  std::vector<std::string> same_key_fingerprints =
      {};  ///< those of them that have the key that signs
  sys_seconds not_before;
  sys_seconds chain_end;  ///< the earliest notAfter from the signing certificate up
  std::vector<AllowRule> allow;
};

/// Where an authority's key pair comes from.
struct AuthorityFromSecret {
  std::string secret_name;
  friend bool operator==(const AuthorityFromSecret&, const AuthorityFromSecret&) = default;
};
struct AuthorityGenerated {
  std::string common_name;
  seconds validity{std::chrono::hours{87600}};
  KeySpec key{KeyAlgorithm::Ecdsa, 256};
  friend bool operator==(const AuthorityGenerated&, const AuthorityGenerated&) = default;
};
using AuthoritySource = std::variant<AuthorityFromSecret, AuthorityGenerated>;

struct AuthorityIdentity {
  std::string uid;
  std::string name;
  bool being_deleted = false;
  std::int64_t generation = 0;
};

/// Of `AuthorityStatus::chain`, in bytes: the limit of the CRD.
inline constexpr std::size_t kLongestChain = std::size_t{64} * 1024;

struct AuthorityStatus {
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;
  std::string subject;
  std::optional<sys_seconds> not_before;
  std::optional<sys_seconds> not_after;  ///< the end of the chain
  std::string fingerprint;
  std::vector<std::string> earlier_fingerprints;  ///< newest first, at most 16
  /// Those of earlier_fingerprints whose certificates have the key that signs now.
  std::vector<std::string> same_key_fingerprints = {};
  /// The chain that signs, as PEM, without a key: the signing certificate first, then upwards as
  /// far as the Secret leads. Empty where it is longer than kLongestChain.
  std::string chain;
  friend bool operator==(const AuthorityStatus&, const AuthorityStatus&) = default;
};

/// What its Secret holds. `Unusable.message` names the fault: garbage, key not matching, CA:FALSE,
/// expired, encrypted key.
struct CaMissing {};
struct CaUnusable {
  std::string reason;  ///< CamelCase, for the condition
  std::string message;
  std::optional<sys_seconds> usable_from = std::nullopt;  ///< where time alone may mend it
};
struct CaUsable {
  std::string subject;
  std::string fingerprint;
  sys_seconds not_before;
  sys_seconds chain_end;
  std::string chain;  ///< PEM: see AuthorityStatus
};
struct CaNotOurs {
  std::string message;  ///< a Secret of the generated CA's name that belongs to something else
};
using CaSecretState = std::variant<CaMissing, CaUnusable, CaUsable, CaNotOurs>;

struct AuthorityObservation {
  /// The last attempt to write the generated CA's Secret was refused for this reason; empty: none.
  std::string write_failure;
  AuthorityIdentity identity;
  AuthoritySource source;
  AuthorityStatus status;
  CaSecretState secret;
  /// The certificate in the Secret has the key of the one that status tells of.
  bool has_key_of_status = false;
  sys_seconds now;
};

struct GenerateAuthority {
  std::string common_name;
  KeySpec key;
  sys_seconds not_before;
  sys_seconds not_after;
};
struct AuthorityEvent {
  bool warning = false;
  std::string reason;
  std::string message;
};
struct AuthorityDecision {
  std::optional<GenerateAuthority> generate;
  AuthorityStatus status;
  std::vector<AuthorityEvent> events;
  std::optional<sys_seconds> wake_at;
};

/// The authority's own Decide: total, deterministic, never throws. Conditions: Ready, ExpiringSoon
/// (from a year before the end, the default validity of certificates, which are clipped from then
/// on; a third of its life where that is shorter). A generated CA is made once: one whose Secret is
/// lost is reported, never replaced (R24).
[[nodiscard]] AuthorityDecision DecideAuthority(const AuthorityObservation& observation);

/// R25. Nothing if some rule lets `subject` in the namespace of `system` through; else a sentence
/// that says which rule to add: flow YAML that is JSON too in its values, and that lets exactly
/// this subject through. A value that no pattern can match to the letter (it holds a `*`) is said
/// to be so instead. A namespace that is not known is selected by its name only.
[[nodiscard]] std::optional<std::string> WhyNotAllowed(const AuthorityView& authority,
                                                       const Subject& subject,
                                                       const SystemIdentity& system);

/// Anchored match with `*`, without backtracking: at most |pattern| x |text| steps. `*` stands for
/// any run of characters but for `/`, `,`, `=`, `+` and those that are unseen (IsUnseen): with them
/// a value reads as other attributes, or as another name. Where a pattern has them itself, they
/// match.
[[nodiscard]] bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace certpair::core
