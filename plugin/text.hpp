// Texts for people: what others wrote made safe for a terminal, times in words, short fingerprints.
// Pure, thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace certpair::plugin {

/// `text` without anything that acts upon a terminal or misleads the eye: control characters
/// (C0, DEL, C1), bidirectional controls (UAX #9), zero-width and line-separating ones stand as
/// `\u{202E}`, bytes that are no UTF-8 as `\xFF`. Line ends are escaped too, unless `keep_lines`.
[[nodiscard]] std::string Escaped(std::string_view text, bool keep_lines = false);

/// How many columns a text takes that went through Escaped: wide characters count twice, combining
/// ones not at all (an approximation of UAX #11).
[[nodiscard]] std::size_t WidthOf(std::string_view text);

/// `in 29 days`, `12 minutes ago`, `now`.
[[nodiscard]] std::string Relative(sys_seconds time, sys_seconds now);

/// Its first four octets, escaped: enough to tell the two of a pair apart.
[[nodiscard]] std::string ShortFingerprint(std::string_view fingerprint);

/// `text` with every SHA-256 fingerprint in it shortened: `AB:CD:EF:01…`.
[[nodiscard]] std::string WithShortFingerprints(std::string_view text);

/// `30d`, `2w`, `1y` (365 days) beside Go's hours, minutes and seconds, alone or in descending
/// order: `1y30d`. Nothing for anything else, and for more than 1,000 years.
[[nodiscard]] std::optional<seconds> ParsePeriod(std::string_view text);

/// Without white space at its ends.
[[nodiscard]] std::string Trimmed(std::string_view text);

}  // namespace certpair::plugin
