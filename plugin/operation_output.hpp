// What generate, activate and delete share: the question before, and the operation as output.
#pragma once

#include <string_view>

#include "actions/operate.hpp"
#include "flags.hpp"
#include "outcome.hpp"
#include "session.hpp"

namespace certpair::plugin {

[[nodiscard]] actions::How HowOf(const ChangeFlags& change);

/// Asks `question`, unless `--yes` was given, it is a dry run or no person can be asked. Failed
/// after any other answer than yes, Interrupted after Ctrl-C.
[[nodiscard]] Outcome Confirm(const Session& session, const ChangeFlags& change,
                              std::string_view question);

/// Whether to explain a change before it is made: a program that asked for an object
/// needs nothing beside it.
[[nodiscard]] bool IsPersonAsking(const Session& session, Format format);

/// Prints the operation where that is all that was asked for: with -o, in a dry run, or where its
/// end is not awaited. Whether it did.
[[nodiscard]] bool PrintsOperation(const Session& session, const actions::OperationEnd& end,
                                   const ChangeFlags& change, Format format);

/// ` (server dry run)`, where it is one.
[[nodiscard]] std::string_view DryRunSuffix(actions::DryRun dry_run);

}  // namespace certpair::plugin
