#include "kube/store.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace certpair::kube {
namespace {

using nlohmann::json;

json Thing(const std::string& name, int value) {
  return {{"metadata", {{"namespace", "ns"}, {"name", name}}}, {"value", value}};
}

// A store of numbers; negative ones are left out. Each change is written down.
struct Numbers {
  std::vector<std::string> changes;
  Store<int> store{[](json& object) -> std::optional<int> {
                     const int value = object.at("value");
                     return value < 0 ? std::nullopt : std::optional{value};
                   },
                   [](int a, int b) { return a == b; },
                   [this](const std::string& key, const Store<int>::Value& before,
                          const Store<int>::Value& after) {
                     changes.push_back(key + ": " + Say(before) + " -> " + Say(after));
                   }};
  static std::string Say(const Store<int>::Value& value) {
    return value ? std::to_string(*value) : "none";
  }
  void List(std::vector<json> items) {
    store.BeginList();
    for (json& item : items) store.ListItem(item);
    store.FinishList();
  }
  void Put(json item) { store.Put(item); }
  void Remove(json item) { store.Remove(item); }
};

TEST(KeyOf, Names_the_namespace_if_there_is_one) {
  const struct {
    json object;
    const char* key;
  } rows[] = {
      {{{"metadata", {{"namespace", "a"}, {"name", "b"}}}}, "a/b"},
      {{{"metadata", {{"name", "b"}}}}, "b"},
      {{{"metadata", {{"namespace", ""}, {"name", "b"}}}}, "b"},
      {{{"metadata", {{"namespace", "a"}}}}, ""},
      {{{"metadata", {{"namespace", 1}, {"name", 2}}}}, ""},
      {{{"metadata", "text"}}, ""},
      {json::object(), ""},
      {json::array(), ""},
      {json("text"), ""},
  };
  for (const auto& row : rows) EXPECT_EQ(KeyOf(row.object), row.key) << row.object;
}

TEST(Store, A_list_is_swapped_in_whole_and_says_what_changed) {
  Numbers numbers;
  numbers.List({Thing("a", 1), Thing("b", 2), Thing("c", 3)});
  EXPECT_EQ(numbers.changes.size(), 3U);
  numbers.changes.clear();
  numbers.List({Thing("a", 1), Thing("b", 20), Thing("d", 4)});
  std::ranges::sort(numbers.changes);
  EXPECT_EQ(numbers.changes,
            (std::vector<std::string>{"ns/b: 2 -> 20", "ns/c: 3 -> none", "ns/d: none -> 4"}));
  EXPECT_EQ(numbers.store.Size(), 3U);
  EXPECT_EQ(numbers.store.Get("ns/c"), nullptr);
  EXPECT_EQ(*numbers.store.Get("ns/b"), 20);
}

TEST(Store, Nothing_of_an_unfinished_list_is_seen) {
  Numbers numbers;
  numbers.List({Thing("a", 1)});
  numbers.changes.clear();
  json item = Thing("b", 2);
  numbers.store.BeginList();
  numbers.store.ListItem(item);
  EXPECT_EQ(numbers.store.Size(), 1U);
  numbers.store.AbandonList();
  EXPECT_EQ(*numbers.store.Get("ns/a"), 1);
  EXPECT_TRUE(numbers.changes.empty());
  numbers.List({Thing("c", 3)});
  EXPECT_EQ(numbers.store.Get("ns/b"), nullptr) << "gathered before it was abandoned";
}

TEST(Store, Single_changes_are_told_with_what_was_before) {
  Numbers numbers;
  numbers.Put(Thing("a", 1));
  numbers.Put(Thing("a", 2));
  numbers.Remove(Thing("a", 2));
  numbers.Remove(Thing("a", 2));
  EXPECT_EQ(numbers.changes,
            (std::vector<std::string>{"ns/a: none -> 1", "ns/a: 1 -> 2", "ns/a: 2 -> none"}));
}

TEST(Store, An_object_that_turns_into_one_to_leave_out_is_removed) {
  Numbers numbers;
  numbers.Put(Thing("a", -1));
  EXPECT_TRUE(numbers.changes.empty());
  numbers.Put(Thing("a", 1));
  numbers.Put(Thing("a", -1));
  EXPECT_EQ(numbers.store.Size(), 0U);
  EXPECT_EQ(numbers.changes.back(), "ns/a: 1 -> none");
  numbers.List({Thing("a", -1), Thing("b", 2)});
  EXPECT_EQ(numbers.store.All().size(), 1U);
}

TEST(Store, A_change_may_be_looked_up_while_it_is_told) {
  Store<int>* reached = nullptr;
  int found = 0;
  Store<int> store{[](json& object) { return std::optional<int>{object.at("value")}; },
                   [](int, int) { return false; },
                   [&](const std::string& key, const auto&, const auto&) {
                     if (const auto value = reached->Get(key)) found = *value;
                   }};
  reached = &store;
  json item = Thing("a", 7);
  store.Put(item);
  EXPECT_EQ(found, 7);
}

}  // namespace
}  // namespace certpair::kube
