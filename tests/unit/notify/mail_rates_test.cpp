// Rates and fairness of the queue, with a clock that the test moves.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "notify/mail_queue.hpp"
#include "unit/notify/notices.hpp"

namespace certpair::notify {
namespace {

using namespace std::chrono_literals;
using core::NoticeKind;
using core::NoticeOutcome;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr RateSettings kUsual{.per_minute = 60, .namespace_per_hour = 600, .address_per_hour = 120};

std::string KeyOf(const std::string& space, int system) {
  return fmt::format("system:{}/{}", space, system);
}

class Rates : public testing::Test {
 protected:
  struct Sent {
    std::string space;
    std::string to;
    std::chrono::steady_clock::time_point at;
  };
  explicit Rates(const RateSettings& rates = kUsual)
      : queue_({.rates = rates, .in_flight = 50}, 1) {}

  bool Post(const std::string& key, const std::string& email,
            NoticeKind kind = NoticeKind::Renewed) {
    core::Notice notice = SomeNotice(kind, fmt::format("{:08}", next_id_++));
    notice.recipient.email = email;
    return queue_.Post(key, notice, now_);
  }
  // Sends whatever may go now, and acknowledges it.
  void SendAll() {
    while (true) {
      const auto action = queue_.Next(now_);
      const auto* send = std::get_if<MailQueue::Send>(&action);
      Acknowledge();
      if (send == nullptr) return;
      queue_.Done({verdict_, "because"}, now_);
      const std::string key = KeyOfId(send->notice.id);
      sent_.push_back(
          {key.substr(7, key.find('/') - 7), send->notice.recipient.email, now_.steady});
      Acknowledge();
    }
  }
  void Acknowledge() {
    for (const std::string& key : queue_.TakeWakes()) {
      for (const NoticeOutcome& outcome : queue_.Outcomes(key))
        if (outcome.kind == NoticeOutcome::Kind::Delayed) delayed_[key] = outcome.message;
      queue_.Acknowledge(key, queue_.Outcomes(key));
    }
  }
  std::string KeyOfId(const std::string& id) { return keys_.at(id); }
  bool PostOf(const std::string& space, int system, const std::string& email) {
    const std::string key = KeyOf(space, system);
    keys_[fmt::format("{:08}", next_id_)] = key;
    return Post(key, email);
  }
  void Advance(std::chrono::seconds by) {
    now_.steady += by;
    now_.wall += by;
  }
  // Each second, for so long.
  void Live(std::chrono::seconds time) {
    for (auto at = 0s; at < time; at += 1s, Advance(1s)) SendAll();
  }
  std::size_t CountSent(const std::string& space) const {
    return static_cast<std::size_t>(std::ranges::count(sent_, space, &Sent::space));
  }

  Instant now_{std::chrono::steady_clock::time_point{} + 1000h, kNow};
  MailQueue queue_;
  Verdict verdict_ = Verdict::Sent;
  int next_id_ = 0;
  std::map<std::string, std::string> keys_;  // by id
  std::vector<Sent> sent_;
  std::map<std::string, std::string> delayed_;  // what was said last, by system
};

class UnlimitedRates : public Rates {
 protected:
  UnlimitedRates() : Rates(RateSettings{}) {}
};

class SlowAddresses : public Rates {
 protected:
  SlowAddresses() : Rates(RateSettings{.address_per_hour = 1}) {}
};

TEST_F(Rates, One_address_gets_ten_at_once_and_then_two_a_minute) {
  for (int n = 0; n < 88; ++n) {  // two a second
    EXPECT_TRUE(PostOf("idm", n, fmt::format("anna+{}@example.com", n))) << n;
    SendAll();
    if (n % 2 == 1) Advance(1s);
  }
  EXPECT_THAT(sent_, testing::SizeIs(11));
  Live(10min);
  EXPECT_THAT(sent_, testing::SizeIs(31));
  EXPECT_EQ(delayed_.at(KeyOf("idm", 80)),
            "The recipient reached its limit of 120 mails an hour (--smtp-address-rate).");
  EXPECT_FALSE(delayed_.contains(KeyOf("idm", 5)));
}

TEST_F(Rates, One_namespace_sends_fifty_at_once_and_then_ten_a_minute) {
  for (int n = 0; n < 300; ++n) PostOf("idm", n, fmt::format("a{}@example.com", n));
  SendAll();
  EXPECT_THAT(sent_, testing::SizeIs(50));
  Live(10min);
  EXPECT_THAT(sent_, testing::SizeIs(149));
  EXPECT_EQ(delayed_.at(KeyOf("idm", 200)),
            "The namespace reached its limit of 600 mails an hour (--smtp-namespace-rate).");
}

TEST_F(Rates, The_operator_sends_sixty_in_any_minute) {
  for (int n = 0; n < 200; ++n) PostOf(std::to_string(n), 0, fmt::format("a{}@example.com", n));
  SendAll();
  EXPECT_THAT(sent_, testing::SizeIs(60));
  EXPECT_EQ(delayed_.at(KeyOf("150", 0)),
            "The operator reached its limit of 60 mails a minute (--smtp-rate).");
  Live(59s);
  EXPECT_THAT(sent_, testing::SizeIs(60));
  Live(122s);
  EXPECT_THAT(sent_, testing::SizeIs(200));
}

// All of it, in a time that a warning of three days leaves.
TEST_F(Rates, A_list_that_a_thousand_systems_warn_at_once_gets_each_mail) {
  int posted = 0;
  std::vector<int> turned_away;
  for (int n = 0; n < 1000; ++n) turned_away.push_back(n);
  auto hours = 0s;
  for (; sent_.size() < 1000 && hours < 24h; hours += 30s, Advance(30s)) {
    while (!turned_away.empty() && PostOf("idm", turned_away.back(), "list@example.com")) {
      turned_away.pop_back();
      ++posted;
    }
    SendAll();
  }
  EXPECT_EQ(sent_.size(), 1000U);
  EXPECT_LT(hours, 9h);
  std::map<std::string, int> systems;
  for (const auto& [id, key] : keys_) systems[key] = 1;
  EXPECT_EQ(systems.size(), 1000U);
}

TEST_F(UnlimitedRates, Of_0_hold_nothing_back) {
  for (int n = 0; n < 700; ++n) PostOf("idm", n, "list@example.com");
  SendAll();
  EXPECT_THAT(sent_, testing::SizeIs(700));
  EXPECT_THAT(delayed_, IsEmpty());
}

TEST_F(UnlimitedRates, A_namespace_with_one_mail_waits_for_one_of_another) {
  for (int n = 0; n < 700; ++n) PostOf("many", n, fmt::format("a{}@example.com", n));
  PostOf("few", 0, "b@example.com");
  SendAll();
  const auto place = std::ranges::find(sent_, "few", &Sent::space) - sent_.begin();
  EXPECT_LE(place, 1);
}

TEST_F(UnlimitedRates, Namespaces_take_turns) {
  for (const char* space : {"a", "b", "c"})
    for (int n = 0; n < 3; ++n) PostOf(space, n, "x@example.com");
  SendAll();
  std::vector<std::string> spaces;
  for (const Sent& sent : sent_) spaces.push_back(sent.space);
  EXPECT_THAT(spaces, ElementsAre("a", "b", "c", "a", "b", "c", "a", "b", "c"));
}

// One that lets its mails go one by one has no more turns than one with many.
TEST_F(UnlimitedRates, A_namespace_that_was_empty_goes_behind_the_others) {
  for (int n = 0; n < 10; ++n) PostOf("b", n, "x@example.com");
  std::string order;
  for (int n = 0; n < 10; ++n) {
    PostOf("a", n, "x@example.com");
    const auto action = queue_.Next(now_);
    order += KeyOfId(std::get<MailQueue::Send>(action).notice.id).at(7);
    queue_.Done({Verdict::Sent, ""}, now_);
    Acknowledge();
  }
  EXPECT_EQ(std::ranges::count(order, 'a'), 5) << order;
}

TEST_F(Rates, A_mail_that_waits_for_its_rate_holds_up_no_other) {
  for (int n = 0; n < 100; ++n) PostOf("loud", n, "victim@example.com");
  for (int n = 100; n < 105; ++n) PostOf("loud", n, fmt::format("a{}@example.com", n));
  PostOf("quiet", 0, "b@example.com");
  SendAll();
  EXPECT_EQ(CountSent("quiet"), 1U);
  EXPECT_EQ(CountSent("loud"), 15U) << "ten of the address, and those to others";
  EXPECT_FALSE(delayed_.contains(KeyOf("quiet", 0)));
}

TEST_F(Rates, Namespaces_take_turns_at_one_address) {
  for (int n = 0; n < 100; ++n) PostOf("attacker", n, "victim@example.com");
  SendAll();
  PostOf("owner", 0, "victim@example.com");
  Live(61s);
  EXPECT_EQ(CountSent("owner"), 1U) << "two tokens, one for each";
  EXPECT_EQ(CountSent("attacker"), 12U - 1U);
}

TEST_F(Rates, The_room_of_one_namespace_leaves_some_to_the_next) {
  int many = 0;
  while (PostOf("many", many, fmt::format("a{}@example.com", many))) ++many;
  EXPECT_GE(many, 700);
  EXPECT_LE(many, 800);
  int more = 0;
  while (PostOf("more", more, fmt::format("b{}@example.com", more))) ++more;
  EXPECT_GE(more, 150);
  EXPECT_GT(queue_.Room("system:one-more/x"), 10U);
  EXPECT_EQ(queue_.Room("system:many/x"), 0U);
}

TEST_F(Rates, Namespaces_that_found_no_room_are_called_in_turn) {
  int many = 0;
  while (PostOf("many", many, fmt::format("a{}@example.com", many))) ++many;
  for (int space = 0; space < 20; ++space)
    while (PostOf(fmt::format("s{}", space), 0, "c@example.com")) {
    }
  for (int n = 0; n < 50; ++n) static_cast<void>(queue_.Room(KeyOf("many", 1000 + n)));
  Live(90min);
  std::map<std::string, int> called;
  for (const std::string& key : queue_.TakeInvited()) ++called[key.substr(7, key.find('/') - 7)];
  EXPECT_GE(called.size(), 10U);
}

TEST_F(SlowAddresses, What_waits_for_a_rate_is_not_given_up_and_goes) {
  for (int n = 0; n < 200; ++n) PostOf("idm", n, "list@example.com");
  for (int hour = 0; hour < 24 * 10; ++hour, Advance(1h)) SendAll();
  EXPECT_THAT(sent_, testing::SizeIs(200));
  EXPECT_EQ(queue_.Depth(), 0U);
}

TEST_F(SlowAddresses, After_its_turn_it_is_tried_for_four_days_as_others_are) {
  PostOf("idm", 0, "list@example.com");
  PostOf("idm", 1, "list@example.com");
  SendAll();
  Advance(1h);
  verdict_ = Verdict::DelayedAlone;
  for (int hour = 0; hour < 24 * 3; ++hour, Advance(1h)) SendAll();
  EXPECT_EQ(queue_.Depth(), 1U);
  for (int hour = 0; hour < 24 * 2; ++hour, Advance(1h)) SendAll();
  EXPECT_EQ(queue_.Depth(), 0U);
}

TEST_F(SlowAddresses, A_server_that_is_away_uses_up_no_rate) {
  PostOf("idm", 0, "list@example.com");
  const auto action = queue_.Next(now_);
  ASSERT_TRUE(std::holds_alternative<MailQueue::Send>(action));
  queue_.Done({Verdict::DelayedAll, "away"}, now_);
  Advance(5min);
  SendAll();
  EXPECT_THAT(sent_, testing::SizeIs(1));
}

}  // namespace
}  // namespace certpair::notify
