// The operator's own Decide in virtual time: what would happen to one system, and when. Nothing is
// read and nothing is written. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/decision.hpp"

namespace certpair::actions {

/// One thing that happens: an Event of the operator's, at the time at which it would be told, or a
/// mail (`Mail`).
struct Moment {
  sys_seconds at;
  bool warning = false;
  std::string reason;   ///< as the Event has it
  std::string message;  ///< certificates that are not made yet are called `NEW-1`, `NEW-2`, …
};

struct Foresight {
  std::vector<Moment> timeline;
  core::SystemStatus end;  ///< as it stands at the end
  /// Whether it stopped before `until`: more happens than a person can read.
  bool cut_short = false;
};

/// From `start.now` on to `until`. Certificates that Decide asks for are there at once.
[[nodiscard]] Foresight Foresee(core::Observation start, sys_seconds until);

}  // namespace certpair::actions
