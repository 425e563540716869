// List, look and examine: what is told, and how much of it where a server means ill.
#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "actions/examine.hpp"
#include "actions/list.hpp"
#include "actions/look.hpp"
#include "unit/actions/fake_cluster.hpp"

namespace certpair::actions {
namespace {

using testing::ElementsAre;

class ActionsReadingTest : public ClusterTest {
 protected:
  // Every page says that another one follows.
  void AnswerWithoutEnd(const std::string& plural, std::vector<json> items) {
    before = [this, plural, items = std::move(items), page = 0](
                 const kube::HttpRequest& request) mutable -> std::optional<kube::HttpResponse> {
      if (request.path.find("/" + plural + "?") == std::string::npos) return std::nullopt;
      ++pages_;
      return kube::Answer(
          200, {{"metadata", {{"resourceVersion", "7"}, {"continue", std::to_string(++page)}}},
                {"items", items}});
    };
  }
  void PutOperation(const std::string& name, const std::string& made,
                    json conditions = json::array()) {
    objects_[kGroupPath + "certificateoperations/" + name] = {
        {"metadata", {{"name", name}, {"creationTimestamp", made}}},
        {"spec", {{"action", "Generate"}, {"systemRef", {{"name", "abap"}}}}},
        {"status", {{"conditions", std::move(conditions)}}}};
  }
  void PutKinds() {
    objects_["/openapi/v3/apis/certpair.dev/v1"] = {
        {"nextTransition", 1},   {"activeFingerprint", 1}, {"secretName", 1}, {"peerMatching", 1},
        {"ttlAfterFinished", 1}, {"atExpiry", 1},          {"chain", 1},      {"pkcs12", 1}};
    PutLease("2026-06-01T00:00:00.000000Z");
  }
  std::vector<std::string> Names(const ListRequest& request) {
    std::vector<std::string> names;
    listed_ = List(TheActing(), request,
                   [&](json&, const SystemView& system) { names.push_back(system.name); });
    return names;
  }
  static json Expiring(const std::string& name, const std::string& not_after) {
    json system = System(name);
    system["status"]["certificates"][0]["notAfter"] = not_after;
    system["status"]["conditions"].push_back(
        Condition("ExpiringSoon", "True", "ActionNeeded", "act: " + name));
    return system;
  }
  OrRefusal<kube::Listed> listed_;
  std::atomic<int> pages_ = 0;
};

TEST_F(ActionsReadingTest, List_gives_the_systems_that_match) {
  json source = System("hr");
  source["spec"]["type"] = "Source";
  Put(source);
  Put(Expiring("soon", "2026-06-10T00:00:00Z"));
  Put(System("abap"));
  EXPECT_THAT(Names({}), ElementsAre("abap", "hr", "soon"));
  EXPECT_THAT(Names({.type = "Source"}), ElementsAre("hr"));
  EXPECT_THAT(Names({.expiring_within = std::chrono::days{30}}), ElementsAre("soon"));
  ASSERT_TRUE(listed_);
  EXPECT_EQ(listed_->resource_version, "7");
  EXPECT_FALSE(listed_->IsCut());
}

TEST_F(ActionsReadingTest, List_ends_at_its_limit_and_says_where_to_go_on) {
  AnswerWithoutEnd("provisioningsystems", {System("a"), System("b")});
  EXPECT_EQ(Names({.limits = {.objects = 5}}).size(), 6U);
  ASSERT_TRUE(listed_);
  EXPECT_EQ(listed_->continue_token, "3");
  Names({.limits = {.objects = 1}, .continue_token = "3"});
  EXPECT_EQ(kube::QueryOf(transport_->Requests().back().path)["continue"], "3");
}

TEST_F(ActionsReadingTest, List_tells_what_was_asked_where_it_is_refused) {
  before = [](const kube::HttpRequest&) { return kube::StatusAnswer(403, "Forbidden"); };
  Names({});
  ASSERT_FALSE(listed_);
  const auto* problem = std::get_if<ApiProblem>(&listed_.error());
  ASSERT_NE(problem, nullptr);
  EXPECT_EQ(problem->error.kind, kube::ApiErrorKind::Forbidden);
  EXPECT_EQ(problem->attempt.verb, "list");
  EXPECT_EQ(problem->attempt.resource.plural, "provisioningsystems");
  EXPECT_EQ(problem->attempt.namespace_, "idm");
}

TEST_F(ActionsReadingTest, Look_keeps_the_latest_operations_oldest_first) {
  Put(System("abap"));
  for (int i = 0; i < 15; ++i)
    PutOperation(fmt::format("z{:02}", 14 - i), fmt::format("2026-05-{:02}T00:00:00Z", i + 1));
  PutOperation("refused", "2026-05-30T00:00:00Z",
               json::array({Condition("Failed", "True", "LimitReached", std::string(9000, 'x'))}));
  const auto looked = Look(TheActing(), "abap");
  ASSERT_TRUE(looked);
  const auto& operations = looked->operations;
  ASSERT_EQ(operations.entries.size(), 10U);
  EXPECT_EQ(operations.entries.front().name, "z08");
  EXPECT_EQ(operations.entries.back().name, "refused");
  EXPECT_EQ(operations.entries.back().state, PastOperation::State::Refused);
  EXPECT_EQ(operations.entries.back().reason, "LimitReached");
  EXPECT_EQ(operations.entries.back().message.size(), 4096U);
  EXPECT_EQ(operations.entries.front().state, PastOperation::State::Waits);
  EXPECT_EQ(operations.older, 6U);
  EXPECT_FALSE(operations.is_cut);
  EXPECT_FALSE(operations.problem);
}

TEST_F(ActionsReadingTest, Look_ends_where_pages_have_no_end) {
  Put(System("abap"));
  for (const char* plural : {"certificateoperations", "events"}) {
    pages_ = 0;
    std::vector<json> items(
        20, json{{"metadata", {{"name", "x"}, {"creationTimestamp", "2026-05-01T00:00:00Z"}}},
                 {"spec", {{"systemRef", {{"name", "abap"}}}}}});
    AnswerWithoutEnd(plural, items);
    const auto looked = Look(TheActing(), "abap", {.objects = 100});
    ASSERT_TRUE(looked);
    const bool of_operations = std::string{plural} == "certificateoperations";
    EXPECT_TRUE(of_operations ? looked->operations.is_cut : looked->events.is_cut) << plural;
    EXPECT_EQ(of_operations ? looked->operations.entries.size() : looked->events.entries.size(),
              10U);
    EXPECT_EQ(pages_, 6) << plural << ": the last one is asked for while the fifth is read";
  }
}

TEST_F(ActionsReadingTest, Look_ends_where_pages_are_heavy) {
  Put(System("abap"));
  AnswerWithoutEnd("events", {json{{"message", std::string(std::size_t{1} << 20, 'x')}}});
  const auto looked = Look(TheActing(), "abap", {.bytes = std::size_t{4} << 20});
  ASSERT_TRUE(looked);
  EXPECT_TRUE(looked->events.is_cut);
  EXPECT_EQ(looked->events.entries.front().message.size(), 4096U);
  EXPECT_EQ(pages_, 4);
}

TEST_F(ActionsReadingTest, Look_tells_what_it_may_not_read_beside_the_rest) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("/events") == std::string::npos) return std::nullopt;
    return kube::StatusAnswer(403, "Forbidden");
  };
  const auto looked = Look(TheActing(), "abap");
  ASSERT_TRUE(looked);
  ASSERT_TRUE(looked->events.problem);
  EXPECT_EQ(looked->events.problem->attempt.resource.plural, "events");
  EXPECT_EQ(looked->system.name, "abap");
}

TEST_F(ActionsReadingTest, Examine_sorts_by_urgency_and_then_by_time) {
  PutKinds();
  Put(System("well"));
  Put(Expiring("later", "2026-06-25T00:00:00Z"));
  Put(Expiring("sooner", "2026-06-20T00:00:00Z"));
  Put(Expiring("ended", "2026-05-01T00:00:00Z"));
  json unseen = System("unseen");
  unseen.erase("status");
  Put(unseen);
  const auto examination = Examine(TheActing());
  ASSERT_TRUE(examination);
  EXPECT_EQ(examination->urgent, 4U);
  EXPECT_EQ(examination->left_out, 0U);
  const auto& findings = examination->findings;
  ASSERT_GE(findings.size(), 4U);
  ASSERT_TRUE(std::holds_alternative<SystemExpired>(findings[0].what));
  EXPECT_EQ(std::get<SystemExpired>(findings[0].what).system.name, "ended");
  EXPECT_EQ(std::get<SystemUnseen>(findings[1].what).system.name, "unseen");
  EXPECT_EQ(std::get<SystemState>(findings[2].what).system.name, "sooner");
  EXPECT_EQ(std::get<SystemState>(findings[3].what).said, "act: later");
  EXPECT_EQ(findings.back().urgency, Finding::Urgency::Well);
}

TEST_F(ActionsReadingTest, Examine_keeps_the_most_urgent_and_counts_the_rest) {
  PutKinds();
  for (int i = 0; i < 1200; ++i) Put(Expiring(fmt::format("s{:04}", i), "2026-06-20T00:00:00Z"));
  Put(Expiring("zz-ended", "2026-05-01T00:00:00Z"));
  const auto examination = Examine(TheActing());
  ASSERT_TRUE(examination);
  EXPECT_EQ(examination->findings.size(), kMostFindings);
  EXPECT_EQ(examination->urgent, 1201U);
  EXPECT_EQ(examination->left_out, 1203 - kMostFindings) << "of the CRDs and the operator too";
  EXPECT_EQ(std::get<SystemExpired>(examination->findings.front().what).system.name, "zz-ended");
}

TEST_F(ActionsReadingTest, Examine_says_that_it_did_not_see_all_systems) {
  PutKinds();
  AnswerWithoutEnd("provisioningsystems",
                   std::vector<json>(10, json{{"metadata", {{"name", "x"}}}}));
  const auto examination = Examine(TheActing(), {.objects = 50});
  ASSERT_TRUE(examination);
  const bool is_told = std::ranges::any_of(examination->findings, [](const Finding& finding) {
    return std::holds_alternative<ListCut>(finding.what);
  });
  EXPECT_TRUE(is_told);
  EXPECT_EQ(pages_, 6);
}

TEST_F(ActionsReadingTest, Examine_that_is_stopped_finds_nothing) {
  PutKinds();
  PutLease("2026-05-31T23:00:00.000000Z");
  on_pause = [this] { stop_.request_stop(); };
  const auto examination = Examine(TheActing());
  ASSERT_FALSE(examination);
  EXPECT_TRUE(std::holds_alternative<Stopped>(examination.error()));
}

}  // namespace
}  // namespace certpair::actions
