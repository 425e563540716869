#include "kube/event_queue.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace certpair::kube {
namespace {

EventNote NoteOf(const std::string& namespace_, const std::string& reason) {
  EventNote note;
  note.object.namespace_ = namespace_;
  note.reason = reason;
  return note;
}

std::vector<std::string> PopAll(EventQueue& queue) {
  std::vector<std::string> reasons;
  while (const auto note = queue.Pop()) reasons.push_back(note->reason);
  return reasons;
}

TEST(EventQueue, Namespaces_take_turns_each_in_its_own_order) {
  EventQueue queue{100};
  for (const char* reason : {"a1", "a2", "a3", "a4"}) EXPECT_TRUE(queue.Push(NoteOf("a", reason)));
  for (const char* reason : {"b1", "b2"}) EXPECT_TRUE(queue.Push(NoteOf("b", reason)));
  EXPECT_EQ(PopAll(queue), (std::vector<std::string>{"a1", "b1", "a2", "b2", "a3", "a4"}));
  EXPECT_TRUE(queue.Empty());
}

TEST(EventQueue, A_namespace_may_fill_it_and_takes_no_others_room) {
  EventQueue queue{4};
  for (const char* reason : {"a1", "a2", "a3", "a4"}) EXPECT_TRUE(queue.Push(NoteOf("a", reason)));
  EXPECT_FALSE(queue.Push(NoteOf("a", "a5")));
  EXPECT_FALSE(queue.Push(NoteOf("b", "b1"))) << "a4 was dropped for it";
  EXPECT_EQ(queue.Size(), 4U);
  EXPECT_EQ(PopAll(queue), (std::vector<std::string>{"a1", "b1", "a2", "a3"}));
}

TEST(EventQueue, One_that_is_full_of_single_notes_drops_the_new_one) {
  EventQueue queue{2};
  EXPECT_TRUE(queue.Push(NoteOf("a", "a1")));
  EXPECT_TRUE(queue.Push(NoteOf("b", "b1")));
  EXPECT_FALSE(queue.Push(NoteOf("c", "c1")));
  EXPECT_EQ(PopAll(queue), (std::vector<std::string>{"a1", "b1"}));
}

}  // namespace
}  // namespace certpair::kube
