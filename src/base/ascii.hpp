// Letters of ASCII, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace certpair {

[[nodiscard]] constexpr char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// `text` with its ASCII letters in lower case; all other bytes stay.
[[nodiscard]] inline std::string LowerAscii(std::string_view text) {
  std::string lower{text};
  for (char& c : lower) c = LowerAscii(c);
  return lower;
}

}  // namespace certpair
