// Who finds a place for its mails, and who is called back.
#include "notify/mail_admission.hpp"

#include <map>

#include <gmock/gmock.h>

namespace certpair::notify {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Admission : public testing::Test {
 protected:
  MailAdmission::Usage Usage() const {
    std::size_t all = 0;
    for (const auto& [space, count] : taken_) all += count;
    return {.all = all,
            .of =
                [this](const std::string& space) {
                  const auto found = taken_.find(space);
                  return found == taken_.end() ? 0 : found->second;
                },
            .delayed = delayed_};
  }
  // As many as it may.
  std::size_t Fill(const std::string& space) {
    while (admission_.Room("system:" + space + "/x", Usage()) > 0) ++taken_[space];
    return taken_[space];
  }
  std::vector<std::string> Invited() {
    admission_.Invite(Usage());
    return admission_.TakeInvited();
  }

  std::map<std::string, std::size_t> taken_;
  std::size_t delayed_ = 0;
  MailAdmission admission_{16, 4};
};

TEST_F(Admission, A_namespace_takes_three_quarters_and_leaves_room) {
  EXPECT_EQ(admission_.Room("system:a/x", Usage()), 12U);
  EXPECT_EQ(Fill("a"), 12U);
  EXPECT_EQ(Fill("b"), 3U);
  EXPECT_EQ(Fill("c"), 1U);
  EXPECT_EQ(Fill("d"), 0U);
}

TEST_F(Admission, A_system_without_room_is_called_when_its_share_is_free) {
  Fill("a");
  EXPECT_THAT(Invited(), IsEmpty());
  taken_["a"] = 7;
  EXPECT_THAT(Invited(), IsEmpty()) << "less than half of its share";
  taken_["a"] = 6;
  EXPECT_THAT(Invited(), ElementsAre("system:a/x"));
  EXPECT_THAT(Invited(), IsEmpty()) << "once";
}

TEST_F(Admission, Namespaces_are_called_in_turn_and_as_many_as_fit) {
  Fill("a");
  for (int n = 0; n < 30; ++n) admission_.Room("system:a/" + std::to_string(n), Usage());
  Fill("b");
  Fill("c");
  taken_ = {{"a", 4}};
  const auto first = Invited();
  EXPECT_THAT(first, SizeIs(10)) << "eight of the namespace that holds four, and the others";
  EXPECT_THAT(first, testing::IsSupersetOf({"system:b/x", "system:c/x"}));
  EXPECT_THAT(Invited(), IsEmpty()) << "those that were called have not come";
  admission_.StopExpecting();
  EXPECT_THAT(Invited(), testing::Not(IsEmpty()));
}

TEST_F(Admission, Each_namespace_is_called_before_one_is_called_again) {
  for (const char* space : {"full", "b", "c"}) Fill(space);
  for (int n = 0; n < 30; ++n) admission_.Room("system:a/" + std::to_string(n), Usage());
  taken_ = {{"full", 13}};
  EXPECT_THAT(Invited(), testing::UnorderedElementsAre("system:a/0", "system:b/x", "system:c/x"));
}

TEST_F(Admission, A_system_that_lost_a_delayed_mail_is_called) {
  EXPECT_FALSE(admission_.HasTooManyDelayed(4));
  EXPECT_TRUE(admission_.HasTooManyDelayed(5));
  admission_.Evict("system:a/x");
  delayed_ = 4;
  EXPECT_THAT(Invited(), IsEmpty());
  delayed_ = 3;
  EXPECT_THAT(Invited(), ElementsAre("system:a/x"));
}

TEST_F(Admission, A_system_that_is_gone_is_not_called) {
  Fill("a");
  admission_.Forget("system:a/x");
  taken_.clear();
  EXPECT_THAT(Invited(), IsEmpty());
}

}  // namespace
}  // namespace certpair::notify
