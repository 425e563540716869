// Which mail goes next, with a clock that the test moves.
#include "notify/mail_queue.hpp"

#include <algorithm>

#include <gmock/gmock.h>

#include "unit/notify/notices.hpp"

namespace certpair::notify {
namespace {

using namespace std::chrono_literals;
using core::NoticeKind;
using core::NoticeOutcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Kind = NoticeOutcome::Kind;

class Queue : public testing::Test {
 protected:
  explicit Queue(const QueueSettings& settings = {.in_flight = 50}) : queue_(settings, 1) {}

  bool Post(const std::string& id, const std::string& key = "system:idm/abap-prod",
            NoticeKind kind = NoticeKind::Expiring) {
    return queue_.Post(key, SomeNotice(kind, id), now_);
  }
  // The id of the mail that goes now; empty: none.
  std::string Take() {
    const auto action = queue_.Next(now_);
    const auto* send = std::get_if<MailQueue::Send>(&action);
    return send ? send->notice.id : std::string{};
  }
  void Done(Verdict verdict, const std::string& message = "because") {
    queue_.Done({verdict, message}, now_);
  }
  std::optional<std::chrono::nanoseconds> RestsFor() {
    const auto action = queue_.Next(now_);
    const auto* rest = std::get_if<MailQueue::Rest>(&action);
    if (rest == nullptr || !rest->until) return std::nullopt;
    return *rest->until - now_.steady;
  }
  void Advance(seconds by) {
    now_.steady += by;
    now_.wall += by;
  }
  std::vector<Kind> Kinds(const std::string& key = "system:idm/abap-prod") {
    std::vector<Kind> kinds;
    for (const auto& outcome : queue_.Outcomes(key)) kinds.push_back(outcome.kind);
    return kinds;
  }

  Instant now_{std::chrono::steady_clock::time_point{} + 1000h, kNow};
  MailQueue queue_;
};

class SmallQueue : public Queue {
 protected:
  // Of five places one namespace may have four.
  SmallQueue() : Queue(QueueSettings{.capacity = 5, .most_delayed = 2}) {}
};

class CrowdedQueue : public Queue {
 protected:
  CrowdedQueue() : Queue(QueueSettings{.capacity = 16, .in_flight = 50}) {}
};

class SettlingQueue : public Queue {
 protected:
  SettlingQueue() : Queue(QueueSettings{.in_flight = 3}) {}
};

class WindowOfFour : public Queue {
 protected:
  WindowOfFour() : Queue(QueueSettings{.in_flight = 4}) {}
};

class LimitedQueue : public Queue {
 protected:
  LimitedQueue() : Queue(QueueSettings{.rates = {.per_minute = 30}, .in_flight = 1000}) {}
};

TEST_F(Queue, Mails_go_in_the_order_in_which_they_were_posted) {
  for (const char* id : {"a", "b", "c"}) EXPECT_TRUE(Post(id));
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_EQ(Take(), id);
    Done(Verdict::Sent);
  }
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(queue_.Depth(), 0U);
  EXPECT_THAT(Kinds(), ElementsAre(Kind::Sent, Kind::Sent, Kind::Sent));
}

TEST_F(Queue, A_mail_that_is_under_way_is_not_taken_again) {
  EXPECT_TRUE(Post("a"));
  EXPECT_FALSE(Post("a"));
  EXPECT_TRUE(queue_.IsUnderWay("a"));
  EXPECT_EQ(Take(), "a");
  EXPECT_FALSE(Post("a")) << "in hand";
  Done(Verdict::Sent);
  EXPECT_FALSE(queue_.IsUnderWay("a"));
}

TEST_F(Queue, An_outcome_stays_until_that_very_outcome_is_acknowledged) {
  Post("a");
  Take();
  Done(Verdict::DelayedAlone, "later");
  const auto delayed = queue_.Outcomes("system:idm/abap-prod");
  ASSERT_EQ(delayed.size(), 1U);
  EXPECT_EQ(delayed[0].message, "later");
  Advance(1min);
  EXPECT_EQ(Take(), "a");
  Done(Verdict::Sent);
  queue_.Acknowledge("system:idm/abap-prod", delayed);
  EXPECT_THAT(Kinds(), ElementsAre(Kind::Sent)) << "another one meanwhile";
  queue_.Acknowledge("system:idm/abap-prod", queue_.Outcomes("system:idm/abap-prod"));
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(Queue, A_delayed_mail_waits_longer_and_reports_each_try) {
  Post("a");
  auto longest = 0ns;
  for (int n = 0; n < 12; ++n) {
    ASSERT_EQ(Take(), "a") << n;
    Done(Verdict::DelayedAlone);
    const auto wait = RestsFor().value_or(0ns);
    EXPECT_GE(wait, 30s);
    EXPECT_LE(wait, 1h);
    longest = std::max(longest, wait);
    Advance(std::chrono::ceil<seconds>(wait));
  }
  EXPECT_GE(longest, 30min);
  EXPECT_EQ(queue_.TakeKinds(), std::vector<Kind>(12, Kind::Delayed));
}

TEST_F(Queue, A_delayed_mail_holds_up_no_other_and_gets_its_turn) {
  Post("slow");
  Take();
  Done(Verdict::DelayedAlone);
  for (int n = 0; n < 40; ++n) Post(std::to_string(n));
  Advance(1h);
  std::vector<std::string> order;
  for (std::string id; !(id = Take()).empty();) {
    order.push_back(id);
    Done(Verdict::Sent);
  }
  const auto place = std::ranges::find(order, "slow") - order.begin();
  EXPECT_EQ(order.size(), 41U);
  EXPECT_GE(place, 5);
  EXPECT_LE(place, 20);
}

TEST_F(Queue, A_server_that_is_away_is_probed_by_each_mail_in_turn) {
  for (const char* id : {"a", "b", "c"}) Post(id);
  std::vector<std::string> probes;
  auto longest = 0ns;
  for (int n = 0; n < 9; ++n) {
    probes.push_back(Take());
    Done(Verdict::DelayedAll, "away");
    EXPECT_EQ(Take(), "") << "no other mail is tried";
    const auto wait = RestsFor().value_or(0ns);
    longest = std::max(longest, wait);
    EXPECT_LE(wait, 5min);
    Advance(std::chrono::ceil<seconds>(wait));
  }
  EXPECT_THAT(probes, ElementsAre("a", "b", "c", "a", "b", "c", "a", "b", "c"));
  EXPECT_GE(longest, 150s);
  EXPECT_THAT(queue_.TakeKinds(), ElementsAre(Kind::Delayed, Kind::Delayed, Kind::Delayed))
      << "each once";
  Post("late");
  EXPECT_THAT(queue_.TakeKinds(), ElementsAre(Kind::Delayed)) << "at once";
  for (int n = 0; n < 4; ++n) {
    EXPECT_NE(Take(), "");
    Done(Verdict::Sent);
  }
  EXPECT_THAT(Kinds(), ElementsAre(Kind::Sent, Kind::Sent, Kind::Sent, Kind::Sent));
}

TEST_F(Queue, A_waiting_system_hears_when_the_trouble_changes) {
  const auto said = [this] {
    const auto outcomes = queue_.Outcomes("system:idm/abap-prod");
    queue_.Acknowledge("system:idm/abap-prod", outcomes);
    return outcomes.empty() ? std::string{} : outcomes.at(0).message;
  };
  Post("a");
  const auto fails = [&](const std::string& message) {
    EXPECT_EQ(Take(), "a");
    Done(Verdict::DelayedAll, message);
    Advance(5min);
    return said();
  };
  EXPECT_EQ(fails("there is no file"), "there is no file");
  EXPECT_EQ(fails("there is no file"), "");
  EXPECT_EQ(fails("wrong password"), "wrong password");
  EXPECT_EQ(fails("wrong password"), "");
}

// Each telling may be a write of a status.
TEST_F(Queue, Troubles_that_change_are_reported_ever_more_seldom) {
  for (int n = 0; n < 100; ++n) Post(std::to_string(n), std::to_string(n));
  const auto told_in_a_day = [&] {
    std::size_t told = 0;
    for (int n = 0; n < 24 * 12; ++n) {
      EXPECT_NE(Take(), "");
      Done(Verdict::DelayedAll, "421 session " + std::to_string(n));
      Advance(5min);
      told += queue_.TakeKinds().size();
    }
    return told;
  };
  EXPECT_LE(told_in_a_day(), std::size_t{100 * 50});
  EXPECT_GE(told_in_a_day(), std::size_t{100 * 20}) << "and is reported";
}

TEST_F(Queue, A_refusal_ends_that_mail_alone) {
  Post("a");
  Post("b");
  EXPECT_EQ(Take(), "a");
  Done(Verdict::Refused, "no such person");
  EXPECT_EQ(Take(), "b");
  Done(Verdict::Sent);
  EXPECT_THAT(Kinds(), ElementsAre(Kind::Refused, Kind::Sent));
  EXPECT_EQ(queue_.Outcomes("system:idm/abap-prod")[0].message, "no such person");
}

TEST_F(Queue, After_four_days_of_delay_it_is_given_up_with_the_last_reason) {
  Post("a", "k", NoticeKind::Renewed);
  Take();
  Done(Verdict::DelayedAlone, "mailbox busy");
  Advance(std::chrono::days{4} + 1s);
  EXPECT_EQ(Take(), "");
  const auto outcomes = queue_.Outcomes("k");
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].kind, Kind::GivenUp);
  EXPECT_THAT(outcomes[0].message, HasSubstr("4 days: mailbox busy"));
  EXPECT_FALSE(outcomes[0].certificate_ended);
  EXPECT_FALSE(queue_.IsUnderWay("a"));
}

TEST_F(Queue, A_warning_is_given_up_when_its_certificate_expires) {
  core::Notice notice = SomeNotice(NoticeKind::Expiring, "a");
  notice.active.not_after = now_.wall + 1h;
  queue_.Post("k", notice, now_);
  Take();
  Done(Verdict::DelayedAll, "away");
  Advance(1h);
  EXPECT_EQ(Take(), "");
  EXPECT_THAT(queue_.Outcomes("k").at(0).message, HasSubstr("The certificate expired"));
  EXPECT_TRUE(queue_.Outcomes("k").at(0).certificate_ended);
}

TEST_F(SmallQueue, Room_counts_waiting_mails_and_pending_outcomes) {
  for (const char* id : {"a", "b", "c", "d"}) EXPECT_TRUE(Post(id, "k"));
  EXPECT_EQ(queue_.Room("k"), 0U);
  EXPECT_FALSE(Post("e", "k"));
  EXPECT_THAT(queue_.TakeWakes(), IsEmpty());
  for (int n = 0; n < 4; ++n) {
    Take();
    Done(Verdict::Sent);
  }
  EXPECT_EQ(queue_.Room("k"), 0U);
  EXPECT_THAT(queue_.TakeWakes(), ElementsAre("k"));
  queue_.Acknowledge("k", queue_.Outcomes("k"));
  EXPECT_EQ(queue_.Room("k"), 4U);
  EXPECT_THAT(queue_.TakeWakes(), IsEmpty());
  EXPECT_THAT(queue_.TakeInvited(), ElementsAre("k")) << "who was turned away";
}

TEST_F(CrowdedQueue, No_more_are_invited_at_once_than_there_is_room_for) {
  const std::vector<std::string> crowd{"k", "l", "m"};
  for (const std::string& key : crowd)
    for (int n = 0; Post(key + std::to_string(n), key);) ++n;
  for (int n = 0; n < 20; ++n) EXPECT_EQ(queue_.Room("turned-away-" + std::to_string(n)), 0U);
  const auto settle_one = [&] {
    Take();
    Done(Verdict::Sent);
    for (const std::string& key : crowd) queue_.Acknowledge(key, queue_.Outcomes(key));
  };
  settle_one();
  EXPECT_THAT(queue_.TakeInvited(), IsEmpty()) << "not for each place that comes free";
  settle_one();
  const auto first = queue_.TakeInvited();
  EXPECT_THAT(first, testing::SizeIs(2));
  settle_one();
  EXPECT_THAT(queue_.TakeInvited(), testing::SizeIs(1)) << "two places are promised";
  for (const std::string& key : first) EXPECT_TRUE(Post(key, key));
  settle_one();
  EXPECT_THAT(queue_.TakeInvited(), testing::SizeIs(1));
  Advance(61s);
  EXPECT_NE(Take(), "");
  EXPECT_THAT(queue_.TakeInvited(), testing::Not(IsEmpty()))
      << "who did not come is not waited for";
}

TEST_F(SmallQueue, Delayed_mails_over_the_limit_leave_and_are_called_back) {
  for (const char* key : {"a", "b", "c"}) {
    Post(key, key);
    Take();
    Done(Verdict::DelayedAlone);
    queue_.Acknowledge(key, queue_.Outcomes(key));
  }
  EXPECT_EQ(queue_.Depth(), 2U);
  static_cast<void>(queue_.TakeWakes());
  EXPECT_THAT(queue_.TakeInvited(), IsEmpty());
  Advance(2h);
  for (int n = 0; n < 2; ++n) {
    EXPECT_NE(Take(), "");
    Done(Verdict::Sent);
  }
  EXPECT_THAT(queue_.TakeWakes(), testing::SizeIs(2));
  EXPECT_THAT(queue_.TakeInvited(), testing::SizeIs(1)) << "one that may come back";
}

TEST_F(SmallQueue, Delayed_mails_take_no_room_from_others) {
  for (const char* key : {"a", "b"}) {
    Post(key, key);
    Take();
    Done(Verdict::DelayedAlone);
    queue_.Acknowledge(key, queue_.Outcomes(key));
  }
  EXPECT_EQ(queue_.Room("c"), 4U) << "as before";
}

TEST_F(LimitedQueue, No_more_go_in_a_minute_than_is_allowed) {
  for (int n = 0; n < 100; ++n) Post(std::to_string(n));
  int sent = 0;
  for (int second = 0; second < 60; ++second, Advance(1s)) {
    while (!Take().empty()) {
      ++sent;
      Done(Verdict::Sent);
    }
  }
  EXPECT_EQ(sent, 30);
}

TEST_F(Queue, A_withdrawn_mail_is_not_sent_and_has_no_outcome) {
  for (const char* id : {"a", "b", "c"}) Post(id, "k");
  EXPECT_EQ(Take(), "a");
  queue_.Withdraw("k", {"a", "b", "unknown"});
  queue_.Withdraw("another", {"c"});
  Done(Verdict::Sent);
  EXPECT_EQ(Take(), "c");
  Done(Verdict::Sent);
  EXPECT_THAT(Kinds("k"), ElementsAre(Kind::Sent, Kind::Sent));
  EXPECT_FALSE(queue_.IsUnderWay("b"));
}

TEST_F(Queue, Nothing_is_left_of_a_system_that_is_gone) {
  for (const char* id : {"a", "b", "c"}) Post(id, "system:idm/gone");
  Post("d", "system:idm/k");
  Take();
  Done(Verdict::Sent);
  EXPECT_EQ(Take(), "b");
  queue_.Forget("system:idm/gone");
  Done(Verdict::DelayedAlone);
  EXPECT_EQ(Take(), "d");
  Done(Verdict::Sent);
  EXPECT_THAT(Kinds("system:idm/gone"), IsEmpty());
  EXPECT_EQ(queue_.Depth(), 0U);
  EXPECT_THAT(queue_.TakeWakes(), ElementsAre("system:idm/k"));
}

TEST_F(Queue, The_end_of_a_term_drops_what_waits_and_keeps_what_was_sent) {
  for (const char* id : {"a", "b", "c"}) Post(id, "k");
  Take();
  Done(Verdict::Sent);
  EXPECT_EQ(Take(), "b");
  EXPECT_EQ(queue_.DropAll(), 1U);
  Done(Verdict::DelayedAlone);
  EXPECT_EQ(queue_.Depth(), 0U) << "also the one in hand, as it was not settled";
  EXPECT_EQ(Take(), "");
  EXPECT_THAT(Kinds("k"), ElementsAre(Kind::Sent));
  queue_.Acknowledge("k", queue_.Outcomes("k"));
  EXPECT_TRUE(Post("b", "k")) << "this process leads again";
  EXPECT_EQ(Take(), "b");
  queue_.DropAll();
  Done(Verdict::Sent);
  EXPECT_THAT(Kinds("k"), ElementsAre(Kind::Sent)) << "what was sent, was sent";
}

TEST_F(Queue, The_system_of_a_mail_dropped_while_sent_is_woken) {
  Post("a", "k");
  EXPECT_EQ(Take(), "a");
  queue_.DropAll();
  EXPECT_TRUE(queue_.IsUnderWay("a")) << "a pass of the next term waits for it";
  EXPECT_THAT(queue_.TakeWakes(), IsEmpty());
  Done(Verdict::DelayedAlone);
  EXPECT_FALSE(queue_.IsUnderWay("a"));
  EXPECT_THAT(queue_.TakeWakes(), ElementsAre("k"));
}

TEST_F(Queue, An_ended_mail_is_not_taken_before_the_ledger_holds_it) {
  Post("a", "k");
  Take();
  Done(Verdict::Sent);
  EXPECT_FALSE(Post("a", "k"));
  queue_.Acknowledge("k", queue_.Outcomes("k"));
  EXPECT_TRUE(Post("a", "k")) << "its poster knows why";
}

TEST_F(SettlingQueue, No_more_is_sent_than_a_crash_may_repeat) {
  for (int n = 0; n < 10; ++n) Post(std::to_string(n), std::to_string(n));
  for (int n = 0; n < 3; ++n) {
    EXPECT_NE(Take(), "");
    Done(Verdict::Sent);
  }
  EXPECT_EQ(Take(), "");
  EXPECT_TRUE(queue_.HasUnacknowledged());
  queue_.Acknowledge("0", queue_.Outcomes("0"));
  EXPECT_NE(Take(), "");
  Done(Verdict::Sent);
  EXPECT_EQ(Take(), "") << "one was let go, one went";
  EXPECT_EQ(RestsFor(), 30s) << "a ledger that cannot be written holds the others back no longer";
  Advance(31s);
  EXPECT_NE(Take(), "");
}

TEST_F(Queue, One_write_of_a_ledger_holds_the_mails_of_a_row) {
  for (const char* id : {"a", "b", "c"}) Post(id, "k");
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_EQ(Take(), id);
    EXPECT_THAT(queue_.TakeWakes(), IsEmpty()) << id;
    Done(Verdict::Sent);
  }
  EXPECT_EQ(Take(), "");
  EXPECT_THAT(queue_.TakeWakes(), ElementsAre("k"));
  EXPECT_THAT(queue_.TakeWakes(), IsEmpty());
}

TEST_F(Queue, A_wake_does_not_wait_for_another_systems_mail) {
  Post("a", "k");
  Post("b", "other");
  Take();
  Done(Verdict::Sent);
  EXPECT_EQ(Take(), "b");
  EXPECT_THAT(queue_.TakeWakes(), ElementsAre("k"));
}

TEST_F(Queue, Slow_mails_are_reported_after_a_second) {
  for (const char* id : {"a", "b", "c", "d"}) Post(id, "k");
  Take();
  Done(Verdict::Sent);
  EXPECT_EQ(Take(), "b");
  EXPECT_THAT(queue_.TakeWakes(), IsEmpty());
  Advance(1s);
  Done(Verdict::Sent);
  EXPECT_EQ(Take(), "c");
  EXPECT_THAT(queue_.TakeWakes(), ElementsAre("k"));
  Done(Verdict::Sent);
  EXPECT_EQ(Take(), "d");
  EXPECT_THAT(queue_.TakeWakes(), IsEmpty()) << "another second";
}

// A namespace whose ledgers are written slowly, or not at all.
TEST_F(WindowOfFour, A_slow_namespace_leaves_the_others_half_of_the_window) {
  for (int n = 0; n < 20; ++n) Post("slow-" + std::to_string(n), "system:slow/x");
  int others = 0;
  for (int second = 0; second < 60; ++second, Advance(1s)) {
    Post("other-" + std::to_string(second), "system:other/x");
    for (std::string id; !(id = Take()).empty();) {
      if (id.starts_with("other")) ++others;
      Done(Verdict::Sent);
    }
    queue_.Acknowledge("system:other/x", queue_.Outcomes("system:other/x"));
  }
  EXPECT_EQ(others, 60) << "each within its second";
  EXPECT_THAT(queue_.Outcomes("system:slow/x"), testing::SizeIs(4)) << "two each half minute";
}

TEST_F(WindowOfFour, A_namespace_alone_takes_the_whole_window) {
  for (int n = 0; n < 20; ++n) Post(std::to_string(n), "system:alone/x");
  int sent = 0;
  for (; !Take().empty(); ++sent) Done(Verdict::Sent);
  EXPECT_EQ(sent, 4);
}

TEST_F(SettlingQueue, A_full_window_wakes_the_system_of_its_mails) {
  for (const char* id : {"a", "b", "c", "d"}) Post(id, "k");
  for (int n = 0; n < 3; ++n) {
    Take();
    EXPECT_THAT(queue_.TakeWakes(), IsEmpty());
    Done(Verdict::Sent);
  }
  EXPECT_EQ(Take(), "");
  EXPECT_THAT(queue_.TakeWakes(), ElementsAre("k"));
}

TEST_F(Queue, A_stop_wakes_the_system_of_the_mails_before_it) {
  Post("a", "k");
  Post("b", "k");
  Take();
  Done(Verdict::Sent);
  Take();
  EXPECT_THAT(queue_.TakeWakes(), IsEmpty());
  Done(Verdict::Stopped, "");
  EXPECT_THAT(queue_.TakeWakes(), ElementsAre("k"));
}

TEST_F(Queue, Outcomes_without_a_question_go_after_a_day) {
  Post("a", "gone");
  Take();
  Done(Verdict::Sent);
  for (int hour = 0; hour < 26; ++hour) {
    Advance(1h);
    EXPECT_EQ(Take(), "");
  }
  EXPECT_THAT(Kinds("gone"), IsEmpty());
}

// Else what was sent would be sent again.
TEST_F(Queue, Outcomes_stay_for_a_system_that_asks_for_them) {
  Post("a", "k");
  Take();
  Done(Verdict::Sent);
  for (int hour = 0; hour < 24 * 7; ++hour) {
    Advance(1h);
    EXPECT_EQ(Take(), "");
    if (hour % 12 != 0) continue;
    EXPECT_THAT(Kinds("k"), ElementsAre(Kind::Sent)) << hour;
  }
  EXPECT_FALSE(Post("a", "k"));
}

TEST_F(Queue, Outcomes_stay_when_the_wall_clock_is_set_forward) {
  Post("a", "k");
  Take();
  Done(Verdict::Sent);
  now_.wall += std::chrono::days{3};
  now_.steady += 2min;
  EXPECT_EQ(Take(), "");
  EXPECT_THAT(Kinds("k"), ElementsAre(Kind::Sent));
}

TEST_F(Queue, A_stop_leaves_the_mail_that_is_sent_as_it_was) {
  Post("a");
  EXPECT_EQ(Take(), "a");
  Done(Verdict::Stopped, "");
  EXPECT_EQ(Take(), "a");
  EXPECT_THAT(Kinds(), IsEmpty());
}

TEST_F(Queue, Only_certificates_that_are_attached_are_kept_in_memory) {
  queue_.Post("k", SomeNotice(NoticeKind::Held, "held"), now_);
  queue_.Post("k", SomeNotice(NoticeKind::Expiring, "expiring"), now_);
  const auto held = std::get<MailQueue::Send>(queue_.Next(now_)).notice;
  EXPECT_EQ(held.active.pem, "");
  EXPECT_NE(held.inactive->pem, "");
  Done(Verdict::Sent);
  EXPECT_EQ(std::get<MailQueue::Send>(queue_.Next(now_)).notice.active.pem, "");
}

}  // namespace
}  // namespace certpair::notify
