// A connection to an SMTP server, by libcurl, which smtp_connection.cpp and curl_setup alone know.
// Private to src/notify.
#pragma once

#include <memory>
#include <stop_token>

#include "notify/conclusions.hpp"
#include "notify/dialogue.hpp"
#include "notify/message.hpp"
#include "notify/settings.hpp"
#include "notify/smtp_files.hpp"

namespace certpair::notify {

/// Carries mails over one connection, opened when the first needs it. Where TLS is asked for, not a
/// byte of a mail nor of a password leaves before the server's certificate was checked. Used by one
/// thread at a time.
class SmtpConnection {
 public:
  explicit SmtpConnection(SmtpServer server);
  ~SmtpConnection();
  SmtpConnection(const SmtpConnection&) = delete;
  SmtpConnection& operator=(const SmtpConnection&) = delete;

  /// From now on; a connection that was opened with others is closed.
  void Use(SmtpFiles files);
  /// Sends one mail, and tells `dialogue` of each command and reply. Blocks until it has ended, a
  /// deadline passes or `stop`. After a failure the connection is closed.
  [[nodiscard]] Attempt Try(const Letter& letter, Dialogue& dialogue, const std::stop_token& stop);
  /// Says QUIT and closes, within two seconds.
  void Close();

 private:
  class Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace certpair::notify
