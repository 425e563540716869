// The thread around the queue, with a mailer that does as it is told.
#include "notify/outbox.hpp"

#include <deque>
#include <mutex>

#include <gmock/gmock.h>

#include "support/manual_clock.hpp"
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

constexpr auto kPatience = 30s;

// Answers Sent, or as the test says; waits where it is held.
class FakeMailer final : public Mailer {
 public:
  Delivery Send(const Letter& letter, const std::stop_token& stop) override {
    auto state = state_.Lock();
    ++state->begun;
    state_.NotifyAll();
    state.Wait(stop, [](const State& s) { return !s.held; });
    if (state->held) return {Verdict::Stopped, ""};
    state->sent.push_back(letter.to);
    state_.NotifyAll();
    if (state->answers.empty()) return {Verdict::Sent, ""};
    Delivery answer = state->answers.front();
    state->answers.pop_front();
    return answer;
  }
  void Rest() override { ++state_.Lock()->rests; }

  void Hold(bool held) {
    state_.Lock()->held = held;
    state_.NotifyAll();
  }
  void Answer(Delivery delivery) { state_.Lock()->answers.push_back(std::move(delivery)); }
  bool AwaitBegun(std::size_t count) {
    return state_.Lock().WaitUntil({}, std::chrono::steady_clock::now() + kPatience,
                                   [&](const State& s) { return s.begun >= count; });
  }
  std::vector<std::string> Sent() { return state_.Lock()->sent; }
  int Rests() { return state_.Lock()->rests; }

 private:
  struct State {
    bool held = false;
    std::size_t begun = 0;
    int rests = 0;
    std::vector<std::string> sent;
    std::deque<Delivery> answers;
  };
  Guarded<State> state_;
};

class OutboxTest : public testing::Test {
 protected:
  struct Heard {
    std::vector<std::string> woken;
    std::vector<Kind> said;
    bool leads = true;
  };
  void Start(QueueSettings queue = {}) {
    outbox_.emplace(OutboxSettings{.letterhead = SomeLetterhead(),
                                   .queue = queue,
                                   .recheck = 20ms,
                                   .keep_connection = 5ms,
                                   .grace = 100ms},
                    mailer_, clock_,
                    OutboxListeners{.wake =
                                        [this](const std::string& key) {
                                          heard_.Lock()->woken.push_back(key);
                                          heard_.NotifyAll();
                                        },
                                    .still_leading = [this] { return heard_.Lock()->leads; },
                                    .outcome =
                                        [this](Kind kind) {
                                          heard_.Lock()->said.push_back(kind);
                                          heard_.NotifyAll();
                                        }},
                    1);
  }
  bool Post(const std::string& id, const std::string& email = "a@example.com") {
    core::Notice notice = SomeNotice(NoticeKind::Expiring, id);
    notice.recipient.email = email;
    return outbox_->Post("idm/abap-prod", notice);
  }
  bool AwaitSaid(std::size_t count) {
    return heard_.Lock().WaitUntil({}, std::chrono::steady_clock::now() + kPatience,
                                   [&](const Heard& h) { return h.said.size() >= count; });
  }
  std::vector<NoticeOutcome> Outcomes() { return outbox_->Outcomes("idm/abap-prod"); }

  test::ManualClock clock_{kNow};
  FakeMailer mailer_;
  Guarded<Heard> heard_;
  std::optional<Outbox> outbox_;
};

TEST_F(OutboxTest, What_is_posted_is_composed_sent_and_told_to_its_system) {
  Start();
  EXPECT_TRUE(Post("a"));
  ASSERT_TRUE(AwaitSaid(1));
  EXPECT_THAT(mailer_.Sent(), ElementsAre("a@example.com"));
  ASSERT_EQ(Outcomes().size(), 1U);
  EXPECT_EQ(Outcomes()[0],
            (NoticeOutcome{.kind = Kind::Sent, .id = "a", .message = "", .at = kNow}));
  EXPECT_FALSE(outbox_->IsUnderWay("a"));
  EXPECT_EQ(outbox_->LastSent(), kNow);
  EXPECT_EQ(outbox_->Depth(), 0U);
  outbox_->Stop();
  EXPECT_THAT(heard_.Lock()->woken, testing::Contains("idm/abap-prod"));
}

TEST_F(OutboxTest, An_invalid_address_is_refused_and_the_next_mail_goes) {
  Start();
  Post("a", "nobody");
  Post("b", "b@example.com");
  ASSERT_TRUE(AwaitSaid(2));
  EXPECT_THAT(mailer_.Sent(), ElementsAre("b@example.com"));
  EXPECT_EQ(Outcomes()[0].kind, Kind::Refused);
  EXPECT_THAT(Outcomes()[0].message, HasSubstr("no @"));
}

TEST_F(OutboxTest, A_delayed_mail_goes_again_when_its_time_has_come) {
  mailer_.Answer({Verdict::DelayedAlone, "later"});
  Start();
  Post("a");
  ASSERT_TRUE(AwaitSaid(1));
  EXPECT_EQ(Outcomes()[0].kind, Kind::Delayed);
  clock_.Advance(2min);
  ASSERT_TRUE(AwaitSaid(2));
  EXPECT_EQ(Outcomes()[0].kind, Kind::Sent);
}

TEST_F(OutboxTest, A_process_that_does_not_lead_sends_and_keeps_nothing) {
  heard_.Lock()->leads = false;
  Start();
  Post("a");
  ASSERT_TRUE(AwaitSaid(1));
  EXPECT_THAT(heard_.Lock()->said, ElementsAre(Kind::Dropped));
  EXPECT_THAT(mailer_.Sent(), IsEmpty());
  EXPECT_THAT(Outcomes(), IsEmpty());
  heard_.Lock()->leads = true;
  EXPECT_TRUE(Post("a"));
  ASSERT_TRUE(AwaitSaid(2));
  EXPECT_THAT(mailer_.Sent(), ElementsAre("a@example.com"));
}

TEST_F(OutboxTest, What_waits_at_the_end_of_a_term_is_never_sent_by_it) {
  mailer_.Hold(true);
  Start();
  Post("a", "a@example.com");
  ASSERT_TRUE(mailer_.AwaitBegun(1));
  Post("b", "b@example.com");
  outbox_->DropAll();
  mailer_.Hold(false);
  ASSERT_TRUE(AwaitSaid(2));
  EXPECT_THAT(mailer_.Sent(), ElementsAre("a@example.com"));
  EXPECT_EQ(outbox_->Depth(), 0U);
}

TEST_F(OutboxTest, A_stop_finishes_the_mail_or_leaves_it_after_the_grace) {
  mailer_.Hold(true);
  Start();
  Post("a");
  Post("b");
  ASSERT_TRUE(mailer_.AwaitBegun(1));
  const auto begin = std::chrono::steady_clock::now();
  outbox_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  EXPECT_THAT(mailer_.Sent(), IsEmpty());
  EXPECT_TRUE(outbox_->IsUnderWay("b"));
}

TEST_F(OutboxTest, StopAndSettle_waits_for_the_ledgers_within_its_limit) {
  Start();
  Post("a");
  ASSERT_TRUE(AwaitSaid(1));
  const auto begin = std::chrono::steady_clock::now();
  std::jthread ledger{[this] { outbox_->Acknowledge("idm/abap-prod", Outcomes()); }};
  outbox_->StopAndSettle(60s);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
  EXPECT_THAT(Outcomes(), IsEmpty());
}

TEST_F(OutboxTest, A_connection_that_is_not_needed_is_left) {
  Start();
  Post("a");
  ASSERT_TRUE(AwaitSaid(1));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (mailer_.Rests() == 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  EXPECT_GE(mailer_.Rests(), 1);
}

TEST_F(OutboxTest, Many_threads_may_post_at_once_and_each_mail_goes_once) {
  Start({.in_flight = 10'000});
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([this, thread] {
        for (int n = 0; n < 50; ++n) {
          const std::string id = std::to_string(thread) + "-" + std::to_string(n);
          EXPECT_TRUE(Post(id, "n" + id + "@example.com"));
        }
      });
  }
  ASSERT_TRUE(AwaitSaid(200));
  auto sent = mailer_.Sent();
  std::ranges::sort(sent);
  EXPECT_EQ(sent.size(), 200U);
  EXPECT_EQ(std::ranges::unique(sent).begin(), sent.end());
}

}  // namespace
}  // namespace certpair::notify
