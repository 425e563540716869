#include "notify/address.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "base/ascii.hpp"
#include "core/recipient.hpp"
#include "notify/gmime_library.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

constexpr std::size_t kLongestAddress = 254;  // RFC 5321 §4.5.3.1.3: 256, with < and >
constexpr std::size_t kLongestLocal = 64;     // RFC 5321 §4.5.3.1.1
constexpr std::size_t kLongestDomain = 253;   // RFC 1035 §2.3.4
constexpr std::size_t kLongestLabel = 63;     // the same

std::unexpected<Error> Wrong(std::string what) {
  return Fail(ErrorCode::Invalid, "the address " + std::move(what));
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsAlphanumeric(char c) { return IsAsciiLetter(c) || IsAsciiDigit(c); }

// RFC 5322 §3.2.3 atext, and everything beyond ASCII (RFC 6531 §3.3).
bool IsAtomText(char c) {
  return IsAlphanumeric(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
}

bool IsDotAtom(std::string_view local) {
  return !local.empty() && local.front() != '.' && local.back() != '.' &&
         local.find("..") == std::string_view::npos &&
         std::ranges::all_of(local, [](char c) { return c == '.' || IsAtomText(c); });
}

// RFC 5321 §4.1.2 Quoted-string; where it ends, counted with both quotes.
std::optional<std::size_t> QuotedLength(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return std::nullopt;
}

// A domain in A-labels (RFC 5891 §5); as it is where it has none.
std::string ToAsciiDomain(const std::string& domain) {
  if (IsAscii(domain)) return domain;
  UseGmime();
  const Handle<InternetAddress> mailbox{
      internet_address_mailbox_new(nullptr, ("x@" + domain).c_str())};
  const char* ascii =
      internet_address_mailbox_get_idn_addr(INTERNET_ADDRESS_MAILBOX(mailbox.get()));
  const std::string_view text = ascii == nullptr ? "" : ascii;
  return text.starts_with("x@") ? std::string{text.substr(2)} : domain;
}

}  // namespace

bool IsDomainName(std::string_view domain) {
  if (domain.size() > kLongestDomain) return false;
  while (true) {
    const std::size_t dot = std::min(domain.find('.'), domain.size());
    const std::string_view label = domain.substr(0, dot);
    const bool fits =
        !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
        label.back() != '-' &&
        std::ranges::all_of(label, [](char c) { return IsAlphanumeric(c) || c == '-'; });
    if (!fits) return false;
    if (dot == domain.size()) return true;
    domain.remove_prefix(dot + 1);
  }
}

Result<Address> ParseAddress(std::string_view text) {
  if (text.empty()) return Wrong("is empty");
  if (text.size() > kLongestAddress)
    return Wrong(
        fmt::format("has {} characters: at most {} are allowed", text.size(), kLongestAddress));
  if (OneLine(text) != text) return Wrong("has control characters or broken characters in it");
  const bool quoted = text.front() == '"';
  const std::size_t at =
      quoted ? QuotedLength(text).value_or(std::string_view::npos) : text.rfind('@');
  if (at == std::string_view::npos || at >= text.size() || text[at] != '@')
    return Wrong("has no @ between a name and a domain");
  Address address{.local = std::string{text.substr(0, at)},
                  .domain = ToAsciiDomain(std::string{text.substr(at + 1)})};
  if (!quoted && !IsDotAtom(address.local))
    return Wrong("has characters before the @ that must stand in quotes, or none");
  if (address.local.size() > kLongestLocal)
    return Wrong(fmt::format("has {} characters before the @: at most {} are allowed",
                             address.local.size(), kLongestLocal));
  if (!IsDomainName(address.domain)) return Wrong("has no domain after the @, such as example.com");
  address.domain = LowerAscii(address.domain);
  if (address.Text().size() > kLongestAddress) return Wrong("is too long once its domain is ASCII");
  address.needs_utf8 = !IsAscii(address.local);
  return address;
}

Result<Address> ParseRecipient(std::string_view text) {
  auto address = ParseAddress(text);
  if (!address) return address;
  if (const auto why = core::WhyNotARecipient(address->local, address->domain))
    return Wrong(std::string{*why});
  return address;
}

Result<Sender> ParseSender(std::string_view text) {
  Sender sender;
  std::string_view address = text;
  if (text.ends_with('>')) {
    const std::size_t open = text.rfind('<');
    if (open == std::string_view::npos) return Wrong("has a > without a <");
    address = text.substr(open + 1, text.size() - open - 2);
    std::string_view name = text.substr(0, open);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
      name = name.substr(1, name.size() - 2);
    sender.name = std::string{name};
    if (OneLine(sender.name) != sender.name)
      return Fail(ErrorCode::Invalid, "the name before the address has control characters in it");
  }
  auto parsed = ParseAddress(address);
  if (!parsed) return std::unexpected(parsed.error());
  if (parsed->needs_utf8)
    return Wrong("must be ASCII before the @, since not every server takes others");
  sender.address = std::move(*parsed);
  return sender;
}

}  // namespace certpair::notify
