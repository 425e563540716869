#include "core/recipient.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/ascii.hpp"

namespace certpair::core {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsBeyondAscii(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool IsWordCharacter(char c) { return IsDigit(c) || IsLetter(c) || IsBeyondAscii(c) || c == '_'; }

// What stays of RFC 5322 §3.2.3 atext: no `|` and backquote (commands), `/` (files), `%` and `!`
// (routes), nor what a shell expands.
bool IsLocalCharacter(char c) {
  return IsWordCharacter(c) || std::string_view{".+=&'#~-"}.find(c) != std::string_view::npos;
}

bool IsLocalMachine(std::string_view domain) {
  const std::string name = "." + LowerAscii(domain);
  return name.ends_with(".localhost") || name.ends_with(".localdomain");
}

// A top-level domain has no digit at its beginning (RFC 3696 §2), so no IPv4 address has one.
bool IsOnTheInternet(std::string_view domain) {
  const std::size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view top = domain.substr(dot + 1);
  return top.size() >= 2 && !IsDigit(top.front());
}

// `example.com/path`, `example.com:8080`.
bool IsHostWithMore(std::string_view word) {
  const std::size_t end = word.find_first_of("/:?");
  if (end == std::string_view::npos) return false;
  const std::string_view host = word.substr(0, end);
  const std::size_t dot = host.rfind('.');
  const bool dotted = dot != std::string_view::npos && dot > 0 && dot + 2 < host.size();
  return dotted && end + 1 < word.size() && IsWordCharacter(host[dot - 1]) &&
         std::ranges::all_of(host.substr(dot + 1),
                             [](char c) { return IsWordCharacter(c) || c == '-'; });
}

bool IsLink(std::string_view word) {
  static constexpr std::array<std::string_view, 6> kMarks{"@",       "://",  "//",
                                                          "mailto:", "www.", "javascript:"};
  const std::string lower = LowerAscii(word);
  return std::ranges::any_of(kMarks, [&](std::string_view mark) { return lower.contains(mark); }) ||
         IsHostWithMore(lower);
}

// Calls `take` with each word and each run of spaces, in order.
template <class Take>
void ForEachWord(std::string_view text, Take take) {
  while (!text.empty()) {
    const bool space = text.front() == ' ';
    const std::size_t end =
        std::min(space ? text.find_first_not_of(' ') : text.find(' '), text.size());
    take(text.substr(0, end), space);
    text.remove_prefix(end);
  }
}

}  // namespace

std::optional<std::string_view> WhyNotARecipient(std::string_view local, std::string_view domain) {
  if (local.empty() || !IsWordCharacter(local.front()) ||
      !std::ranges::all_of(local, IsLocalCharacter))
    return "has characters before the @ that mail servers may read as a command, a file or a route";
  if (local.back() == '.' || local.contains("..")) return "has a dot too many before the @";
  if (!IsOnTheInternet(domain) || IsLocalMachine(domain))
    return "has no domain of the Internet after the @, such as example.com";
  return std::nullopt;
}

bool HasLink(std::string_view name) {
  bool found = false;
  ForEachWord(name, [&](std::string_view word, bool space) { found |= !space && IsLink(word); });
  return found;
}

std::string WithoutLinks(std::string_view name) {
  std::string clean;
  ForEachWord(name, [&](std::string_view word, bool space) {
    clean += !space && IsLink(word) ? std::string_view{"[link removed]"} : word;
  });
  return clean;
}

}  // namespace certpair::core
