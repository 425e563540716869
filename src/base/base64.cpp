#include "base/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace certpair {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> MakeReverse() {
  std::array<std::int8_t, 256> reverse{};
  reverse.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i)
    reverse[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  return reverse;
}
constexpr auto kReverse = MakeReverse();

enum class StrayBits { Refuse, Ignore };

std::optional<std::string> Decode(std::string_view text, StrayBits stray) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    std::size_t have = 4;
    while (last && have > 2 && text[i + have - 1] == '=') --have;
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const int value = j < have ? kReverse[static_cast<unsigned char>(text[i + j])] : 0;
      if (value < 0) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    const std::size_t produced = have - 1;
    if (stray == StrayBits::Refuse && (group & ((1U << (24 - 8 * produced)) - 1U)) != 0)
      return std::nullopt;
    for (std::size_t j = 0; j < produced; ++j)
      bytes += static_cast<char>(group >> (16 - 8 * j) & 0xFFU);
  }
  return bytes;
}

}  // namespace

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      text += j <= have ? kAlphabet[group >> (18 - 6 * j) & 63U] : '=';
  }
  return text;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  return Decode(text, StrayBits::Refuse);
}

std::optional<std::string> DecodeBase64Lines(std::string_view text) {
  std::string line{text};
  std::erase_if(line, [](char c) { return c == '\r' || c == '\n'; });
  return Decode(line, StrayBits::Ignore);
}

}  // namespace certpair
