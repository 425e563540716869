#include "http/admission.hpp"

#include <gmock/gmock.h>

namespace certpair::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Seat Idle(std::uint64_t id, const char* peer) { return {.id = id, .peer = peer, .since = id}; }
Seat Answering(std::uint64_t id, const char* peer, std::size_t unsent = 0) {
  return {.id = id, .peer = peer, .answering = true, .since = id, .unsent = unsent};
}

constexpr Limits kSmall{.connections = 4, .per_address = 3, .unsent_bytes = 100};

TEST(ClosedForNewcomer, No_connection_is_closed_while_there_is_room) {
  EXPECT_FALSE(ClosedForNewcomer({}, "a", kSmall));
  EXPECT_FALSE(ClosedForNewcomer({Idle(1, "a"), Idle(2, "a"), Idle(3, "b")}, "a", kSmall));
}

TEST(ClosedForNewcomer, Is_its_own_longest_idle_at_the_limit_of_its_address) {
  EXPECT_EQ(
      ClosedForNewcomer({Idle(1, "b"), Idle(4, "a"), Idle(2, "a"), Idle(3, "a")}, "a", kSmall), 2);
  EXPECT_EQ(ClosedForNewcomer({Answering(1, "a"), Idle(3, "a"), Idle(2, "a")}, "a", kSmall), 2)
      << "one with an answer under way goes last";
  EXPECT_EQ(
      ClosedForNewcomer({Answering(2, "a"), Answering(1, "a"), Answering(3, "a")}, "a", kSmall), 1);
}

TEST(ClosedForNewcomer, Is_of_the_address_with_the_most_when_all_are_taken) {
  EXPECT_EQ(
      ClosedForNewcomer({Idle(1, "b"), Idle(2, "a"), Idle(3, "a"), Idle(4, "a")}, "c", kSmall), 2);
  EXPECT_EQ(
      ClosedForNewcomer({Idle(4, "a"), Idle(3, "b"), Idle(1, "c"), Idle(2, "d")}, "e", kSmall), 1)
      << "of equals the longest idle";
}

TEST(ClosedForAnswer, No_connection_is_closed_while_the_bytes_fit) {
  EXPECT_THAT(ClosedForAnswer({Answering(1, "a", 50), Idle(2, "a")}, 50, kSmall), IsEmpty());
  EXPECT_THAT(ClosedForAnswer({Idle(1, "a")}, 5'000, kSmall), IsEmpty());
}

TEST(ClosedForAnswer, Are_those_of_the_address_that_holds_the_most) {
  const std::vector<Seat> seats{Answering(1, "b", 20), Answering(2, "a", 30),
                                Answering(3, "a", 30)};
  EXPECT_THAT(ClosedForAnswer(seats, 40, kSmall), ElementsAre(2));
  EXPECT_THAT(ClosedForAnswer(seats, 75, kSmall), ElementsAre(2, 3));
  EXPECT_THAT(ClosedForAnswer(seats, 200, kSmall), ElementsAre(2, 3, 1));
}

}  // namespace
}  // namespace certpair::http
