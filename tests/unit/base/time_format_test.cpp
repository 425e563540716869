#include "base/time_format.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace certpair {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::system_clock;

constexpr sys_seconds At(std::chrono::year_month_day date, seconds time_of_day = 0s) {
  return sys_days{date} + time_of_day;
}

TEST(TimeFormat, Writes_and_reads_metav1_Time) {
  struct Row {
    sys_seconds time;
    std::string text;
  };
  const std::vector<Row> rows{
      {At(2027y / 11 / 23, 10h), "2027-11-23T10:00:00Z"},
      {At(1970y / 1 / 1), "1970-01-01T00:00:00Z"},
      {At(1969y / 12 / 31, 23h + 59min + 59s), "1969-12-31T23:59:59Z"},
      {At(2028y / 2 / 29, 23h + 59min + 59s), "2028-02-29T23:59:59Z"},
      {At(2038y / 1 / 19, 3h + 14min + 8s), "2038-01-19T03:14:08Z"},
      {At(9999y / 12 / 31, 23h + 59min + 59s), "9999-12-31T23:59:59Z"},
      {At(1y / 1 / 1), "0001-01-01T00:00:00Z"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(FormatTime(row.time), row.text);
    EXPECT_EQ(ParseTime(row.text), row.time) << row.text;
  }
}

TEST(TimeFormat, Writes_each_day_of_a_leap_year_and_years_of_any_length) {
  for (std::chrono::sys_days day = 2028y / 1 / 1; day < std::chrono::sys_days{2029y / 1 / 1};
       day += std::chrono::days{1}) {
    const sys_seconds time = day + 9h + 8min + 7s;
    const std::chrono::year_month_day date{day};
    const std::string text = FormatTime(time);
    EXPECT_EQ(text, fmt::format("2028-{:02}-{:02}T09:08:07Z", static_cast<unsigned>(date.month()),
                                static_cast<unsigned>(date.day())));
    EXPECT_EQ(ParseTime(text), time);
  }
  EXPECT_EQ(FormatTime(At(1y / 2 / 3, 0h)), "0001-02-03T00:00:00Z");
  EXPECT_EQ(FormatTime(At(9999y / 12 / 31, 23h)), "9999-12-31T23:00:00Z");
  EXPECT_EQ(FormatTime(At(12345y / 1 / 1, 0h)), "12345-01-01T00:00:00Z");
}

TEST(TimeFormat, Writes_metav1_MicroTime_with_six_digits) {
  const system_clock::time_point whole{At(2027y / 11 / 23, 10h)};
  EXPECT_EQ(FormatMicroTime(whole), "2027-11-23T10:00:00.000000Z");
  EXPECT_EQ(FormatMicroTime(whole + 1234us), "2027-11-23T10:00:00.001234Z");
  EXPECT_EQ(FormatMicroTime(whole + 999ns), "2027-11-23T10:00:00.000000Z");
  EXPECT_EQ(FormatMicroTime(system_clock::time_point{} - 1us), "1969-12-31T23:59:59.999999Z");
}

TEST(TimeFormat, Reads_what_RFC_3339_allows) {
  const sys_seconds ten = At(2027y / 11 / 23, 10h);
  const std::vector<std::string> rows{
      "2027-11-23T10:00:00Z",          "2027-11-23t10:00:00z",      "2027-11-23T10:00:00.9Z",
      "2027-11-23T10:00:00.000000Z",   "2027-11-23T10:00:00+00:00", "2027-11-23T10:00:00-00:00",
      "2027-11-23T12:30:00+02:30",     "2027-11-23T00:00:00-10:00", "2027-11-24T09:59:00+23:59",
      "2027-11-23T10:00:00.123456789Z"};
  for (const std::string& text : rows) EXPECT_EQ(ParseTime(text), ten) << text;
}

TEST(TimeFormat, A_leap_second_is_the_first_of_the_next_minute) {
  EXPECT_EQ(ParseTime("2016-12-31T23:59:60Z"), At(2017y / 1 / 1));
}

TEST(TimeFormat, Anything_else_is_refused) {
  for (const std::string text : {"",
                                 "2027",
                                 "2027-11-23",
                                 "2027-11-23T10:00:00",
                                 "2027-11-23T10:00Z",
                                 "2027-11-23 10:00:00Z",
                                 "2027-11-23T10:00:00.Z",
                                 "2027-11-23T10:00:00,5Z",
                                 "2027-11-23T10:00:00ZZ",
                                 " 2027-11-23T10:00:00Z",
                                 "2027-11-23T10:00:00Z ",
                                 "2027-11-23T24:00:00Z",
                                 "2027-11-23T10:60:00Z",
                                 "2027-11-23T10:00:61Z",
                                 "2027-02-29T10:00:00Z",
                                 "2100-02-29T10:00:00Z",
                                 "2027-13-01T10:00:00Z",
                                 "2027-00-01T10:00:00Z",
                                 "2027-01-00T10:00:00Z",
                                 "2027-04-31T10:00:00Z",
                                 "0000-01-01T00:00:00Z",
                                 "02027-01-01T00:00:00Z",
                                 "2027-1-1T00:00:00Z",
                                 "-027-01-01T00:00:00Z",
                                 "2027-11-23T10:00:00+24:00",
                                 "2027-11-23T10:00:00+02:60",
                                 "2027-11-23T10:00:00+0200",
                                 "2027-11-23T10:00:00+02",
                                 "2027-11-23T10:00:00UTC",
                                 "2027-11-23T1a:00:00Z"})
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
}

TEST(Duration, Reads_hours_minutes_and_seconds_in_that_order) {
  struct Row {
    std::string text;
    seconds expected;
  };
  const std::vector<Row> rows{
      {"720h", 720h},
      {"1h30m", 90min},
      {"90s", 90s},
      {"2m", 2min},
      {"1h0m1s", 1h + 1s},
      {"8760h0m0s", 8760h},
      {"0s", 0s},
      {"0h", 0s},
      {"007m", 7min},
      {"999999h", 999999h},
      {"99999999m", 99999999min},
      {"999999999s", 999999999s},
      {"999999h99999999m999999999s", 999999h + 99999999min + 999999999s},
  };
  for (const Row& row : rows) EXPECT_EQ(ParseDuration(row.text), row.expected) << row.text;
}

TEST(Duration, A_number_without_a_unit_is_refused) {
  EXPECT_EQ(ParseDuration("720"), std::nullopt);
  EXPECT_EQ(ParseDuration("1h30"), std::nullopt);
}

TEST(Duration, Anything_else_is_refused) {
  for (const std::string text :
       {"",        "h",     "365d",     "1w",         "P1D",         "2 weeks",
        "1m1h",    "1s1m",  "1h1h",     "-1h",        "+1h",         "1.5h",
        "1h ",     " 1h",   "1 h",      "1H",         "1ms",         "1us",
        "1ns",     "1h-1m", "1000000h", "100000000m", "1000000000s", "99999999999999999999h",
        "1h1m1s1", "1,5h",  "0x10s",    "1h1m1sx"})
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
}

TEST(Duration, Is_written_in_the_shortest_form) {
  struct Row {
    seconds duration;
    std::string text;
  };
  const std::vector<Row> rows{
      {720h, "720h"}, {90min, "1h30m"},           {90s, "1m30s"},   {0s, "0s"},   {1h + 1s, "1h1s"},
      {59s, "59s"},   {1h + 1min + 1s, "1h1m1s"}, {-90s, "-1m30s"}, {1min, "1m"},
  };
  for (const Row& row : rows) EXPECT_EQ(FormatDuration(row.duration), row.text);
}

TEST(Duration, What_is_written_is_read_back) {
  for (seconds::rep count = 0; count < 100'000'000; count = count * 3 + 7)
    EXPECT_EQ(ParseDuration(FormatDuration(seconds{count})), seconds{count});
  EXPECT_EQ(ParseDuration(FormatDuration(999999h + 59min + 59s)), 999999h + 59min + 59s);
}

TEST(Duration, Is_told_to_people_in_the_largest_unit_of_which_there_are_two) {
  struct Row {
    seconds duration;
    std::string text;
  };
  const std::vector<Row> rows{
      {0s, "0 seconds"},     {1s, "1 second"},          {59s, "59 seconds"},
      {119s, "119 seconds"}, {120s, "2 minutes"},       {119min, "119 minutes"},
      {2h, "2 hours"},       {47h + 59min, "47 hours"}, {48h, "2 days"},
      {720h, "30 days"},     {720h - 1s, "29 days"},    {-3h, "3 hours"},
  };
  for (const Row& row : rows) EXPECT_EQ(DescribeDuration(row.duration), row.text);
}

}  // namespace
}  // namespace certpair
