#include "notify/settings.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "notify/text.hpp"

namespace certpair::notify {
namespace {

constexpr int kMostInFlight = 50;
constexpr int kHighestRate = 100'000;

std::unexpected<Error> Wrong(std::string_view flag, std::string what) {
  return Fail(ErrorCode::Invalid, fmt::format("{}: {}", flag, std::move(what)));
}

// `user:password@host` and the like stand in no log.
std::string Quoted(std::string_view text) {
  if (text.find('@') != std::string_view::npos) return "what was given (with an @, so not shown)";
  return fmt::format("\"{}\"", OneLine(text, 100));
}

Result<Tls> ParseTls(std::string_view word) {
  if (word == "starttls") return Tls::StartTls;
  if (word == "tls") return Tls::Implicit;
  if (word == "none") return Tls::None;
  return Wrong("--smtp-tls", fmt::format("{} is not starttls, tls or none", Quoted(word)));
}

// What a server of this kind listens on (RFC 8314 §3.3, RFC 6409 §3.1, RFC 5321 §4.5.4.2).
int UsualPort(Tls tls) {
  switch (tls) {
    case Tls::StartTls:
      return 587;
    case Tls::Implicit:
      return 465;
    case Tls::None:
      return 25;
  }
  return 0;
}

bool IsHost(std::string_view host, bool bracketed) {
  return !host.empty() && host.size() <= 253 && host.front() != '-' &&
         std::ranges::all_of(host, [bracketed](char c) {
           const bool digit = c >= '0' && c <= '9';
           const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           return digit || letter || c == '.' || (bracketed ? c == ':' : c == '-' || c == '_');
         });
}

// `host`, `host:port`, `[::1]`, `[::1]:port`.
Result<void> ParseServer(std::string_view text, SmtpServer& server) {
  const auto wrong = [&] {
    return Wrong("--smtp-server", fmt::format("{} is not a server such as "
                                              "mail.example.com:587 or [2001:db8::1]:587",
                                              Quoted(text)));
  };
  const bool bracketed = text.starts_with('[');
  const std::size_t close = bracketed ? text.find(']') : std::string_view::npos;
  if (bracketed && close == std::string_view::npos) return wrong();
  const std::size_t end = bracketed ? close + 1 : std::min(text.find(':'), text.size());
  const std::string_view host = bracketed ? text.substr(1, close - 1) : text.substr(0, end);
  if (!IsHost(host, bracketed)) return wrong();
  server.host = std::string{host};
  server.port = UsualPort(server.tls);
  if (end == text.size()) return {};
  const std::string_view port = text.substr(std::min(end + 1, text.size()));
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), server.port);
  if (text[end] != ':' || parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size() ||
      server.port < 1 || server.port > 65535)
    return wrong();
  return {};
}

// RFC 5321 §4.1.3: what a client without a name says.
bool IsAddressLiteral(std::string_view name) {
  if (name.size() < 3 || name.size() > 50 || !name.starts_with('[') || !name.ends_with(']'))
    return false;
  name = name.substr(1, name.size() - 2);
  const bool ipv6 = name.starts_with("IPv6:");
  if (ipv6) name.remove_prefix(5);
  return !name.empty() && std::ranges::all_of(name, [ipv6](char c) {
    const bool digit = c >= '0' && c <= '9';
    const bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
    return digit || c == '.' || (ipv6 && hex);
  });
}

Result<void> CheckRate(std::string_view flag, int rate, std::string_view time) {
  if (rate >= 0 && rate <= kHighestRate) return {};
  return Wrong(flag, fmt::format("{} is not between 0 (no limit) and {} mails {}", rate,
                                 kHighestRate, time));
}

Result<RateSettings> ReadRates(const MailFlags& flags) {
  for (const auto& check : {CheckRate("--smtp-rate", flags.rate, "a minute"),
                            CheckRate("--smtp-namespace-rate", flags.namespace_rate, "an hour"),
                            CheckRate("--smtp-address-rate", flags.address_rate, "an hour")})
    if (!check) return std::unexpected(check.error());
  return RateSettings{.per_minute = flags.rate,
                      .namespace_per_hour = flags.namespace_rate,
                      .address_per_hour = flags.address_rate};
}

// Else it would be named as a missing file in a condition.
bool IsLoginItself(std::string_view path) { return path.find(':') < path.find('/'); }

}  // namespace

Result<std::optional<MailSettings>> CheckSettings(const MailFlags& flags) {
  if (flags.server.empty()) {
    for (const auto& [flag, value] : {std::pair{"--smtp-from", &flags.from},
                                      {"--smtp-ca-file", &flags.ca_file},
                                      {"--smtp-credentials-file", &flags.credentials_file},
                                      {"--smtp-helo-name", &flags.helo_name}})
      if (!value->empty()) return Wrong(flag, "it needs --smtp-server");
    return std::nullopt;
  }
  MailSettings settings;
  auto tls = ParseTls(flags.tls);
  if (!tls) return std::unexpected(tls.error());
  settings.server.tls = *tls;
  if (auto server = ParseServer(flags.server, settings.server); !server)
    return std::unexpected(server.error());
  if (flags.from.empty())
    return Wrong("--smtp-from",
                 "with --smtp-server it must be given: an address, or "
                 "\"Name <address>\"");
  auto from = ParseSender(flags.from);
  if (!from) return Wrong("--smtp-from", from.error().message);
  settings.server.helo_name = flags.helo_name.empty() ? from->address.domain : flags.helo_name;
  if (!IsDomainName(settings.server.helo_name) && !IsAddressLiteral(settings.server.helo_name))
    return Wrong("--smtp-helo-name",
                 fmt::format("{} is not a host name such as certpair.example.com, nor an address "
                             "such as [192.0.2.1]",
                             Quoted(settings.server.helo_name)));
  settings.letterhead = {.from = std::move(*from), .cluster_name = OneLine(flags.cluster_name)};
  if (*tls == Tls::None && !flags.credentials_file.empty())
    return Wrong("--smtp-credentials-file",
                 "with --smtp-tls=none the password would be sent in clear; use starttls or tls");
  if (*tls == Tls::None && !flags.ca_file.empty())
    return Wrong("--smtp-ca-file", "with --smtp-tls=none there is no certificate to check");
  if (IsLoginItself(flags.credentials_file))
    return Wrong("--smtp-credentials-file",
                 "it is the path of a file with one line user:password, not that line");
  settings.server.ca_file = flags.ca_file;
  settings.server.credentials_file = flags.credentials_file;
  auto rates = ReadRates(flags);
  if (!rates) return std::unexpected(rates.error());
  settings.rates = *rates;
  if (flags.in_flight < 1 || flags.in_flight > kMostInFlight)
    return Wrong("--smtp-in-flight",
                 fmt::format("{} is not between 1 and {} mails", flags.in_flight, kMostInFlight));
  settings.in_flight = static_cast<std::size_t>(flags.in_flight);
  return settings;
}

Result<Login> ParseLogin(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return Fail(ErrorCode::Invalid, "it is empty; one line user:password is asked");
  const std::size_t colon = text.find(':');
  const bool control = std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size() || control)
    return Fail(ErrorCode::Invalid, "it is not one line user:password");
  return Login{.user = std::string{text.substr(0, colon)},
               .password = SecretString{std::string{text.substr(colon + 1)}}};
}

}  // namespace certpair::notify
