// Private to src/core: an Observation, read once into the questions that the rules ask.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/decision.hpp"
#include "core/observation.hpp"
#include "core/schedule.hpp"

namespace certpair::core {

/// An ownerReference that the API server refused is tried again so much later.
inline constexpr seconds kOwnerRetry = std::chrono::hours{1};

/// Why something does not happen automatically, for a condition. `retry_at`: when time alone may
/// help.
struct Obstacle {
  std::string_view reason;
  std::string message;
  std::optional<sys_seconds> retry_at;
};

/// What an Observation says of the pair. Borrows from the Observation, which outlives it.
struct View {
  const Observation& o;
  const Certificate* active = nullptr;    ///< intact; null: none, or damaged
  const Certificate* inactive = nullptr;  ///< intact; null: none, or damaged
  bool active_damaged = false;
  bool inactive_damaged = false;
  bool missing = false;                  ///< no Secret of that name
  bool keep_metadata = false;            ///< admission changes it, and is not tried yet
  bool keep_owners = false;              ///< to change them was refused, and is not tried yet
  bool relabel = false;                  ///< labels, annotations or ownership are to be mended
  bool regenerating = false;             ///< ON, and offered by the installation (R18)
  bool by_fingerprint = false;           ///< the peer matches by fingerprint (R15)
  bool stale_status = false;             ///< status does not describe the present pair
  bool untold_change = false;            ///< the pair was written since, be it as it was before
  seconds before{};                      ///< R23, of the active certificate
  std::optional<Window> window;          ///< of the active certificate
  std::vector<seconds> thresholds;       ///< R23, of the active certificate, the longest first
  std::optional<Obstacle> not_writable;  ///< what keeps the Secret from being written
  std::optional<Obstacle> not_issuable;  ///< what keeps any certificate from being made
  std::string_view write_failure;        ///< of the Secret, if it is worth a word; else empty

  explicit View(const Observation& observation);

  /// What stands beside the slots is not as the spec asks for, and may be written.
  [[nodiscard]] bool MetadataDiffers() const;
  /// `write_failure` as a reason and as a sentence.
  [[nodiscard]] std::string_view FailureReason() const;
  [[nodiscard]] std::string DescribeFailure() const;
  /// The system or its namespace is being deleted: nothing is written (R21).
  [[nodiscard]] bool Leaving() const;
  [[nodiscard]] bool ActiveExpired() const { return active && IsExpired(*active, o.now); }
  /// R8: the active certificate's window has come for this system.
  [[nodiscard]] bool Due() const { return window && o.now >= window->starts; }
  /// The regeneration start of the inactive certificate, were it active.
  [[nodiscard]] Window InactiveWindow() const;
  /// The inactive one is valid and ends later than the active one: it can take its place (R15).
  [[nodiscard]] bool HasSuccessor() const;
  /// HasSuccessor, and it is not in its own window yet.
  [[nodiscard]] bool HasFreshSuccessor() const;
  /// R6: a person went back to the older certificate.
  [[nodiscard]] bool RolledBack() const;
  /// The inactive certificate is held for a fingerprint peer: the status said so, or, where that
  /// was lost, the certificate was made automatically and did not become active.
  [[nodiscard]] bool WasHeld() const;
};

/// When to look again at a Secret that is not in our watch: after as long as condition `type` has
/// been False, so that a slip is noticed soon and a lasting one costs little.
[[nodiscard]] sys_seconds LookAgainAtUnwatched(const Observation& o, std::string_view type);

}  // namespace certpair::core
