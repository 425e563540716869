// What became of mails, until a ledger holds it.
#include "notify/outcome_book.hpp"

#include <gmock/gmock.h>

namespace certpair::notify {
namespace {

using namespace std::chrono_literals;
using core::NoticeOutcome;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = NoticeOutcome::Kind;

constexpr OutcomeBook::Steady kStart{1000h};

NoticeOutcome Outcome(const std::string& id, Kind kind = Kind::Sent) {
  return {.kind = kind, .id = id, .message = {}, .at = {}};
}

TEST(OutcomeBook, An_outcome_is_told_until_it_is_acknowledged) {
  OutcomeBook book;
  book.Add("system:a/x", Outcome("1"));
  EXPECT_THAT(book.Of("system:a/x"), ElementsAre(Outcome("1")));
  EXPECT_THAT(book.Of("system:a/x"), ElementsAre(Outcome("1")));
  EXPECT_THAT(book.Acknowledge("system:a/x", {Outcome("1")}), ElementsAre("1"));
  EXPECT_FALSE(book.Has("system:a/x"));
  EXPECT_THAT(book.Of("system:a/x"), IsEmpty());
}

TEST(OutcomeBook, The_later_outcome_of_a_mail_replaces_the_earlier) {
  OutcomeBook book;
  book.Add("system:a/x", Outcome("1", Kind::Delayed));
  book.Add("system:a/x", Outcome("1", Kind::Sent));
  EXPECT_THAT(book.Of("system:a/x"), ElementsAre(Outcome("1", Kind::Sent)));
  EXPECT_THAT(book.Acknowledge("system:a/x", {Outcome("1", Kind::Delayed)}), IsEmpty())
      << "the ledger holds the earlier one";
  EXPECT_TRUE(book.Has("system:a/x"));
}

TEST(OutcomeBook, Outcomes_are_counted_by_namespace) {
  OutcomeBook book;
  for (const char* key : {"system:a/x", "system:a/y", "system:b/x"}) {
    book.Add(key, Outcome("1"));
    book.Add(key, Outcome("2"));
  }
  EXPECT_EQ(book.Count(), 6U);
  EXPECT_EQ(book.CountOf("a"), 4U);
  book.Acknowledge("system:a/x", {Outcome("2")});
  EXPECT_THAT(book.Forget("system:b/x"), ElementsAre("1", "2"));
  EXPECT_EQ(book.Count(), 3U);
  EXPECT_EQ(book.CountOf("a"), 3U);
  EXPECT_EQ(book.CountOf("b"), 0U);
}

TEST(OutcomeBook, A_mail_has_ended_unless_it_is_delayed) {
  OutcomeBook book;
  book.Add("k", Outcome("delayed", Kind::Delayed));
  book.Add("k", Outcome("refused", Kind::Refused));
  EXPECT_FALSE(book.HasEnded("k", "delayed"));
  EXPECT_TRUE(book.HasEnded("k", "refused"));
  EXPECT_FALSE(book.HasEnded("k", "unknown"));
  EXPECT_FALSE(book.HasEnded("unknown", "refused"));
}

TEST(OutcomeBook, Delays_are_dropped_alone) {
  OutcomeBook book;
  book.Add("k", Outcome("1", Kind::Delayed));
  book.Add("k", Outcome("2", Kind::Sent));
  book.DropDelayed();
  EXPECT_THAT(book.Of("k"), ElementsAre(Outcome("2")));
  EXPECT_EQ(book.Count(), 1U);
}

TEST(OutcomeBook, One_answer_is_bounded) {
  OutcomeBook book;
  for (int n = 0; n < 400; ++n) book.Add("k", Outcome(std::to_string(n)));
  EXPECT_THAT(book.Of("k"), SizeIs(300));
  EXPECT_EQ(book.Of("k").front().id, "0");
}

TEST(OutcomeBook, Outcomes_go_a_day_after_the_last_question) {
  OutcomeBook book;
  book.Add("asks", Outcome("1"));
  book.Add("silent", Outcome("1"));
  for (auto at = kStart; at <= kStart + 25h; at += 30min) {
    if (at < kStart + 20h) static_cast<void>(book.Of("asks"));
    book.ForgetUnasked(at);
  }
  EXPECT_TRUE(book.Has("asks"));
  EXPECT_FALSE(book.Has("silent"));
  EXPECT_EQ(book.Count(), 1U);
}

}  // namespace
}  // namespace certpair::notify
