#include "notify/reply.hpp"

#include <gmock/gmock.h>

namespace certpair::notify {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Judge, Follows_from_stage_and_code) {
  const struct {
    Stage stage;
    int code;
    const char* text;
    Verdict verdict;
  } rows[] = {
      {Stage::Greeting, 554, "no service", Verdict::DelayedAll},
      {Stage::Hello, 502, "what", Verdict::DelayedAll},
      {Stage::Login, 535, "5.7.8 wrong", Verdict::DelayedAll},
      {Stage::Sender, 550, "5.1.8 no such sender", Verdict::DelayedAll},
      {Stage::Sender, 451, "4.3.0 later", Verdict::DelayedAll},
      {Stage::Sender, 552, "5.3.4 too large", Verdict::Refused},
      {Stage::Recipient, 421, "closing", Verdict::DelayedAll},
      {Stage::Recipient, 450, "4.2.0 greylisted", Verdict::DelayedAlone},
      {Stage::Recipient, 530, "5.7.1 TLS first", Verdict::DelayedAlone},
      {Stage::Recipient, 530, "5.7.0 login first", Verdict::DelayedAlone},
      {Stage::Recipient, 552, "too many", Verdict::DelayedAlone},
      {Stage::Recipient, 521, "no mail here", Verdict::DelayedAll},
      {Stage::Body, 552, "too large", Verdict::Refused},
      {Stage::Body, 552, "5.3.4 message size exceeds the limit", Verdict::Refused},
      {Stage::Body, 554, "5.6.0 cannot be read", Verdict::Refused},
      {Stage::Body, 550, "5.7.26 not signed", Verdict::DelayedAlone},
      {Stage::Body, 452, "4.3.1 disk", Verdict::DelayedAlone},
      {Stage::Body, 503, "what", Verdict::DelayedAlone},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Judge(row.stage, {row.code, row.text}), row.verdict) << row.code << " " << row.text;
}

// What real servers say. Delayed is tried again for days, and said; refused is lost for good.
TEST(Judge, Refuses_only_what_is_plainly_about_the_recipient) {
  for (const auto& [code, text] : std::initializer_list<std::pair<int, const char*>>{
           {550, "5.1.1 <x>: Recipient address rejected: User unknown in relay recipient table"},
           {550, "5.1.1 The email account that you tried to reach does not exist"},
           {550, "#5.1.1 no"},
           {556, "5.1.10 null MX"},
           {501, "5.1.3 bad address"},
           {550, "5.2.1 mailbox disabled"},
           {550, "5.4.1 Recipient address rejected: Access denied"},
           {550, "unknown"},
           {550, "no such user"},
           {550, "No Such User Here"},
           {550, "Unrouteable address"},
           {550, "Requested action not taken: mailbox unavailable"},
           {553, "no such mailbox"},
           {553, "sorry, no mailbox here by that name. (#5.1.1)"},
           {551, "user not local"},
           {550, "5.7.1 Recipient address rejected: Access denied"},
           {550, "5.0.0 User unknown"}})
    EXPECT_EQ(Judge(Stage::Recipient, {code, text}), Verdict::Refused) << code << " " << text;
}

TEST(Judge, Delays_what_is_about_us_or_not_clear) {
  for (const auto& [code, text] : std::initializer_list<std::pair<int, const char*>>{
           {550, "relay not permitted"},
           {550, "Relaying denied"},
           {554, "Relay access denied"},
           {550, "authentication required"},
           {550, "not authorized to send to this recipient: unknown user"},
           {550, "Sender verify failed"},
           {550, "No such user: Sender address rejected"},
           {553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"},
           {553, "sorry, that domain isn't in my list of allowed rcpthosts"},
           {554, "Message rejected: Email address is not verified."},
           {554, "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"},
           {550, "Helo command rejected: host not found"},
           {550, "cannot find your hostname: not found"},
           {550, "Must issue a STARTTLS command first; recipient rejected"},
           {550, "blacklisted"},
           {550, "SPF check failed: recipient rejected"},
           {550, "rejected for policy reasons"},
           {550, "mailbox full"},
           {552, "5.2.2 over quota"},
           {550, "5.1.8 Sender address rejected: Domain not found"},
           {550, "5.1.7 bad sender"},
           {550, "5.1.0 Sender address rejected: User unknown"},
           {550, "5.5.1 what"},
           {550, "5.7.1 relaying denied"},
           {550, "5.7.54 SMTP; Unable to relay recipient"},
           {550, "5.7.1 RST.AuthRequired; authentication required"},
           {550, "5.7.1 RST.NotAuthorized; not authorized"},
           {554, "5.7.1 a.example: Client host rejected"},
           {554, "5.7.1 Access denied"},
           {550, "5.7.0 not now"},
           {554, "5.7.8 credentials"},
           {550, "5.7.23 SPF"},
           {550, ""},
           {554, "no"},
           {550, "Administrative prohibition"}}) {
    EXPECT_EQ(Judge(Stage::Recipient, {code, text}), Verdict::DelayedAlone) << code << " " << text;
    EXPECT_EQ(Judge(Stage::Body, {code, text}), Verdict::DelayedAlone) << code << " " << text;
  }
}

TEST(Quote, Repeats_no_address_and_nothing_of_a_login) {
  EXPECT_EQ(Quote(Stage::Recipient, {550, "5.1.1 <anna@example.com>: no anna@example.com here"}),
            "550 5.1.1 [address] no [address] here");
  EXPECT_EQ(Quote(Stage::Login, {535, "5.7.8 AGNlcnRwYWlyAHNlc2FtZQ== is wrong"}), "535 5.7.8");
  EXPECT_EQ(Quote(Stage::Login, {535, "sesame is wrong"}), "535");
  const std::string endless = Quote(Stage::Body, {554, std::string(5000, 'x') + "\r\n\x1b[31m"});
  EXPECT_LE(endless.size(), 210U);
  EXPECT_THAT(endless, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\n"))));
}

TEST(ReplyReader, Joins_lines_however_they_are_torn) {
  const std::string bytes = "250-first\r\n250-AUTH PLAIN LOGIN\r\n250-smtputf8\n250 last\r\n";
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    ReplyReader reader;
    reader.ExpectOffers();
    ASSERT_TRUE(reader.Read(bytes.substr(0, cut)));
    ASSERT_TRUE(reader.Read(bytes.substr(cut)));
    EXPECT_EQ(reader.Last().code, 250);
    EXPECT_EQ(reader.Last().text, "first AUTH PLAIN LOGIN smtputf8 last");
    EXPECT_TRUE(reader.Offers("AUTH"));
    EXPECT_TRUE(reader.Offers("SMTPUTF8"));
    EXPECT_FALSE(reader.Offers("SMTP"));
    EXPECT_FALSE(reader.Offers("PLAIN"));
    EXPECT_TRUE(reader.OffersLogin("PLAIN"));
    EXPECT_TRUE(reader.OffersLogin("LOGIN"));
    EXPECT_FALSE(reader.OffersLogin("LOG"));
    EXPECT_FALSE(reader.OffersLogin("NTLM"));
  }
}

TEST(ReplyReader, Is_bounded_and_takes_garbage_for_nothing) {
  ReplyReader reader;
  EXPECT_TRUE(reader.Read("\x01\x02garbage\r\nmore\r\n"));
  EXPECT_EQ(reader.Last().code, 0);
  EXPECT_TRUE(reader.Read("250 " + std::string(100'000, 'x') + "\r\n"));
  EXPECT_EQ(reader.Last().code, 250);
  EXPECT_LE(reader.Last().text.size(), 1000U);
  bool goes_on = true;
  for (int n = 0; n < 1000 && goes_on; ++n)
    goes_on = reader.Read("250-" + std::string(1000, 'y') + "\r\n");
  EXPECT_FALSE(goes_on);
  reader.Forget();
  EXPECT_TRUE(reader.Read("250 ok\r\n"));
}

}  // namespace
}  // namespace certpair::notify
