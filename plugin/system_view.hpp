// A ProvisioningSystem as people see it. Read from the JSON as it is, so that what a newer operator
// wrote (another state, another word) is shown rather than refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "console.hpp"
#include "core/system.hpp"
#include "outcome.hpp"

namespace certpair::plugin {

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

/// Texts are as the object has them: whoever prints one escapes it.
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
};

[[nodiscard]] SystemView ViewOf(const nlohmann::json& object);

/// The certificate that a person means by `text`: any beginning of its SHA-256 fingerprint, from
/// two hex digits on, in either case, with or without colons. Usage: none or several begin so, and
/// the message lists what there is.
[[nodiscard]] Expected<const CertificateView*> Resolve(const SystemView& system,
                                                       std::string_view text);

/// Whether its active certificate has; without one: no.
[[nodiscard]] bool HasEnded(const SystemView& system, sys_seconds now);

/// How urgent it is: Bad (ended, not ready), Warn (somebody must act soon), Good.
[[nodiscard]] Tint UrgencyOf(const SystemView& system, sys_seconds now);

/// What a word of status.nextTransition means, for a line that says when: `a new certificate`.
[[nodiscard]] std::string DescribeNext(const SystemView& system, sys_seconds now);

}  // namespace certpair::plugin
