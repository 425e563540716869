// Names that mean harm, or are merely unusual, through a real server and Python's email package: it
// finds no defect, and no header but those that each mail has. (SmtpServer::Mails fails the test
// where there is a defect.)
#include "fault/notify/mail_setup.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

using core::NoticeKind;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr NoticeKind kKinds[] = {NoticeKind::Expiring, NoticeKind::Expired, NoticeKind::Failing,
                                 NoticeKind::Held, NoticeKind::Renewed};

class HostileNames : public MailFault {
 protected:
  void SetUp() override {
    MailFault::SetUp();
    if (IsSkipped()) return;
    WriteCredentials("certpair:open:sesame\n");
    server_.emplace(test::SmtpServerOptions{.behaviour = Behaviour()});
    mailer_.emplace(ServerOf(*server_));
  }
  // What the server got.
  test::ReceivedMail Sent(const core::Notice& notice, const Letterhead& letterhead) {
    const auto letter = Compose(notice, letterhead, kNow);
    EXPECT_TRUE(letter) << letter.error().message;
    if (!letter) return {};
    const Delivery delivery = mailer_->Send(*letter, {});
    EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message;
    return server_->Mails().back();
  }
  static std::vector<std::string> HeaderNames(const test::ReceivedMail& mail) {
    std::vector<std::string> names;
    for (const json& header : mail.about.at("headers")) names.push_back(header.at(0));
    return names;
  }
  // `text` in every field that a user could have typed.
  static void Fill(core::Notice& notice, Letterhead& letterhead, const std::string& text) {
    for (std::string* field :
         {&notice.id, &notice.display_name, &notice.recipient.display_name, &notice.system_name,
          &notice.system_namespace, &notice.system_uid, &notice.active.subject,
          &notice.active.issuer, &notice.active.serial_number, &notice.active.fingerprint,
          &notice.threshold, &notice.why, &notice.what_to_do, &letterhead.cluster_name,
          &letterhead.from.name})
      *field = text;
    if (notice.inactive) notice.inactive->subject = notice.inactive->issuer = text;
  }

  std::optional<test::SmtpServer> server_;
  std::optional<SmtpMailer> mailer_;
};

TEST_F(HostileNames, Start_no_header_no_part_and_no_recipient_of_their_own) {
  for (const NoticeKind kind : kKinds) {
    const auto honest = Sent(SomeNotice(kind), SomeLetterhead());
    for (const std::string& evil :
         {std::string{"x\r\nBcc: victim@example.com"},
          std::string{"x\nBcc: victim@example.com\n\nbody"},
          std::string{"x\rBcc: victim@example.com"},
          std::string{"x\r\n.\r\nMAIL FROM:<a@example.com>\r\n"},
          std::string{"x\r\n--=-\r\nContent-Type: text/html\r\n\r\n<p>"},
          std::string{"x\v\f\x1b[2J\x07\x7f\x9b y"}, std::string{"nul\0Bcc: z", 10},
          std::string{"ls \xE2\x80\xA8 ps \xE2\x80\xA9 nel \xC2\x85 Bcc: z"},
          std::string{"\xff\xfe\xc3\x28\r\nBcc: broken"},
          std::string{"=?utf-8?q?=0D=0ABcc:_victim@example.com?="},
          std::string{"\"<victim@example.com>, \"\\"},
          std::string(6000, 'x') + "\r\nBcc: late@example.com"}) {
      SCOPED_TRACE(OneLine(evil, 60));
      core::Notice notice = SomeNotice(kind);
      Letterhead letterhead = SomeLetterhead();
      Fill(notice, letterhead, evil);
      const auto mail = Sent(notice, letterhead);
      EXPECT_EQ(HeaderNames(mail), HeaderNames(honest));
      EXPECT_EQ(mail.about.at("shape"), honest.about.at("shape"));
      EXPECT_EQ(mail.about.at("to"), json::array({"idm@example.com"}));
      EXPECT_THAT(mail.Header("Subject"), StartsWith("Outbound Certificate "));
      EXPECT_THAT(mail.Header("Subject"), Not(HasSubstr("\n")));
      EXPECT_THAT(mail.Header("To"), EndsWith("<idm@example.com>"));
    }
  }
}

TEST_F(HostileNames, Of_any_script_and_length_come_back_as_they_were) {
  std::string long_name;
  for (int n = 0; n < 64; ++n) long_name += "人事系統";
  for (const std::string& name :
       {std::string{"Größenwahn ÄÖÜ"}, std::string{"人事システム本番"},
        std::string{"نظام الموارد البشرية"}, std::string{"מערכת משאבי אנוש"},
        std::string{"ระบบทรัพยากรบุคคล"}, std::string{"मानव संसाधन"},
        std::string{"🚀👩‍💻 prod"}, std::string{"e\xCC\x81 combined"},
        std::string{"a, b; c: <d> (e) [f] \\ \"g\""}, long_name}) {
    SCOPED_TRACE(name);
    core::Notice notice = SomeNotice();
    notice.display_name = notice.recipient.display_name = notice.active.subject = name;
    Letterhead letterhead = SomeLetterhead();
    letterhead.cluster_name = letterhead.from.name = name;
    const auto mail = Sent(notice, letterhead);
    EXPECT_EQ(mail.Header("Subject"),
              "Outbound Certificate Expiration. Target System: " + OneLine(name));
    EXPECT_THAT(mail.Part("text/plain"), HasSubstr(OneLine(name)));
    EXPECT_THAT(mail.Part("text/html"), HasSubstr(EscapeHtml(OneLine(name))));
    EXPECT_THAT(mail.Header("To"), EndsWith("<idm@example.com>"));
    EXPECT_THAT(mail.Header("From"), EndsWith("<certpair@example.com>"));
  }
}

// U+202A to U+202E and U+2066 to U+2069 turn what stands beside them: "\u202Egnp.exe" reads as
// "exe.png".
TEST_F(HostileNames, Turn_no_text_around) {
  core::Notice notice = SomeNotice();
  Letterhead letterhead = SomeLetterhead();
  Fill(notice, letterhead,
       "a\xE2\x80\xAE"
       "b\xE2\x80\xAA"
       "c\xE2\x81\xA6"
       "d\xE2\x81\xA9"
       "e\xE2\x80\x8F"
       "f");
  const auto mail = Sent(notice, letterhead);
  for (const std::string& text : {mail.Header("Subject"), mail.Header("To"), mail.Header("From"),
                                  mail.Part("text/plain"), mail.Part("text/html")})
    for (const char* turn : {"\xE2\x80\xAE", "\xE2\x80\xAA", "\xE2\x81\xA6", "\xE2\x81\xA9"})
      EXPECT_THAT(text, Not(HasSubstr(turn)));
}

}  // namespace
}  // namespace certpair::notify
