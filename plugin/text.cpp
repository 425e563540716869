#include "text.hpp"

#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "base/utf8.hpp"

namespace certpair::plugin {
namespace {

bool In(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

// What a reader does not see, with the two of Unicode 15.1's Default_Ignorable_Code_Point
// (DerivedCoreProperties.txt) that only a terminal meets: shorthand and musical format controls.
bool IsTreacherous(char32_t c) {
  return IsUnseen(c) || In(c, 0x1BCA0, 0x1BCA3) || In(c, 0x1D173, 0x1D17A);
}

bool IsWide(char32_t c) {
  return In(c, 0x1100, 0x115F) || In(c, 0x2E80, 0xA4CF) || In(c, 0xAC00, 0xD7A3) ||
         In(c, 0xF900, 0xFAFF) || In(c, 0xFE30, 0xFE6F) || In(c, 0xFF00, 0xFF60) ||
         In(c, 0xFFE0, 0xFFE6) || In(c, 0x1F300, 0x1FAFF) || In(c, 0x20000, 0x3FFFD);
}

bool IsCombining(char32_t c) {
  return In(c, 0x300, 0x36F) || In(c, 0x483, 0x489) || In(c, 0x591, 0x5BD) || In(c, 0x64B, 0x65F) ||
         In(c, 0x20D0, 0x20FF);
}

std::optional<std::int64_t> UnitOf(char letter) {
  switch (letter) {
    case 'y':
      return 365 * 86'400;
    case 'w':
      return 7 * 86'400;
    case 'd':
      return 86'400;
    case 'h':
      return 3600;
    case 'm':
      return 60;
    case 's':
      return 1;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string Escaped(std::string_view text, bool keep_lines) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const CodePoint c = FirstCodePoint(text);
    if (!c.valid) {
      safe += fmt::format("\\x{:02X}", static_cast<unsigned char>(text.front()));
    } else if (IsTreacherous(c.value) && !(keep_lines && c.value == '\n')) {
      safe += fmt::format("\\u{{{:04X}}}", static_cast<std::uint32_t>(c.value));
    } else {
      safe += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
  return safe;
}

std::string ShellWord(std::string_view text) {
  constexpr std::string_view kHarmless =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:@%+,";
  std::string safe = Escaped(text);
  if (!safe.empty() && safe.find_first_not_of(kHarmless) == std::string::npos) return safe;
  std::string quoted{"'"};
  for (const char c : safe) {
    if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + "'";
}

std::size_t WidthOf(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint c = FirstCodePoint(text);
    width += IsCombining(c.value) ? 0U : IsWide(c.value) ? 2U : 1U;
    text.remove_prefix(c.size);
  }
  return width;
}

std::string Relative(sys_seconds time, sys_seconds now) {
  if (time == now) return "now";
  return time > now ? fmt::format("in {}", DescribeDuration(time - now))
                    : fmt::format("{} ago", DescribeDuration(now - time));
}

std::string ShortFingerprint(std::string_view fingerprint) {
  constexpr std::size_t kFourOctets = 11;  // AB:CD:EF:01
  return Escaped(fingerprint.substr(0, kFourOctets));
}

std::string FingerprintWord(std::string_view fingerprint) {
  const bool is_hex =
      !fingerprint.empty() &&
      fingerprint.find_first_not_of("0123456789ABCDEFabcdef:") == std::string_view::npos;
  return is_hex ? ShortFingerprint(fingerprint) : "FINGERPRINT";
}

std::string WithShortFingerprints(std::string_view text) {
  constexpr std::size_t kLength = 95;  // 32 octets and their colons
  const auto is_fingerprint = [](std::string_view candidate) {
    for (std::size_t i = 0; i < candidate.size(); ++i) {
      const char c = candidate[i];
      const bool hex = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
      if (i % 3 == 2 ? c != ':' : !hex) return false;
    }
    return candidate.size() == kLength;
  };
  std::string shorter;
  while (!text.empty()) {
    const std::string_view candidate = text.substr(0, kLength);
    const bool found = is_fingerprint(candidate);
    shorter += found ? ShortFingerprint(candidate) + "…" : std::string{text.front()};
    text.remove_prefix(found ? kLength : 1);
  }
  return shorter;
}

std::optional<seconds> ParsePeriod(std::string_view text) {
  constexpr std::int64_t kLongest = std::int64_t{1000} * 365 * 86'400;
  std::int64_t total = 0;
  std::int64_t last_unit = kLongest;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (failed != std::errc{} || digits == text.size() || digits > 11 || text.front() == '-')
      return std::nullopt;
    const auto unit = UnitOf(text[digits]);
    if (!unit || *unit >= last_unit) return std::nullopt;
    last_unit = *unit;
    if (count > (kLongest - total) / *unit) return std::nullopt;
    total += count * *unit;
    text.remove_prefix(digits + 1);
  }
  return seconds{total};
}

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return std::string{text.substr(first, text.find_last_not_of(kSpace) - first + 1)};
}

}  // namespace certpair::plugin
