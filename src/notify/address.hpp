// An e-mail address, judged before anything is done with it. Pure, thread-safe.
// Private to src/notify, but for settings.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certpair::notify {

/// RFC 5321 §4.1.2 Mailbox, without address literals. The domain is in ASCII (A-labels, RFC 5890),
/// whatever was given.
struct Address {
  std::string local;   ///< as given: `anna`, `"anna b"`, `größe`
  std::string domain;  ///< in lower case
  /// RFC 6531: a local part beyond ASCII goes only through servers that say SMTPUTF8.
  bool needs_utf8 = false;
  [[nodiscard]] std::string Text() const { return local + "@" + domain; }
  friend bool operator==(const Address&, const Address&) = default;
};

/// The sender of a mail.
struct Sender {
  std::string name;  ///< empty: none
  Address address;
  friend bool operator==(const Sender&, const Sender&) = default;
};

/// RFC 5321 §4.1.2 Domain, in ASCII, of at most 253 characters.
[[nodiscard]] bool IsDomainName(std::string_view domain);

/// Invalid with what is wrong; the message never repeats the address.
[[nodiscard]] Result<Address> ParseAddress(std::string_view text);

/// The address of a subscriber: as ParseAddress, and none that `core::WhyNotARecipient` refuses.
[[nodiscard]] Result<Address> ParseRecipient(std::string_view text);

/// `idm@example.com`, or `Identity team <idm@example.com>`, with or without quotes around the name.
[[nodiscard]] Result<Sender> ParseSender(std::string_view text);

}  // namespace certpair::notify
