#include "core/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(StableHash, Is_FNV_1a_of_64_bits) {
  // The published test vectors of the algorithm.
  EXPECT_EQ(StableHash(""), 0xcbf29ce484222325U);
  EXPECT_EQ(StableHash("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(StableHash("foobar"), 0x85944171f73967e8U);
}

TEST(Life, Counts_from_the_making_and_not_from_the_backdated_beginning) {
  SystemSpec spec;
  spec.validity = minutes{2};
  EXPECT_EQ(ServiceLife(spec, Made(1, kNow, minutes{2})), minutes{2});
  spec.validity = hours{8760};
  EXPECT_EQ(ServiceLife(spec, Made(1, kNow, hours{8760})), hours{8760});
}

TEST(Life, Under_a_young_authority_it_is_the_validity) {
  SystemSpec spec;
  spec.validity = minutes{2};
  Certificate young = Made(1, kNow, minutes{2});
  young.not_before = kNow;
  EXPECT_EQ(ServiceLife(spec, young), minutes{2});
}

struct Case {
  std::string name;
  seconds validity;
  std::optional<seconds> given;
  seconds life;
  seconds expected;
};
class Before : public ::testing::TestWithParam<Case> {};
TEST_P(Before, Is_as_the_table_says) {
  SystemSpec spec;
  spec.validity = GetParam().validity;
  spec.regenerate_before = GetParam().given;
  const Certificate certificate = Made(1, kNow, GetParam().life);
  EXPECT_EQ(EffectiveBefore(spec, &certificate), GetParam().expected);
}
INSTANTIATE_TEST_SUITE_P(
    R23, Before,
    ::testing::Values(
        Case{"default", hours{8760}, std::nullopt, hours{8760}, hours{336}},
        Case{"given", hours{8760}, hours{720}, hours{8760}, hours{720}},
        Case{"a_third_of_a_short_life", hours{240}, std::nullopt, hours{240}, hours{80}},
        Case{"a_third_of_two_minutes", minutes{2}, std::nullopt, minutes{2}, seconds{40}},
        Case{"a_clipped_life", hours{8760}, std::nullopt, hours{30}, hours{10}},
        // A new one has to outlast the old one: the window of a year-old certificate
        // cannot be longer than what the next one will have.
        Case{"validity_cut_since", hours{3}, std::nullopt, hours{8760}, hours{1}},
        Case{"given_close_to_the_validity", hours{10}, seconds{35'990}, hours{10}, hours{9}}),
    [](const auto& test) { return test.param.name; });

TEST(Before, Without_a_certificate_counts_for_one_of_the_whole_validity) {
  SystemSpec spec;
  EXPECT_EQ(EffectiveBefore(spec, nullptr), hours{336});
  spec.validity = minutes{3};
  EXPECT_EQ(EffectiveBefore(spec, nullptr), minutes{1});
}

TEST(StartOffset, Is_below_a_day_and_below_a_quarter_and_spreads_a_fleet) {
  std::array<int, 24> hour_of_start{};
  for (int n = 0; n < 2400; ++n) {
    const std::string uid = fmt::format("5f1c0a36-8f6e-4a55-9e0b-{:012x}", n);
    const seconds offset = StartOffset(uid, hours{336});
    ASSERT_GE(offset, seconds{0});
    ASSERT_LT(offset, hours{24});
    ASSERT_LT(StartOffset(uid, minutes{4}), minutes{1});
    ++hour_of_start.at(static_cast<std::size_t>(offset / hours{1}));
  }
  for (const int systems : hour_of_start) {
    EXPECT_GT(systems, 50);  // 100 each, were it even
    EXPECT_LT(systems, 160);
  }
}

TEST(StartOffset, Of_a_window_too_short_to_divide_is_nothing) {
  EXPECT_EQ(StartOffset("uid", seconds{3}), seconds{0});
  EXPECT_EQ(StartOffset("uid", seconds{0}), seconds{0});
}

TEST(Window, Opens_starts_and_ends_in_order) {
  SystemSpec spec;
  const Certificate certificate = Made(1, kNow);
  const Window window = RegenerationWindow("uid", spec, certificate);
  EXPECT_EQ(window.ends, certificate.not_after);
  EXPECT_EQ(window.opens, window.ends - days{14});
  EXPECT_GE(window.starts, window.opens);
  EXPECT_LT(window.starts, window.opens + days{1});
  EXPECT_EQ(window.last_quarter, window.ends - hours{84});
  EXPECT_EQ(window.lead, window.ends - minutes{5});
}

TEST(Window, Leads_by_a_twentieth_of_a_short_life) {
  SystemSpec spec;
  spec.validity = minutes{20};
  const Window window = RegenerationWindow("uid", spec, Made(1, kNow, minutes{20}));
  EXPECT_EQ(window.lead, window.ends - minutes{1});
}

TEST(Thresholds, Come_sorted_each_once_and_shorter_than_the_life) {
  SystemSpec spec;
  spec.validity = hours{400};
  spec.warn_before = {hours{72}, hours{720}, hours{336}, hours{72}, hours{400}};
  EXPECT_THAT(EffectiveThresholds(spec, Made(1, kNow, hours{400})),
              ElementsAre(hours{336}, hours{72}));
}

TEST(Thresholds, Are_a_third_of_the_life_where_all_are_too_long) {
  SystemSpec spec;
  spec.validity = minutes{3};
  spec.warn_before = {hours{720}, hours{72}};
  EXPECT_THAT(EffectiveThresholds(spec, Made(1, kNow, minutes{3})), ElementsAre(minutes{1}));
}

TEST(Thresholds, That_are_none_stay_none) {
  EXPECT_THAT(EffectiveThresholds(SystemSpec{}, Made(1, kNow)), IsEmpty());
}

TEST(Order, Is_nothing_from_an_authority_that_has_ended_or_not_begun) {
  Observation o = Fresh();
  EXPECT_TRUE(OrderNow(o.spec, o.authority, kNow));
  o.authority.chain_end = kNow;
  EXPECT_FALSE(OrderNow(o.spec, o.authority, kNow));
  o.authority.chain_end = kNow + days{1};
  o.authority.not_before = kNow + seconds{1};
  EXPECT_FALSE(OrderNow(o.spec, o.authority, kNow));
}

TEST(Order, Outlasts_by_a_tenth_of_the_validity) {
  Observation o = Fresh();
  o.spec.validity = hours{100};
  const auto order = OrderNow(o.spec, o.authority, kNow);
  EXPECT_TRUE(Outlasts(*order, Made(1, kNow - hours{10}, hours{100}), o.spec));
  EXPECT_FALSE(Outlasts(*order, Made(1, kNow - hours{10} + seconds{1}, hours{100}), o.spec));
}

}  // namespace
}  // namespace certpair::core::testing
