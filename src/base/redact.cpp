// What must not be seen, and what must not be printed as it is.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"

namespace certpair::log {
namespace {

constexpr std::size_t kMaxInput = 16'384;  // bounds the work, whatever a peer sends
constexpr std::size_t kMaxValue = 2000;
constexpr std::string_view kRedacted = "[redacted]";

bool IsWordCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

// RFC 6750 §2.1: what a bearer token is made of. Base64 and JSON Web Tokens fit in it.
bool IsTokenCharacter(char c) {
  return IsWordCharacter(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}

// The next place of `mark`, which is in lower case, in either case.
std::size_t FindWord(std::string_view text, std::string_view mark, std::size_t from) {
  const auto found =
      std::search(text.begin() + static_cast<std::ptrdiff_t>(std::min(from, text.size())),
                  text.end(), mark.begin(), mark.end(),
                  [](char in_text, char in_mark) { return LowerAscii(in_text) == in_mark; });
  return found == text.end() ? std::string_view::npos
                             : static_cast<std::size_t>(found - text.begin());
}

// Replaces [begin, end) and answers where the text goes on.
std::size_t Cover(std::string& text, std::size_t begin, std::size_t end) {
  text.replace(begin, end - begin, kRedacted);
  return begin + kRedacted.size();
}

std::size_t EndOfToken(std::string_view text, std::size_t begin) {
  while (begin < text.size() && IsTokenCharacter(text[begin])) ++begin;
  return begin;
}

void CoverPrivateKeys(std::string& text) {
  constexpr std::string_view kTail = "PRIVATE KEY-----";
  for (std::size_t at = 0; (at = text.find("-----BEGIN", at)) != std::string::npos;) {
    const std::size_t label_end = text.find("-----", at + 10);
    if (label_end == std::string::npos) return;
    const std::string_view label = std::string_view{text}.substr(at, label_end + 5 - at);
    if (!label.ends_with(kTail)) {
      at = label_end;
      continue;
    }
    const std::size_t tail = text.find(kTail, label_end + 5);
    // An unfinished one is covered to the end of the text.
    at = Cover(text, at, tail == std::string::npos ? text.size() : tail + kTail.size());
  }
}

// `Authorization: …`, to the end of the line; and `Bearer …` wherever it stands.
void CoverCredentials(std::string& text) {
  constexpr std::string_view kHeader = "authorization:";
  for (std::size_t at = 0; (at = FindWord(text, kHeader, at)) != std::string::npos;) {
    const std::size_t begin = at + kHeader.size();
    at = Cover(text, begin, std::min(text.find_first_of("\r\n", begin), text.size()));
  }
  constexpr std::string_view kScheme = "bearer";
  for (std::size_t at = 0; (at = FindWord(text, kScheme, at)) != std::string::npos;) {
    at += kScheme.size();
    const std::size_t begin = std::min(text.find_first_not_of(" \t:=\"'", at), text.size());
    const std::size_t end = EndOfToken(text, begin);
    const std::string_view token = std::string_view{text}.substr(begin, end - begin);
    const bool prose = token == "token" || token == "tokens";
    if (begin > at && end > begin && !prose) at = Cover(text, begin, end);
  }
}

// Runs that start a JSON Web Token (`{"` in base64url) or a PEM (`-----BEGIN` in base64, as Secrets
// hold it).
void CoverEncodings(std::string& text) {
  for (const std::string_view mark : {"eyJ", "LS0tLS1CRUdJTi"}) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
      const bool within_a_word = at > 0 && IsWordCharacter(text[at - 1]);
      at = within_a_word ? at + 1 : Cover(text, at, EndOfToken(text, at));
    }
  }
}

// `scheme://user:password@host`.
void CoverUserInfo(std::string& text) {
  for (std::size_t at = 0; (at = text.find("://", at)) != std::string::npos;) {
    at += 3;
    const std::size_t end = std::min(text.find_first_of("/?# \t\r\n\"'<>", at), text.size());
    const std::size_t sign = text.rfind('@', end);
    if (sign != std::string::npos && sign >= at && sign < end) at = Cover(text, at, sign);
  }
}

// Controls, and what a terminal or a reader would take for a line's end or another direction.
bool IsDeceptive(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0xFEFF;
}

// The result is valid UTF-8, whatever came in: a condition or a line of JSON must be.
std::string EscapeControls(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const CodePoint next = FirstCodePoint(text);
    if (next.valid && !IsDeceptive(next.value)) {
      escaped += text.substr(0, next.size);
    } else if (text.front() == '\n') {
      escaped += "\\n";
    } else {
      for (const char c : text.substr(0, next.size))
        escaped += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    text.remove_prefix(next.size);
  }
  return escaped;
}

}  // namespace

std::string Redact(std::string_view text) {
  std::string clean{text.substr(0, kMaxInput)};
  CoverPrivateKeys(clean);
  CoverCredentials(clean);
  CoverEncodings(clean);
  CoverUserInfo(clean);
  clean = EscapeControls(clean);
  if (clean.size() > kMaxValue || text.size() > kMaxInput) {
    clean.resize(CutUtf8(clean, kMaxValue).size());
    clean += "…";
  }
  return clean;
}

}  // namespace certpair::log
