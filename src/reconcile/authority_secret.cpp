#include "reconcile/authority_secret.hpp"

#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/match.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

// The operator writes the Secret of a generated CA with its label. A Secret that a person gives
// needs none.
bool MustHaveLabel(const core::AuthoritySource& source) {
  return std::visit(Match{[](const core::AuthorityFromSecret&) { return false; },
                          [](const core::AuthorityGenerated&) { return true; }},
                    source);
}

}  // namespace

std::string WhyOfAnother(const SecretMetadata& metadata, const StoredAuthority& authority) {
  const std::string& own = authority.identity.name;
  const std::string label = metadata.Label(kAuthorityLabel);
  std::string owner;
  if (!label.empty() && label != own) {
    owner = fmt::format("it has the label {}={}", kAuthorityLabel, label);
  } else if (metadata.name.starts_with(kGeneratedSecretPrefix) &&
             metadata.name != GeneratedSecretName(own)) {
    owner = fmt::format("Secrets named {}<authority> are for the CAs that certpair generates",
                        kGeneratedSecretPrefix);
  } else {
    return {};
  }
  return fmt::format(
      "Secret {}/{} belongs to another CertificateAuthority ({}), and \"{}\" does not sign with "
      "its "
      "key. Put the key pair of this CA into a Secret of its own and name that in "
      "spec.secret.name.",
      metadata.namespace_, metadata.name, owner, own);
}

AuthorityReading ReadAuthoritySecret(const LiveSecret* secret, const StoredAuthority& authority,
                                     sys_seconds now) {
  if (secret == nullptr) return {.state = core::CaMissing{}};
  AuthorityReading reading{.state = core::CaMissing{},
                           .resource_version = secret->metadata.resource_version};
  if (MustHaveLabel(authority.source) &&
      secret->metadata.Label(kAuthorityLabel) != authority.identity.name) {
    reading.state = core::CaNotOurs{
        .message =
            fmt::format("Secret {}/{} was not made for this authority: the label {}={} is missing",
                        secret->metadata.namespace_, secret->metadata.name, kAuthorityLabel,
                        authority.identity.name)};
    return reading;
  }
  if (std::string why = WhyOfAnother(secret->metadata, authority); !why.empty()) {
    reading.state = core::CaNotOurs{.message = std::move(why)};
    return reading;
  }
  auto signer = x509::Signer::Load(secret->Data("tls.crt"), secret->Data("tls.key"),
                                   secret->Data("ca.crt"), now);
  if (!signer) {
    reading.state = core::CaUnusable{.reason = std::string{x509::ToString(signer.error().fault)},
                                     .message = signer.error().message,
                                     .usable_from = signer.error().usable_from};
    return reading;
  }
  reading.state = signer->Facts();
  reading.signer = std::move(*signer);
  return reading;
}

std::string DescribeFault(const core::CaSecretState& state) {
  return std::visit(Match{[](const core::CaMissing&) { return std::string{"it does not exist"}; },
                          [](const core::CaUnusable& unusable) { return unusable.message; },
                          [](const core::CaNotOurs& foreign) { return foreign.message; },
                          [](const core::CaUsable&) { return std::string{}; }},
                    state);
}

SecretDraft DraftOfAuthority(const StoredAuthority& authority, const std::string& namespace_,
                             const std::string& certificate_pem, SecretString key_pem) {
  SecretDraft draft{.namespace_ = namespace_,
                    .name = authority.SecretName(),
                    .resource_version = {},
                    .uid = {},
                    .data = {},
                    .labels = {{std::string{kManagedByLabel}, std::string{kManagedBy}},
                               {std::string{kAuthorityLabel}, authority.identity.name}},
                    .annotations = {},
                    .owners = {}};
  draft.data["tls.crt"] = SecretString{certificate_pem};
  draft.data["tls.key"] = std::move(key_pem);
  draft.data["ca.crt"] = SecretString{certificate_pem};
  return draft;
}

}  // namespace certpair::reconcile
