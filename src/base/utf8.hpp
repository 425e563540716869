// UTF-8 text: cut to a size, read by characters, and what of it does not show. Pure, thread-safe.
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

/// A character of a text and the octets that it takes there.
struct CodePoint {
  char32_t value = 0xFFFD;  ///< U+FFFD where `valid` is false
  std::size_t size = 1;     ///< in octets
  bool valid = false;       ///< false: no character begins here, and `size` is 1
};

/// The character at the start of `text`, which must not be empty. RFC 3629 section 3: the shortest
/// form only, no surrogates, nothing above U+10FFFF. Of an ill-formed sequence each octet is
/// invalid alone, so a reader finds the next character again.
[[nodiscard]] constexpr CodePoint FirstCodePoint(std::string_view text) {
  const auto octet = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = octet(0);
  if (lead < 0x80) return {.value = lead, .size = 1, .valid = true};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  char32_t value = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xC0U) != 0x80U) return {};
    value = (value << 6U) | (octet(i) & 0x3FU);
  }
  const bool is_overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
  const bool is_surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (is_overlong || is_surrogate || value > 0x10FFFF) return {};
  return {.value = value, .size = size, .valid = true};
}

/// Takes the first character off `text`, which must not be empty; U+FFFD for an invalid octet.
[[nodiscard]] constexpr char32_t TakeCodePoint(std::string_view& text) {
  const CodePoint first = FirstCodePoint(text);
  text.remove_prefix(first.size);
  return first.value;
}

/// Control characters and line ends, marks that turn the direction of a text, characters of no
/// width, and fillers: a reader does not see them (Unicode's Cc, Zl, Zp, Bidi_Control and
/// Default_Ignorable_Code_Point, the parts that occur).
[[nodiscard]] constexpr bool IsUnseen(char32_t c) {
  const auto in = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  return c < 0x20 || in(0x7F, 0x9F) || c == 0xAD || c == 0x34F || c == 0x61C ||
         in(0x115F, 0x1160) || in(0x17B4, 0x17B5) || in(0x180B, 0x180F) || in(0x200B, 0x200F) ||
         in(0x2028, 0x202E) || in(0x2060, 0x206F) || c == 0x3164 || in(0xFE00, 0xFE0F) ||
         c == 0xFEFF || c == 0xFFA0 || in(0xFFF0, 0xFFFB) || in(0xE0000, 0xE0FFF);
}

}  // namespace certpair
