// Text that is cut to a size. Pure, thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

namespace certpair {

/// `text` cut to at most `bytes`, never amid a UTF-8 character: a status or an Event is JSON, and
/// JSON of half a character can be neither written nor read.
[[nodiscard]] constexpr std::string_view CutUtf8(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes);
}

}  // namespace certpair
