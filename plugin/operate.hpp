// A CertificateOperation from its making to its end, as generate, activate and delete share it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "invocation.hpp"
#include "outcome.hpp"
#include "session.hpp"
#include "system_view.hpp"

namespace certpair::plugin {

struct OperationWish {
  std::string action;       ///< Generate, Activate, Delete
  std::string fingerprint;  ///< canonical; empty with Generate
};

/// The object that is sent, with a generated name.
[[nodiscard]] nlohmann::json OperationOf(const SystemView& system, const OperationWish& wish);

/// What became of it, as far as it is known.
struct OperationEnd {
  std::string name;
  bool finished = false;    ///< false: not awaited, or a dry run
  nlohmann::json object;    ///< as it was last seen
  std::string fingerprint;  ///< of the outcome
  std::string message;
};

/// Creates the operation and awaits its end, as `change` says. Refused where the operator refuses
/// it; TimedOut, or Failed where the operator does not run: then the operation stays, and the
/// message names it; Interrupted likewise. What the API server cannot answer for a moment is asked
/// again until then.
[[nodiscard]] Expected<OperationEnd> Operate(const Session& session, const SystemView& system,
                                             const OperationWish& wish, const ChangeFlags& change);

/// Whether to go on: yes without a question where `--yes` was given or nobody can be asked; Failed
/// after any other answer than yes, Interrupted after Ctrl-C.
[[nodiscard]] Outcome Confirm(const Session& session, const ChangeFlags& change,
                              std::string_view question);

/// ` (server dry run)`, where it is one.
[[nodiscard]] std::string_view DryRunSuffix(DryRun dry_run);

}  // namespace certpair::plugin
