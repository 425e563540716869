// What the tests of mail share: a server that misbehaves, and a mailer that talks to it.
#pragma once

#include <chrono>
#include <fstream>
#include <string>

#include <gmock/gmock.h>

#include "notify/smtp_mailer.hpp"
#include "support/smtp_server.hpp"
#include "unit/notify/notices.hpp"

namespace certpair::notify {

using namespace std::chrono_literals;
using nlohmann::json;

/// Skips where there is no SMTP server to be had.
class MailFault : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::SmtpServer::WhyNot()) GTEST_SKIP() << *why;
  }
  /// With deadlines that a stall reaches soon.
  SmtpServer ServerOf(const test::SmtpServer& server) const {
    return {.host = "127.0.0.1",
            .port = server.Port(),
            .tls = Tls::StartTls,
            .ca_file = server.CaFile(),
            .credentials_file = folder_ / "credentials",
            .deadlines = {.connect = 2s, .reply = 1s, .final_reply = 2s, .mail = 6s}};
  }
  void WriteCredentials(const std::string& text) const {
    std::ofstream{folder_ / "credentials.new"} << text;
    std::rename((folder_ / "credentials.new").c_str(), (folder_ / "credentials").c_str());
  }
  /// As `user`, with the password that the server knows.
  static json Behaviour(json more = json::object()) {
    more["user"] = "certpair";
    more["password"] = "open:sesame";
    return more;
  }
  static Letter LetterTo(const std::string& recipient, const std::string& id = "1f") {
    core::Notice notice = SomeNotice(core::NoticeKind::Expiring, id);
    notice.recipient.email = recipient;
    auto letter = Compose(notice, SomeLetterhead(), kNow);
    EXPECT_TRUE(letter) << letter.error().message;
    return letter.value_or(Letter{});
  }

  test::ScratchFolder folder_;
};

}  // namespace certpair::notify
