// The smallest HTTP client that shows what the server sent, byte by byte.
#pragma once

#include <string>
#include <string_view>

namespace certpair::metrics {

/// Sends `request` as it is to 127.0.0.1:port and answers all that came until the server closed;
/// empty where nobody listens.
[[nodiscard]] std::string Exchange(int port, std::string_view request);

/// `GET path HTTP/1.1` with a Host header.
[[nodiscard]] std::string Get(int port, std::string_view path);

/// What stands behind the empty line.
[[nodiscard]] std::string BodyOf(std::string_view answer);

}  // namespace certpair::metrics
