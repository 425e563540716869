// What a server calls PEM, before it is printed or written. Pure, thread-safe.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace certpair::actions {

/// Whether `text` is one PEM block or more (RFC 7468, strict: base64 between the two lines, and
/// blank lines alone outside of blocks), each with a label that ends in `label`. Parsers pass over
/// what stands between blocks; a terminal does not. Invalid, with the line; quotes nothing.
[[nodiscard]] Result<void> CheckPem(std::string_view text, std::string_view label);

}  // namespace certpair::actions
