// What a command works with, and what it says of refusals.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "actions/refusal.hpp"
#include "actions/session.hpp"
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

/// The same for src/actions; progress is shown on standard error. Must not outlive `session`.
[[nodiscard]] actions::Session Acting(const Session& session);

/// A refusal in words and as an exit code: what was wanted, what was found, what to do.
[[nodiscard]] Failure Explain(const Session& session, const actions::Refusal& refusal);
/// An API error likewise. A missing right names verb, resource and the role that has it.
[[nodiscard]] Failure Explain(const Session& session, const kube::ApiError& error,
                              const actions::Attempt& attempt);

/// Whether the operator runs, as a sentence.
[[nodiscard]] std::string Describe(const actions::Liveness& liveness);

/// Where an object is, escaped: `system "abap-prod" in namespace "idm"`.
[[nodiscard]] std::string SystemTitle(const actions::SystemRef& system);

/// A command line to copy: `kubectl certpair -n idm WORDS`, indented.
[[nodiscard]] std::string Suggest(const std::string& namespace_, std::string_view words);

/// The value, or the Failure of a refusal.
template <class T>
Expected<T> Explained(const Session& session, actions::OrRefusal<T> answer) {
  if (!answer) return std::unexpected(Explain(session, answer.error()));
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return std::move(*answer);
}

/// The `Action was interrupted` of every command.
[[nodiscard]] Failure Interrupted();

}  // namespace certpair::plugin
