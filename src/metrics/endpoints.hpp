// The pages of the HTTP server: /metrics, /healthz and /readyz.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"
#include "metrics/registry.hpp"

namespace certpair::metrics {

/// Nothing when ready; else why not, in words for a person. Called from threads of the server.
using Readiness = std::function<std::optional<std::string>()>;

/// /metrics. `metrics` must outlive the server.
[[nodiscard]] http::Routes MetricsRoutes(Metrics& metrics);

/// What a person should know of a process that is ready. As Readiness is called.
using Remarks = std::function<std::vector<std::string>()>;

/// /healthz (200 as long as the process answers at all) and /readyz (200 with the remarks, or 503
/// with the reason).
[[nodiscard]] http::Routes HealthRoutes(Readiness readiness, Remarks remarks = {});

}  // namespace certpair::metrics
