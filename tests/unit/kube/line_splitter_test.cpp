#include "kube/line_splitter.hpp"

#include <vector>

#include <gmock/gmock.h>

namespace certpair::kube {
namespace {

using testing::ElementsAre;
using Verdict = LineSplitter::Verdict;

TEST(LineSplitter, Any_cut_gives_the_same_lines) {
  const std::string text = "one\ntwo\r\n\n\r\nthree\n";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      std::vector<std::string> lines;
      LineSplitter splitter(100);
      const auto keep = [&](std::string_view line) {
        lines.emplace_back(line);
        return true;
      };
      for (const auto& piece :
           {text.substr(0, first), text.substr(first, second - first), text.substr(second)})
        ASSERT_EQ(splitter.Append(piece, keep), Verdict::More);
      ASSERT_THAT(lines, ElementsAre("one", "two", "three")) << first << ' ' << second;
    }
  }
}

TEST(LineSplitter, A_line_may_be_as_long_as_the_limit_and_no_longer) {
  int lines = 0;
  const auto count = [&](std::string_view) { return ++lines > 0; };
  LineSplitter whole(3);
  EXPECT_EQ(whole.Append("abc\n", count), Verdict::More);
  EXPECT_EQ(whole.Append("abcd\n", count), Verdict::TooLong);
  LineSplitter torn(3);
  EXPECT_EQ(torn.Append("ab", count), Verdict::More);
  EXPECT_EQ(torn.Append("c", count), Verdict::More);
  EXPECT_EQ(torn.Append("d", count), Verdict::TooLong);
  EXPECT_LE(torn.Unfinished(), 3U);
  EXPECT_EQ(lines, 1);
}

TEST(LineSplitter, Leaving_leaves_the_rest) {
  LineSplitter splitter(10);
  int lines = 0;
  EXPECT_EQ(splitter.Append("a\nb\nc\n", [&](std::string_view) { return ++lines < 2; }),
            Verdict::Left);
  EXPECT_EQ(lines, 2);
}

TEST(LineSplitter, An_unfinished_line_is_not_a_line) {
  LineSplitter splitter(10);
  EXPECT_EQ(splitter.Append("abc", [](std::string_view) { return ADD_FAILURE(), true; }),
            Verdict::More);
  EXPECT_EQ(splitter.Unfinished(), 3U);
}

}  // namespace
}  // namespace certpair::kube
