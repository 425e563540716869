#include "kube/events.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "kube/event_aggregation.hpp"
#include "unit/kube/fake_transport.hpp"
#include "unit/kube/hand_clock.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;
using std::chrono::minutes;

const ObjectReference kSystem{"certpair.dev/v1", "ProvisioningSystem", "idm", "abap", "uid-1"};

EventNote Issued(const std::string& message = "issued") {
  return {kSystem, EventType::Normal, "Issued", message};
}

TEST(EventAggregation, The_same_again_within_ten_minutes_is_counted_up) {
  HandClock clock;
  EventAggregation events;
  const auto first = events.Note(Issued(), clock.Now());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->count, 1U);
  EXPECT_EQ(first->namespace_, "idm");
  clock.Advance(minutes{9});
  const auto second = events.Note(Issued(), clock.Now());
  clock.Advance(minutes{9});
  const auto third = events.Note(Issued(), clock.Now());
  ASSERT_TRUE(second && third);
  EXPECT_EQ(second->count, 2U);
  EXPECT_EQ(third->count, 3U);
  EXPECT_EQ(third->name, first->name);
  EXPECT_EQ(third->first, first->first);
  EXPECT_EQ(third->last - third->first, minutes{18});
}

TEST(EventAggregation, After_the_window_it_is_a_new_Event) {
  HandClock clock;
  EventAggregation events;
  const auto first = events.Note(Issued(), clock.Now());
  clock.Advance(minutes{11});
  const auto second = events.Note(Issued(), clock.Now());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->count, 1U);
  EXPECT_NE(second->name, first->name);
}

TEST(EventAggregation, What_differs_in_anything_is_another_Event) {
  HandClock clock;
  EventAggregation events;
  EventNote other_object = Issued();
  other_object.object.uid = "uid-2";
  EventNote other_type = Issued();
  other_type.type = EventType::Warning;
  EventNote other_reason = Issued();
  other_reason.reason = "Renewed";
  std::set<std::string> names;
  for (const auto& note : {Issued(), other_object, other_type, other_reason, Issued("again")}) {
    const auto write = events.Note(note, clock.Now());
    ASSERT_TRUE(write);
    EXPECT_EQ(write->count, 1U);
    names.insert(write->name);
  }
  EXPECT_EQ(names.size(), 5U) << "names differ within one instant";
}

TEST(EventAggregation, An_object_has_a_burst_of_25_and_then_one_in_five_minutes) {
  HandClock clock;
  EventAggregation events;
  int written = 0;
  for (int i = 0; i < 100; ++i)
    written += events.Note(Issued(std::to_string(i)), clock.Now()).has_value() ? 1 : 0;
  EXPECT_EQ(written, 25);
  clock.Advance(minutes{5});
  EXPECT_TRUE(events.Note(Issued("x"), clock.Now()));
  EXPECT_FALSE(events.Note(Issued("y"), clock.Now()));
  EventNote other = Issued();
  other.object.uid = "uid-2";
  EXPECT_TRUE(events.Note(other, clock.Now())) << "each object has its own";
}

TEST(EventAggregation, Repetitions_over_the_rate_come_with_the_next_write) {
  HandClock clock;
  EventAggregation events;
  for (int i = 0; i < 40; ++i) (void)events.Note(Issued(), clock.Now());
  clock.Advance(minutes{5});
  const auto write = events.Note(Issued(), clock.Now());
  ASSERT_TRUE(write);
  EXPECT_EQ(write->count, 41U);
}

TEST(EventAggregation, A_clock_that_is_set_back_and_forth_gives_no_budget) {
  HandClock clock;
  EventAggregation events;
  for (int i = 0; i < 25; ++i) (void)events.Note(Issued(std::to_string(i)), clock.Now());
  int written = 0;
  for (int i = 0; i < 50; ++i) {
    clock.StepWall(i % 2 == 0 ? -minutes{1} : minutes{1});
    written += events.Note(Issued("late " + std::to_string(i)), clock.Now()).has_value() ? 1 : 0;
  }
  EXPECT_LE(written, 5);
}

TEST(EventAggregation, Remembers_a_bounded_number_of_objects_and_forgets_the_oldest) {
  HandClock clock;
  EventAggregation events{{.objects = 3}};
  const auto note = [](int uid) {
    EventNote it = Issued();
    it.object.uid = std::to_string(uid);
    return it;
  };
  for (int uid = 0; uid < 3; ++uid) (void)events.Note(note(uid), clock.Now());
  (void)events.Note(note(0), clock.Now());
  (void)events.Note(note(3), clock.Now());  // 1 has been silent for longest
  EXPECT_EQ(events.Objects(), 3U);
  EXPECT_EQ(events.Note(note(0), clock.Now())->count, 3U);
  EXPECT_EQ(events.Note(note(1), clock.Now())->count, 1U) << "forgotten, so new";
}

TEST(EventAggregation, Remembers_a_bounded_number_of_Events_of_an_object) {
  HandClock clock;
  EventAggregation events{{.burst = 1000, .recent = 2}};
  for (const char* message : {"a", "b", "a", "c"}) (void)events.Note(Issued(message), clock.Now());
  EXPECT_EQ(events.Note(Issued("a"), clock.Now())->count, 3U);
  EXPECT_EQ(events.Note(Issued("b"), clock.Now())->count, 1U);
}

TEST(EventAggregation, A_lost_Event_is_made_anew) {
  HandClock clock;
  EventAggregation events;
  const auto first = events.Note(Issued(), clock.Now());
  events.Lost(Issued());
  const auto second = events.Note(Issued(), clock.Now());
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->count, 1U);
  EXPECT_NE(second->name, first->name);
}

TEST(EventAggregation, Names_are_DNS_subdomains_however_long_the_objects_is) {
  HandClock clock;
  EventAggregation events;
  EventNote note = Issued();
  const std::string start(235, 'a');
  note.object.name = start + "." + std::string(15, 'b');  // the cut falls just behind the dot
  const auto write = events.Note(note, clock.Now());
  ASSERT_TRUE(write);
  EXPECT_LE(write->name.size(), 253U);
  EXPECT_TRUE(write->name.starts_with(start + ".1")) << write->name;
}

TEST(EventAggregation, An_Event_says_all_that_the_server_and_kubectl_want) {
  HandClock clock;
  EventAggregation events;
  const auto write = events.Note(Issued(), clock.Now());
  const json event = EventObject(Issued(), *write, "certpair-controller", "pod-1");
  EXPECT_EQ(event["involvedObject"], (json{{"apiVersion", "certpair.dev/v1"},
                                           {"kind", "ProvisioningSystem"},
                                           {"namespace", "idm"},
                                           {"name", "abap"},
                                           {"uid", "uid-1"}}));
  EXPECT_EQ(event["metadata"], (json{{"namespace", "idm"}, {"name", write->name}}));
  EXPECT_EQ(event["type"], "Normal");
  EXPECT_EQ(event["count"], 1);
  EXPECT_EQ(event["firstTimestamp"], event["lastTimestamp"]);
  EXPECT_EQ(event["firstTimestamp"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(event["reportingComponent"], "certpair-controller");
  EXPECT_EQ(event["reportingInstance"], "pod-1");
  EXPECT_EQ(event["source"]["component"], "certpair-controller");
  EXPECT_TRUE(write->name.starts_with("abap."));
}

TEST(EventAggregation, Events_of_cluster_scoped_objects_go_to_the_default_namespace) {
  HandClock clock;
  EventAggregation events;
  EventNote note = Issued();
  note.object.namespace_.clear();
  const auto write = events.Note(note, clock.Now());
  EXPECT_EQ(write->namespace_, "default");
  const json event = EventObject(note, *write, "c", "i");
  EXPECT_FALSE(event["involvedObject"].contains("namespace"));
}

TEST(EventAggregation, Texts_are_cut_between_characters_and_are_always_UTF8) {
  std::string message(1023, 'x');
  message += "é";
  const EventWrite write{"idm", "abap.1", 1, {}, {}};
  EXPECT_EQ(EventObject(Issued(message), write, "c", "i")["message"], std::string(1023, 'x'));
  const json broken = EventObject(Issued("a\xFFz"), write, "c", "i");
  EXPECT_EQ(broken["message"], "a\xEF\xBF\xBDz");
}

// An API server that takes Events, or not.
struct EventScene {
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  HandClock clock;
  Client client{transport, clock};
  std::atomic<int> failures{0};  // the next so many answers are `failure`
  HttpResponse failure;

  EventScene() {
    transport->send = [this](const HttpRequest& request,
                             const std::stop_token&) -> ApiResult<HttpResponse> {
      if (failures.fetch_sub(1) > 0) return failure;
      return Answer(request.method == "POST" ? 201 : 200, json::parse(request.body));
    };
  }
  std::vector<std::string> Asked() const {
    std::vector<std::string> asked;
    for (const auto& request : transport->Requests())
      asked.push_back(request.method + " " + request.path.substr(0, request.path.rfind('.')));
    return asked;
  }
};

constexpr std::chrono::seconds kSoon{30};

TEST(EventRecorder, An_Event_costs_one_write_and_its_repetition_another) {
  EventScene scene;
  EventRecorder events{scene.client, scene.clock, "certpair-controller", "pod-1"};
  events.Record(kSystem, EventType::Normal, "Issued", "one");
  events.Record(kSystem, EventType::Normal, "Issued", "one");
  events.Record(kSystem, EventType::Warning, "Refused", "two");
  ASSERT_TRUE(events.Flush(kSoon));
  EXPECT_EQ(scene.Asked(), (std::vector<std::string>{"POST /api/v1/namespaces/idm/events",
                                                     "PATCH /api/v1/namespaces/idm/events/abap",
                                                     "POST /api/v1/namespaces/idm/events"}));
  const auto patch = json::parse(scene.transport->Requests().at(1).body);
  EXPECT_EQ(patch["count"], 2);
  EXPECT_TRUE(patch.contains("lastTimestamp"));
  EXPECT_EQ(events.Dropped(), 0U);
}

TEST(EventRecorder, Throttling_and_server_errors_are_retried_refusals_are_not) {
  const struct {
    int status;
    const char* reason;
    int failures;
    std::size_t requests;
    std::uint64_t dropped;
  } rows[] = {{429, "TooManyRequests", 1, 2, 0}, {500, "InternalError", 2, 3, 0},
              {403, "Forbidden", 1, 1, 1},       {422, "Invalid", 1, 1, 1},
              {404, "NotFound", 1, 1, 1},        {409, "AlreadyExists", 1, 1, 0}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.status);
    EventScene scene;
    scene.failure = StatusAnswer(row.status, row.reason);
    scene.failures = row.failures;
    EventRecorder events{scene.client, scene.clock, "c", "i"};
    events.Record(kSystem, EventType::Normal, "Issued", "one");
    ASSERT_TRUE(events.Flush(kSoon));
    EXPECT_EQ(scene.transport->Requests().size(), row.requests);
    EXPECT_EQ(events.Dropped(), row.dropped);
  }
}

TEST(EventRecorder, An_Event_that_is_gone_from_the_server_is_created_anew) {
  EventScene scene;
  EventRecorder events{scene.client, scene.clock, "c", "i"};
  events.Record(kSystem, EventType::Normal, "Issued", "one");
  ASSERT_TRUE(events.Flush(kSoon));
  scene.failure = StatusAnswer(404, "NotFound");
  scene.failure.body =
      R"({"kind":"Status","code":404,"reason":"NotFound","details":{"name":"abap.1","kind":"events"}})";
  scene.failures = 1;
  events.Record(kSystem, EventType::Normal, "Issued", "one");
  ASSERT_TRUE(events.Flush(kSoon));
  const auto requests = scene.transport->Requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[1].method, "PATCH");
  EXPECT_EQ(requests[2].method, "POST");
  EXPECT_EQ(events.Dropped(), 0U);
}

TEST(EventRecorder, A_full_queue_drops_and_counts_without_blocking) {
  EventScene scene;
  scene.transport->send = nullptr;  // the server never answers
  const auto begin = std::chrono::steady_clock::now();
  {
    EventRecorder events{scene.client, scene.clock, "c", "i"};
    for (int i = 0; i < 5000; ++i) events.Record(kSystem, EventType::Normal, "Issued", "one");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{5});
    EXPECT_GE(events.Dropped(), 5000U - 4096U - 1U);
    EXPECT_LE(events.Dropped(), 5000U - 4096U);
    EXPECT_FALSE(events.Flush(std::chrono::milliseconds{10}));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kSoon) << "the end waits two seconds at most";
}

TEST(EventRecorder, What_waits_at_the_end_is_still_written) {
  EventScene scene;
  {
    EventRecorder events{scene.client, scene.clock, "c", "i"};
    for (int i = 0; i < 20; ++i)
      events.Record(kSystem, EventType::Normal, "Issued", std::to_string(i));
  }
  EXPECT_EQ(scene.transport->Requests().size(), 20U);
}

TEST(EventRecorder, What_waits_is_left_when_the_process_has_no_more_time) {
  EventScene scene;
  scene.transport->send = {};  // answers nothing
  const auto began = std::chrono::steady_clock::now();
  {
    EventRecorder events{scene.client, scene.clock, "c", "i"};
    events.Record(kSystem, EventType::Normal, "Issued", "one");
    events.EndBy(began);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{1900});
}

// A leader that was frozen: the first request fails, and when the process wakes another leads.
TEST(EventRecorder, A_process_that_no_longer_leads_writes_nothing) {
  EventScene scene;
  std::atomic<bool> leads{true};
  scene.transport->send = [&leads](const HttpRequest&,
                                   const std::stop_token&) -> ApiResult<HttpResponse> {
    leads = false;
    return StatusAnswer(503, "ServiceUnavailable");
  };
  EventRecorder events{scene.client, scene.clock, "c", "i"};
  events.Open([&leads] { return leads.load(); });
  for (const char* message : {"one", "two", "three"})
    events.Record(kSystem, EventType::Normal, "Issued", message);
  ASSERT_TRUE(events.Flush(kSoon));
  EXPECT_EQ(scene.transport->Requests().size(), 1U) << "the one that was under way";
  EXPECT_EQ(events.Dropped(), 3U);
}

TEST(EventRecorder, A_term_that_ends_takes_with_it_what_waits) {
  EventScene scene;
  std::atomic<bool> answers{false};
  scene.transport->send = [&answers](const HttpRequest& request,
                                     const std::stop_token& stop) -> ApiResult<HttpResponse> {
    if (answers) return Answer(201, json::parse(request.body));
    WaitForStop(stop);
    return std::unexpected(Cancelled());
  };
  EventRecorder events{scene.client, scene.clock, "c", "i"};
  events.Open([] { return true; });
  for (int i = 0; i < 5; ++i)
    events.Record(kSystem, EventType::Normal, "Issued", std::to_string(i));
  events.EndBy(std::chrono::steady_clock::now());
  events.Close();
  ASSERT_TRUE(events.Flush(kSoon)) << "a request under way is cut";
  EXPECT_EQ(events.Dropped(), 5U);
  const std::size_t before = scene.transport->Requests().size();
  answers = true;
  events.Record(kSystem, EventType::Normal, "Issued", "between terms");
  events.Open([] { return true; });
  events.Record(kSystem, EventType::Normal, "Issued", "of the next term");
  ASSERT_TRUE(events.Flush(kSoon));
  const auto requests = scene.transport->Requests();
  ASSERT_EQ(requests.size(), before + 1);
  EXPECT_EQ(json::parse(requests.back().body)["message"], "of the next term");
  EXPECT_EQ(events.Dropped(), 6U);
}

TEST(EventRecorder, The_next_term_does_not_go_on_with_a_retry_of_the_one_before) {
  EventScene scene;
  std::mutex mutex;
  std::condition_variable asked;
  std::vector<std::string> messages;
  scene.transport->send = [&](const HttpRequest& request,
                              const std::stop_token&) -> ApiResult<HttpResponse> {
    const std::lock_guard lock{mutex};
    messages.push_back(json::parse(request.body)["message"]);
    asked.notify_all();
    return messages.size() == 1 ? StatusAnswer(503, "ServiceUnavailable")
                                : Answer(201, json::parse(request.body));
  };
  EventRecorder events{scene.client, scene.clock, "c", "i"};
  events.Open([] { return true; });
  events.Record(kSystem, EventType::Normal, "Issued", "before");
  {
    std::unique_lock lock{mutex};
    ASSERT_TRUE(asked.wait_for(lock, kSoon, [&] { return !messages.empty(); }));
  }
  events.EndBy(std::chrono::steady_clock::now());
  events.Close();
  events.Open([] { return true; });
  events.Record(kSystem, EventType::Normal, "Issued", "after");
  ASSERT_TRUE(events.Flush(kSoon));
  EXPECT_EQ(messages, (std::vector<std::string>{"before", "after"}));
  EXPECT_EQ(events.Dropped(), 1U);
}

TEST(EventRecorder, What_waits_when_a_term_is_left_in_order_is_written) {
  EventScene scene;
  EventRecorder events{scene.client, scene.clock, "c", "i"};
  events.Open([] { return true; });
  for (int i = 0; i < 20; ++i)
    events.Record(kSystem, EventType::Normal, "Issued", std::to_string(i));
  events.Close();
  EXPECT_EQ(scene.transport->Requests().size(), 20U);
  EXPECT_EQ(events.Dropped(), 0U);
}

TEST(EventRecorder, No_secret_leaves_in_a_message) {
  EventScene scene;
  {
    EventRecorder events{scene.client, scene.clock, "c", "i"};
    events.Record(kSystem, EventType::Warning, "Damaged",
                  std::string{"found -----BEGIN PRIV"} + "ATE KEY-----\nMIIsecret\n-----END PRIV" +
                      "ATE KEY----- there");
  }
  const auto body = scene.transport->Requests().at(0).body;
  EXPECT_EQ(body.find("MIIsecret"), std::string::npos) << "the key stands in the Event";
  EXPECT_NE(body.find("[redacted]"), std::string::npos);
}

}  // namespace
}  // namespace certpair::kube
