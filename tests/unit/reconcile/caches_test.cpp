// What the caches tell of watched namespaces whose lists are in, are not, or may not be read.
#include "reconcile/caches.hpp"

#include <atomic>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "support/manual_clock.hpp"
#include "unit/kube/forbidden_lists.hpp"

namespace certpair::reconcile {
namespace {

using kube::FakeTransport;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::json;

constexpr std::chrono::seconds kPatience{30};

Json Metadata(const std::string& name, const std::string& namespace_ = {}) {
  Json object{{"metadata", {{"name", name}, {"resourceVersion", "1"}, {"uid", name}}}};
  if (!namespace_.empty()) object["metadata"]["namespace"] = namespace_;
  return object;
}

std::string PathOf(const std::string& namespace_, const std::string& kind) {
  return "/apis/certpair.dev/v1/namespaces/" + namespace_ + "/" + kind;
}

class CachesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* home : {"here", "gone"}) {
      lists.Set(PathOf(home, "provisioningsystems"), Json::array({Metadata("abap", home)}));
      Json operation = Metadata("wish", home);
      operation["spec"] = {{"systemRef", {{"name", "never-made"}}}, {"action", "Generate"}};
      lists.Set(PathOf(home, "certificateoperations"), Json::array({operation}));
    }
  }
  void SetNamespaces(const std::vector<std::string>& names) {
    Json items = Json::array();
    for (const std::string& name : names) items.push_back(Metadata(name));
    lists.Set("/api/v1/namespaces", items);
  }
  // Empty: all namespaces are watched.
  void Start(const std::vector<std::string>& watch_namespaces = {"here", "gone"}) {
    caches.emplace(
        client, clock,
        CacheSettings{.own_namespace = "certpair-system", .watch_namespaces = watch_namespaces},
        CacheListeners{.system =
                           [this](const std::string& key, const std::string&, kube::Urgency) {
                             told.Lock()->insert(key);
                             told.NotifyAll();
                           },
                       .authority = [](const std::string&) {},
                       .observe = {}});
    caches->Start();
  }
  bool WaitForSync() const {
    std::stop_source late;
    std::jthread limit{[&late](const std::stop_token& stop) {
      Guarded<int> never;
      never.Lock().WaitUntil(stop, std::chrono::steady_clock::now() + kPatience,
                             [](int) { return false; });
      if (!stop.stop_requested()) late.request_stop();
    }};
    return caches->WaitForSync(late.get_token());
  }
  bool AwaitTold(const std::set<std::string>& keys) {
    return told.Lock().WaitUntil({}, std::chrono::steady_clock::now() + kPatience,
                                 [&](const auto& seen) { return seen == keys; });
  }

  void ExpectLeftAsideOnceRefusedForLong() {
    Start();
    ASSERT_TRUE(AwaitTold({"here/abap", "here/never-made"}));
    ASSERT_TRUE(lists.AwaitRefusals("/namespaces/gone/", 4));
    EXPECT_THAT(caches->Sync().awaited, HasSubstr(" of gone not listed yet"));
    clock.Advance(std::chrono::seconds{31});
    ASSERT_TRUE(WaitForSync());
    EXPECT_THAT(caches->Sync().left_aside, ElementsAre(HasSubstr(" of gone may not be listed")));
  }

  test::ManualClock clock{sys_seconds{std::chrono::seconds{1'000'000}}};
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  kube::ForbiddenLists lists{*transport};
  kube::Client client{transport, clock};
  Guarded<std::set<std::string>> told;
  std::optional<Caches> caches;
};

TEST_F(CachesTest, A_watched_namespace_that_is_missing_delays_no_other) {
  SetNamespaces({"here"});
  lists.Forbid("/namespaces/gone/");
  Start();
  ASSERT_TRUE(WaitForSync());
  EXPECT_THAT(caches->Sync().awaited, IsEmpty());
  EXPECT_THAT(caches->Sync().left_aside, ElementsAre(HasSubstr("namespace gone does not exist")));
  EXPECT_TRUE(AwaitTold({"here/abap", "here/never-made"}));
}

TEST_F(CachesTest, A_namespace_is_told_of_once_its_lists_are_in) {
  SetNamespaces({"here"});
  lists.Forbid("/namespaces/gone/");
  Start();
  ASSERT_TRUE(WaitForSync());
  lists.AllowAll();
  EXPECT_TRUE(AwaitTold({"here/abap", "here/never-made", "gone/abap", "gone/never-made"}));
  EXPECT_THAT(caches->Sync().left_aside, IsEmpty());
}

TEST_F(CachesTest, Nothing_is_told_of_a_namespace_that_lacks_a_list) {
  SetNamespaces({"here"});
  lists.Forbid("/namespaces/gone/secrets");
  Start();
  ASSERT_TRUE(lists.AwaitRefusals("/namespaces/gone/secrets", 2));
  ASSERT_TRUE(WaitForSync());
  caches->TellAll();
  EXPECT_TRUE(AwaitTold({"here/abap", "here/never-made"}));
}

TEST_F(CachesTest, A_refused_namespace_is_awaited_for_half_a_minute) {
  SetNamespaces({"here", "gone"});
  lists.Forbid("/namespaces/gone/");
  ExpectLeftAsideOnceRefusedForLong();
}

TEST_F(CachesTest, A_refused_namespace_is_left_aside_without_namespaces) {
  lists.Forbid("/namespaces/gone/");
  lists.ForbidExactly("/api/v1/namespaces");
  ExpectLeftAsideOnceRefusedForLong();
}

TEST_F(CachesTest, Work_does_not_begin_where_all_namespaces_are_refused) {
  SetNamespaces({"here", "gone"});
  lists.Forbid("/namespaces/gone/");
  lists.Forbid("/namespaces/here/");
  Start();
  ASSERT_TRUE(lists.AwaitRefusals("/namespaces/gone/", 4));
  ASSERT_TRUE(lists.AwaitRefusals("/namespaces/here/", 4));
  clock.Advance(std::chrono::minutes{10});
  EXPECT_FALSE(caches->Sync().awaited.empty());
}

// The systems of "here" are of an authority that selects it by a label.
class LabelsTest : public CachesTest {
 protected:
  void SetUp() override {
    Json home = Metadata("here");
    home["metadata"]["labels"] = {{"team", "identity"}};
    lists.Set("/api/v1/namespaces", Json::array({home}));
    Json authority = Metadata("labelled");
    authority["spec"]["allow"] =
        Json::array({{{"namespaces", {{"selector", {{"matchLabels", {{"team", "identity"}}}}}}}}});
    lists.Set("/apis/certpair.dev/v1/certificateauthorities", Json::array({authority}));
    Json systems = Json::array();
    for (const char* name : {"labelled", "other"}) {
      Json system = Metadata(name, "here");
      system["spec"]["authorityRef"]["name"] = name;
      systems.push_back(system);
    }
    lists.Set("/apis/certpair.dev/v1/provisioningsystems", systems);
    transport->stream = [this](const kube::HttpRequest& request,
                               const FakeTransport::LineSink& on_line,
                               const std::stop_token& stop) -> kube::ApiResult<void> {
      if (request.path.starts_with("/api/v1/namespaces")) {
        if (watch_fails) {
          ++failures;
          failures.notify_all();
          return std::unexpected(kube::ApiError{kube::ApiErrorKind::Transport, 0, {}, "cut", {}});
        }
        on_line(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"2"}}})");
      }
      kube::WaitForStop(stop);
      return std::unexpected(kube::Cancelled());
    };
  }
  std::atomic<bool> watch_fails = false;
  std::atomic<int> failures = 0;
};

TEST_F(LabelsTest, Labels_of_unknown_age_are_unknown_until_the_watch_works) {
  watch_fails = true;
  Start({});
  ASSERT_TRUE(WaitForSync());
  failures.wait(0);
  ASSERT_TRUE(AwaitTold({"here/labelled", "here/other"}));
  EXPECT_TRUE(caches->Namespace("here"));
  EXPECT_THAT(caches->Sync().unseen, IsEmpty()) << "a short outage stops nothing";
  clock.Advance(kLabelsKnownFor + std::chrono::seconds{1});
  EXPECT_FALSE(caches->Namespace("here"));
  EXPECT_THAT(caches->Sync().unseen,
              Contains(AllOf(HasSubstr("namespaces: neither listed nor watched for 301 s"),
                             HasSubstr("label"), HasSubstr("cut"))));
  EXPECT_THAT(caches->Sync().awaited, IsEmpty()) << "it stays ready";
  told.Lock()->clear();
  watch_fails = false;
  EXPECT_TRUE(AwaitTold({"here/labelled"})) << "whom labels concern looks again, and no other";
  EXPECT_TRUE(caches->Namespace("here"));
  EXPECT_THAT(caches->Sync().unseen, Not(Contains(HasSubstr("namespaces:"))));
}

TEST_F(LabelsTest, Labels_of_a_namespace_that_is_too_large_are_unknown) {
  const auto lists_answer = transport->send;
  transport->send = [&](const kube::HttpRequest& request,
                        const std::stop_token& stop) -> kube::ApiResult<kube::HttpResponse> {
    if (!request.path.starts_with("/api/v1/namespaces?")) return lists_answer(request, stop);
    if (request.accept.find("as=Table") == std::string::npos)
      return std::unexpected(kube::ApiError{kube::ApiErrorKind::TooLarge, 200, {}, "large", {}});
    return kube::Answer(200, {{"kind", "Table"},
                              {"metadata", {{"resourceVersion", "1"}}},
                              {"rows", Json::array({{{"cells", {"here", "Active", "5m"}}}})}});
  };
  Start({});
  ASSERT_TRUE(WaitForSync());
  EXPECT_FALSE(caches->Namespace("here"));
  EXPECT_THAT(caches->Sync().unseen,
              ElementsAre(AllOf(HasSubstr("namespaces: \"here\""), HasSubstr("16 MiB"))));
}

}  // namespace
}  // namespace certpair::reconcile
