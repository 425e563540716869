// How long the plugin takes: to start, and for a list of all systems beside kubectl.
#pragma once

#include <string>

namespace certpair::bench {

struct ListingResult {
  double plugin_seconds = 0;   ///< the best of five, as are the others
  double kubectl_seconds = 0;  ///< `kubectl get --raw` of the same list, in the same minute
  double plugin_peak_mib = 0;
  bool complete = false;  ///< both ended with 0 each time
};

/// Runs them in turn, with what they print thrown away.
[[nodiscard]] ListingResult MeasureListing(const std::string& kubeconfig,
                                           const std::string& kubectl, const std::string& plugin);

/// Seconds that `version` takes from spawn to exit, the best of twenty; less than 0 where it fails.
[[nodiscard]] double MeasureStartUp(const std::string& plugin);

}  // namespace certpair::bench
