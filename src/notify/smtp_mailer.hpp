// Sends mails to an SMTP server, by libcurl. smtp_mailer.cpp is the one file that knows curl.
#pragma once

#include <memory>

#include "notify/mailer.hpp"
#include "notify/settings.hpp"

namespace certpair::notify {

/// Keeps one connection for as long as it is good. Files (CA, credentials) are read before each
/// mail, so that what was replaced counts from the next one on; one that cannot be read is a delay
/// of all. Where TLS is asked for, not a byte of a mail nor of a password leaves before the
/// server's certificate was checked. Nothing is logged.
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
  class Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace certpair::notify
