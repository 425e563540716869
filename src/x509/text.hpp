// Text that goes into certificates and key stores. Private to this folder.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace certpair::x509 {

/// The number of characters; nothing for what is not UTF-8 (RFC 3629) or holds control characters
/// (C0, DEL, C1).
[[nodiscard]] std::optional<std::size_t> CountCharacters(std::string_view text);

}  // namespace certpair::x509
