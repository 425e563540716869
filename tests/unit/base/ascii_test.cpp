#include "base/ascii.hpp"

#include <gtest/gtest.h>

namespace certpair {
namespace {

TEST(Ascii, Letters_change_their_case_and_all_else_stays) {
  EXPECT_EQ(LowerAscii("ABZ az 09 @[`{ Größe"), "abz az 09 @[`{ größe");
  std::string upper;
  for (const char c : std::string{"abz AZ 09 @[`{"}) upper += UpperAscii(c);
  EXPECT_EQ(upper, "ABZ AZ 09 @[`{");
}

TEST(Ascii, Digits_and_letters_are_those_of_ASCII_alone) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(IsAsciiDigit(c), byte >= '0' && byte <= '9') << byte;
    EXPECT_EQ(IsAsciiLetter(c), (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
        << byte;
  }
}

TEST(Ascii, White_space_is_trimmed_around_and_kept_within) {
  EXPECT_EQ(Trimmed(" \t\r\na b\n "), "a b");
  EXPECT_EQ(Trimmed(" \n"), "");
  EXPECT_EQ(Trimmed(""), "");
}

}  // namespace
}  // namespace certpair
