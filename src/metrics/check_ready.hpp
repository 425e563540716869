// Asking another replica whether it is ready: what `helm test` runs, in an image that has no shell.
#pragma once

#include <string>

#include "base/result.hpp"

namespace certpair::metrics {

/// What /readyz of `address` (HOST:PORT) answers, if that is 200. Every address of HOST is asked,
/// and each has to agree: behind a headless Service there is one for each replica. Five seconds for
/// each. Errors: Invalid (no port), Unavailable (the process does not answer, or says that it is
/// not ready).
[[nodiscard]] Result<std::string> CheckReady(const std::string& address);

}  // namespace certpair::metrics
