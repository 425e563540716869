// Which HTTP proxy, if any, stands between us and the API server: the rules of Go's
// golang.org/x/net/http/httpproxy, which kubectl follows. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret_string.hpp"
#include "kube/endpoint.hpp"

namespace certpair::kube {

/// An http:// proxy, asked to tunnel by CONNECT (RFC 9110 §9.3.6). `user` empty: no
/// Proxy-Authorization.
struct Proxy {
  std::string host;
  std::uint16_t port = 80;
  std::string user;
  SecretString password;
  [[nodiscard]] Proxy Clone() const { return {host, port, user, password.Clone()}; }
};

/// Reads `[http://][user:password@]host[:port][/]`. Invalid: other kinds (https, socks5), which the
/// HTTP library cannot use, and anything else. Messages hold no password.
[[nodiscard]] Result<Proxy> ParseProxy(std::string_view text);

/// `proxy_url` (of the kubeconfig) always counts; without it HTTPS_PROXY (HTTP_PROXY for plain
/// http) does, unless the server is on loopback or NO_PROXY names it. Lower-case names of the
/// variables count where the upper-case one is not set.
[[nodiscard]] Result<std::optional<Proxy>> ProxyFor(
    const Endpoint& endpoint, std::string_view proxy_url,
    const std::map<std::string, std::string>& variables);

/// Whether NO_PROXY's list names this server: `*`, `host`, `.domain`, `*.domain`, an address, a
/// range such as 10.0.0.0/8, any of the former with `:port`.
[[nodiscard]] bool IsExempt(const Endpoint& endpoint, std::string_view no_proxy);

}  // namespace certpair::kube
