#include "metrics/expiry.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace certpair::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr sys_seconds kNow{seconds{1'800'000'000}};

std::string Written(const ExpiryTable& table) {
  std::string text;
  table.Write(kNow, text);
  return text;
}

TEST(ExpiryTable, A_full_table_refuses_new_systems_and_counts_them) {
  ExpiryTable table{2, 2};
  for (const char* name : {"a", "b", "c", "c"}) table.Set("idm", name, {kNow + seconds{60}, {}});
  table.Set("idm", "a", {kNow + seconds{90}, {}});
  EXPECT_THAT(Written(table), HasSubstr("name=\"a\"} 90\n"));
  EXPECT_THAT(Written(table), Not(HasSubstr("name=\"c\"")));
  EXPECT_THAT(Written(table), HasSubstr("\ncertpair_certificate_updates_dropped_total 2\n"));
  table.Forget("idm", "b");
  table.Set("idm", "c", {kNow + seconds{60}, {}});
  EXPECT_THAT(Written(table), HasSubstr("name=\"c\"} 60\n"));
}

TEST(ExpiryTable, Two_namespaces_may_use_one_name) {
  ExpiryTable table{10, 10};
  table.Set("a", "x", {kNow + seconds{1}, {}});
  table.Set("b", "x", {kNow + seconds{2}, {}});
  EXPECT_THAT(Written(table), HasSubstr("{namespace=\"a\",name=\"x\"} 1\n"));
  EXPECT_THAT(Written(table), HasSubstr("{namespace=\"b\",name=\"x\"} 2\n"));
}

TEST(ExpiryTable, Label_values_cannot_break_out_of_their_quotes) {
  EXPECT_EQ(EscapeLabel("plain-1"), "plain-1");
  EXPECT_EQ(EscapeLabel("a\"b"), "a\\\"b");
  EXPECT_EQ(EscapeLabel("a\\b"), "a\\\\b");
  EXPECT_EQ(EscapeLabel("a\nb"), "a\\nb");
}

}  // namespace
}  // namespace certpair::metrics
