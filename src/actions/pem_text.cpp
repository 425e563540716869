#include "actions/pem_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace certpair::actions {
namespace {

constexpr std::string_view kDashes = "-----";

// The label of `-----BEGIN LABEL-----`; empty for any other line.
std::string_view LabelOf(std::string_view line, std::string_view word) {
  if (!line.starts_with(kDashes) || !line.ends_with(kDashes)) return {};
  line.remove_prefix(kDashes.size());
  if (!line.starts_with(word) || line.size() < word.size() + kDashes.size()) return {};
  line.remove_prefix(word.size());
  line.remove_suffix(kDashes.size());
  const bool is_label = std::ranges::all_of(
      line, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' '; });
  return is_label ? line : std::string_view{};
}

bool IsBase64(std::string_view line) {
  return line.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
         std::string_view::npos;
}

std::string_view NextLine(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Result<void> CheckPem(std::string_view text, std::string_view label) {
  std::string_view open;  // the label of the block that a line is in
  int blocks = 0;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = NextLine(text);
    bool good = false;
    if (open.empty()) {
      open = LabelOf(line, "BEGIN ");
      good = line.empty() || open.ends_with(label);
    } else if (line.starts_with('-')) {
      good = LabelOf(line, "END ") == open;
      open = {};
      ++blocks;
    } else {
      good = IsBase64(line);
    }
    if (!good)
      return Fail(ErrorCode::Invalid,
                  fmt::format("line {} does not belong into PEM of {}", number, label));
  }
  if (!open.empty() || blocks == 0)
    return Fail(ErrorCode::Invalid, fmt::format("it is not PEM of {}", label));
  return {};
}

}  // namespace certpair::actions
