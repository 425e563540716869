// The PKCS#12 in a pair's Secret (R13): what stands beside it in an annotation, and the password
// that it is made with. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret_string.hpp"
#include "core/observation.hpp"
#include "kube/error.hpp"
#include "reconcile/objects.hpp"
#include "x509/authority.hpp"

namespace certpair::reconcile {

/// `fingerprint secret/key resourceVersion digest`, the last of the bytes of keystore.p12: so that
/// a watch of metadata tells whether a key store fits, and its bytes whether something else wrote
/// them. It does not protect against a writer of Secrets.
[[nodiscard]] std::string FormatKeystore(const core::Keystore& keystore, std::string_view bytes);
/// Nothing where the annotation is absent, or not one of ours.
[[nodiscard]] std::optional<core::Keystore> ParseKeystore(std::string_view text);
[[nodiscard]] bool IsKeystoreIntact(std::string_view text, std::string_view bytes);

/// A password as it was read. Short-lived.
struct PasswordReading {
  core::PasswordView view;
  SecretString password;  ///< empty unless `view` says There
};
/// What the Secret that `reference` names holds. Each fault, a failed request included, concerns
/// the password alone.
[[nodiscard]] PasswordReading ReadPassword(
    const core::PasswordReference& reference,
    const kube::ApiResult<std::optional<LiveSecret>>& secret);

}  // namespace certpair::reconcile
