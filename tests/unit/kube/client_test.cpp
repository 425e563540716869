#include "kube/client.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "unit/kube/fake_transport.hpp"
#include "unit/kube/hand_clock.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

const Resource kSecrets{"", "v1", "secrets"};
const Resource kSystems{"certpair.dev", "v1", "provisioningsystems"};
const Resource kNamespaces{"", "v1", "namespaces", false};

TEST(PathOf, Follows_the_layout_of_the_API) {
  EXPECT_EQ(PathOf(kSecrets, "default", "one"), "/api/v1/namespaces/default/secrets/one");
  EXPECT_EQ(PathOf(kSecrets, "default"), "/api/v1/namespaces/default/secrets");
  EXPECT_EQ(PathOf(kSecrets, ""), "/api/v1/secrets");
  EXPECT_EQ(PathOf(kSystems, "a", "b", "status"),
            "/apis/certpair.dev/v1/namespaces/a/provisioningsystems/b/status");
  EXPECT_EQ(PathOf(kNamespaces, "ignored", "kube-system"), "/api/v1/namespaces/kube-system");
}

TEST(PathOf, Nothing_in_a_name_can_leave_its_place) {
  EXPECT_EQ(PathOf(kSecrets, "a/b", "../x?y#z %\xc3\xa9"),
            "/api/v1/namespaces/a%2Fb/secrets/..%2Fx%3Fy%23z%20%25%C3%A9");
}

class ClientTest : public testing::Test {
 protected:
  ClientTest()
      : transport_(std::make_shared<FakeTransport>()),
        client_(transport_, clock_, [this](const RequestRecord& record) {
          records_.push_back(std::string{record.verb} + " " + std::string{record.resource} + " " +
                             std::to_string(record.code));
        }) {}

  void Answer(HttpResponse response) {
    transport_->send = [response](const HttpRequest&, const std::stop_token&) { return response; };
  }
  [[nodiscard]] HttpRequest Asked() const { return transport_->Requests().back(); }

  HandClock clock_;
  std::shared_ptr<FakeTransport> transport_;
  std::vector<std::string> records_;
  Client client_;
};

const json kObject{
    {"kind", "Secret"},
    {"metadata", {{"name", "one"}, {"namespace", "default"}, {"resourceVersion", "5"}}}};

TEST_F(ClientTest, Get_gives_the_object_without_managedFields) {
  json answer = kObject;
  answer["metadata"]["managedFields"] = json::array({1, 2});
  Answer({200, answer.dump(), {}});
  auto object = client_.Get(kSecrets, "default", "one");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object, kObject);
  EXPECT_EQ(Asked().method, "GET");
  EXPECT_EQ(Asked().accept, "application/json");
  EXPECT_THAT(records_, ElementsAre("GET secrets 200"));
}

TEST_F(ClientTest, Get_of_an_impossible_name_is_NotFound_without_a_request) {
  Answer({200, kObject.dump(), {}});
  for (const char* name : {"", ".", "..", "a/b", "../secrets/x", "a%2fb"}) {
    const auto object = client_.Get(kSystems, "idm", name);
    ASSERT_FALSE(object) << name;
    EXPECT_EQ(object.error().kind, ApiErrorKind::NotFound) << name;
  }
  EXPECT_TRUE(transport_->Requests().empty());
}

TEST_F(ClientTest, Metadata_only_asks_for_nothing_else) {
  const std::string one = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
  const std::string list = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
  Answer({200, kObject.dump(), {}});
  EXPECT_TRUE(client_.Get(kSecrets, "default", "one", {}, Shape::MetadataOnly));
  EXPECT_EQ(Asked().accept, one);
  EXPECT_TRUE(client_.Create(kSecrets, "default", kObject, {}, Shape::MetadataOnly));
  EXPECT_EQ(Asked().accept, one);
  EXPECT_TRUE(client_.MergePatch(kSecrets, "default", "one", "", {}, {}, Shape::MetadataOnly));
  EXPECT_EQ(Asked().accept, one);
  EXPECT_TRUE(client_.Update(kSecrets, kObject, {}, Shape::MetadataOnly));
  EXPECT_EQ(Asked().accept, one);
  Answer({200, R"({"metadata":{},"items":[]})", {}});
  EXPECT_TRUE(client_.List(kSecrets, {.shape = Shape::MetadataOnly}, [](json&) {}));
  EXPECT_EQ(Asked().accept, list);
}

TEST_F(ClientTest, Writes_go_where_they_belong_with_their_content_type) {
  Answer({201, kObject.dump(), {}});
  ASSERT_TRUE(client_.Create(kSecrets, "default", kObject));
  EXPECT_EQ(Asked().method + " " + Asked().path, "POST /api/v1/namespaces/default/secrets");
  EXPECT_EQ(Asked().content_type, "application/json");
  EXPECT_EQ(json::parse(Asked().body), kObject);

  ASSERT_TRUE(client_.Update(kSecrets, kObject));
  EXPECT_EQ(Asked().method + " " + Asked().path, "PUT /api/v1/namespaces/default/secrets/one");
  EXPECT_EQ(json::parse(Asked().body)["metadata"]["resourceVersion"], "5");

  ASSERT_TRUE(client_.MergePatch(kSystems, "a", "b", "status", json{{"status", {{"x", 1}}}}));
  EXPECT_EQ(Asked().method + " " + Asked().path,
            "PATCH /apis/certpair.dev/v1/namespaces/a/provisioningsystems/b/status");
  EXPECT_EQ(Asked().content_type, "application/merge-patch+json");
  EXPECT_THAT(records_, ElementsAre("CREATE secrets 201", "UPDATE secrets 201",
                                    "PATCH provisioningsystems 201"));
}

TEST_F(ClientTest, Update_of_a_nameless_object_is_refused_before_it_is_sent) {
  for (const json& object : {json::object(), json{{"metadata", {{"name", "a"}}}},
                             json{{"metadata", 7}}, json{{"metadata", {{"namespace", "a"}}}}}) {
    auto updated = client_.Update(kSecrets, object);
    ASSERT_FALSE(updated) << object;
    EXPECT_EQ(updated.error().kind, ApiErrorKind::Invalid);
  }
  EXPECT_TRUE(transport_->Requests().empty());
}

TEST_F(ClientTest, Text_that_is_not_UTF_8_is_refused_before_it_is_sent) {
  auto created = client_.Create(kSecrets, "default", json{{"a", "\xff"}});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ApiErrorKind::Invalid);
  EXPECT_TRUE(transport_->Requests().empty());
}

TEST_F(ClientTest, Delete_carries_the_preconditions_that_were_given) {
  Answer({200, "{}", {}});
  ASSERT_TRUE(client_.Delete(kSecrets, "default", "one", {"u", "5"}));
  EXPECT_EQ(Asked().method, "DELETE");
  EXPECT_EQ(json::parse(Asked().body)["preconditions"],
            (json{{"uid", "u"}, {"resourceVersion", "5"}}));
  ASSERT_TRUE(client_.Delete(kSecrets, "default", "one", {}));
  EXPECT_FALSE(json::parse(Asked().body).contains("preconditions"));
}

TEST_F(ClientTest, Answers_of_the_wrong_form_are_protocol_errors) {
  for (const char* body : {"", "[]", "<html>", "{\"metadata\":"}) {
    Answer({200, body, {}});
    auto object = client_.Get(kSecrets, "default", "one");
    ASSERT_FALSE(object);
    EXPECT_EQ(object.error().kind, ApiErrorKind::Protocol);
    auto page = client_.List(kSecrets, {}, [](json&) {});
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().kind, ApiErrorKind::Protocol);
  }
}

TEST_F(ClientTest, Errors_of_server_and_transport_are_handed_on_and_recorded) {
  Answer({409, R"({"kind":"Status","reason":"Conflict"})", {}});
  auto conflict = client_.Get(kSecrets, "default", "one");
  ASSERT_FALSE(conflict);
  EXPECT_EQ(conflict.error().kind, ApiErrorKind::Conflict);
  transport_->send = [](const HttpRequest&, const std::stop_token&) -> ApiResult<HttpResponse> {
    return std::unexpected(ApiError{ApiErrorKind::Timeout, 0, "", "late", {}});
  };
  auto late = client_.Get(kSecrets, "default", "one");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ApiErrorKind::Timeout);
  EXPECT_THAT(records_, ElementsAre("GET secrets 409", "GET secrets 0"));
}

TEST_F(ClientTest, A_list_asks_for_a_page_and_then_for_the_next) {
  Answer({200, R"({"metadata":{"resourceVersion":"9","continue":"c&d"},"items":[{"a":1}]})", {}});
  int items = 0;
  const auto count = [&](json&) { ++items; };
  ListOptions options{.namespace_ = "default",
                      .label_selector = "a=b,c in (d)",
                      .limit = 2,
                      .resource_version = "0"};
  auto page = client_.List(kSecrets, options, count);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->resource_version, "9");
  EXPECT_THAT(QueryOf(Asked().path),
              UnorderedElementsAre(Pair("limit", "2"), Pair("labelSelector", "a=b,c in (d)"),
                                   Pair("resourceVersion", "0")));
  options.continue_token = page->continue_token;
  ASSERT_TRUE(client_.List(kSecrets, options, count));
  EXPECT_THAT(QueryOf(Asked().path), testing::Contains(Pair("continue", "c&d")));
  EXPECT_THAT(QueryOf(Asked().path), testing::Not(testing::Contains(Pair("resourceVersion", "0"))));
  EXPECT_EQ(items, 2);
}

// Has a watch answer these lines, and tells what the client made of them.
class WatchTest : public ClientTest {
 protected:
  ApiResult<void> Watch(const std::vector<std::string>& lines, int leave_after = 1000) {
    transport_->stream = [lines](const HttpRequest&, const FakeTransport::LineSink& on_line,
                                 const std::stop_token&) -> ApiResult<void> {
      for (const auto& line : lines)
        if (!on_line(line)) break;
      return {};
    };
    return client_.Watch(kSecrets, {.resource_version = "5"},
                         [this, leave_after](const WatchEvent& event) {
                           types_.push_back(event.type);
                           objects_.push_back(*event.object);
                           return static_cast<int>(types_.size()) < leave_after;
                         },
                         {});
  }
  std::vector<WatchEventType> types_;
  std::vector<json> objects_;
};

TEST_F(WatchTest, Tells_the_events_in_order) {
  ASSERT_TRUE(
      Watch({R"({"type":"ADDED","object":{"metadata":{"name":"a","managedFields":[1]}}})",
             R"({"type":"MODIFIED","object":{}})", R"({"type":"DELETED","object":{}})",
             R"({"type":"BOOKMARK","object":{}})", R"({"type":"ERROR","object":{"code":410}})"}));
  EXPECT_THAT(types_,
              ElementsAre(WatchEventType::Added, WatchEventType::Modified, WatchEventType::Deleted,
                          WatchEventType::Bookmark, WatchEventType::Error));
  EXPECT_EQ(objects_[0], (json{{"metadata", {{"name", "a"}}}}));
  EXPECT_EQ(objects_[4]["code"], 410);
  EXPECT_THAT(QueryOf(Asked().path),
              UnorderedElementsAre(Pair("watch", "true"), Pair("allowWatchBookmarks", "true"),
                                   Pair("resourceVersion", "5"), Pair("timeoutSeconds", "300")));
  EXPECT_THAT(records_, ElementsAre("WATCH secrets 200"));
}

TEST_F(WatchTest, Leaving_is_no_error) {
  EXPECT_TRUE(Watch({R"({"type":"ADDED","object":{}})", R"({"type":"ADDED","object":{}})"}, 1));
  EXPECT_EQ(types_.size(), 1U);
}

TEST_F(WatchTest, A_line_that_is_no_event_ends_it) {
  for (const char* line :
       {"", "{", "[]", "7", R"({"type":"ADDED"})", R"({"object":{}})", R"({"type":1,"object":{}})",
        R"({"type":"ADDED","object":[]})", R"({"type":"RENAMED","object":{}})"}) {
    auto ended = Watch({line, R"({"type":"ADDED","object":{}})"});
    ASSERT_FALSE(ended) << line;
    EXPECT_EQ(ended.error().kind, ApiErrorKind::Protocol);
    EXPECT_TRUE(types_.empty()) << line;
  }
}

TEST_F(ClientTest, Raw_gives_the_body_as_it_is) {
  Answer({200, "ok", {}});
  auto body = client_.Raw("/readyz");
  ASSERT_TRUE(body);
  EXPECT_EQ(*body, "ok");
  Answer({500, "not yet", {}});
  auto failed = client_.Raw("/readyz");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("not yet"));
}

TEST_F(ClientTest, A_patch_says_what_it_is_and_whose) {
  Answer({200, kObject.dump(), {}});
  const WriteOptions how{.dry_run = true, .field_manager = "me & you"};
  ASSERT_TRUE(client_.Patch(kSecrets, "default", "one", PatchKind::Apply, kObject, how));
  EXPECT_EQ(Asked().content_type, "application/apply-patch+yaml");
  EXPECT_THAT(QueryOf(Asked().path),
              UnorderedElementsAre(Pair("dryRun", "All"), Pair("fieldManager", "me & you"),
                                   Pair("force", "false")));
  ASSERT_TRUE(client_.Patch(kSecrets, "default", "one", PatchKind::Json, json::array(), {}));
  EXPECT_EQ(Asked().content_type, "application/json-patch+json");
  EXPECT_THAT(QueryOf(Asked().path), testing::IsEmpty());
  ASSERT_TRUE(client_.Patch(kSecrets, "default", "one", PatchKind::Merge, json::object(), {}));
  EXPECT_EQ(Asked().content_type, "application/merge-patch+json");
}

TEST_F(ClientTest, A_create_can_be_a_dry_run) {
  Answer({201, kObject.dump(), {}});
  ASSERT_TRUE(client_.Create(kSecrets, "default", kObject, {}, Shape::Object, {.dry_run = true}));
  EXPECT_THAT(QueryOf(Asked().path), UnorderedElementsAre(Pair("dryRun", "All")));
}

class ListAllTest : public ClientTest {
 protected:
  // Three pages of two items; the token stands where `shape` puts it.
  void ServePages(const std::string& shape) {
    transport_->send = [shape](const HttpRequest& request, const std::stop_token&) {
      const auto query = QueryOf(request.path);
      const int page = query.contains("continue") ? std::stoi(query.at("continue")) : 0;
      const std::string metadata =
          page < 2 ? R"({"continue":")" + std::to_string(page + 1) + R"(","resourceVersion":"9"})"
                   : R"({"resourceVersion":"9"})";
      const std::string items = R"("items":[{"metadata":{"name":"a","continue":"77"}},)"
                                R"({"metadata":{"name":"b"}}])";
      return HttpResponse{200,
                          shape == "end"     ? "{" + items + R"(,"metadata":)" + metadata + "}"
                          : shape == "begin" ? R"({"metadata":)" + metadata + "," + items + "}"
                                             : "[]",
                          {}};
    };
  }
};

TEST_F(ListAllTest, Reads_all_pages_wherever_the_token_stands) {
  for (const char* shape : {"end", "begin"}) {
    ServePages(shape);
    int items = 0;
    const auto version = client_.ListAll(kSystems, {.limit = 2}, [&](json&) { ++items; });
    ASSERT_TRUE(version) << version.error().message;
    EXPECT_EQ(*version, "9");
    EXPECT_EQ(items, 6) << shape;
  }
}

TEST_F(ListAllTest, A_page_that_is_none_is_an_error) {
  ServePages("garbage");
  EXPECT_EQ(client_.ListAll(kSystems, {}, [](json&) {}).error().kind, ApiErrorKind::Protocol);
}

// A server whose every page says that another one follows.
HttpResponse EndlessPage(std::size_t page, std::size_t items, const std::string& filler = {}) {
  json list{{"metadata", {{"resourceVersion", "7"}, {"continue", "p" + std::to_string(page + 1)}}},
            {"items", json::array()}};
  for (std::size_t i = 0; i < items; ++i)
    list["items"].push_back({{"metadata", {{"name", std::to_string(i)}}}, {"filler", filler}});
  return {200, list.dump(), {}};
}

TEST_F(ClientTest, A_list_without_end_is_read_up_to_its_limits) {
  struct Row {
    std::size_t items;
    std::string filler;
    ListLimits limits;
    std::size_t objects;
    std::string next;
  };
  const Row rows[] = {{5, "", {.objects = 12}, 15, "p3"},
                      {5, "", {.objects = 5}, 5, "p1"},
                      {0, "", {.objects = 4}, 0, "p4"},
                      {2, std::string(1000, 'x'), {.bytes = 5000}, 6, "p3"}};
  for (const Row& row : rows) {
    std::size_t page = 0;
    transport_->send = [&](const HttpRequest& request, const std::stop_token&) {
      const std::string from = QueryOf(request.path)["continue"];
      page = from.empty() ? 0 : std::stoul(from.substr(1));
      return EndlessPage(page, row.items, row.filler);
    };
    std::size_t seen = 0;
    const auto listed = client_.ListUpTo(kSystems, {}, row.limits, [&](json&) { ++seen; });
    ASSERT_TRUE(listed);
    EXPECT_EQ(seen, row.objects);
    EXPECT_EQ(listed->objects, row.objects);
    EXPECT_EQ(listed->continue_token, row.next);
    EXPECT_TRUE(listed->IsCut());
  }
}

TEST_F(ClientTest, A_list_that_was_cut_goes_on_where_it_ended) {
  transport_->send = [](const HttpRequest& request, const std::stop_token&) {
    return QueryOf(request.path)["continue"] == "p1"
               ? HttpResponse{200, R"({"metadata":{"resourceVersion":"7"},"items":[{}]})", {}}
               : EndlessPage(0, 3);
  };
  const auto first = client_.ListUpTo(kSystems, {}, {.objects = 1}, [](json&) {});
  ASSERT_TRUE(first);
  const auto rest = client_.ListUpTo(kSystems, {.continue_token = first->continue_token},
                                     {.objects = 1}, [](json&) {});
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->objects, 1U);
  EXPECT_FALSE(rest->IsCut());
}

TEST_F(ClientTest, Every_request_carries_the_identity_it_is_made_as) {
  Answer({200, kObject.dump(), {}});
  const auto ann = Identity::OfToken(SecretString{std::string{"token-of-ann"}}).value();
  const Client as_ann = client_.As(ann);
  static_cast<void>(as_ann.Get(kSecrets, "default", "one"));
  static_cast<void>(as_ann.Create(kSecrets, "default", kObject));
  static_cast<void>(as_ann.Update(kSecrets, kObject));
  static_cast<void>(as_ann.MergePatch(kSecrets, "default", "one", "", kObject));
  static_cast<void>(as_ann.Patch(kSecrets, "default", "one", PatchKind::Apply, kObject, {}));
  static_cast<void>(as_ann.Delete(kSecrets, "default", "one", {}));
  static_cast<void>(as_ann.List(kSecrets, {}, [](json&) {}));
  static_cast<void>(as_ann.ListNames(kSecrets, {}));
  static_cast<void>(as_ann.ListAll(kSecrets, {}, [](json&) {}));
  static_cast<void>(as_ann.Raw("/version"));
  transport_->stream = [](const HttpRequest&, const FakeTransport::LineSink&,
                          const std::stop_token&) { return ApiResult<void>{}; };
  static_cast<void>(as_ann.Watch(kSecrets, {}, [](const WatchEvent&) { return true; }, {}));
  EXPECT_EQ(transport_->Requests().size(), 11U);
  for (const HttpRequest& request : transport_->Requests())
    EXPECT_EQ(request.identity, ann) << request.method << " " << request.path;
  static_cast<void>(client_.Get(kSecrets, "default", "one"));
  EXPECT_EQ(Asked().identity, nullptr) << "the first client is still itself";
}

TEST_F(ClientTest, A_token_that_the_transport_quotes_is_redacted) {
  transport_->send = [](const HttpRequest&, const std::stop_token&) -> ApiResult<HttpResponse> {
    return std::unexpected(ApiError{
        ApiErrorKind::Transport, 0, "token-of-ann", "sent token-of-ann, token-of-ann", {}});
  };
  const auto got = client_.As(Identity::OfToken(SecretString{std::string{"token-of-ann"}}).value())
                       .Get(kSecrets, "default", "one");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "sent [redacted], [redacted]");
  EXPECT_EQ(got.error().reason, "[redacted]");
}

}  // namespace
}  // namespace certpair::kube
