// A ProvisioningSystem as people see it. Read from the JSON as it is: what a newer operator wrote
// (another state, another word) is shown rather than refused. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "core/system.hpp"

namespace certpair::actions {

struct CertificateView {
  std::string state;  ///< Active, Inactive, or what a newer version says
  std::string fingerprint;
  std::string fingerprint_sha1;
  std::string subject;
  std::string issuer;
  std::string issuer_fingerprint;  ///< of the CA certificate that signed it
  std::string serial_number;
  std::string signature_algorithm;
  std::string key;  ///< `RSA 3072`
  std::optional<sys_seconds> not_before;
  std::optional<sys_seconds> not_after;
  std::string pem;
};

/// Texts are as the object has them: a program escapes what it prints.
struct SystemView {
  std::string namespace_;
  std::string name;
  std::string uid;
  std::string version;       ///< resourceVersion
  std::string display_name;  ///< effective
  std::string type;
  std::string authentication;
  std::string peer_matching;
  std::string authority;
  std::string subject;  ///< of the spec, its common name
  std::string secret;   ///< effective
  bool automatic = false;
  std::string before;  ///< as given; empty: the default
  std::string at_expiry;
  std::vector<CertificateView> certificates;
  std::vector<core::Condition> conditions;
  std::string next_action;
  std::optional<sys_seconds> next_at;
  std::vector<core::Subscriber> subscribers;
  bool being_deleted = false;
  bool observed = false;  ///< the operator has seen it in its present form

  [[nodiscard]] const CertificateView* Find(std::string_view state) const;
  [[nodiscard]] const CertificateView* Active() const { return Find("Active"); }
  [[nodiscard]] const CertificateView* Inactive() const { return Find("Inactive"); }
  [[nodiscard]] const core::Condition* Condition(std::string_view type) const;
  [[nodiscard]] bool MatchesByFingerprint() const { return peer_matching == "Fingerprint"; }
  [[nodiscard]] bool HoldsAtExpiry() const { return at_expiry == "Hold"; }
};

[[nodiscard]] SystemView ViewOf(const nlohmann::json& object);

/// The place of a system.
struct SystemRef {
  std::string namespace_;
  std::string name;
  friend auto operator<=>(const SystemRef&, const SystemRef&) = default;
};
[[nodiscard]] inline SystemRef RefOf(const SystemView& system) {
  return {system.namespace_, system.name};
}

/// Why a text does not name one certificate of a system.
struct BadFingerprint {
  enum class Why { NotHex, NoneBeginsSo, SeveralBeginSo };
  Why why = Why::NotHex;
  std::string text;
  SystemRef system;
  std::vector<std::pair<std::string, std::string>> there;  ///< fingerprint and state of each
};

/// The certificate that a person means by `text`: any beginning of its SHA-256 fingerprint, from
/// two hex digits on, in either case, with or without colons.
[[nodiscard]] std::expected<const CertificateView*, BadFingerprint> Resolve(
    const SystemView& system, std::string_view text);

/// Whether its active certificate has expired; without one: no.
[[nodiscard]] bool HasExpired(const SystemView& system, sys_seconds now);

/// How a system is, as a list shows it at a glance.
enum class Health {
  Good,
  Renews,     ///< near its end, and renewed automatically
  Attention,  ///< a person must act soon, or nothing is known yet
  Bad,        ///< expired, or not ready
};
[[nodiscard]] Health HealthOf(const SystemView& system, sys_seconds now);

/// What the operator does with a regeneration that is turned on, or with none.
struct RegenerationEffect {
  enum class What {
    Nothing,                ///< it is off: a person generates and activates
    RenewsBeforeExpiry,     ///< a new certificate becomes active before the active one expires
    IssuesThenActivates,    ///< a new one waits inactive, and is activated just before the expiry
    IssuesThenHolds,        ///< a new one waits inactive for a person
    IssuesAndActivatesNow,  ///< the active one has expired: a new one is made and active at once
    ActivatesSuccessorNow,  ///< the active one has expired: `successor` becomes active at once
    IssuesAndHoldsNow,      ///< the active one has expired: a new one waits for a person
    HoldsSuccessor,         ///< the active one has expired: `successor` waits for a person
  };
  What what = What::Nothing;
  bool peer_knows_fingerprints = false;
  std::optional<sys_seconds> expired;  ///< when the active one expired; nothing: it has not
  std::string successor;  ///< the inactive certificate that could take the active one's place
  std::string dropped;    ///< the inactive certificate that a new one replaces, and its key
};
[[nodiscard]] RegenerationEffect EffectOf(const SystemView& system, bool on, sys_seconds now);

}  // namespace certpair::actions
