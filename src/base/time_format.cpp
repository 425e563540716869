#include "base/time_format.hpp"

#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

namespace certpair {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::sys_days;
using std::chrono::year_month_day;

// A cursor over text that reads fixed-width numbers and single characters.
struct Cursor {
  std::string_view rest;
  bool good = true;

  int Number(std::size_t width) {
    int value = 0;
    if (rest.size() < width) return Bad();
    for (std::size_t i = 0; i < width; ++i) {
      if (rest[i] < '0' || rest[i] > '9') return Bad();
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(width);
    return value;
  }
  bool Take(std::string_view any_of) {
    if (rest.empty() || any_of.find(rest.front()) == std::string_view::npos) return false;
    rest.remove_prefix(1);
    return true;
  }
  void Want(std::string_view any_of) {
    if (!Take(any_of)) good = false;
  }
  int Bad() {
    good = false;
    return 0;
  }
};

void AppendTwoDigits(std::string& text, unsigned value) {
  text += static_cast<char>('0' + value / 10);
  text += static_cast<char>('0' + value % 10);
}

// By hand: each pass writes several of these, and a format string costs ten times as much.
std::string FormatDateAndTime(sys_seconds time) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  const int year = static_cast<int>(date.year());
  std::string text;
  text.reserve(sizeof "YYYY-MM-DDThh:mm:ssZ");
  if (year >= 0 && year <= 9999) {
    AppendTwoDigits(text, static_cast<unsigned>(year) / 100);
    AppendTwoDigits(text, static_cast<unsigned>(year) % 100);
  } else {
    text = fmt::format("{:04}", year);
  }
  const auto append = [&text](char before, auto value) {
    text += before;
    AppendTwoDigits(text, static_cast<unsigned>(value));
  };
  append('-', static_cast<unsigned>(date.month()));
  append('-', static_cast<unsigned>(date.day()));
  append('T', clock.hours().count());
  append(':', clock.minutes().count());
  append(':', clock.seconds().count());
  return text;
}

// The offset behind a time of day: `Z` or `+hh:mm`.
seconds ReadOffset(Cursor& cursor) {
  if (cursor.Take("Zz")) return seconds{0};
  const bool east = cursor.Take("+");
  if (!east) cursor.Want("-");
  const int hours = cursor.Number(2);
  cursor.Want(":");
  const int minutes = cursor.Number(2);
  if (hours > 23 || minutes > 59) cursor.good = false;
  const seconds offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return east ? offset : -offset;
}

}  // namespace

std::string FormatTime(sys_seconds time) { return FormatDateAndTime(time) + "Z"; }

std::string FormatMicroTime(std::chrono::system_clock::time_point time) {
  const auto whole = floor<seconds>(time);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time - whole);
  return fmt::format("{}.{:06}Z", FormatDateAndTime(whole), micros.count());
}

std::optional<sys_seconds> ParseTime(std::string_view text) {
  Cursor cursor{text};
  const int year = cursor.Number(4);
  cursor.Want("-");
  const auto month = static_cast<unsigned>(cursor.Number(2));
  cursor.Want("-");
  const auto day = static_cast<unsigned>(cursor.Number(2));
  cursor.Want("Tt");
  const int hour = cursor.Number(2);
  cursor.Want(":");
  const int minute = cursor.Number(2);
  cursor.Want(":");
  const int second = cursor.Number(2);
  if (cursor.Take(".")) {
    cursor.Number(1);
    while (cursor.Take("0123456789")) {
    }
  }
  const seconds offset = ReadOffset(cursor);
  const year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                            std::chrono::day{day}};
  if (!cursor.good || !cursor.rest.empty() || !date.ok() || year < 1) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         seconds{second} - offset;
}

std::optional<seconds> ParseDuration(std::string_view text) {
  struct Unit {
    char letter;
    std::size_t digits;  // the CRDs' bound, which also keeps the sum far from overflow
    std::int64_t in_seconds;
  };
  static constexpr std::array<Unit, 3> kUnits{{{'h', 6, 3600}, {'m', 8, 60}, {'s', 9, 1}}};
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || text.front() == '-' || digits == text.size()) return std::nullopt;
    while (next_unit < kUnits.size() && kUnits.at(next_unit).letter != text[digits]) ++next_unit;
    if (next_unit == kUnits.size() || digits > kUnits.at(next_unit).digits) return std::nullopt;
    total += number * kUnits.at(next_unit++).in_seconds;
    text.remove_prefix(digits + 1);
  }
  return seconds{total};
}

std::string FormatDuration(seconds duration) {
  const std::int64_t total = duration.count();
  if (total == 0) return "0s";
  std::string text = total < 0 ? "-" : "";
  const std::int64_t size = total < 0 ? -total : total;
  const auto append = [&text](std::int64_t count, char unit) {
    text += std::to_string(count);
    text += unit;
  };
  if (size >= 3600) append(size / 3600, 'h');
  if (size % 3600 >= 60) append(size % 3600 / 60, 'm');
  if (size % 60 != 0) append(size % 60, 's');
  return text;
}

std::string DescribeDuration(seconds duration) {
  const std::int64_t total = duration.count() < 0 ? -duration.count() : duration.count();
  const auto say = [](std::int64_t count, std::string_view unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  };
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kDay = 86400;
  if (total >= 2 * kDay) return say(total / kDay, "day");
  if (total >= 2 * kHour) return say(total / kHour, "hour");
  if (total >= 2 * kMinute) return say(total / kMinute, "minute");
  return say(total, "second");
}

}  // namespace certpair
