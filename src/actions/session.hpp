// What an action works with. An action knows neither a terminal nor sentences: requests, results,
// refusals and progress are values, which a program renders.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <variant>

#include "actions/liveness.hpp"
#include "base/clock.hpp"
#include "kube/client.hpp"

namespace certpair::actions {

/// The operation was made and has not ended yet. Told at each look.
struct WaitsForOperation {
  std::string operation;
  std::chrono::nanoseconds waited{};
};
/// Nothing says that an operator runs. Told once for each time that it fell silent.
struct OperatorNotSeen {
  Liveness liveness;
};
using Progress = std::variant<WaitsForOperation, OperatorNotSeen>;

/// Borrowed by one action at a time; not thread-safe.
struct Session {
  const kube::Client& client;  ///< speaks as the user: the user's rights are all that counts
  const Clock& clock;
  std::string namespace_;          ///< of the system; empty: all, for List and Examine
  std::string operator_namespace;  ///< where the operator's Lease is
  std::string field_manager;       ///< whose writes these are: `certpair-plugin`
  std::stop_token stop;
  /// Waits so long; false at once where `stop` is asked for.
  std::function<bool(std::chrono::milliseconds)> pause;
  /// Called on the thread of the action; may be empty.
  std::function<void(const Progress&)> on_progress;

  void Tell(const Progress& progress) const {
    if (on_progress) on_progress(progress);
  }
};

/// How a write is meant. Client: nothing is sent. Server: everything but the storing.
enum class DryRun { None, Client, Server };

}  // namespace certpair::actions
