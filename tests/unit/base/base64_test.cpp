#include "base/base64.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace certpair {
namespace {

TEST(Base64, Encodes_and_decodes_the_vectors_of_RFC_4648) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : rows) {
    EXPECT_EQ(EncodeBase64(plain), encoded);
    EXPECT_EQ(DecodeBase64(encoded), plain);
  }
}

TEST(Base64, Every_octet_comes_back_at_every_length) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes) << i;
    bytes += static_cast<char>(255 - i);
  }
}

TEST(Base64, Uses_the_two_signs_of_the_standard_alphabet) {
  EXPECT_EQ(EncodeBase64("\xFB\xFF\xFE"), "+//+");
  EXPECT_EQ(DecodeBase64("+//+"), "\xFB\xFF\xFE");
}

TEST(Base64, Anything_else_is_refused) {
  for (const std::string text :
       {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm=v", "=Zm9", "Zm9v\n", "Zm9v ", " Zm9v",
        "Zm 9v", "-__-", "Zm9v====", "Zm9\x80", "Zg==="})
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  EXPECT_EQ(DecodeBase64(std::string("Zm9\0", 4)), std::nullopt);
}

TEST(Base64, Bits_that_belong_to_no_octet_must_be_zero) {
  EXPECT_EQ(DecodeBase64("Zh=="), std::nullopt);
  EXPECT_EQ(DecodeBase64("Zm9="), std::nullopt);
}

TEST(Base64Lines, Passes_over_line_ends_and_stray_bits_and_nothing_else) {
  EXPECT_EQ(DecodeBase64Lines("Zm\r\n9v\n"), "foo");
  EXPECT_EQ(DecodeBase64Lines("Zm9="), "fo") << "stray bits";
  for (const char* text : {"Zm 9v", "Zm9", "Zm\t9v", "Zg=", "Z%9v"})
    EXPECT_EQ(DecodeBase64Lines(text), std::nullopt) << text;
}

}  // namespace
}  // namespace certpair
