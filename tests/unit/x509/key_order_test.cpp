#include "x509/key_order.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace certpair::x509 {
namespace {

constexpr sys_seconds kNow{seconds{1'800'000'000}};
constexpr KeyLimits kNoBound{.of_group = 100'000};

std::string NameOf(const std::string& group, int n) { return group + "/" + std::to_string(n); }
std::string GroupOf(const std::string& owner) { return owner.substr(0, owner.find('/')); }

void AskFirst(KeyOrder& order, const std::string& owner) {
  order.Ask(owner, GroupOf(owner), std::nullopt);
}
void AskRenewal(KeyOrder& order, const std::string& owner, seconds left) {
  order.Ask(owner, GroupOf(owner), kNow + left);
}

std::vector<std::string> TakeAll(KeyOrder& order) {
  std::vector<std::string> owners;
  while (const auto owner = order.Next()) owners.push_back(*owner);
  return owners;
}

using Owners = std::vector<std::string>;

TEST(KeyOrder, Within_a_group_the_certificate_that_ends_first_goes_first) {
  KeyOrder order;
  AskFirst(order, "a/new");
  AskRenewal(order, "a/later", seconds{60});
  AskRenewal(order, "a/soon", seconds{20});
  AskRenewal(order, "a/ended", seconds{-5});
  EXPECT_EQ(TakeAll(order), (Owners{"a/ended", "a/soon", "a/later", "a/new"}));
}

TEST(KeyOrder, First_issues_come_in_the_order_in_which_they_were_asked_for) {
  KeyOrder order;
  for (const char* owner : {"a/d", "a/a", "a/c", "a/a"}) AskFirst(order, owner);
  EXPECT_EQ(TakeAll(order), (Owners{"a/d", "a/a", "a/c"}));
}

TEST(KeyOrder, Groups_take_turns_however_many_keys_one_wants) {
  KeyOrder order{kNoBound};
  for (int n = 0; n < 1000; ++n) AskFirst(order, NameOf("loud", n));
  for (int n = 0; n < 10; ++n) ASSERT_EQ(order.Next(), NameOf("loud", n));
  AskFirst(order, "quiet/0");
  EXPECT_EQ(order.Next(), "quiet/0");
  EXPECT_EQ(order.Next(), "loud/10");
}

TEST(KeyOrder, A_renewal_goes_before_first_issues_of_all_groups) {
  KeyOrder order;
  for (int n = 0; n < 20; ++n) AskFirst(order, NameOf("loud", n));
  AskRenewal(order, "quiet/0", std::chrono::hours{24});
  EXPECT_EQ(order.Next(), "quiet/0");
}

// A group that asks for certificates of two minutes can always need one sooner than another group.
TEST(KeyOrder, Needing_keys_sooner_gives_a_group_no_more_of_them) {
  KeyOrder order{kNoBound};
  for (int n = 0; n < 1000; ++n) AskRenewal(order, NameOf("loud", n), seconds{n % 60});
  ASSERT_EQ(order.Next(), "loud/0");
  AskRenewal(order, "quiet/0", std::chrono::hours{24});
  EXPECT_EQ(order.Next(), "quiet/0");
}

TEST(KeyOrder, Within_a_round_the_certificate_that_ends_first_goes_first) {
  KeyOrder order;
  for (int n = 0; n < 2; ++n) {
    AskRenewal(order, NameOf("a", n), seconds{300});
    AskRenewal(order, NameOf("b", n), seconds{100});
    AskRenewal(order, NameOf("c", n), seconds{200});
  }
  EXPECT_EQ(TakeAll(order), (Owners{"b/0", "c/0", "a/0", "b/1", "c/1", "a/1"}));
}

TEST(KeyOrder, A_group_that_comes_and_goes_gets_one_key_a_round) {
  KeyOrder order;
  for (int n = 0; n < 20; ++n)
    for (const char* group : {"a", "b"}) AskRenewal(order, NameOf(group, n), std::chrono::hours{1});
  std::map<std::string, int> made;
  for (int n = 0; n < 30; ++n) {
    AskRenewal(order, "busy/0", seconds{1});
    const std::string owner = *order.Next();
    ++made[GroupOf(owner)];
    order.Leave(owner);
  }
  for (const auto& [group, count] : made) EXPECT_EQ(count, 10) << group;
}

TEST(KeyOrder, Of_five_keys_one_is_a_first_issue) {
  KeyOrder order{kNoBound};
  for (int n = 0; n < 100; ++n) AskRenewal(order, NameOf("a", n), seconds{n});
  for (int n = 0; n < 3; ++n) AskFirst(order, NameOf("b", n));
  std::vector<int> places;
  for (int n = 0; n < 103; ++n)
    if (GroupOf(*order.Next()) == "b") places.push_back(n);
  EXPECT_EQ(places, (std::vector{4, 9, 14}));
}

TEST(KeyOrder, Asking_again_keeps_the_place_but_for_a_sooner_end) {
  KeyOrder order;
  AskRenewal(order, "a/0", seconds{100});
  AskRenewal(order, "a/1", seconds{200});
  AskFirst(order, "a/2");
  AskRenewal(order, "a/0", seconds{300});
  EXPECT_EQ(order.Size(), 3U);
  AskRenewal(order, "a/2", seconds{50});
  EXPECT_EQ(TakeAll(order), (Owners{"a/2", "a/0", "a/1"}));
}

TEST(KeyOrder, Beyond_the_bound_an_owner_waits_outside_and_is_invited) {
  KeyOrder order{{.of_group = 2}};
  for (int n = 0; n < 4; ++n) AskRenewal(order, NameOf("a", n), seconds{90});
  AskRenewal(order, "a/soon", seconds{60});
  AskRenewal(order, "b/0", seconds{80});
  EXPECT_TRUE(order.IsInside("a/1"));
  EXPECT_FALSE(order.IsInside("a/2"));
  EXPECT_TRUE(order.IsInside("b/0")) << "another group has its own bound";
  EXPECT_EQ(TakeAll(order), (Owners{"b/0", "a/0", "a/1"}));
  EXPECT_TRUE(order.Invited().empty()) << "keys that were not taken fill the place";
  order.Leave("a/1");
  EXPECT_EQ(order.Invited(), Owners{"a/soon"});
  AskRenewal(order, "a/5", seconds{10});
  EXPECT_FALSE(order.IsInside("a/5")) << "the place is kept for the one who was invited";
  AskRenewal(order, "a/soon", seconds{60});
  EXPECT_EQ(order.Next(), "a/soon");
  order.Leave("a/0");
  EXPECT_EQ(order.Invited(), Owners{"a/5"}) << "whose certificate ends first";
  EXPECT_EQ(order.Size(), 5U);
}

TEST(KeyOrder, Renewals_of_a_group_do_not_keep_its_first_issues_outside) {
  KeyOrder order{{.of_group = 2}};
  for (int n = 0; n < 9; ++n) AskRenewal(order, NameOf("a", n), seconds{n});
  AskFirst(order, "a/new");
  EXPECT_TRUE(order.IsInside("a/new"));
}

TEST(KeyOrder, An_invitation_that_is_not_taken_up_keeps_no_place_for_ever) {
  KeyOrder order{{.of_group = 1}};
  for (int n = 0; n < 3; ++n) AskFirst(order, NameOf("a", n));
  order.Leave("a/0");
  ASSERT_EQ(order.Invited(), Owners{"a/1"});
  AskFirst(order, "a/2");  // looks again, as each waiting pass does now and then
  EXPECT_TRUE(order.IsInside("a/2"));
  AskFirst(order, "a/1");
  EXPECT_FALSE(order.IsInside("a/1"));
  order.Leave("a/2");
  EXPECT_EQ(order.Invited(), Owners{"a/1"});
  order.Leave("a/1");
  EXPECT_EQ(order.Size(), 0U);
}

TEST(KeyOrder, Who_leaves_while_outside_or_invited_passes_the_place_on) {
  KeyOrder order{{.of_group = 1}};
  for (int n = 0; n < 4; ++n) AskFirst(order, NameOf("a", n));
  order.Leave("a/2");
  EXPECT_TRUE(order.Invited().empty());
  order.Leave("a/0");
  ASSERT_EQ(order.Invited(), Owners{"a/1"});
  order.Leave("a/1");
  EXPECT_EQ(order.Invited(), Owners{"a/3"});
  order.Leave("nobody");
  EXPECT_EQ(order.Size(), 1U);
}

// Whatever the groups ask for: while a lone renewal waits, another group gets two renewals at most
// (what is left of a round in which the lone one had a key already, and one round), and a quarter
// as many first issues are made.
TEST(KeyOrder, A_lone_renewal_waits_for_two_keys_of_each_other_group) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    KeyOrder order{{.of_group = 1 + random() % 8}};
    const std::size_t groups = 1 + random() % 6;
    bool waits = false;
    std::set<std::string> renewals;  // that were asked for
    std::map<std::string, std::size_t> renewed;
    std::size_t others = 0;
    for (int step = 0; step < 3000; ++step) {
      for (auto more = random() % 4; more > 0; --more) {
        const auto owner =
            NameOf("other" + std::to_string(random() % groups), static_cast<int>(random() % 40));
        if (random() % 2 == 0) {
          AskFirst(order, owner);
        } else {
          AskRenewal(order, owner, seconds{random() % 50});
          renewals.insert(owner);
        }
      }
      if (!waits && random() % 16 == 0) {
        AskRenewal(order, "lone/0", std::chrono::hours{1});
        waits = true;
        renewed.clear();
        others = 0;
      }
      const auto owner = order.Next();
      if (!owner) continue;
      if (*owner == "lone/0")
        waits = false;
      else if (!renewals.contains(*owner))
        ++others;
      else
        ++renewed[GroupOf(*owner)];
      order.Leave(*owner);
      renewals.erase(*owner);
      for (const std::string& guest : order.Invited())
        if (random() % 4 != 0) AskFirst(order, guest);
      if (!waits) continue;
      for (const auto& [group, count] : renewed) ASSERT_LE(count, 2U) << group << ", step " << step;
      ASSERT_LE(others, 1 + 2 * groups / 4) << "step " << step;
    }
  }
}

TEST(KeyOrder, Nothing_is_lost_and_no_group_is_inside_beyond_its_bound) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random{seed};
    const std::size_t bound = 1 + random() % 5;
    KeyOrder order{{.of_group = bound}};
    std::set<std::string> wanting;
    std::set<std::string> begun;
    const auto ask = [&](const std::string& owner) {
      if (random() % 2 == 0)
        AskFirst(order, owner);
      else
        AskRenewal(order, owner, seconds{random() % 50});
      wanting.insert(owner);
    };
    const auto leave = [&](const std::string& owner) {
      order.Leave(owner);
      wanting.erase(owner);
      begun.erase(owner);
    };
    const auto check = [&] {
      std::map<std::string, std::size_t> inside;
      for (const std::string& owner : wanting) inside[GroupOf(owner)] += order.IsInside(owner);
      for (const auto& [group, count] : inside) EXPECT_LE(count, 2 * bound) << group;
      EXPECT_EQ(order.Size(), wanting.size());
    };
    for (int step = 0; step < 500; ++step) {
      const auto owner = NameOf(std::to_string(random() % 3), static_cast<int>(random() % 30));
      switch (random() % 4) {
        case 0:
        case 1:
          ask(owner);
          break;
        case 2:
          leave(owner);
          break;
        default:
          if (const auto next = order.Next()) {
            ASSERT_TRUE(wanting.contains(*next) && begun.insert(*next).second);
            if (random() % 2 == 0) leave(*next);
          }
      }
      for (const std::string& guest : order.Invited())
        if (wanting.contains(guest)) ask(guest);
      if (step % 8 == 0) check();
    }
    // From here on nobody comes: whoever wants a key gets one, woken by nothing but invitations.
    for (const std::string& owner : Owners{begun.begin(), begun.end()}) leave(owner);
    for (;;) {
      for (const std::string& guest : order.Invited()) ask(guest);
      const auto next = order.Next();
      if (!next) break;
      leave(*next);
    }
    EXPECT_TRUE(wanting.empty()) << wanting.size() << " were forgotten";
  }
}

}  // namespace
}  // namespace certpair::x509
