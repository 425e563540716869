#include "http/bind_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>

#include <fmt/format.h>

#include "base/log.hpp"

namespace certpair::http {
namespace {

std::optional<int> ParsePort(std::string_view text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || text.size() > 5 || !digits) return std::nullopt;
  int port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  if (port > 65535) return std::nullopt;
  return port;
}

bool IsAddress(int family, const std::string& host) {
  in6_addr storage{};
  return inet_pton(family, host.c_str(), &storage) == 1;
}

}  // namespace

Result<std::optional<BindAddress>> ParseBindAddress(std::string_view text) {
  if (text == "0") return std::nullopt;
  const auto refuse = [&](std::string_view why) {
    return Fail(ErrorCode::Invalid,
                fmt::format("bind address \"{}\": {}; write it as :8080, 127.0.0.1:8080, "
                            "[::1]:8080, or 0 for off",
                            log::Redact(text), why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse("it has no port");
  const std::optional<int> port = ParsePort(text.substr(colon + 1));
  if (!port) return refuse("the port is not a number from 0 to 65535");
  std::string host{text.substr(0, colon)};
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!host.empty() || bracketed) {
    if (!IsAddress(bracketed ? AF_INET6 : AF_INET, host))
      return refuse("the host is not an IP address");
  }
  return BindAddress{.host = std::move(host), .port = *port};
}

}  // namespace certpair::http
