// Sends mails to an SMTP server.
#pragma once

#include "notify/conclusions.hpp"
#include "notify/mailer.hpp"
#include "notify/settings.hpp"
#include "notify/smtp_connection.hpp"

namespace certpair::notify {

/// Keeps one connection for as long as it is good. Files (CA, credentials) are read before each
/// mail, so that a file that was replaced counts from the next mail on; one that cannot be read
/// delays all mails. Where TLS is asked for, not a byte of a mail nor of a password leaves before
/// the server's certificate was checked. Nothing is logged.
class SmtpMailer final : public Mailer {
 public:
  explicit SmtpMailer(SmtpServer server);
  /// As Rest.
  ~SmtpMailer() override;
  SmtpMailer(const SmtpMailer&) = delete;
  SmtpMailer& operator=(const SmtpMailer&) = delete;

  Delivery Send(const Letter& letter, const std::stop_token& stop) override;
  void Rest() override;

 private:
  const SmtpServer server_;
  SmtpConnection connection_;
  ReplyReader offers_;  // of the server, when the connection was opened
  bool hashed_login_ = false;
  Conclusions conclusions_;
};

}  // namespace certpair::notify
