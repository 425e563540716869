#include "kube/endpoint.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace certpair::kube {
namespace {

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool IsPathCharacter(char c) {
  return IsHostCharacter(c) || c == '/' || c == '~' || c == '%' || c == ':' || c == '@';
}

bool IsLoopback(const Endpoint& endpoint) {
  return endpoint.host == "localhost" || (endpoint.host_is_ip && endpoint.host.starts_with("127."));
}

std::unexpected<Error> Refuse(std::string_view server, std::string_view why) {
  return Fail(ErrorCode::Invalid,
              fmt::format("server {:?} cannot be used: {}", server.substr(0, 200), why));
}

}  // namespace

bool IsIpAddress(std::string_view host) {
  int parts = 0;
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view part = host.substr(0, dot);
    unsigned value = 0;
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (failed != std::errc{} || end != part.data() + part.size() || part.size() > 3 || value > 255)
      return false;
    ++parts;
    if (dot == std::string_view::npos) return parts == 4;
    host.remove_prefix(dot + 1);
  }
}

Result<Endpoint> ParseEndpoint(std::string_view server) {
  Endpoint endpoint;
  std::string_view rest = server;
  if (TakePrefix(rest, "http://")) {
    endpoint.tls = false;
    endpoint.port = 80;
  } else if (!TakePrefix(rest, "https://")) {
    return Refuse(server, "it must begin with https://");
  }
  if (rest.starts_with('['))
    return Refuse(server,
                  "IPv6 addresses are not supported; give a host name that resolves to it (and "
                  "tls-server-name, if the certificate has another)");
  const std::size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  std::string_view prefix = slash == std::string_view::npos ? "" : rest.substr(slash);
  if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    const std::string_view port = authority.substr(colon + 1);
    const auto [end, failed] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (failed != std::errc{} || end != port.data() + port.size() || endpoint.port == 0)
      return Refuse(server, "its port is not a number from 1 to 65535");
    authority = authority.substr(0, colon);
  }
  if (authority.empty() || !std::ranges::all_of(authority, IsHostCharacter))
    return Refuse(server, "its host is not a name or an IPv4 address");
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!std::ranges::all_of(prefix, IsPathCharacter))
    return Refuse(server, "its path has characters that do not belong into one");
  endpoint.host = authority;
  endpoint.host_is_ip = IsIpAddress(authority);
  endpoint.prefix = prefix;
  if (!endpoint.tls && !IsLoopback(endpoint))
    return Refuse(server, "plain http is for loopback only; use https://");
  return endpoint;
}

}  // namespace certpair::kube
