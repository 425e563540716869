// What is known of each system's certificates, and the lines of a scrape that follow from it.
// Private to src/metrics.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "metrics/registry.hpp"

namespace certpair::metrics {

/// Kept outside prometheus-cpp for two reasons: seconds to expiry are right only at the moment of
/// the scrape, and a series costs a third of the memory (10,000 systems fit in 2 MiB). Not
/// thread-safe.
class ExpiryTable {
 public:
  /// As Metrics::kMaxSystems and Metrics::kMaxExpirySeries.
  ExpiryTable(std::size_t max_systems, std::size_t max_series)
      : max_systems_(max_systems), max_series_(max_series) {}

  void Set(std::string_view name_space, std::string_view name, CertificateTimes times);
  void Forget(std::string_view name_space, std::string_view name);
  /// Appends the families certpair_certificates, certpair_certificate_seconds_to_expiry,
  /// certpair_certificate_series_dropped and certpair_certificate_updates_dropped_total, as they
  /// are at `now`.
  void Write(sys_seconds now, std::string& text) const;

 private:
  using Systems = std::map<std::string, CertificateTimes, std::less<>>;
  void WriteStates(sys_seconds now, std::string& text) const;
  void WriteSeries(sys_seconds now, std::string& text) const;

  std::size_t max_systems_;
  std::size_t max_series_;
  Systems systems_;  // by `namespace/name`
  std::size_t refused_ = 0;
};

/// A label value as the text format wants it between quotes.
[[nodiscard]] std::string EscapeLabel(std::string_view value);

}  // namespace certpair::metrics
