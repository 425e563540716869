// What tests and benchmarks ask of the network: a port that is free, and one HTTP request. Loopback
// only.
#pragma once

#include <string>

namespace certpair::test {

/// A TCP port that nobody listened on a moment ago.
[[nodiscard]] int FreePort();

/// The body of the answer to a GET; empty if nobody answers within five seconds.
[[nodiscard]] std::string HttpGet(int port, const std::string& path);

}  // namespace certpair::test
