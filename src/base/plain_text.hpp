// Text that others wrote, made fit for a message. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace certpair {

/// `text` on one line and without what acts on a terminal or misleads the eye. Line ends, tabs and
/// other control characters (C0, DEL, C1) become spaces; marks of writing direction, characters
/// without width and bytes that are not UTF-8 (RFC 3629) become U+FFFD. What is plain stays byte
/// for byte, so that a text that went through once stays as it is.
[[nodiscard]] std::string PlainText(std::string_view text);

}  // namespace certpair
