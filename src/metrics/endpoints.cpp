#include "metrics/endpoints.hpp"

#include <utility>

#include "base/log.hpp"

namespace certpair::metrics {

HttpRoutes MetricsRoutes(Metrics& metrics) {
  return {{"/metrics", [&metrics] {
             return HttpAnswer{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                               .body = metrics.Expose()};
           }}};
}

HttpRoutes HealthRoutes(Readiness readiness, Remarks remarks) {
  return {{"/healthz", [] { return HttpAnswer{.body = "ok\n"}; }},
          {"/readyz", [readiness = std::move(readiness), remarks = std::move(remarks)] {
             const std::optional<std::string> reason = readiness();
             if (reason)
               return HttpAnswer{.status = 503,
                                 .body = "not ready: " + log::Redact(*reason) + "\n"};
             HttpAnswer answer{.body = "ok\n"};
             for (const std::string& remark : remarks ? remarks() : std::vector<std::string>{})
               answer.body += "note: " + log::Redact(remark) + "\n";
             return answer;
           }}};
}

}  // namespace certpair::metrics
