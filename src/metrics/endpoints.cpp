#include "metrics/endpoints.hpp"

#include <utility>

#include "base/log.hpp"

namespace certpair::metrics {

http::Routes MetricsRoutes(Metrics& metrics) {
  return {{"/metrics", [&metrics](const http::Request&) {
             return http::Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                   .body = metrics.Expose()};
           }}};
}

http::Routes HealthRoutes(Readiness readiness, Remarks remarks) {
  return {{"/healthz", [](const http::Request&) { return http::Response{.body = "ok\n"}; }},
          {"/readyz",
           [readiness = std::move(readiness), remarks = std::move(remarks)](const http::Request&) {
             const std::optional<std::string> reason = readiness();
             if (reason)
               return http::Response{.status = 503,
                                     .body = "not ready: " + log::Redact(*reason) + "\n"};
             http::Response answer{.body = "ok\n"};
             for (const std::string& remark : remarks ? remarks() : std::vector<std::string>{})
               answer.body += "note: " + log::Redact(remark) + "\n";
             return answer;
           }}};
}

}  // namespace certpair::metrics
