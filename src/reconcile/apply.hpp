// A decided change, as one write of the Secret and as the state that follows from it. No policy:
// what is to be, Decide said.
#pragma once

#include <optional>

#include "core/decision.hpp"
#include "reconcile/ports.hpp"
#include "reconcile/secret_reading.hpp"

namespace certpair::reconcile {

/// The certificate that a change needs made, if any.
[[nodiscard]] const core::CertificateOrder* OrderOf(const core::SecretChange& change);

/// What becomes the active slot, as text of the Secret. Borrows.
struct SlotTexts {
  std::string_view certificate;
  std::string_view key;
  std::string_view authority;
};
/// The active slot once `plan` is written upon `secret` (null: it is made anew).
[[nodiscard]] SlotTexts ActiveTextsAfter(const core::PlannedChange& plan,
                                         const std::optional<x509::IssuedCertificate>& issued,
                                         const LiveSecret* secret);

/// The one write that carries out `plan`, upon `secret` as it was read (null: it is made anew).
/// `issued` is there where OrderOf is, and `keystore`, the bytes of keystore.p12, where `plan`
/// makes one. The key and those bytes move into the draft.
[[nodiscard]] SecretDraft DraftOf(const core::PlannedChange& plan,
                                  std::optional<x509::IssuedCertificate>& issued,
                                  const LiveSecret* secret, const core::SecretState& state,
                                  const StoredSystem& system,
                                  const core::Installation& installation,
                                  SecretString keystore = {});

/// The receipt with the outcome's fingerprint in it.
[[nodiscard]] std::optional<core::Receipt> ReceiptOf(
    const core::PlannedChange& plan, const std::optional<x509::IssuedCertificate>& issued);

/// The certificate that takes another's place by itself; empty: none does.
[[nodiscard]] std::string RenewedBy(const core::PlannedChange& plan,
                                    const std::optional<x509::IssuedCertificate>& issued);

/// What the Secret holds once `plan` is written.
[[nodiscard]] core::SecretState StateAfter(const core::PlannedChange& plan,
                                           const core::SecretState& before,
                                           const std::optional<x509::IssuedCertificate>& issued);

}  // namespace certpair::reconcile
