#include "console.hpp"

#include "text.hpp"

namespace certpair::plugin {
namespace {

// ECMA-48 §8.3.117.
std::string_view CodeOf(Tint tint) {
  switch (tint) {
    case Tint::Good:
      return "\x1b[32m";
    case Tint::Warn:
      return "\x1b[33m";
    case Tint::Bad:
      return "\x1b[31m";
    case Tint::Faint:
      return "\x1b[2m";
    case Tint::Bold:
      return "\x1b[1m";
    case Tint::None:
      break;
  }
  return {};
}

}  // namespace

void Console::Remark(std::string_view lines) const { err(Escaped(lines, true) + "\n"); }

std::string Console::Coloured(Tint tint, std::string_view text) const {
  if (!colour || tint == Tint::None || text.empty()) return std::string{text};
  std::string coloured{CodeOf(tint)};
  coloured += text;
  coloured += "\x1b[0m";
  return coloured;
}

}  // namespace certpair::plugin
