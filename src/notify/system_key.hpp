// The namespace in the key of a system. Pure. Private to src/notify.
#pragma once

#include <string>
#include <string_view>

namespace certpair::notify {

/// The namespace of `system:<namespace>/<name>`; a key without a slash is a namespace of its own.
[[nodiscard]] inline std::string SpaceOf(std::string_view key) {
  const std::size_t start = key.find(':') + 1;  // npos + 1 is 0
  return std::string{key.substr(start, key.find('/', start) - start)};
}

}  // namespace certpair::notify
