#include "base/boxed.hpp"

#include <string>

#include <gmock/gmock.h>

namespace certpair {
namespace {

using Box = Boxed<std::string>;

TEST(Boxed, Is_absent_until_it_is_given_a_value_and_again_after_reset) {
  Box box;
  EXPECT_FALSE(box);
  EXPECT_FALSE(box.has_value());
  box = std::string{"a"};
  ASSERT_TRUE(box);
  EXPECT_EQ(*box, "a");
  EXPECT_EQ(box->size(), 1U);
  box.reset();
  EXPECT_FALSE(box);
  box = std::string{"b"};
  box = std::nullopt;
  EXPECT_FALSE(box);
}

TEST(Boxed, A_copy_is_a_value_of_its_own) {
  Box one{std::string{"a"}};
  Box other = one;
  *other = "b";
  EXPECT_EQ(*one, "a");
  one = other;
  *other = "c";
  EXPECT_EQ(*one, "b");
  const Box absent;
  one = absent;
  EXPECT_FALSE(one);
}

TEST(Boxed, Is_equal_where_both_are_absent_or_hold_equal_values) {
  const Box absent;
  const Box a{std::string{"a"}};
  EXPECT_EQ(absent, Box{});
  EXPECT_EQ(a, Box{std::string{"a"}});
  EXPECT_NE(a, Box{std::string{"b"}});
  EXPECT_NE(a, absent);
  EXPECT_NE(absent, a);
  EXPECT_EQ(a, std::string{"a"});
  EXPECT_NE(absent, std::string{"a"});
}

TEST(Boxed, Is_exchanged_with_an_optional) {
  const std::optional<std::string> some{"a"};
  const std::optional<std::string> none;
  EXPECT_EQ(Box{some}, std::string{"a"});
  EXPECT_FALSE(Box{none});
  EXPECT_EQ(static_cast<std::optional<std::string>>(Box{some}), some);
  EXPECT_EQ(static_cast<std::optional<std::string>>(Box{none}), none);
}

TEST(Boxed, Takes_no_more_room_than_a_pointer) { EXPECT_EQ(sizeof(Box), sizeof(void*)); }

}  // namespace
}  // namespace certpair
