// The `server` of a cluster, taken apart. Private to kube.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certpair::kube {

struct Endpoint {
  bool tls = true;
  std::string host;  ///< a name or an IPv4 address
  std::uint16_t port = 443;
  std::string prefix;  ///< path before /api and /apis, without a slash at its end; mostly empty
  bool host_is_ip = false;
};

/// Whether `host` is a dotted IPv4 address.
[[nodiscard]] bool IsIpAddress(std::string_view host);

/// Reads `https://host[:port][/prefix]`. Plain http is accepted for loopback alone, since a token
/// would travel in the clear. Invalid: anything else, and IPv6 literals, which the HTTP library
/// cannot connect to. Pure, thread-safe.
[[nodiscard]] Result<Endpoint> ParseEndpoint(std::string_view server);

}  // namespace certpair::kube
