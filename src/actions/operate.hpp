// Generate, activate, delete: first what is meant, so that a person can confirm it, then the
// CertificateOperation from its making to its end.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "actions/reading.hpp"

namespace certpair::actions {

enum class Action { Generate, Activate, Delete };
/// As spec.action has it.
[[nodiscard]] std::string_view ToString(Action action);

/// One operation on one system, checked against what the system's status says.
struct Intent {
  Action action = Action::Generate;
  SystemView system;
  std::string fingerprint;  ///< canonical; empty with Generate

  /// Activate: the certificate is active already, so that nothing changes.
  [[nodiscard]] bool ChangesNothing() const;
};

/// AlreadyTwo, or what ReadSystem refuses.
[[nodiscard]] OrRefusal<Intent> IntendGenerate(const Session& session, const std::string& name);
/// `fingerprint` may be shortened; empty: the inactive certificate. NoInactive, BadFingerprint.
[[nodiscard]] OrRefusal<Intent> IntendActivate(const Session& session, const std::string& name,
                                               const std::string& fingerprint);
/// BadFingerprint, CannotDeleteActive.
[[nodiscard]] OrRefusal<Intent> IntendDelete(const Session& session, const std::string& name,
                                             const std::string& fingerprint);

struct How {
  bool wait = true;
  seconds timeout{60};
  DryRun dry_run = DryRun::None;
};

/// What became of the operation, as far as it is known.
struct OperationEnd {
  std::string name;         ///< empty: it was not made (a client dry run)
  bool finished = false;    ///< false: its end was not awaited
  nlohmann::json object;    ///< as it was last seen, or as it would be sent
  std::string fingerprint;  ///< of the outcome
  std::string message;
};

/// Creates the operation and awaits its end, as `how` says, and that the system's status shows it.
/// What the API server cannot answer for a moment is asked again. OperationRefused where the
/// operator refuses; NotInTime, NoOperator, LostSight and Stopped name an operation that stays.
[[nodiscard]] OrRefusal<OperationEnd> Carry(const Session& session, const Intent& intent,
                                            const How& how);

}  // namespace certpair::actions
