#include "base/plain_text.hpp"

#include <string>

#include <gtest/gtest.h>

namespace certpair {
namespace {

TEST(PlainText, Leaves_what_is_plain_in_any_script) {
  for (const char* text : {"", "a", "It ended on 2027-01-01T00:00:00Z.", "\"Grüße\" 漢字 עברית 😀"})
    EXPECT_EQ(PlainText(text), text);
}

TEST(PlainText, Has_no_control_characters) {
  EXPECT_EQ(PlainText("a\x1b[31mb\r\nc\td\x7f"
                      "e"),
            "a [31mb  c d e");
  EXPECT_EQ(PlainText(std::string("a\0b", 3)), "a b");
  EXPECT_EQ(PlainText("a\xC2\x9B"
                      "b\xE2\x80\xA8"
                      "c"),
            "a b c");  // CSI; LINE SEPARATOR
}

TEST(PlainText, Shows_what_would_mislead_the_eye) {
  // RIGHT-TO-LEFT OVERRIDE, ZERO WIDTH SPACE, FIRST STRONG ISOLATE, BOM, a TAG
  for (const char* hidden : {"\u202E", "\u200B", "\u2068", "\uFEFF", "\U000E0041"})
    EXPECT_EQ(PlainText(std::string{"a"} + hidden + "b"), "a\uFFFDb");
}

TEST(PlainText, Is_UTF_8_whatever_it_was_made_of) {
  EXPECT_EQ(PlainText("a\xFF"
                      "b"),
            "a\uFFFDb");
  EXPECT_EQ(PlainText("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(PlainText("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(PlainText("\xE2\x82"), "\uFFFD\uFFFD");            // cut
}

TEST(PlainText, Changes_nothing_the_second_time) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  const std::string once = PlainText(every + "\u202E");
  EXPECT_EQ(PlainText(once), once);
}

}  // namespace
}  // namespace certpair
