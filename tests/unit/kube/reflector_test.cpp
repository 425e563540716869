#include "kube/reflector.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kube/store.hpp"
#include "unit/kube/fake_transport.hpp"
#include "unit/kube/hand_clock.hpp"
#include "unit/kube/list_watch_server.hpp"
#include "unit/kube/sized_list_server.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Resource kThings{"test", "v1", "things", true};

ReflectorOptions Impatient() {
  ReflectorOptions options;
  options.resource = kThings;
  options.page_size = 7;
  options.backoff = Backoff{milliseconds{1}, milliseconds{2}};
  options.seed = 1;
  return options;
}

json Thing(const std::string& name, int version) {
  return {{"metadata",
           {{"namespace", "ns"}, {"name", name}, {"resourceVersion", std::to_string(version)}}}};
}

json List(const std::vector<json>& items, int version, const std::string& token = {}) {
  json list{{"kind", "ThingList"},
            {"apiVersion", "test/v1"},
            {"metadata", {{"resourceVersion", std::to_string(version)}}},
            {"items", items}};
  if (!token.empty()) list["metadata"]["continue"] = token;
  return list;
}

std::string Event(const char* type, const json& object) {
  return json{{"type", type}, {"object", object}}.dump();
}

// Names and versions as a reflector's sink is told them.
struct Versions {
  std::atomic<int> changes{0};
  Store<std::string> store{[](json& object) {
                             return std::optional<std::string>{
                                 object.at("metadata").at("resourceVersion").get<std::string>()};
                           },
                           [](const std::string& a, const std::string& b) { return a == b; },
                           [this](const auto&, const auto&, const auto&) { ++changes; }};
};

// A reflector on its thread, with answers in the order of a script; after the script, silence.
struct Scene {
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  HandClock clock;
  Client client{transport, clock};
  Versions versions;
  std::deque<ApiResult<HttpResponse>> lists;
  struct Watch {
    std::vector<std::string> lines;
    ApiResult<void> end;
  };
  std::deque<Watch> watches;
  std::stop_source played;  // the script is at its end

  Scene() {
    transport->send = [this](const HttpRequest&, const std::stop_token& stop) {
      return NextList(stop);
    };
    transport->stream = [this](const HttpRequest&, const FakeTransport::LineSink& on_line,
                               const std::stop_token& stop) { return NextWatch(on_line, stop); };
  }
  ApiResult<HttpResponse> NextList(const std::stop_token& stop) {
    if (lists.empty()) {
      AwaitStop(stop);
      return std::unexpected(Cancelled());
    }
    auto answer = std::move(lists.front());
    lists.pop_front();
    return answer;
  }
  ApiResult<void> NextWatch(const FakeTransport::LineSink& on_line, const std::stop_token& stop) {
    if (watches.empty()) {
      AwaitStop(stop);
      return std::unexpected(Cancelled());
    }
    const Watch watch = std::move(watches.front());
    watches.pop_front();
    for (const auto& line : watch.lines)
      if (!on_line(line)) return {};
    return watch.end;
  }
  void AwaitStop(const std::stop_token& stop) {
    played.request_stop();
    WaitForStop(stop);
  }
  ReflectorState Play(ReflectorOptions options = Impatient()) {
    Reflector reflector{client, clock, std::move(options), versions.store};
    std::jthread thread{[&](const std::stop_token& stop) { reflector.Run(stop); }};
    WaitForStop(played.get_token());
    thread.request_stop();
    thread.join();
    return reflector.State();
  }
  std::map<std::string, std::string> Query(std::size_t request) const {
    return QueryOf(transport->Requests().at(request).path);
  }
};

ApiError Cut() { return {ApiErrorKind::Transport, 0, {}, "the connection broke", {}}; }

TEST(Reflector, Lists_by_pages_then_watches_from_the_lists_version) {
  Scene scene;
  scene.lists = {Answer(200, List({Thing("a", 1), Thing("b", 2)}, 10, "next/+=")),
                 Answer(200, List({Thing("c", 3)}, 10))};
  const auto state = scene.Play();
  EXPECT_TRUE(state.synced);
  EXPECT_EQ(state.lists, 1U);
  EXPECT_EQ(state.last_error, "");
  EXPECT_EQ(scene.versions.store.Size(), 3U);
  EXPECT_EQ(scene.Query(0)["limit"], "7");
  EXPECT_FALSE(scene.Query(0).contains("resourceVersion")) << "the first list is a consistent one";
  EXPECT_EQ(scene.Query(1)["continue"], "next/+=");
  auto watch = scene.Query(2);
  EXPECT_EQ(watch["resourceVersion"], "10");
  EXPECT_EQ(watch["allowWatchBookmarks"], "true");
  EXPECT_GE(std::stoi(watch["timeoutSeconds"]), 300);
  EXPECT_LE(std::stoi(watch["timeoutSeconds"]), 600);
}

TEST(Reflector, A_cut_watch_goes_on_where_it_was) {
  Scene scene;
  scene.lists = {Answer(200, List({Thing("a", 1)}, 10))};
  scene.watches = {
      {{Event("ADDED", Thing("b", 11)), Event("BOOKMARK", Thing("", 15))}, std::unexpected(Cut())},
      {{Event("DELETED", Thing("a", 16))}, {}}};
  const auto state = scene.Play();
  EXPECT_EQ(scene.Query(2)["resourceVersion"], "15");
  EXPECT_EQ(scene.Query(3)["resourceVersion"], "16");
  EXPECT_EQ(state.lists, 1U);
  EXPECT_EQ(state.watch_restarts, 1U) << "a watch that ran out is no restart";
  EXPECT_EQ(scene.versions.store.Get("ns/a"), nullptr);
  EXPECT_NE(scene.versions.store.Get("ns/b"), nullptr);
}

TEST(Reflector, A_history_that_is_gone_is_answered_with_a_new_list) {
  const json expired{{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}};
  const Scene::Watch endings[] = {
      {{}, std::unexpected(ApiError{ApiErrorKind::Gone, 410, {}, "too old", {}})},
      {{Event("ERROR", expired)}, {}}};
  for (const auto& ending : endings) {
    Scene scene;
    scene.lists = {Answer(200, List({Thing("a", 1), Thing("b", 2)}, 10)),
                   Answer(200, List({Thing("a", 1), Thing("c", 20)}, 20))};
    scene.watches = {ending};
    const auto state = scene.Play();
    EXPECT_EQ(state.lists, 2U);
    EXPECT_EQ(scene.versions.store.Get("ns/b"), nullptr);
    EXPECT_EQ(scene.versions.changes, 4) << "a and b came, b went, c came; a stayed as it was";
    EXPECT_EQ(scene.Query(3)["resourceVersion"], "20");
  }
}

TEST(Reflector, Another_error_event_only_opens_the_watch_again) {
  Scene scene;
  scene.lists = {Answer(200, List({Thing("a", 1)}, 10))};
  scene.watches = {
      {{Event("MODIFIED", Thing("a", 11)),
        Event("ERROR", {{"kind", "Status"}, {"code", 500}, {"message", "etcd is busy"}}),
        Event("ADDED", Thing("never", 12))},
       {}}};
  const auto state = scene.Play();
  EXPECT_EQ(state.lists, 1U);
  EXPECT_EQ(scene.Query(2)["resourceVersion"], "11");
  EXPECT_EQ(scene.versions.store.Get("ns/never"), nullptr) << "after an error nothing is read";
  EXPECT_NE(state.last_error.find("etcd is busy"), std::string::npos);
}

TEST(Reflector, A_list_that_expires_amid_its_pages_starts_over) {
  Scene scene;
  scene.lists = {Answer(200, List({Thing("old", 1)}, 10, "next")), StatusAnswer(410, "Expired"),
                 Answer(200, List({Thing("a", 1)}, 20))};
  const auto state = scene.Play();
  EXPECT_EQ(state.lists, 1U);
  EXPECT_EQ(scene.versions.store.Size(), 1U);
  EXPECT_EQ(scene.versions.changes, 1);
  EXPECT_FALSE(scene.Query(2).contains("continue"));
}

TEST(Reflector, A_missing_right_is_said_once_a_minute_and_tried_on) {
  Scene scene;
  for (int i = 0; i < 20; ++i) scene.lists.emplace_back(StatusAnswer(403, "Forbidden"));
  testing::internal::CaptureStderr();
  const auto state = scene.Play();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(scene.transport->Requests().size(), 21U);
  EXPECT_FALSE(state.synced);
  EXPECT_NE(state.last_error, "");
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  EXPECT_NE(log.find("things"), std::string::npos) << log;
}

TEST(Reflector, What_was_wrong_is_forgotten_once_it_works) {
  Scene scene;
  scene.lists = {StatusAnswer(403, "Forbidden"), Answer(200, List({}, 10))};
  EXPECT_EQ(scene.Play().last_error, "");
}

TEST(Reflector, A_stop_request_ends_a_long_wait_a_list_and_a_watch) {
  ReflectorOptions patient = Impatient();
  patient.backoff = Backoff{std::chrono::hours{1}, std::chrono::hours{2}};
  const auto begin = std::chrono::steady_clock::now();
  {
    Scene scene;  // it fails, then waits for half an hour at least
    scene.transport->send = [&](const HttpRequest&, const std::stop_token&) {
      scene.played.request_stop();
      return ApiResult<HttpResponse>{std::unexpected(Cut())};
    };
    scene.Play(patient);
  }
  {
    Scene scene;  // the server never answers the list
    scene.Play(patient);
  }
  {
    Scene scene;  // nothing comes on the watch
    scene.lists = {Answer(200, List({}, 10))};
    scene.Play(patient);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{30});
}

TEST(Reflector, Waiting_for_the_first_list_ends_with_it_or_with_a_stop) {
  Scene scene;
  scene.lists = {Answer(200, List({}, 10))};
  Reflector reflector{scene.client, scene.clock, Impatient(), scene.versions.store};
  std::stop_source enough;
  enough.request_stop();
  EXPECT_FALSE(reflector.WaitForSync(enough.get_token()));
  std::jthread thread{[&](const std::stop_token& stop) { reflector.Run(stop); }};
  EXPECT_TRUE(reflector.WaitForSync({}));
}

// A scene whose lists come from a server of weights; pages of 16 objects and 4000 bytes.
struct WeightScene : Scene {
  explicit WeightScene(std::vector<SizedListServer::Thing> things) : server(std::move(things)) {
    transport->send = [this](const HttpRequest& request, const std::stop_token&) {
      return server.Answer(request);
    };
  }
  ReflectorState Play() {
    ReflectorOptions options = Impatient();
    options.page_size = 16;
    options.max_bytes = 4000;
    testing::internal::CaptureStderr();
    auto state = Scene::Play(options);
    log = testing::internal::GetCapturedStderr();
    return state;
  }
  std::set<std::string> Limits() const {
    std::set<std::string> limits;
    for (const auto& request : transport->Requests()) limits.insert(QueryOf(request.path)["limit"]);
    return limits;
  }
  SizedListServer server;
  std::string log;
};

TEST(Reflector, A_page_too_large_is_asked_for_again_in_halves) {
  std::vector<SizedListServer::Thing> things;
  for (int i = 0; i < 20; ++i) things.push_back({"heavy-" + std::to_string(i), 900});
  for (int i = 0; i < 300; ++i) things.push_back({"light-" + std::to_string(i), 1});
  WeightScene scene{things};
  const auto state = scene.Play();
  EXPECT_TRUE(state.synced);
  EXPECT_EQ(scene.versions.store.Size(), 320U);
  EXPECT_TRUE(state.left_out.empty());
  EXPECT_TRUE(scene.Limits().contains("16")) << "it grew again";
  EXPECT_LT(scene.transport->Requests().size(), 60U) << "one tenant does not slow the others' list";
}

TEST(Reflector, An_object_too_large_alone_is_left_out_and_named) {
  const SizedListServer::Thing big{"big", 5000};
  const SizedListServer::Thing small{"small", 10};
  const SizedListServer::Thing other{"other", 10};
  const std::vector<std::vector<SizedListServer::Thing>> lists{
      {big}, {big, small, other}, {small, big, other}, {small, other, big}};
  for (const auto& things : lists) {
    WeightScene scene{things};
    const auto state = scene.Play();
    EXPECT_TRUE(state.synced);
    EXPECT_EQ(state.lists, 1U);
    EXPECT_EQ(scene.versions.store.Size(), things.size() - 1);
    EXPECT_EQ(state.left_out, std::set<std::string>{"big"});
    EXPECT_NE(scene.log.find("left out"), std::string::npos) << scene.log;
    EXPECT_NE(scene.log.find("big"), std::string::npos) << scene.log;
  }
}

TEST(Reflector, A_list_that_begins_with_another_object_meanwhile_loses_none) {
  WeightScene scene{{{"big", 5000}, {"small", 10}}};
  scene.transport->send = [&](const HttpRequest& request, const std::stop_token&) {
    if (request.accept.find("as=Table") != std::string::npos &&
        QueryOf(request.path)["continue"].empty())
      scene.server.Set({{"at-first", 10}, {"big", 5000}, {"small", 10}});
    return scene.server.Answer(request);
  };
  const auto state = scene.Play();
  EXPECT_NE(scene.versions.store.Get("ns/at-first"), nullptr);
  EXPECT_NE(scene.versions.store.Get("ns/small"), nullptr);
  EXPECT_EQ(state.left_out, std::set<std::string>{"big"});
}

TEST(Reflector, An_object_that_was_left_out_is_taken_once_it_is_smaller) {
  WeightScene scene{{{"big", 5000}, {"small", 10}}};
  scene.watches = {{{Event("MODIFIED", Thing("big", 11))}, std::unexpected(Cut())}};
  const auto state = scene.Play();
  EXPECT_NE(scene.versions.store.Get("ns/big"), nullptr);
  EXPECT_TRUE(state.left_out.empty());
}

TEST(Reflector, A_new_list_names_only_what_it_leaves_out_itself) {
  WeightScene scene{{{"big", 5000}, {"small", 10}}};
  int watches = 0;
  scene.transport->stream = [&](const HttpRequest&, const FakeTransport::LineSink&,
                                const std::stop_token& stop) -> ApiResult<void> {
    if (++watches > 1) {
      scene.AwaitStop(stop);
      return std::unexpected(Cancelled());
    }
    scene.server.Set({{"small", 10}});
    return std::unexpected(ApiError{ApiErrorKind::Gone, 410, {}, "too old", {}});
  };
  const auto state = scene.Play();
  EXPECT_EQ(state.lists, 2U);
  EXPECT_TRUE(state.left_out.empty()) << "it was deleted meanwhile";
}

TEST(Reflector, An_event_too_large_is_answered_with_a_list) {
  WeightScene scene{{{"a", 10}, {"grows", 10}}};
  scene.transport->stream = [&](const HttpRequest& request, const FakeTransport::LineSink&,
                                const std::stop_token& stop) -> ApiResult<void> {
    if (scene.transport->Requests().size() > 2) {
      EXPECT_EQ(QueryOf(request.path)["resourceVersion"], "10");
      scene.AwaitStop(stop);
      return std::unexpected(Cancelled());
    }
    scene.server.Set({{"a", 10}, {"b", 10}, {"grows", 5000}});
    return std::unexpected(ApiError{ApiErrorKind::TooLarge, 200, {}, "a line is too long", {}});
  };
  const auto state = scene.Play();
  EXPECT_EQ(state.lists, 2U);
  EXPECT_NE(scene.versions.store.Get("ns/b"), nullptr);
  EXPECT_EQ(scene.versions.store.Get("ns/grows"), nullptr) << "its content is no longer known";
  EXPECT_EQ(state.left_out, std::set<std::string>{"grows"});
  EXPECT_FALSE(state.failing_since) << "the copy is as new as the list";
}

TEST(Reflector, Says_since_when_nothing_works) {
  Scene scene;
  scene.lists = {Answer(200, List({Thing("a", 1)}, 10))};
  scene.watches = {{{Event("BOOKMARK", Thing("", 12))}, std::unexpected(Cut())},
                   {{}, std::unexpected(Cut())}};
  const auto since = scene.clock.Steady();
  EXPECT_EQ(scene.Play().failing_since, since);

  Scene well;
  well.lists = {StatusAnswer(500, "InternalError"), Answer(200, List({}, 10))};
  EXPECT_FALSE(well.Play().failing_since);
}

TEST(Reflector, Agrees_with_a_server_that_changes_and_fails_at_every_step) {
  int compactions = 0;
  std::uint64_t lists = 0;
  testing::internal::CaptureStderr();
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto server = std::make_shared<ListWatchServer>(seed, 600);
    const HandClock clock;
    const Client client{server, clock};
    Versions versions;
    Reflector reflector{client, clock, Impatient(), versions.store};
    std::jthread thread{[&](const std::stop_token& stop) { reflector.Run(stop); }};
    ASSERT_TRUE(server->WaitUntilTold(seconds{60}));
    const auto there = server->Objects();
    EXPECT_EQ(versions.store.Size(), there.size());
    for (const auto& [name, revision] : there) {
      const auto here = versions.store.Get("ns/" + name);
      ASSERT_NE(here, nullptr) << name;
      EXPECT_EQ(*here, std::to_string(revision)) << name;
    }
    compactions += server->Compactions();
    lists += reflector.State().lists;
  }
  testing::internal::GetCapturedStderr();
  EXPECT_GT(compactions, 100) << "the test must reach what it is for";
  EXPECT_GT(lists, 60U);
}

}  // namespace
}  // namespace certpair::kube
