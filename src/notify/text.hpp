// Text that goes into a mail, made harmless for the place where it stands. Pure, thread-safe.
// Private to src/notify.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace certpair::notify {

/// One line of valid UTF-8: whatever ends a line, controls a terminal or turns the direction of
/// writing becomes a space, white space at the ends goes, and what is longer than `most` characters
/// ends in "…". So nothing that a person typed can start a header of its own (RFC 5322 §2.2).
[[nodiscard]] std::string OneLine(std::string_view text, std::size_t most = 500);

/// For an element's text and for a quoted attribute.
[[nodiscard]] std::string EscapeHtml(std::string_view text);

/// A word of a POSIX shell, quoted where it has to be.
[[nodiscard]] std::string ShellWord(std::string_view text);

/// The words of `text` in lines of at most `width` characters, each after `indent`; a longer word
/// has a line of its own. Ends without a line end.
[[nodiscard]] std::string Wrap(std::string_view text, std::size_t width, std::string_view indent);

/// `2027-11-23 10:00:00 UTC`.
[[nodiscard]] std::string FormatForPeople(sys_seconds time);

/// `13 days`, rounded to the nearest hour (where there are more than two), so that a mail of the
/// 30th day says 30 and not 29.
[[nodiscard]] std::string DescribeRemaining(seconds left);

/// How many characters (not bytes) of valid UTF-8.
[[nodiscard]] std::size_t CountCharacters(std::string_view text);

}  // namespace certpair::notify
