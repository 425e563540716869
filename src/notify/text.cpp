#include "notify/text.hpp"

#include <algorithm>
#include <memory>

#include <gmime/gmime.h>

#include "base/time_format.hpp"

namespace certpair::notify {
namespace {

// Bytes beyond this are not even looked at: bounds the work, whatever came in.
constexpr std::size_t kMostBytes = std::size_t{64} << 10;

struct FreeGlib {
  void operator()(char* text) const { g_free(text); }
};
using GlibText = std::unique_ptr<char, FreeGlib>;

bool Separates(gunichar c) {
  constexpr gunichar kNonJoiner = 0x200C;  // these two belong to the spelling of some languages
  constexpr gunichar kJoiner = 0x200D;
  switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SURROGATE:
      return true;
    case G_UNICODE_FORMAT:
      return c != kNonJoiner && c != kJoiner;
    default:
      return c == ' ';
  }
}

}  // namespace

std::string OneLine(std::string_view text, std::size_t most) {
  const std::string_view bounded = text.substr(0, kMostBytes);
  const GlibText valid{g_utf8_make_valid(bounded.data(), static_cast<gssize>(bounded.size()))};
  std::string line;
  std::size_t characters = 0;
  bool space = false;
  for (const char* at = valid.get(); *at != '\0'; at = g_utf8_next_char(at)) {
    if (Separates(g_utf8_get_char(at))) {
      space = !line.empty();
      continue;
    }
    if (characters + (space ? 1 : 0) >= most) return line + "…";
    if (space) line += ' ';
    characters += space ? 2 : 1;
    space = false;
    const char* const next = g_utf8_next_char(at);
    line.append(at, next);
  }
  return line;
}

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string ShellWord(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-_./:=@%+,"}.find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, plain)) return std::string{text};
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::string Wrap(std::string_view text, std::size_t width, std::string_view indent) {
  std::string lines{indent};
  std::size_t column = CountCharacters(indent);
  bool at_start = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const std::size_t length = CountCharacters(word);
    if (!at_start && column + 1 + length > width) {
      lines.append("\n").append(indent);
      column = CountCharacters(indent);
      at_start = true;
    }
    if (!at_start) lines += ' ';
    lines += word;
    column += length + (at_start ? 0 : 1);
    at_start = false;
  }
  return lines;
}

std::string FormatForPeople(sys_seconds time) {
  std::string text = FormatTime(time);  // 2027-11-23T10:00:00Z
  if (const std::size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
  if (text.ends_with('Z')) text.replace(text.size() - 1, 1, " UTC");
  return text;
}

std::string DescribeRemaining(seconds left) {
  constexpr std::chrono::hours kHour{1};
  if (left > 2 * kHour) left = std::chrono::floor<std::chrono::hours>(left + kHour / 2);
  return DescribeDuration(left);
}

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace certpair::notify
