#include "base/plain_text.hpp"

#include "base/utf8.hpp"

namespace certpair {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool IsControl(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029;
}

// Unicode 15: the bidirectional controls, and format characters that show nothing.
bool IsHidden(char32_t code) {
  return code == 0xAD || code == 0x61C || code == 0x180E || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
         code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB) ||
         (code >= 0xE0000 && code <= 0xE007F);
}

}  // namespace

std::string PlainText(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  while (!text.empty()) {
    const CodePoint next = FirstCodePoint(text);
    if (!next.valid || IsHidden(next.value)) {
      plain += kReplacement;
    } else if (IsControl(next.value)) {
      plain += ' ';
    } else {
      plain += text.substr(0, next.size);
    }
    text.remove_prefix(next.size);
  }
  return plain;
}

}  // namespace certpair
