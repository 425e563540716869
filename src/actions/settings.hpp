// Automatic regeneration and authentication: one field of the spec each.
#pragma once

#include <string>

#include "actions/reading.hpp"

namespace certpair::actions {

/// What turning the regeneration on or off would mean, for a person to confirm.
struct RegenerationIntent {
  SystemView system;
  bool on = false;
  RegenerationEffect effect;
  /// It is turned on, and the peer accepts only certificates that are uploaded to it.
  [[nodiscard]] bool NeedsConfirmation() const {
    return on && !system.automatic && system.MatchesByFingerprint();
  }
};
[[nodiscard]] OrRefusal<RegenerationIntent> IntendRegeneration(const Session& session,
                                                               const std::string& name, bool on);
[[nodiscard]] OrRefusal<void> SetRegeneration(const Session& session,
                                              const RegenerationIntent& intent, DryRun dry_run);

/// The answer is the system as it was before.
[[nodiscard]] OrRefusal<SystemView> SetAuthentication(const Session& session,
                                                      const std::string& name,
                                                      const std::string& value, DryRun dry_run);

}  // namespace certpair::actions
