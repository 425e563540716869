// Errors are values. This is the error of everything that does not talk to the API server; that has
// kube::ApiError.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace certpair {

/// One code for each *reaction* of a caller, not for each cause: the cause stands in the message.
enum class ErrorCode {
  Invalid,      ///< the input breaks a rule: only a different input can help
  NotFound,     ///< the thing named is not there: wait for it
  Unavailable,  ///< it may work later: retry with back-off
  Cancelled,    ///< the caller asked to stop: leave quietly
  Internal,     ///< our own fault or the machine's: report it
};

/// `message` is one sentence for a person: the object, the field, what was found and what to do.
/// Never a secret.
struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Result = std::expected<T, Error>;

/// Short for `return std::unexpected(Error{code, message})`.
inline std::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

}  // namespace certpair
