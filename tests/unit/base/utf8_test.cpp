#include "base/utf8.hpp"

#include <string>

#include <gtest/gtest.h>

namespace certpair {
namespace {

TEST(CutUtf8, Cuts_between_characters_and_to_the_size_that_was_asked_for) {
  const struct {
    std::string text;
    std::size_t bytes;
    std::string cut;
  } rows[] = {{"abc", 3, "abc"}, {"abc", 2, "ab"}, {"aé", 2, "a"},      {"a€b", 3, "a"},
              {"a€b", 4, "a€"},  {"😀", 3, ""},    {"\x80\x80", 1, ""}, {"", 0, ""}};
  for (const auto& row : rows) EXPECT_EQ(CutUtf8(row.text, row.bytes), row.cut) << row.text;
}

TEST(FirstCodePoint, Reads_the_smallest_and_largest_of_each_length) {
  const struct {
    std::string_view text;
    char32_t value;
  } rows[] = {{"\x01", 0x1},
              {"\x7F", 0x7F},
              {"\xC2\x80", 0x80},
              {"\xDF\xBF", 0x7FF},
              {"\xE0\xA0\x80", 0x800},
              {"\xED\x9F\xBF", 0xD7FF},
              {"\xEE\x80\x80", 0xE000},
              {"\xEF\xBF\xBF", 0xFFFF},
              {"\xF0\x90\x80\x80", 0x10000},
              {"\xF4\x8F\xBF\xBF", 0x10FFFF}};
  for (const auto& row : rows) {
    const CodePoint first = FirstCodePoint(std::string{row.text} + "x");
    EXPECT_TRUE(first.valid) << std::hex << static_cast<unsigned>(row.value);
    EXPECT_EQ(first.value, row.value);
    EXPECT_EQ(first.size, row.text.size());
  }
  EXPECT_TRUE(FirstCodePoint(std::string_view{"\0", 1}).valid) << "U+0000 is a character";
}

TEST(FirstCodePoint, Malformed_sequences_are_invalid_octet_by_octet) {
  const std::string_view rows[] = {"\x80",              // a continuation octet alone
                                   "\xBF\xBF",          //
                                   "\xC0\x80",          // overlong U+0000
                                   "\xC1\xBF",          // overlong U+007F
                                   "\xE0\x80\x80",      // overlong in three octets
                                   "\xE0\x9F\xBF",      // overlong U+07FF
                                   "\xF0\x80\x80\x80",  // overlong in four octets
                                   "\xF0\x8F\xBF\xBF",  // overlong U+FFFF
                                   "\xED\xA0\x80",      // the first surrogate
                                   "\xED\xBF\xBF",      // the last surrogate
                                   "\xF4\x90\x80\x80",  // U+110000
                                   "\xF5\x80\x80\x80",  // leads that no character has
                                   "\xFE",
                                   "\xFF",
                                   "\xC3",          // truncated
                                   "\xE2\x82",      //
                                   "\xF0\x9F\x98",  //
                                   "\xC3(",         // a continuation octet is missing
                                   "\xE2(\xAC",     //
                                   "\xF0\x9F(\x80"};
  for (std::string_view text : rows) {
    const CodePoint first = FirstCodePoint(text);
    EXPECT_FALSE(first.valid) << testing::PrintToString(text);
    EXPECT_EQ(first.size, 1U) << testing::PrintToString(text);
    EXPECT_EQ(first.value, 0xFFFDU) << testing::PrintToString(text);
  }
}

TEST(TakeCodePoint, Finds_the_next_character_after_invalid_octets) {
  std::string_view rest{"\xE2\x28\xC3\xA9"};
  EXPECT_EQ(TakeCodePoint(rest), 0xFFFDU);
  EXPECT_EQ(TakeCodePoint(rest), U'(');
  EXPECT_EQ(TakeCodePoint(rest), U'é');
  EXPECT_TRUE(rest.empty());
}

}  // namespace
}  // namespace certpair
