// Watches that belong together: when they are listed, and what they do not see.
#include "kube/watch_set.hpp"

#include <gmock/gmock.h>

#include "kube/store.hpp"
#include "support/manual_clock.hpp"
#include "unit/kube/forbidden_lists.hpp"

namespace certpair::kube {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Resource kThings{"", "v1", "things"};
const Resource kOthers{"", "v1", "others"};

class WatchSetTest : public testing::Test {
 protected:
  struct Thing {};
  using Things = Store<Thing>;

  static std::unique_ptr<Things> NewStore() {
    return std::make_unique<Things>([](nlohmann::json&) { return Thing{}; },
                                    [](const Thing&, const Thing&) { return true; },
                                    [](const std::string&, const auto&, const auto&) {});
  }
  // Its two kinds; the second as the test needs it.
  std::unique_ptr<WatchSet> NewSet(const std::string& space, WatchSet::Watched second) {
    auto set = std::make_unique<WatchSet>(client_, clock_, space, [this] {
      ++*listed_.Lock();
      listed_.NotifyAll();
    });
    for (int n = 0; n < 2; ++n) stores_.push_back(NewStore());
    set->Watch({.options = {.resource = kThings}}, *stores_[stores_.size() - 2]);
    second.options.resource = kOthers;
    second_ = &set->Watch(std::move(second), *stores_.back());
    return set;
  }
  bool AwaitListed(int times) {
    return listed_.Lock().WaitUntil({}, std::chrono::steady_clock::now() + 30s,
                                    [times](int n) { return n >= times; });
  }
  static std::string PathOf(const std::string& space, const std::string& kind) {
    return "/api/v1/namespaces/" + space + "/" + kind;
  }

  test::ManualClock clock_{sys_seconds{1'000'000s}};
  std::shared_ptr<FakeTransport> transport_ = std::make_shared<FakeTransport>();
  ForbiddenLists lists_{*transport_};
  Client client_{transport_, clock_};
  Guarded<int> listed_{0};
  std::vector<std::unique_ptr<Things>> stores_;  // longer than the sets
  const Reflector* second_ = nullptr;
};

TEST_F(WatchSetTest, It_is_listed_once_all_needed_lists_are_in) {
  lists_.Forbid("/others");
  const auto set = NewSet("here", {});
  set->Start();
  ASSERT_TRUE(lists_.AwaitRefusals("/others", 2));
  EXPECT_FALSE(set->IsListed());
  EXPECT_THAT(set->WhyNotListed(), HasSubstr("others of here not listed yet: "));
  lists_.AllowAll();
  ASSERT_TRUE(AwaitListed(1));
  EXPECT_TRUE(set->IsListed());
  set->Stop();
  EXPECT_EQ(*listed_.Lock(), 1) << "it is called once";
}

TEST_F(WatchSetTest, A_watch_that_is_not_needed_is_not_waited_for) {
  lists_.Forbid("/others");
  const auto set = NewSet("here", {.needed = false});
  set->Start();
  EXPECT_TRUE(AwaitListed(1));
  EXPECT_TRUE(set->IsListed());
}

TEST_F(WatchSetTest, A_refusal_counts_after_half_a_minute) {
  lists_.Forbid("/others");
  const auto set = NewSet("here", {});
  set->Start();
  ASSERT_TRUE(lists_.AwaitRefusals("/others", 2));
  EXPECT_FALSE(set->WhyRefused());
  clock_.Advance(31s);
  EXPECT_THAT(set->WhyRefused().value_or(""), HasSubstr("others of here may not be listed"));
}

TEST_F(WatchSetTest, Its_states_name_kind_and_namespace) {
  const auto set = NewSet("here", {.options = {.namespace_ = "elsewhere"}});
  const auto states = set->States();
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(states[0].resource, "things");
  EXPECT_EQ(states[0].namespace_, "here");
  EXPECT_EQ(states[1].namespace_, "elsewhere") << "a watch of another namespace";
}

TEST_F(WatchSetTest, A_kind_that_is_stalled_is_said_with_its_consequence) {
  Guarded<bool> fails{true};
  transport_->stream = [&](const HttpRequest& request, const FakeTransport::LineSink& on_line,
                           const std::stop_token& stop) -> ApiResult<void> {
    if (request.path.find("/others") != std::string::npos) {
      if (*fails.Lock())
        return std::unexpected(ApiError{ApiErrorKind::Transport, 0, {}, "cut", {}});
      on_line(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"2"}}})");
    }
    WaitForStop(stop);
    return std::unexpected(Cancelled());
  };
  Guarded<int> recoveries{0};
  const auto set =
      NewSet("", {.consequence = {5min, ", and more"}, .recovered = [&](std::chrono::nanoseconds) {
                    ++*recoveries.Lock();
                    recoveries.NotifyAll();
                  }});
  set->Start();
  ASSERT_TRUE(AwaitListed(1));
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (!second_->FailingSince() && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  EXPECT_THAT(set->Unseen(), IsEmpty()) << "a short outage is no stall";
  clock_.Advance(121s);
  EXPECT_THAT(set->Unseen(),
              ElementsAre(AllOf(HasSubstr("others: neither listed nor watched for 121 s"),
                                testing::Not(HasSubstr("more")), HasSubstr("cut"))));
  clock_.Advance(180s);
  EXPECT_THAT(set->Unseen(), ElementsAre(HasSubstr("are not seen, and more: ")));
  *fails.Lock() = false;
  EXPECT_TRUE(recoveries.Lock().WaitUntil({}, std::chrono::steady_clock::now() + 30s,
                                          [](int n) { return n == 1; }));
  EXPECT_THAT(set->Unseen(), IsEmpty());
}

class SyncTest : public WatchSetTest {
 protected:
  SyncState Sync() const { return SyncOf(*cluster_, {here_.get(), gone_.get()}, exists_); }
  void Start() {
    cluster_ = NewSet("", {});
    here_ = NewSet("here", {});
    gone_ = NewSet("gone", {});
    for (WatchSet* set : {cluster_.get(), here_.get(), gone_.get()}) set->Start();
  }
  std::function<std::optional<bool>(const std::string&)> exists_ = [](const std::string&) {
    return std::optional{true};
  };
  std::unique_ptr<WatchSet> cluster_;
  std::unique_ptr<WatchSet> here_;
  std::unique_ptr<WatchSet> gone_;
};

TEST_F(SyncTest, Nothing_is_awaited_once_all_sets_are_listed) {
  Start();
  ASSERT_TRUE(AwaitListed(3));
  EXPECT_EQ(Sync().awaited, "");
  EXPECT_THAT(Sync().left_aside, IsEmpty());
}

TEST_F(SyncTest, The_cluster_is_awaited_whatever_the_namespaces_are) {
  lists_.Forbid("/api/v1/things");
  Start();
  ASSERT_TRUE(AwaitListed(2));
  ASSERT_TRUE(lists_.AwaitRefusals("/api/v1/things", 2));
  EXPECT_THAT(Sync().awaited, HasSubstr("things not listed yet"));
}

TEST_F(SyncTest, A_namespace_that_does_not_exist_is_left_aside) {
  lists_.Forbid("/namespaces/gone/");
  exists_ = [](const std::string& name) { return std::optional{name != "gone"}; };
  Start();
  ASSERT_TRUE(AwaitListed(2));
  EXPECT_EQ(Sync().awaited, "");
  EXPECT_THAT(Sync().left_aside, ElementsAre(HasSubstr("namespace gone does not exist")));
}

TEST_F(SyncTest, A_refused_namespace_is_left_aside_beside_a_listed_one) {
  lists_.Forbid("/namespaces/gone/");
  exists_ = [](const std::string&) { return std::optional<bool>{}; };
  Start();
  ASSERT_TRUE(AwaitListed(2));
  ASSERT_TRUE(lists_.AwaitRefusals("/namespaces/gone/", 4));
  EXPECT_THAT(Sync().awaited, HasSubstr(" of gone not listed yet"));
  clock_.Advance(31s);
  EXPECT_EQ(Sync().awaited, "");
  EXPECT_THAT(Sync().left_aside, ElementsAre(HasSubstr(" of gone may not be listed")));
}

TEST_F(SyncTest, Work_waits_where_every_namespace_is_refused) {
  lists_.Forbid("/namespaces/");
  Start();
  ASSERT_TRUE(AwaitListed(1));
  ASSERT_TRUE(lists_.AwaitRefusals("/namespaces/", 8));
  clock_.Advance(10min);
  EXPECT_THAT(Sync().awaited, HasSubstr("not listed yet"));
}

}  // namespace
}  // namespace certpair::kube
