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
/// (C0, DEL, C1), bidirectional controls (UAX #9), line separators and characters that show nothing
/// (Unicode's Default_Ignorable_Code_Point) stand as `\u{202E}`, bytes that are no UTF-8 as `\xFF`.
/// Line ends are escaped too, unless `keep_lines`. What is escaped already stays as it is.
[[nodiscard]] std::string Escaped(std::string_view text, bool keep_lines = false);

/// `text` as one word of a command line that a person may copy into a POSIX shell: escaped, and in
/// single quotes where the shell would act on any of it.
[[nodiscard]] std::string ShellWord(std::string_view text);

/// How many columns a text takes that went through Escaped: wide characters count twice, combining
/// ones not at all (an approximation of UAX #11).
[[nodiscard]] std::size_t WidthOf(std::string_view text);

/// `in 29 days`, `12 minutes ago`, `now`.
[[nodiscard]] std::string Relative(sys_seconds time, sys_seconds now);

/// Its first four octets, escaped: enough to tell the two of a pair apart.
[[nodiscard]] std::string ShortFingerprint(std::string_view fingerprint);

/// The same as one word of a suggested command line; `FINGERPRINT` where the server gave something
/// else than hex digits and colons.
[[nodiscard]] std::string FingerprintWord(std::string_view fingerprint);

/// `text` with every SHA-256 fingerprint in it shortened: `AB:CD:EF:01…`.
[[nodiscard]] std::string WithShortFingerprints(std::string_view text);

/// `30d`, `2w`, `1y` (365 days) beside Go's hours, minutes and seconds, alone or in descending
/// order: `1y30d`. Nothing for anything else, and for more than 1,000 years.
[[nodiscard]] std::optional<seconds> ParsePeriod(std::string_view text);

/// Without white space at its ends.
[[nodiscard]] std::string Trimmed(std::string_view text);

}  // namespace certpair::plugin
