// What a command works with.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "console.hpp"
#include "kube/client.hpp"
#include "outcome.hpp"

namespace certpair::plugin {

/// Borrowed by one command at a time; not thread-safe.
struct Session {
  const kube::Client& client;
  const Console& console;
  const Clock& clock;
  std::string namespace_;          ///< of the command; empty with -A
  std::string operator_namespace;  ///< where the operator's Lease is
  std::string context;             ///< for messages: where all this is
  std::stop_token stop;            ///< Ctrl-C
  /// Waits so long; false at once where `stop` is asked for.
  std::function<bool(std::chrono::milliseconds)> pause;
};

/// What was tried, for the message of a failure.
struct Attempt {
  std::string_view verb;  ///< get, list, watch, create, patch
  const kube::Resource& resource;
  std::string namespace_;
  std::string name;
};

/// An API error in words: what was wanted, what was found, what to do. A missing right names verb,
/// resource and the role that has it.
[[nodiscard]] Failure Explain(const Session& session, const kube::ApiError& error,
                              const Attempt& attempt);

/// Whether asking again later may help, where the same question was in order a moment ago.
[[nodiscard]] bool MayPass(kube::ApiErrorKind kind);

/// Where an object is, escaped: `system "abap-prod" in namespace "idm"`.
[[nodiscard]] std::string SystemTitle(const std::string& name, const std::string& namespace_);

}  // namespace certpair::plugin
