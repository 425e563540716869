// Private to src/core: what finished operations and waiting ones share with DecideOrphan.
#pragma once

#include <optional>

#include "core/operation.hpp"

namespace certpair::core {

/// An operation that cannot run for want of its authority, or of its Secret, waits so long from its
/// creation; then it fails, lest it holds back all that come after it.
inline constexpr seconds kOperationPatience = std::chrono::minutes{10};

/// When a finished operation is removed: after its TTL, if its name was generated. A named one, as
/// GitOps tools apply them again and again, stays.
[[nodiscard]] std::optional<sys_seconds> RemovalTime(const Operation& operation);

[[nodiscard]] OperationVerdict RemoveFinished(const Operation& operation);
[[nodiscard]] OperationVerdict MarkFinished(const Operation& operation);

}  // namespace certpair::core
