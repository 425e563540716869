#include "actions/object_name.hpp"

namespace certpair::actions {

bool IsObjectName(std::string_view text) {
  constexpr std::size_t kMost = 253;
  const auto is_inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  char before = '.';  // each label begins and ends with a letter or digit
  for (const char c : text) {
    if (!is_inner(c) && c != '-' && c != '.') return false;
    if (c == '.' && !is_inner(before)) return false;
    if (c == '-' && before == '.') return false;
    before = c;
  }
  return !text.empty() && text.size() <= kMost && is_inner(before);
}

}  // namespace certpair::actions
