#include "text.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "table.hpp"
#include "yaml.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;

TEST(Escaped, Nothing_that_acts_upon_a_terminal_or_misleads_the_eye_is_left) {
  const std::pair<std::string, std::string> cases[] = {
      {"abap-prod", "abap-prod"},
      {"Größe 日本 ✓", "Größe 日本 ✓"},
      {"\x1b[2J", "\\u{001B}[2J"},
      {"a\nb", "a\\u{000A}b"},
      {"a\x7f", "a\\u{007F}"},
      {"a\xc2\x9b", "a\\u{009B}"},  // CSI as one character
      {"a\xe2\x80\xae"
       "b",
       "a\\u{202E}b"},                  // right-to-left override
      {"a\xe2\x81\xa6", "a\\u{2066}"},  // isolate
      {"a\xe2\x80\x8b", "a\\u{200B}"},  // zero width
      {"a\xd8\x9c", "a\\u{061C}"},      // Arabic letter mark
      {"a\xff", "a\\xFF"},
      {"\xc0\x80", "\\xC0\\x80"},           // overlong
      {"\xed\xa0\x80", "\\xED\\xA0\\x80"},  // surrogate
      {"\xe2\x80", "\\xE2\\x80"},           // cut off
  };
  for (const auto& [text, safe] : cases) EXPECT_EQ(Escaped(text), safe);
  EXPECT_EQ(Escaped("a\nb", true), "a\nb");
}

TEST(WidthOf, Counts_columns) {
  EXPECT_EQ(WidthOf("abc"), 3U);
  EXPECT_EQ(WidthOf("ö"), 1U);
  EXPECT_EQ(WidthOf("日本"), 4U);
  EXPECT_EQ(WidthOf("e\xcc\x81"), 1U);
}

TEST(ParsePeriod, Knows_days_weeks_and_years_beside_Gos_units) {
  using std::chrono::hours;
  EXPECT_EQ(ParsePeriod("30d"), hours{720});
  EXPECT_EQ(ParsePeriod("2w"), hours{336});
  EXPECT_EQ(ParsePeriod("3y"), hours{3 * 8760});
  EXPECT_EQ(ParsePeriod("1y30d"), hours{8760 + 720});
  EXPECT_EQ(ParsePeriod("1h30m"), seconds{5400});
  for (const char* bad : {"", "30", "d", "-1d", "1d1y", "1d1d", "1 d", "1x", "99999999999y",
                          "1001y", "99999999999999999999s"})
    EXPECT_FALSE(ParsePeriod(bad)) << bad;
}

TEST(Relative, Says_before_and_after) {
  const sys_seconds now{seconds{1'000'000}};
  EXPECT_EQ(Relative(now, now), "now");
  EXPECT_EQ(Relative(now + std::chrono::days{29}, now), "in 29 days");
  EXPECT_EQ(Relative(now - std::chrono::minutes{12}, now), "12 minutes ago");
}

TEST(WithShortFingerprints, Shortens_whole_ones_alone) {
  std::string whole;
  for (int i = 0; i < 32; ++i) whole += i == 0 ? "AB" : ":AB";
  EXPECT_EQ(WithShortFingerprints("The " + whole + " ends"), "The AB:AB:AB:AB… ends");
  EXPECT_EQ(WithShortFingerprints("AB:CD is short"), "AB:CD is short");
}

TEST(Table, Aligns_by_what_is_seen_and_leaves_no_space_at_the_end) {
  std::string out;
  const Console console{.out = [&](std::string_view text) { out += text; }, .err = {}, .ask = {}};
  Table table{{"A", "B"}};
  table.Add({{"日本"}, {"x"}});
  table.Add({{"y"}, {""}});
  table.Print(console);
  EXPECT_EQ(out, "A      B\n日本   x\ny      -\n");
}

TEST(Table, Colours_only_where_they_are_wanted) {
  std::string out;
  Console console{.out = [&](std::string_view text) { out += text; }, .err = {}, .ask = {}};
  Table table{{"A"}};
  table.Add({{"x", Tint::Bad}});
  table.Print(console);
  EXPECT_EQ(out, "A\nx\n");
  console.colour = true;
  table.Print(console);
  EXPECT_THAT(out, testing::HasSubstr("\x1b[31mx\x1b[0m"));
}

TEST(Yaml, What_is_written_is_read_back_the_same) {
  const json values[] = {
      {{"a", "true"}, {"b", "1"}, {"c", ""}, {"d", "null"}, {"e", "on"}, {"f", "1e3"}},
      {{"list", {1, 2.5, true, nullptr, "text"}},
       {"empty", json::array()},
       {"map", json::object()}},
      {{"pem", "-----BEGIN X-----\nab\n-----END X-----\n"}, {"no end", "a\nb"}, {"two", "a\n\n"}},
      {{"odd key: #", "a: b # c"}, {"dash", "- x"}, {"space", " x "}, {"quote", "\"'"}},
      {{"esc", "a\x1b[0m"}, {"uni", "日本"}},
      json::array({json::array({1}), json::object({{"k", json::array({json::object()})}})})};
  for (const json& value : values) {
    const auto read = ParseYaml(ToYaml(value));
    ASSERT_TRUE(read) << ToYaml(value);
    ASSERT_EQ(read->size(), 1U);
    EXPECT_EQ(read->front(), value) << ToYaml(value);
  }
}

TEST(Yaml, What_is_none_is_refused_by_its_line) {
  EXPECT_FALSE(ParseYaml("a: [1"));
  EXPECT_FALSE(ParseYaml(std::string(300, '[')));
  EXPECT_TRUE(ParseYaml("")->empty());
  EXPECT_EQ(ParseYaml("a: 1\n---\n---\nb: 2")->size(), 2U);
}

}  // namespace
}  // namespace certpair::plugin
