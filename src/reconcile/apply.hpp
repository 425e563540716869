// A decided change as one write of the Secret. No policy: Decide says what is written, and
// core/slots.hpp what the Secret holds afterwards.
#pragma once

#include <optional>

#include "core/decision.hpp"
#include "reconcile/ports.hpp"
#include "reconcile/secret_reading.hpp"

namespace certpair::reconcile {

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
/// `issued` is present where the change orders a certificate, and `keystore`, the bytes of
/// keystore.p12, where `plan` makes one. The key and those bytes move into the draft.
[[nodiscard]] SecretDraft DraftOf(const core::PlannedChange& plan,
                                  std::optional<x509::IssuedCertificate>& issued,
                                  const LiveSecret* secret, const core::SecretState& state,
                                  const StoredSystem& system,
                                  const core::Installation& installation,
                                  SecretString keystore = {});

}  // namespace certpair::reconcile
