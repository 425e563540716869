// How a command ends. Exit codes are an interface: scripts rely on them.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace certpair::plugin {

enum class Exit {
  Done = 0,
  Failed = 1,         ///< it could not be done: no cluster, no right, no such object
  Usage = 2,          ///< the command line is wrong, or needs a --yes
  Refused = 3,        ///< a rule forbids it, here or at the API server; nothing changed
  TimedOut = 4,       ///< what was waited for did not come in time; it may still come
  Interrupted = 130,  ///< Ctrl-C, as shells count it
};

/// `message` is for a person: what was wanted, what was found, what to do. It may be several lines.
struct Failure {
  Exit exit = Exit::Failed;
  std::string message;
};

template <class T>
using Expected = std::expected<T, Failure>;
using Outcome = Expected<void>;

inline std::unexpected<Failure> Fail(Exit exit, std::string message) {
  return std::unexpected(Failure{exit, std::move(message)});
}

}  // namespace certpair::plugin
