// What the caches tell of watched namespaces whose lists are in, are not, or may not be read.
#include "reconcile/caches.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>

#include <gmock/gmock.h>

#include "support/manual_clock.hpp"
#include "unit/kube/fake_transport.hpp"

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

// An API server whose lists a test sets and forbids; its watches are quiet.
class Lists {
 public:
  explicit Lists(FakeTransport& transport) {
    transport.send = [this](const kube::HttpRequest& request, const std::stop_token&) {
      return AnswerTo(request.path.substr(0, request.path.find('?')));
    };
  }
  void Set(const std::string& path, Json items) {
    const std::lock_guard lock{mutex_};
    items_[path] = std::move(items);
  }
  // Whatever path has `part` in it.
  void Forbid(const std::string& part) {
    const std::lock_guard lock{mutex_};
    forbidden_.insert(part);
  }
  void ForbidExactly(const std::string& path) {
    const std::lock_guard lock{mutex_};
    items_[path] = nullptr;
  }
  void AllowAll() {
    const std::lock_guard lock{mutex_};
    forbidden_.clear();
  }
  bool AwaitRefusals(const std::string& part, int times) {
    std::unique_lock lock{mutex_};
    return asked_.wait_for(lock, kPatience, [&] { return refused_[part] >= times; });
  }

 private:
  kube::ApiResult<kube::HttpResponse> AnswerTo(const std::string& path) {
    const std::lock_guard lock{mutex_};
    for (const std::string& part : forbidden_) {
      if (path.find(part) == std::string::npos) continue;
      ++refused_[part];
      asked_.notify_all();
      return kube::StatusAnswer(403, "Forbidden");
    }
    const auto found = items_.find(path);
    if (found != items_.end() && found->second.is_null())
      return kube::StatusAnswer(403, "Forbidden");
    return kube::Answer(200, {{"kind", "List"},
                              {"apiVersion", "v1"},
                              {"metadata", {{"resourceVersion", "1"}}},
                              {"items", found == items_.end() ? Json::array() : found->second}});
  }
  std::mutex mutex_;
  std::condition_variable asked_;
  std::map<std::string, Json> items_;
  std::set<std::string> forbidden_;
  std::map<std::string, int> refused_;
};

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
  void Start() {
    caches.emplace(
        client, clock,
        CacheSettings{.own_namespace = "certpair-system", .watch_namespaces = {"here", "gone"}},
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
  Lists lists{*transport};
  kube::Client client{transport, clock};
  Guarded<std::set<std::string>> told;
  std::optional<Caches> caches;
};

TEST_F(CachesTest, A_watched_namespace_that_is_not_there_holds_up_nobody) {
  SetNamespaces({"here"});
  lists.Forbid("/namespaces/gone/");
  Start();
  ASSERT_TRUE(WaitForSync());
  EXPECT_THAT(caches->Sync().awaited, IsEmpty());
  EXPECT_THAT(caches->Sync().left_aside, ElementsAre(HasSubstr("namespace gone is not there")));
  EXPECT_TRUE(AwaitTold({"here/abap", "here/never-made"}));
}

TEST_F(CachesTest, And_is_told_of_once_its_lists_are_in) {
  SetNamespaces({"here"});
  lists.Forbid("/namespaces/gone/");
  Start();
  ASSERT_TRUE(WaitForSync());
  lists.AllowAll();
  EXPECT_TRUE(AwaitTold({"here/abap", "here/never-made", "gone/abap", "gone/never-made"}));
  EXPECT_THAT(caches->Sync().left_aside, IsEmpty());
}

TEST_F(CachesTest, One_of_which_a_list_is_missing_is_told_nothing_of) {
  SetNamespaces({"here"});
  lists.Forbid("/namespaces/gone/secrets");
  Start();
  ASSERT_TRUE(lists.AwaitRefusals("/namespaces/gone/secrets", 2));
  ASSERT_TRUE(WaitForSync());
  caches->TellAll();
  EXPECT_TRUE(AwaitTold({"here/abap", "here/never-made"}));
}

TEST_F(CachesTest, One_that_is_there_is_waited_for_until_it_was_refused_for_long) {
  SetNamespaces({"here", "gone"});
  lists.Forbid("/namespaces/gone/");
  ExpectLeftAsideOnceRefusedForLong();
}

TEST_F(CachesTest, So_it_is_where_namespaces_may_not_be_listed) {
  lists.Forbid("/namespaces/gone/");
  lists.ForbidExactly("/api/v1/namespaces");
  ExpectLeftAsideOnceRefusedForLong();
}

TEST_F(CachesTest, Where_all_are_refused_it_is_not_ready_for_there_is_nothing_to_serve) {
  SetNamespaces({"here", "gone"});
  lists.Forbid("/namespaces/gone/");
  lists.Forbid("/namespaces/here/");
  Start();
  ASSERT_TRUE(lists.AwaitRefusals("/namespaces/gone/", 4));
  ASSERT_TRUE(lists.AwaitRefusals("/namespaces/here/", 4));
  clock.Advance(std::chrono::minutes{10});
  EXPECT_FALSE(caches->Sync().awaited.empty());
}

// All namespaces are watched; systems of "here" are of an authority that selects it by a label.
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
    caches.emplace(
        client, clock, CacheSettings{.own_namespace = "certpair-system", .watch_namespaces = {}},
        CacheListeners{.system =
                           [this](const std::string& key, const std::string&, kube::Urgency) {
                             told.Lock()->insert(key);
                             told.NotifyAll();
                           },
                       .authority = [](const std::string&) {},
                       .observe = {}});
  }
  std::atomic<bool> watch_fails = false;
  std::atomic<int> failures = 0;
};

TEST_F(LabelsTest, Of_unknown_age_are_unknown_and_known_again_with_the_watch) {
  watch_fails = true;
  caches->Start();
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

TEST_F(LabelsTest, Of_a_namespace_that_is_too_large_are_unknown_and_it_is_named) {
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
  caches->Start();
  ASSERT_TRUE(WaitForSync());
  EXPECT_FALSE(caches->Namespace("here"));
  EXPECT_THAT(caches->Sync().unseen,
              ElementsAre(AllOf(HasSubstr("namespaces: \"here\""), HasSubstr("16 MiB"))));
}

}  // namespace
}  // namespace certpair::reconcile
