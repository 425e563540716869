// What an authority's Secret means. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/authority.hpp"
#include "reconcile/objects.hpp"
#include "reconcile/secret_codec.hpp"
#include "x509/authority.hpp"

namespace certpair::reconcile {

struct AuthorityReading {
  core::CaSecretState state;
  std::string resource_version;
  std::optional<x509::Signer> signer;  ///< set where `state` is CaUsable
};

/// `secret` null: none exists. A generated authority's Secret must carry its label, and one that
/// is given must not be another authority's (WhyOfAnother): else it is CaNotOurs, and no key is
/// read.
[[nodiscard]] AuthorityReading ReadAuthoritySecret(const LiveSecret* secret,
                                                   const StoredAuthority& authority,
                                                   sys_seconds now);

/// Why the Secret is another authority's: it has its label, or the name that certpair gives to the
/// Secret of that one's generated CA. A person who may create an authority must not sign with the
/// key of another one, whose `allow` is not theirs. Empty: it is not.
[[nodiscard]] std::string WhyOfAnother(const SecretMetadata& metadata,
                                       const StoredAuthority& authority);

/// For a message; empty where it is usable.
[[nodiscard]] std::string DescribeFault(const core::CaSecretState& state);

/// The Secret of a generated authority. It has no owner: it survives the authority (R24).
[[nodiscard]] SecretDraft DraftOfAuthority(const StoredAuthority& authority,
                                           const std::string& namespace_,
                                           const std::string& certificate_pem,
                                           SecretString key_pem);

}  // namespace certpair::reconcile
