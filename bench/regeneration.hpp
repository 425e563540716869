// Regeneration of a fleet: overdue all at once, or due in the same minute.
#pragma once

#include <string>

#include "phases.hpp"

namespace certpair::bench {

struct OverdueResult {
  double seconds = 0;
  double systems_per_second = 0;
  double writes_per_system = 0;
  double cpu_ms_per_system = 0;
  bool complete = false;
};

/// How a fleet that is due in the same minute was renewed (R8).
struct SpreadResult {
  double span = 0;        ///< seconds between the first and the last regeneration
  double busiest = 0;     ///< share of the fleet in the busiest second, 0 to 1
  int early = 0;          ///< systems that were renewed before their window opened
  int late = 0;           ///< after the window's first half
  int twice = 0;          ///< systems that were renewed more than once
  bool complete = false;  ///< each was renewed
};

/// Makes `count` systems `<prefix>-<i>` of two minutes' validity that regenerate in their second
/// half, lets the operator issue them, and waits with no operator until all are overdue. Then
/// starts it: until the last Event of a regeneration is written.
[[nodiscard]] OverdueResult MeasureOverdue(const kube::Client& client, const Setup& setup,
                                           const std::string& prefix, int count);

/// PATCH Secret, PATCH status and POST Event for `count` systems that MeasureOverdue left behind,
/// with what regenerations write; systems/s.
[[nodiscard]] double MeasureBareRegenerations(const kube::Client& client, const Setup& setup,
                                              const std::string& prefix, int count);

/// `count` systems issued together, whose window (`before`: two minutes) opens in the same moment;
/// watched through the spread and a margin.
[[nodiscard]] SpreadResult MeasureSpread(const kube::Client& client, const Setup& setup,
                                         const std::string& prefix, int count);

}  // namespace certpair::bench
