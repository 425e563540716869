// What the Secret holds once a change is written, and what is observed then. The one place that
// says what a SlotChange means; the write itself (reconcile/apply.cpp) copies texts by the same
// rules. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>

#include "core/decision.hpp"
#include "core/observation.hpp"

namespace certpair::core {

/// The intact certificates of a Secret; null: the slot is empty or damaged. Borrows.
struct Slots {
  const Certificate* active = nullptr;
  const Certificate* inactive = nullptr;
};

/// What a Secret holds, as far as it is intact.
[[nodiscard]] Slots SlotsOf(const SecretState& state);

/// The slots once `change` is written. `made`: the new certificate, where the change orders one;
/// null while it does not exist yet.
[[nodiscard]] Slots After(const Slots& before, const SlotChange& change, const Certificate* made);

/// What a write puts into the Secret. What is absent here stays as it was.
struct WriteOutcome {
  SecretState secret;
  std::optional<Receipt> receipt;
  std::string renewed;               ///< fingerprint; empty: no certificate takes another's place
  std::optional<Keystore> keystore;  ///< of a key store that the write makes
};
[[nodiscard]] WriteOutcome OutcomeOf(const PlannedChange& plan, const SecretState& before,
                                     const Certificate* made);

/// The observation once `plan` is written and the Secret has the resourceVersion `version`. Of
/// `before`, `owner_refusal` and `changed_metadata` count as they stand after the write.
[[nodiscard]] Observation AfterWrite(Observation before, const PlannedChange& plan,
                                     const Certificate* made, std::string version);

}  // namespace certpair::core
