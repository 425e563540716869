#include "kube/watch_machine.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace certpair::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Machine = WatchMachine;

Machine Fresh() { return {Machine::Empty{}, Backoff{milliseconds{500}, seconds{30}}}; }

Machine At(Machine::State state) {
  Machine machine = Fresh();
  machine.state = std::move(state);
  return machine;
}

template <class T>
const T& In(const Machine& machine) {
  EXPECT_TRUE(std::holds_alternative<T>(machine.state)) << "in state " << machine.state.index();
  return std::get<T>(machine.state);
}

constexpr std::uint64_t kAnyBits = 77;

TEST(WatchMachine, Pages_follow_each_other_until_the_last_one_finishes_the_list) {
  Machine machine = Fresh();
  EXPECT_EQ(Step(machine, PageCame{"10", "more"}, kAnyBits), SinkCall::None);
  EXPECT_EQ(In<Machine::ListPage>(machine).continue_token, "more");
  EXPECT_EQ(Step(machine, PageCame{"10", "even more"}, kAnyBits), SinkCall::None);
  EXPECT_EQ(In<Machine::ListPage>(machine).continue_token, "even more");
  EXPECT_EQ(Step(machine, PageCame{"10", ""}, kAnyBits), SinkCall::FinishList);
  EXPECT_EQ(In<Machine::Listed>(machine).resource_version, "10");
}

TEST(WatchMachine, A_watch_starts_at_the_list_and_follows_its_events) {
  Machine machine = At(Machine::Listed{"10"});
  EXPECT_EQ(Step(machine, WatchOpens{}, kAnyBits), SinkCall::None);
  EXPECT_EQ(In<Machine::Watching>(machine).resource_version, "10");
  const struct {
    WatchEventType type;
    SinkCall call;
  } events[] = {{WatchEventType::Added, SinkCall::Put},
                {WatchEventType::Modified, SinkCall::Put},
                {WatchEventType::Deleted, SinkCall::Remove},
                {WatchEventType::Bookmark, SinkCall::None}};
  int version = 10;
  for (const auto& event : events) {
    const std::string at = std::to_string(++version);
    EXPECT_EQ(Step(machine, EventCame{event.type, at}, kAnyBits), event.call);
    EXPECT_EQ(In<Machine::Watching>(machine).resource_version, at);
  }
}

TEST(WatchMachine, An_event_without_a_version_does_not_lose_the_place) {
  Machine machine = At(Machine::Watching{"10"});
  EXPECT_EQ(Step(machine, EventCame{WatchEventType::Added, ""}, kAnyBits), SinkCall::Put);
  EXPECT_EQ(In<Machine::Watching>(machine).resource_version, "10");
}

TEST(WatchMachine, A_watch_that_ran_out_is_opened_again_at_once_where_it_was) {
  Machine machine = At(Machine::Watching{"12", true});
  EXPECT_EQ(Step(machine, WatchEnded{milliseconds{5}}, kAnyBits), SinkCall::None);
  EXPECT_EQ(In<Machine::Listed>(machine).resource_version, "12");
  machine = At(Machine::Watching{"12", false});
  Step(machine, WatchEnded{kSoundWatch}, kAnyBits);
  EXPECT_EQ(In<Machine::Listed>(machine).resource_version, "12");
}

TEST(WatchMachine, A_watch_that_ends_at_once_is_opened_with_a_delay) {
  Machine machine = At(Machine::Watching{"12", false});
  Step(machine, WatchEnded{milliseconds{5}}, kAnyBits);
  EXPECT_GE(In<Machine::Failed>(machine).delay, milliseconds{250});
  EXPECT_EQ(In<Machine::Failed>(machine).resource_version, "12");
}

// What follows a failed request, by state and kind.
TEST(WatchMachine, Each_failure_goes_on_at_the_right_place) {
  const Machine::State empty = Machine::Empty{};
  const Machine::State page = Machine::ListPage{"more"};
  const Machine::State watching = Machine::Watching{"12", true};
  const struct {
    const char* name;
    const Machine::State& from;
    ApiErrorKind kind;
    bool waits;
    const char* place;  // after the wait; "": lists anew
    SinkCall call;
  } rows[] = {
      {"410 amid the pages", page, ApiErrorKind::Gone, false, "", SinkCall::AbandonList},
      {"410 on a watch", watching, ApiErrorKind::Gone, false, "", SinkCall::None},
      {"cut watch", watching, ApiErrorKind::Transport, true, "12", SinkCall::None},
      {"silent watch", watching, ApiErrorKind::Timeout, true, "12", SinkCall::None},
      {"watch throttled", watching, ApiErrorKind::Throttled, true, "12", SinkCall::None},
      {"watch forbidden", watching, ApiErrorKind::Forbidden, true, "12", SinkCall::None},
      {"watch unauthorized", watching, ApiErrorKind::Unauthorized, true, "12", SinkCall::None},
      {"garbage in a watch", watching, ApiErrorKind::Protocol, true, "12", SinkCall::None},
      {"a version that is refused", watching, ApiErrorKind::Invalid, true, "", SinkCall::None},
      {"the CRD went away", watching, ApiErrorKind::NoSuchResource, true, "", SinkCall::None},
      {"no CRD yet", empty, ApiErrorKind::NoSuchResource, true, "", SinkCall::AbandonList},
      {"list forbidden", empty, ApiErrorKind::Forbidden, true, "", SinkCall::AbandonList},
      {"list cut amid the pages", page, ApiErrorKind::Transport, true, "", SinkCall::AbandonList},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Machine machine = At(row.from);
    EXPECT_EQ(Step(machine, RequestFailed{row.kind, {}}, kAnyBits), row.call);
    ASSERT_EQ(std::holds_alternative<Machine::Failed>(machine.state), row.waits);
    if (!row.waits) {
      In<Machine::Empty>(machine);
      continue;
    }
    EXPECT_GE(In<Machine::Failed>(machine).delay, milliseconds{250});
    Step(machine, WaitOver{}, kAnyBits);
    if (*row.place) {
      EXPECT_EQ(In<Machine::Listed>(machine).resource_version, row.place);
    } else {
      In<Machine::Empty>(machine);
    }
  }
}

TEST(WatchMachine, A_list_without_a_version_is_not_watched_from_anywhere) {
  Machine machine = Fresh();
  EXPECT_EQ(Step(machine, PageCame{"", ""}, kAnyBits), SinkCall::AbandonList);
  EXPECT_EQ(In<Machine::Failed>(machine).resource_version, "");
}

TEST(WatchMachine, Delays_double_from_half_a_second_to_half_a_minute) {
  Machine machine = Fresh();
  milliseconds whole{500};
  for (int i = 0; i < 12; ++i) {
    Step(machine, RequestFailed{ApiErrorKind::Server, {}}, kAnyBits * 31U);
    const auto delay = In<Machine::Failed>(machine).delay;
    EXPECT_GE(delay, whole / 2);
    EXPECT_LE(delay, whole);
    whole = std::min<milliseconds>(whole * 2, seconds{30});
    Step(machine, WaitOver{}, kAnyBits);
  }
}

TEST(WatchMachine, A_list_that_succeeds_starts_the_delays_anew) {
  Machine machine = Fresh();
  for (int i = 0; i < 5; ++i) {
    Step(machine, RequestFailed{ApiErrorKind::Server, {}}, kAnyBits);
    Step(machine, WaitOver{}, kAnyBits);
  }
  Step(machine, PageCame{"7", ""}, kAnyBits);
  EXPECT_EQ(machine.backoff.Failures(), 0);
}

TEST(WatchMachine, A_watch_that_brought_something_starts_the_delays_anew) {
  Machine machine = At(Machine::Listed{"7"});
  for (int i = 0; i < 5; ++i) {
    Step(machine, WatchOpens{}, kAnyBits);
    Step(machine, RequestFailed{ApiErrorKind::Transport, {}}, kAnyBits);
    Step(machine, WaitOver{}, kAnyBits);
  }
  EXPECT_EQ(machine.backoff.Failures(), 5);
  Step(machine, WatchOpens{}, kAnyBits);
  EXPECT_EQ(machine.backoff.Failures(), 5) << "opening alone is no sign of health";
  Step(machine, EventCame{WatchEventType::Bookmark, "8"}, kAnyBits);
  EXPECT_EQ(machine.backoff.Failures(), 0);
}

TEST(WatchMachine, Retry_After_is_honoured_within_reason) {
  const struct {
    milliseconds asked, least, most;
  } rows[] = {{milliseconds{1}, milliseconds{250}, milliseconds{500}},
              {seconds{20}, seconds{20}, seconds{20}},
              {std::chrono::hours{9000}, kLongestRetryAfter, kLongestRetryAfter}};
  for (const auto& row : rows) {
    Machine machine = Fresh();
    Step(machine, RequestFailed{ApiErrorKind::Throttled, row.asked}, kAnyBits);
    EXPECT_GE(In<Machine::Failed>(machine).delay, row.least);
    EXPECT_LE(In<Machine::Failed>(machine).delay, row.most);
  }
}

TEST(WatchMachine, A_watch_that_is_always_too_old_does_not_list_in_a_loop) {
  Machine machine = Fresh();
  milliseconds waited{0};
  for (int lists = 0; lists < 20; ++lists) {
    if (std::holds_alternative<Machine::Failed>(machine.state)) {
      waited += In<Machine::Failed>(machine).delay;
      Step(machine, WaitOver{}, kAnyBits);
    }
    ASSERT_EQ(Step(machine, PageCame{"7", ""}, kAnyBits), SinkCall::FinishList);
    Step(machine, WatchOpens{}, kAnyBits);
    Step(machine, RequestFailed{ApiErrorKind::Gone, {}}, kAnyBits);
  }
  EXPECT_GT(waited, std::chrono::minutes{3});
}

TEST(WatchMachine, Input_that_does_not_fit_the_state_changes_nothing) {
  Machine machine = At(Machine::Listed{"7"});
  EXPECT_EQ(Step(machine, PageCame{"9", ""}, kAnyBits), SinkCall::None);
  EXPECT_EQ(Step(machine, EventCame{WatchEventType::Added, "9"}, kAnyBits), SinkCall::None);
  EXPECT_EQ(Step(machine, WatchEnded{}, kAnyBits), SinkCall::None);
  EXPECT_EQ(Step(machine, WaitOver{}, kAnyBits), SinkCall::None);
  EXPECT_EQ(In<Machine::Listed>(machine).resource_version, "7");
  machine = At(Machine::Failed{seconds{1}, "7"});
  EXPECT_EQ(Step(machine, RequestFailed{ApiErrorKind::Gone, {}}, kAnyBits), SinkCall::None);
  EXPECT_EQ(In<Machine::Failed>(machine).resource_version, "7");
  EXPECT_EQ(Step(machine, WatchOpens{}, kAnyBits), SinkCall::None);
  In<Machine::Failed>(machine);
}

TEST(WatchMachine, Watches_end_spread_over_five_to_ten_minutes) {
  seconds least{9999};
  seconds most{0};
  for (std::uint64_t bits = 0; bits < 5000; ++bits) {
    least = std::min(least, WatchTimeout(bits * 0x9E3779B97F4A7C15ULL));
    most = std::max(most, WatchTimeout(bits * 0x9E3779B97F4A7C15ULL));
  }
  EXPECT_EQ(least, seconds{300});
  EXPECT_EQ(most, seconds{600});
}

TEST(WatchMachine, A_page_too_large_halves_the_limit_which_grows_again) {
  Machine machine = Fresh();
  for (const int limit : {250, 125, 62, 31, 15, 7, 3, 1, 1}) {
    EXPECT_EQ(Step(machine, PageTooLarge{}, kAnyBits), SinkCall::None);
    EXPECT_EQ(machine.limit, limit);
    In<Machine::Empty>(machine);
  }
  std::vector<int> limits;
  for (int page = 0; page < 30; ++page) {
    limits.push_back(machine.limit);
    Step(machine, PageCame{"10", "more"}, kAnyBits);
  }
  EXPECT_EQ(limits, (std::vector<int>{1,  1,   1,   2,   2,   2,   4,   4,   4,   8,
                                      8,  8,   16,  16,  16,  32,  32,  32,  64,  64,
                                      64, 128, 128, 128, 256, 256, 256, 500, 500, 500}));
  EXPECT_EQ(Step(machine, PageTooLarge{}, kAnyBits), SinkCall::None);
  EXPECT_EQ(In<Machine::ListPage>(machine).continue_token, "more") << "the same page again";
}

TEST(WatchMachine, A_page_that_takes_too_long_is_halved_too) {
  Machine machine = At(Machine::ListPage{"more"});
  EXPECT_EQ(Step(machine, RequestFailed{ApiErrorKind::Timeout, {}}, kAnyBits),
            SinkCall::AbandonList);
  EXPECT_EQ(machine.limit, 250);
  machine.state = Machine::Watching{"10"};
  Step(machine, RequestFailed{ApiErrorKind::Timeout, {}}, kAnyBits);
  EXPECT_EQ(machine.limit, 250) << "a watch has no pages";
}

TEST(WatchMachine, A_watch_without_progress_is_given_up_for_a_list) {
  const struct {
    ApiErrorKind kind;
    int failures_before_list;
  } rows[] = {{ApiErrorKind::TooLarge, 1},  {ApiErrorKind::Protocol, 2},
              {ApiErrorKind::Timeout, 2},   {ApiErrorKind::Transport, 8},
              {ApiErrorKind::Forbidden, 8}, {ApiErrorKind::Server, 8}};
  for (const auto& [kind, failures_before_list] : rows) {
    Machine machine = At(Machine::Listed{"10"});
    int failures = 0;
    while (!std::holds_alternative<Machine::Empty>(machine.state) && failures < 100) {
      Step(machine, WatchOpens{}, kAnyBits);
      Step(machine, RequestFailed{kind, {}}, kAnyBits);
      ++failures;
      EXPECT_GE(In<Machine::Failed>(machine).delay, milliseconds{250}) << "never without a pause";
      Step(machine, WaitOver{}, kAnyBits);
    }
    EXPECT_EQ(failures, failures_before_list) << ToString(kind);
    Step(machine, PageCame{"20", ""}, kAnyBits);
    EXPECT_EQ(machine.backoff.Failures(), failures) << "a list alone is no sign of health";
  }
}

TEST(WatchMachine, Empty_watches_in_a_row_are_given_up_for_a_list) {
  Machine machine = At(Machine::Listed{"10"});
  int ends = 0;
  for (; !std::holds_alternative<Machine::Empty>(machine.state) && ends < 100; ++ends) {
    Step(machine, WatchOpens{}, kAnyBits);
    Step(machine, WatchEnded{milliseconds{5}}, kAnyBits);
    Step(machine, WaitOver{}, kAnyBits);
  }
  EXPECT_EQ(ends, kFailuresBeforeList);
}

}  // namespace
}  // namespace certpair::kube
