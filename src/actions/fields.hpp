// What actions and programs repeat of the API's schema, in one place; tests compare it with crds/.
#pragma once

#include <array>
#include <string_view>

namespace certpair::actions::fields {

// Words that a field takes.
inline constexpr std::array<std::string_view, 3> kSystemTypes{"Source", "Target", "Proxy"};
inline constexpr std::array<std::string_view, 2> kPeerMatchings{"SubjectAndIssuer", "Fingerprint"};
inline constexpr std::array<std::string_view, 2> kIssuances{"Automatic", "Manual"};
inline constexpr std::array<std::string_view, 2> kAtExpiries{"Activate", "Hold"};
inline constexpr std::array<std::string_view, 3> kActions{"Generate", "Activate", "Delete"};

// What stands in where a field is left out.
inline constexpr std::string_view kPeerMatchingDefault = "SubjectAndIssuer";
inline constexpr std::string_view kAtExpiryDefault = "Activate";
/// The name of the Secret is that of the system and this.
inline constexpr std::string_view kSecretSuffix = "-outbound";

/// spec.authentication takes any text. This one means: with the system's certificate.
inline constexpr std::string_view kClientCertificate = "ClientCertificateAuthentication";
/// What is offered beside it.
inline constexpr std::array<std::string_view, 3> kAuthentications{
    kClientCertificate, "BasicAuthentication", "OAuth2Authentication"};

/// A field of a ProvisioningSystem that a simulation can suppose to be another.
struct Supposable {
  std::string_view key;                  ///< as it is said: `auto`
  std::array<std::string_view, 3> path;  ///< in the object; empty names at its end are left out
  std::string_view example;              ///< for help: `off`
};
inline constexpr std::array<Supposable, 6> kSupposables{
    {{"auto", {"spec", "automaticRegeneration", "enabled"}, "off"},
     {"before", {"spec", "automaticRegeneration", "before"}, "240h"},
     {"validity", {"spec", "certificate", "validity"}, "2160h"},
     {"peerMatching", {"spec", "peerMatching", ""}, "Fingerprint"},
     {"atExpiry", {"spec", "activation", "atExpiry"}, "Hold"},
     {"issuance", {"spec", "issuance", ""}, "Manual"}}};

/// Fields without which this version shows half of what there is: their absence from the published
/// schema tells an older CRD.
inline constexpr std::array<std::string_view, 8> kNeeded{
    "nextTransition",   "activeFingerprint", "secretName", "peerMatching",
    "ttlAfterFinished", "atExpiry",          "chain",      "pkcs12"};

}  // namespace certpair::actions::fields
