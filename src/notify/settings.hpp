// How an installation sends mail: what its flags say, checked.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret_string.hpp"
#include "notify/message.hpp"
#include "notify/rate_limits.hpp"

namespace certpair::notify {

/// The flags as given; empty: not given.
struct MailFlags {
  std::string server;            ///< --smtp-server
  std::string from;              ///< --smtp-from
  std::string tls = "starttls";  ///< --smtp-tls
  std::string ca_file;           ///< --smtp-ca-file
  std::string credentials_file;  ///< --smtp-credentials-file
  std::string helo_name;         ///< --smtp-helo-name
  int rate = 60;                 ///< --smtp-rate, mails per minute; 0: no limit
  int namespace_rate = 600;      ///< --smtp-namespace-rate, mails per hour; 0: no limit
  int address_rate = 120;        ///< --smtp-address-rate, mails per hour; 0: no limit
  int in_flight = 4;             ///< --smtp-in-flight
  std::string cluster_name;      ///< --cluster-name
};

enum class Tls {
  StartTls,  ///< RFC 3207, required: without it, no mail is sent
  Implicit,  ///< RFC 8314 §3.3, TLS from the first byte
  None,      ///< in clear
};

/// How long a mail may take; each is an upper bound.
struct Deadlines {
  std::chrono::milliseconds connect{30'000};  ///< until the server has let us in, TLS and login too
  std::chrono::milliseconds reply{60'000};    ///< to each command
  /// To the whole text (RFC 5321 §4.5.3.2.6): a server that has it may take this long to say so,
  /// and a client that does not wait sends copies.
  std::chrono::milliseconds final_reply{600'000};
  std::chrono::milliseconds mail{900'000};  ///< the whole; above all of these together
};

/// Where mails are handed in.
struct SmtpServer {
  std::string host;  ///< a name or an address, IPv6 without brackets
  int port = 587;
  std::string helo_name = {};  ///< what EHLO says; empty: the machine's name
  Tls tls = Tls::StartTls;
  std::string ca_file;           ///< PEM; empty: the system's
  std::string credentials_file;  ///< empty: no AUTH
  Deadlines deadlines;
};

struct MailSettings {
  SmtpServer server;
  Letterhead letterhead;
  RateSettings rates;
  std::size_t in_flight = 4;  ///< as QueueSettings has it
};

/// Nothing where no server is given: then no mail is sent. Invalid names the flag, what was found
/// (unless it may hold a password), and what to write. Files are not looked at: they may come
/// later.
[[nodiscard]] Result<std::optional<MailSettings>> CheckSettings(const MailFlags& flags);

struct Login {
  std::string user;
  SecretString password;
};

/// One line `user:password` (the password may have colons, the user not); a line end after it is
/// cut. Invalid says what is wrong, and repeats none of it.
[[nodiscard]] Result<Login> ParseLogin(std::string_view text);

}  // namespace certpair::notify
