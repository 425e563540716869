#include "kube/list_parser.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace certpair::kube {
namespace {

using nlohmann::json;
using testing::ElementsAre;

json Item(const std::string& name) {
  return {
      {"kind", "Thing"},
      {"metadata", {{"name", name}, {"managedFields", {{{"manager", "kubectl"}}}}, {"uid", "u"}}},
      {"spec", {{"items", {{{"metadata", {{"managedFields", "kept"}}}}}}}}};
}

TEST(ListParser, Hands_out_each_item_and_the_pages_metadata) {
  const json list{{"kind", "ThingList"},
                  {"items", {Item("a"), Item("b")}},
                  {"metadata", {{"resourceVersion", "7"}, {"continue", "more"}}}};
  std::vector<json> items;
  const auto page = ParseList(list.dump(), [&](json& item) { items.push_back(std::move(item)); });
  ASSERT_TRUE(page);
  EXPECT_EQ(page->resource_version, "7");
  EXPECT_EQ(page->continue_token, "more");
  ASSERT_EQ(items.size(), 2U);
  json expected = Item("b");
  expected["metadata"].erase("managedFields");
  EXPECT_EQ(items[1], expected) << "only the item's own managedFields go";
}

TEST(ListParser, The_order_of_fields_does_not_matter) {
  int items = 0;
  const auto count = [&](json&) { ++items; };
  EXPECT_TRUE(ParseList(R"({"items":[{"a":1}],"metadata":{"resourceVersion":"1"}})", count));
  EXPECT_TRUE(ParseList(R"({"metadata":{"resourceVersion":"1"},"items":[{"a":1}]})", count));
  EXPECT_EQ(items, 2);
}

TEST(ListParser, Empty_lists_are_lists) {
  const auto none = [](json&) { ADD_FAILURE(); };
  EXPECT_TRUE(ParseList(R"({"metadata":{},"items":[]})", none));
  EXPECT_TRUE(ParseList(R"({"metadata":{},"items":null})", none));  // as Go writes a nil slice
}

TEST(ListParser, Objects_of_other_arrays_are_no_items) {
  int items = 0;
  EXPECT_TRUE(ParseList(R"({"others":[{"x":1}],"metadata":{"items":[{"y":1}]},"items":[{"z":1}]})",
                        [&](json& item) {
                          ++items;
                          EXPECT_TRUE(item.contains("z"));
                        }));
  EXPECT_EQ(items, 1);
}

TEST(ListParser, What_is_no_list_is_nothing) {
  for (const char* body :
       {"", "{", "[]", "null", "7", "{}", R"({"items":[]})", R"({"metadata":{}})",
        R"({"metadata":{},"items":{}})", R"({"metadata":[],"items":[]})",
        R"({"metadata":{},"items":[{"a":1},)", R"({"metadata":{},"items":[]} trailing)"})
    EXPECT_FALSE(ParseList(body, [](json&) {})) << body;
}

TEST(ListParser, Text_of_any_kind_in_items_is_harmless) {
  int objects = 0;
  EXPECT_TRUE(
      ParseList(R"({"metadata":{},"items":[1,"two",null,[{"deep":1}],{"a":{"b":{"c":{}}}}]})",
                [&](json&) { ++objects; }));
  EXPECT_EQ(objects, 1);
}

}  // namespace
}  // namespace certpair::kube
