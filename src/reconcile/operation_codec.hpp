// CertificateOperation: JSON to values and back. Pure, thread-safe.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "reconcile/objects.hpp"

namespace certpair::reconcile {

[[nodiscard]] StoredOperation DecodeOperation(const nlohmann::json& object);

/// The FinishedMark of an operation, as a merge patch of its metadata with its UID as precondition.
[[nodiscard]] nlohmann::json MarkPatch(const StoredOperation& operation, bool succeeded);

/// The terminal status as a merge patch, with the operation's UID and resourceVersion as
/// preconditions. Kind is Complete or Fail.
[[nodiscard]] nlohmann::json VerdictPatch(const StoredOperation& operation,
                                          const core::OperationVerdict& verdict, sys_seconds now);

}  // namespace certpair::reconcile
