// One run of the program, from its arguments to its exit code.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "console.hpp"
#include "kube/config.hpp"
#include "outcome.hpp"

namespace certpair::plugin {

/// What `main` knows of the outside world.
struct World {
  const Console& console;
  const Clock& clock;
  kube::Environment environment;
  /// Called once, before anything that takes time: signals are turned into stop requests from then
  /// on.
  std::function<std::stop_token()> begin_to_listen;
};

/// Failures stand on standard error, as `error: …`.
[[nodiscard]] Exit Run(const World& world, std::vector<std::string> arguments);

}  // namespace certpair::plugin
