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
      {Stage::Recipient, 550, "5.1.1 unknown", Verdict::Refused},
      {Stage::Recipient, 550, "unknown", Verdict::Refused},
      {Stage::Recipient, 553, "no such mailbox", Verdict::Refused},
      {Stage::Recipient, 556, "5.1.10 null MX", Verdict::Refused},
      {Stage::Recipient, 501, "5.1.3 bad address", Verdict::Refused},
      {Stage::Recipient, 550, "5.7.1 relaying denied", Verdict::DelayedAlone},
      {Stage::Recipient, 550, "5.7.54 SMTP; Unable to relay recipient", Verdict::DelayedAlone},
      {Stage::Recipient, 550, "5.7.1 RST.AuthRequired; authentication required",
       Verdict::DelayedAlone},
      {Stage::Recipient, 554, "5.7.1 a.example: Client host rejected", Verdict::DelayedAlone},
      {Stage::Recipient, 550, "5.7.0 not now", Verdict::DelayedAlone},
      {Stage::Recipient, 554, "5.7.8 credentials", Verdict::DelayedAlone},
      {Stage::Recipient, 550, "5.7.1 RST.NotAuthorized; not authorized", Verdict::Refused},
      {Stage::Recipient, 550, "5.7.1 Recipient address rejected: Access denied", Verdict::Refused},
      {Stage::Recipient, 551, "5.7.1 moved", Verdict::Refused},
      {Stage::Recipient, 553, "5.7.1 not to this list", Verdict::Refused},
      {Stage::Recipient, 554, "5.7.1 Access denied", Verdict::Refused},
      {Stage::Recipient, 530, "5.7.1 TLS first", Verdict::DelayedAlone},
      {Stage::Recipient, 530, "5.7.0 login first", Verdict::DelayedAlone},
      {Stage::Recipient, 552, "too many", Verdict::DelayedAlone},
      {Stage::Recipient, 521, "no mail here", Verdict::DelayedAll},
      {Stage::Data, 554, "no", Verdict::Refused},
      {Stage::Body, 552, "5.2.2 full", Verdict::Refused},
      {Stage::Body, 550, "5.7.26 not signed", Verdict::DelayedAlone},
      {Stage::Body, 452, "4.3.1 disk", Verdict::DelayedAlone},
      {Stage::Body, 503, "what", Verdict::DelayedAlone},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Judge(row.stage, {row.code, row.text}), row.verdict) << row.code << " " << row.text;
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
