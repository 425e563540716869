// What can go wrong between us and the API server, by what the caller does about it.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace certpair::kube {

/// One kind for each reaction.
enum class ApiErrorKind {
  Conflict,        ///< 409 Conflict, 412: read again and decide again
  AlreadyExists,   ///< 409 AlreadyExists: read what is there
  NotFound,        ///< 404 for an object
  NoSuchResource,  ///< 404 for a kind: its CRD is not installed; wait for it, loudly
  Gone,            ///< 410: list again
  Unauthorized,    ///< 401: read the credentials again, then retry with back-off
  Forbidden,       ///< 403: a right is missing: say so, retry slowly
  QuotaExceeded,   ///< 403 by a quota, or the namespace is terminating: say so, retry slowly
  Invalid,    ///< 400, 413, 415, 422: our request is wrong for this server: report, don't repeat
              ///< unchanged
  Throttled,  ///< 429 (or 503 with Retry-After): wait retry_after, then retry
  Server,     ///< other 5xx: retry with back-off
  Timeout,    ///< our deadline passed; a write may have happened: read and compare
  Transport,  ///< no connection, or it broke; a write may have happened: read and compare
  TooLarge,   ///< the answer or line is over our limit: ask for less, or leave the object out
  Protocol,   ///< an answer that is not Kubernetes': garbage
  Cancelled,  ///< we asked for it
};

struct ApiError {
  ApiErrorKind kind = ApiErrorKind::Protocol;
  int status = 0;       ///< HTTP; 0: none came
  std::string reason;   ///< metav1.Status.reason, if there was one
  std::string message;  ///< for a person; names the request (verb and path, never a body)
  std::optional<std::chrono::milliseconds> retry_after;
};

template <class T>
using ApiResult = std::expected<T, ApiError>;

[[nodiscard]] std::string_view ToString(ApiErrorKind kind);

/// The error of an HTTP answer that is not 2xx. `body` may hold a metav1.Status. `request` is e.g.
/// `PATCH /apis/…`.
[[nodiscard]] ApiError ErrorFromResponse(int status, std::string_view body,
                                         std::string_view request,
                                         std::optional<std::chrono::milliseconds> retry_after);

}  // namespace certpair::kube
