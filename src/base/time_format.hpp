// Times and durations as they stand in Kubernetes objects. Pure functions, thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace certpair {

/// RFC 3339 in UTC with whole seconds, as metav1.Time: `2027-11-23T10:00:00Z`.
[[nodiscard]] std::string FormatTime(sys_seconds time);

/// RFC 3339 with microseconds, as metav1.MicroTime (Lease): `2027-11-23T10:00:00.000000Z`.
[[nodiscard]] std::string FormatMicroTime(std::chrono::system_clock::time_point time);

/// Reads RFC 3339, any offset, fraction cut off; nothing for anything else (years 0001 to 9999).
[[nodiscard]] std::optional<sys_seconds> ParseTime(std::string_view text);

/// Go's duration in hours, minutes and seconds only, in that order (`720h`, `1h30m`, `90s`), as the
/// CRDs allow it.
[[nodiscard]] std::optional<seconds> ParseDuration(std::string_view text);

/// The shortest form that ParseDuration reads back (up to 999999h): 720h, 1h30m, 90s -> `1m30s`,
/// 0 -> `0s`.
[[nodiscard]] std::string FormatDuration(seconds duration);

/// For people, without a sign: `29 days`, `36 hours`, `90 minutes`, `1 second`; the largest unit of
/// which there are at least two, else seconds.
[[nodiscard]] std::string DescribeDuration(seconds duration);

}  // namespace certpair
