#include "kube/proxy.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/ascii.hpp"

namespace certpair::kube {
namespace {

template <class Number>
std::optional<Number> NumberOf(std::string_view text) {
  Number number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Of a dotted address that IsIpAddress has seen.
std::uint32_t AddressOf(std::string_view host) {
  std::uint32_t address = 0;
  while (!host.empty()) {
    const std::size_t dot = std::min(host.find('.'), host.size());
    address = (address << 8U) | NumberOf<std::uint8_t>(host.substr(0, dot)).value_or(0);
    host.remove_prefix(std::min(dot + 1, host.size()));
  }
  return address;
}

bool IsInRange(const Endpoint& endpoint, std::string_view range) {
  const std::size_t slash = range.find('/');
  const auto bits = NumberOf<unsigned>(range.substr(slash + 1));
  const std::string_view base = range.substr(0, slash);
  if (!endpoint.host_is_ip || !bits || *bits > 32 || !IsIpAddress(base)) return false;
  const std::uint32_t mask = *bits == 0 ? 0 : ~std::uint32_t{0} << (32U - *bits);
  return (AddressOf(endpoint.host) & mask) == (AddressOf(base) & mask);
}

bool Names(const Endpoint& endpoint, std::string_view entry) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string_view::npos) return IsInRange(endpoint, entry);
  if (const std::size_t colon = entry.rfind(':'); colon != std::string_view::npos) {
    if (NumberOf<std::uint16_t>(entry.substr(colon + 1)) != endpoint.port) return false;
    entry = entry.substr(0, colon);
  }
  const std::string host = LowerAscii(endpoint.host);
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.empty()) return false;
  if (entry.starts_with('.')) return !endpoint.host_is_ip && host.ends_with(entry);
  return host == entry || (!endpoint.host_is_ip && host.ends_with(fmt::format(".{}", entry)));
}

std::string Variable(const std::map<std::string, std::string>& variables, std::string_view name) {
  for (const std::string& key : {std::string{name}, LowerAscii(name)})
    if (const auto found = variables.find(key); found != variables.end() && !found->second.empty())
      return found->second;
  return {};
}

bool IsLoopback(const Endpoint& endpoint) {
  return LowerAscii(endpoint.host) == "localhost" ||
         (endpoint.host_is_ip && endpoint.host.starts_with("127."));
}

std::unexpected<Error> Refuse(std::string_view why) {
  return Fail(ErrorCode::Invalid, fmt::format("the proxy cannot be used: {}", why));
}

// RFC 3986 §2.1.
std::string PercentDecoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const bool escape =
        text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16).ptr == &text[i + 1] + 2;
    plain += escape ? static_cast<char>(byte) : text[i];
    if (escape) i += 2;
  }
  return plain;
}

}  // namespace

Result<Proxy> ParseProxy(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) {
    if (LowerAscii(text.substr(0, scheme)) != "http")
      return Refuse(fmt::format("it is a {} proxy, and only http:// ones are supported",
                                text.substr(0, std::min<std::size_t>(scheme, 20))));
    text.remove_prefix(scheme + 3);
  }
  Proxy proxy;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view who = text.substr(0, at);
    const std::size_t colon = std::min(who.find(':'), who.size());
    proxy.user = PercentDecoded(who.substr(0, colon));
    if (colon < who.size()) proxy.password = SecretString{PercentDecoded(who.substr(colon + 1))};
    text.remove_prefix(at + 1);
  }
  text = text.substr(0, text.find_first_of("/?#"));
  if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    const auto port = NumberOf<std::uint16_t>(text.substr(colon + 1));
    if (!port || *port == 0) return Refuse("its port is not a number from 1 to 65535");
    proxy.port = *port;
    text = text.substr(0, colon);
  }
  const auto belongs = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  if (text.empty() || !std::ranges::all_of(text, belongs))
    return Refuse("its host is not a name or an IPv4 address");
  proxy.host = text;
  return proxy;
}

bool IsExempt(const Endpoint& endpoint, std::string_view no_proxy) {
  while (!no_proxy.empty()) {
    const std::size_t comma = std::min(no_proxy.find(','), no_proxy.size());
    if (Names(endpoint, LowerAscii(Trimmed(no_proxy.substr(0, comma))))) return true;
    no_proxy.remove_prefix(std::min(comma + 1, no_proxy.size()));
  }
  return false;
}

Result<std::optional<Proxy>> ProxyFor(const Endpoint& endpoint, std::string_view proxy_url,
                                      const std::map<std::string, std::string>& variables) {
  std::string chosen{proxy_url};
  std::string from = "proxy-url";
  if (chosen.empty()) {
    from = endpoint.tls ? "HTTPS_PROXY" : "HTTP_PROXY";
    chosen = Variable(variables, from);
    if (chosen.empty() || IsLoopback(endpoint) ||
        IsExempt(endpoint, Variable(variables, "NO_PROXY")))
      return std::nullopt;
  }
  auto proxy = ParseProxy(chosen);
  if (!proxy) return Fail(ErrorCode::Invalid, fmt::format("{}: {}", from, proxy.error().message));
  return std::move(*proxy);
}

}  // namespace certpair::kube
