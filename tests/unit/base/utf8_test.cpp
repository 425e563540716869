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

}  // namespace
}  // namespace certpair
