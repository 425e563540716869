// What an API server makes of a merge patch (RFC 7386) of labels or annotations.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/text_map.hpp"

namespace certpair::test {

/// Puts what has a value, and removes what has none.
inline void MergePatch(const std::map<std::string, std::optional<std::string>>& patch,
                       TextMap& map) {
  for (const auto& [name, value] : patch) {
    if (value)
      map[name] = *value;
    else
      map.erase(name);
  }
}

}  // namespace certpair::test
