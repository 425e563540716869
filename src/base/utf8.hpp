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

/// Takes the first character off `text`, which is not empty. U+FFFD for an octet that begins none.
[[nodiscard]] constexpr char32_t TakeCodePoint(std::string_view& text) {
  constexpr char32_t kReplacement = 0xFFFD;
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = octet(0);
  std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1;
  if (text.size() < size || lead > 0xF4) size = 1;
  char32_t c = size == 1 ? lead : lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xC0U) != 0x80U) {
      size = 1;
      break;
    }
    c = (c << 6U) | (octet(i) & 0x3FU);
  }
  if (size == 1 && lead >= 0x80) c = kReplacement;
  text.remove_prefix(size);
  return c;
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
