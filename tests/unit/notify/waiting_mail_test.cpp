// How long a mail is tried, when its trouble is reported, and when its server is probed.
#include "notify/waiting_mail.hpp"

#include <gmock/gmock.h>

#include "notify/server_state.hpp"
#include "unit/notify/notices.hpp"

namespace certpair::notify {
namespace {

using namespace std::chrono_literals;
using core::NoticeKind;
using testing::HasSubstr;

constexpr Trouble::Steady kStart{1000h};
constexpr Backoff kPauses{60s, 3600s};

WaitingMail MailOf(const core::Notice& notice) {
  return {
      "system:a/x",         notice, {.space = "a", .order = 0, .not_before = std::nullopt}, kPauses,
      std::chrono::days{4}, kNow};
}

TEST(Trouble, It_is_reported_once_and_again_when_it_changes) {
  RandomBits random{1};
  Trouble trouble{kPauses};
  EXPECT_EQ(trouble.Last(), "");
  EXPECT_TRUE(trouble.Meet("a", kStart, random));
  EXPECT_FALSE(trouble.Meet("a", kStart, random));
  EXPECT_TRUE(trouble.Meet("b", kStart, random));
  EXPECT_EQ(trouble.Last(), "b");
}

TEST(Trouble, Changes_are_reported_ever_more_seldom) {
  RandomBits random{1};
  Trouble trouble{kPauses};
  int reported = 0;
  for (int n = 0; n < 24 * 60; ++n)
    if (trouble.Meet(std::to_string(n), kStart + n * 1min, random)) ++reported;
  EXPECT_GE(reported, 20);
  EXPECT_LE(reported, 60);
  EXPECT_EQ(trouble.Last(), "1439") << "the last is known";
}

TEST(Trouble, What_each_try_reports_is_no_change) {
  RandomBits random{1};
  Trouble trouble{kPauses};
  trouble.MeetAndReport("a");
  EXPECT_FALSE(trouble.Meet("a", kStart, random));
}

TEST(WaitingMail, It_is_given_up_after_four_days_with_its_last_trouble) {
  WaitingMail mail = MailOf(SomeNotice(NoticeKind::Renewed));
  EXPECT_EQ(mail.gives_up, kNow + std::chrono::days{4});
  EXPECT_THAT(mail.GivenUp(kNow).message, HasSubstr("its turn did not come"));
  mail.trouble.MeetAndReport("mailbox busy");
  EXPECT_EQ(mail.GivenUp(kNow).message, "The mail was tried for 4 days: mailbox busy");
  EXPECT_FALSE(mail.GivenUp(kNow).certificate_ended);
}

TEST(WaitingMail, A_warning_is_given_up_when_its_certificate_expires) {
  core::Notice notice = SomeNotice(NoticeKind::Expiring);
  notice.active.not_after = kNow + 1h;
  const WaitingMail mail = MailOf(notice);
  EXPECT_EQ(mail.gives_up, kNow + 1h);
  EXPECT_TRUE(mail.GivenUp(kNow + 1h).certificate_ended);
  EXPECT_THAT(mail.GivenUp(kNow + 1h).message, HasSubstr("The certificate expired before"));
  notice.kind = NoticeKind::Renewed;
  EXPECT_EQ(MailOf(notice).gives_up, kNow + std::chrono::days{4}) << "other mails are of use later";
}

TEST(WaitingMail, The_wait_for_a_rate_puts_off_its_end) {
  WaitingMail mail = MailOf(SomeNotice(NoticeKind::Renewed));
  mail.PutOffGivingUp(kNow + 24h);
  EXPECT_EQ(mail.gives_up, kNow + std::chrono::days{5});
  mail.PutOffGivingUp(kNow);
  EXPECT_EQ(mail.gives_up, kNow + std::chrono::days{5});
}

TEST(ServerState, A_server_that_fails_is_probed_ever_more_seldom) {
  RandomBits random{1};
  ServerState server{Backoff{5s, 300s}};
  EXPECT_FALSE(server.IsAway());
  auto now = kStart;
  auto longest = 0ns;
  for (int n = 0; n < 12; ++n) {
    EXPECT_FALSE(server.Opens(now));
    server.Fails("down", now, random);
    const auto opens = server.Opens(now);
    ASSERT_TRUE(opens);
    longest = std::max<std::chrono::nanoseconds>(longest, *opens - now);
    now = *opens;
  }
  EXPECT_GE(longest, 150s);
  EXPECT_LE(longest, 300s);
  EXPECT_EQ(server.Trouble(), "down");
}

TEST(ServerState, An_answer_ends_the_pauses) {
  RandomBits random{1};
  ServerState server{Backoff{5s, 300s}};
  for (int n = 0; n < 12; ++n) server.Fails("down", kStart, random);
  server.Answers();
  EXPECT_FALSE(server.IsAway());
  EXPECT_FALSE(server.Opens(kStart));
  server.Fails("down", kStart, random);
  EXPECT_LE(*server.Opens(kStart), kStart + 5s) << "the pauses begin anew";
}

}  // namespace
}  // namespace certpair::notify
