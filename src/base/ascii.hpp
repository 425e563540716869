// Characters of ASCII, independent of the locale.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace certpair {

[[nodiscard]] constexpr char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] constexpr char UpperAscii(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
[[nodiscard]] constexpr bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool IsAsciiLetter(char c) {
  return LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z';
}

/// `text` without spaces, tabs and line ends around it.
[[nodiscard]] constexpr std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// `text` with its ASCII letters in lower case; all other bytes stay.
[[nodiscard]] inline std::string LowerAscii(std::string_view text) {
  std::string lower{text};
  for (char& c : lower) c = LowerAscii(c);
  return lower;
}

}  // namespace certpair
