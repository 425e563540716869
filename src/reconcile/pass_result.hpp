// How a pass over one object ended, and when its key wants to be looked at again.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "kube/error.hpp"
#include "kube/work_queue.hpp"

namespace certpair::reconcile {

/// How a pass ended, and when the key wants to be looked at again.
struct PassResult {
  enum class Kind {
    Settled,  ///< nothing is left to do before `wake_at`
    Waiting,  ///< a key is being made, or a cache is behind. The pool or the cache wakes the
              ///< system; `wake_at` is the safety net
    Failed,   ///< back off; `retry_after` is the least, but for what is due at `wake_at` before it
    Gone,     ///< the system does not exist any more
  };
  Kind kind = Kind::Settled;
  std::optional<sys_seconds> wake_at;
  kube::Urgency urgency = kube::Urgency::InTurn;  ///< of `wake_at`
  std::chrono::milliseconds retry_after{0};
  std::string error;       ///< of Failed: for the log
  std::string error_kind;  ///< of Failed: a word for the metric
};

/// A cache that is behind our own write for this long is not waited for any more.
inline constexpr std::chrono::seconds kCacheMayLag{30};

/// What a person has to mend, and no retry does.
[[nodiscard]] constexpr bool NeedsPerson(kube::ApiErrorKind kind) {
  return kind == kube::ApiErrorKind::Forbidden || kind == kube::ApiErrorKind::QuotaExceeded ||
         kind == kube::ApiErrorKind::Invalid;
}

/// The pass that a request's failure ended.
[[nodiscard]] inline PassResult FailedBy(const kube::ApiError& error) {
  return {.kind = PassResult::Kind::Failed,
          .wake_at = {},
          .urgency = kube::Urgency::InTurn,
          .retry_after = error.retry_after.value_or(std::chrono::milliseconds{0}),
          .error = error.message,
          .error_kind = std::string{kube::ToString(error.kind)}};
}

}  // namespace certpair::reconcile
