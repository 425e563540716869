// Where to listen, as flags give it. Pure, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certpair::http {

struct BindAddress {
  std::string host;  ///< IPv4, or IPv6 without brackets; empty: all interfaces
  int port = 0;      ///< 0: any free one
  friend bool operator==(const BindAddress&, const BindAddress&) = default;
};

/// Reads `:8080`, `127.0.0.1:8080`, `[::1]:8080`; nothing for `0`, which means off. Names are not
/// resolved. Errors: Invalid.
[[nodiscard]] Result<std::optional<BindAddress>> ParseBindAddress(std::string_view text);

}  // namespace certpair::http
