// list, describe, doctor, and what failures say.
#include <filesystem>

#include "support/child.hpp"
#include "support/source.hpp"
#include "unit/plugin/fake_api.hpp"
#include "yaml.hpp"

namespace certpair::plugin {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ReadingTest : public PluginTest {
 protected:
  /// What a doctor looks for in the published schema.
  void PutKinds() {
    objects_["/openapi/v3/apis/certpair.dev/v1"] = {
        {"nextTransition", 1},   {"activeFingerprint", 1}, {"secretName", 1}, {"peerMatching", 1},
        {"ttlAfterFinished", 1}, {"atExpiry", 1},          {"chain", 1},      {"pkcs12", 1}};
  }
  static json Ending(const std::string& name, const std::string& not_after,
                     const std::string& reason) {
    json system = System(name);
    system["status"]["certificates"][0]["notAfter"] = not_after;
    system["status"]["conditions"].push_back(
        Condition("ExpiringSoon", reason == "NotYet" ? "False" : "True", reason, "act: " + name));
    return system;
  }
};

TEST_F(ReadingTest, A_list_tells_of_both_certificates_and_when_the_active_one_ends) {
  Put(System("abap", true));
  EXPECT_TRUE(List(TheSession(), {}));
  EXPECT_THAT(out_, AllOf(HasSubstr("NAME   TYPE     READY   ACTIVE        INACTIVE      EXPIRES"),
                          HasSubstr("abap   Target   True    AB:CD:EF:01   AB:99:EF:01   in 214")));
}

TEST_F(ReadingTest, A_list_is_chosen_and_sorted) {
  Put(Ending("a-late", "2026-12-01T00:00:00Z", "NotYet"));
  Put(Ending("b-soon", "2026-06-20T00:00:00Z", "ActionNeeded"));
  Put(Ending("c-ended", "2026-05-01T00:00:00Z", "Expired"));
  EXPECT_TRUE(List(
      TheSession(),
      {.expiring_within = std::chrono::days{30}, .sort_by = "expiry", .format = Format::Name}));
  EXPECT_EQ(out_,
            "provisioningsystem.certpair.dev/c-ended\nprovisioningsystem.certpair.dev/b-soon\n");
}

TEST_F(ReadingTest, A_list_of_all_namespaces_names_them_and_leaves_selectors_to_the_server) {
  namespace_ = "";
  json source = System("hr");
  source["spec"]["type"] = "Source";
  before = [&](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    EXPECT_TRUE(request.path.starts_with("/apis/certpair.dev/v1/provisioningsystems?"));
    EXPECT_EQ(kube::QueryOf(request.path)["labelSelector"], "team=a,tier!=b");
    return kube::Answer(200, {{"metadata", {{"resourceVersion", "7"}}},
                              {"items", json::array({source, System("abap")})}});
  };
  EXPECT_TRUE(
      List(TheSession(), {.selector = "team=a,tier!=b", .type = "Source", .sort_by = "name"}));
  EXPECT_THAT(out_, AllOf(HasSubstr("NAMESPACE   NAME"),
                          testing::ContainsRegex("\nidm +hr +Source"), Not(HasSubstr("abap"))));
}

TEST_F(ReadingTest, A_list_as_YAML_or_in_order_is_still_the_APIs_own_objects) {
  Put(Ending("a-late", "2026-12-01T00:00:00Z", "NotYet"));
  Put(Ending("b-soon", "2026-06-20T00:00:00Z", "ActionNeeded"));
  EXPECT_TRUE(List(TheSession(), {.sort_by = "expiry", .format = Format::Json}));
  const json list = json::parse(out_);
  EXPECT_EQ(list.at("items").at(0), [&] {
    json object = Stored("b-soon");
    object["apiVersion"] = "certpair.dev/v1";
    object["kind"] = "ProvisioningSystem";
    return object;
  }());
  out_.clear();
  EXPECT_TRUE(List(TheSession(), {.sort_by = "expiry", .format = Format::Yaml}));
  const auto read = ParseYaml(out_);
  ASSERT_TRUE(read) << out_;
  EXPECT_EQ(read->front(), list);
}

TEST_F(ReadingTest, A_list_for_machines_is_the_APIs_own_objects) {
  Put(System("abap"));
  EXPECT_TRUE(List(TheSession(), {.format = Format::Json}));
  const json list = json::parse(out_);
  EXPECT_EQ(list.at("items").at(0).at("kind"), "ProvisioningSystem");
  EXPECT_EQ(list.at("items").at(0).at("status").at("certificates").at(0).at("fingerprint"), kFirst);
  out_.clear();
  objects_.clear();
  EXPECT_TRUE(List(TheSession(), {.format = Format::Json}));
  EXPECT_EQ(json::parse(out_).at("items"), json::array());
}

TEST_F(ReadingTest, An_empty_list_says_so_beside_the_output) {
  EXPECT_TRUE(List(TheSession(), {}));
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, HasSubstr("No systems found in namespace \"idm\""));
}

TEST_F(ReadingTest, Names_with_control_characters_are_escaped) {
  json system = System("abap");
  system["spec"]["displayName"] = "evil\xe2\x80\xae\x1b[31m";
  Put(system);
  EXPECT_TRUE(List(TheSession(), {.format = Format::Wide}));
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_, AllOf(HasSubstr("evil\\u{202E}\\u{001B}[31m"), Not(HasSubstr("\x1b"))));
}

TEST_F(ReadingTest, A_status_of_a_newer_version_is_shown_as_it_is) {
  json system = System("abap");
  system["spec"]["type"] = "Relay";
  system["spec"]["peerMatching"] = "ByPublicKey";
  system["status"]["certificates"].push_back(Certificate("Pending", kSecond));
  system["status"]["conditions"].push_back(Condition("QuantumSafe", "Maybe", "WhoKnows"));
  system["status"]["nextTransition"] = {{"at", "tomorrow"}, {"action", "Rotate"}};
  Put(system);
  EXPECT_TRUE(List(TheSession(), {.format = Format::Wide}));
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_, AllOf(HasSubstr("Relay"), HasSubstr("Pending"), HasSubstr("QuantumSafe")));
}

TEST_F(ReadingTest, A_status_that_is_garbage_harms_nobody) {
  json system = System("abap");
  system["status"] = {
      {"certificates", "none"}, {"conditions", 7}, {"nextTransition", json::array()}};
  Put(system);
  EXPECT_TRUE(List(TheSession(), {}));
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
}

TEST_F(ReadingTest, Describe_begins_with_the_warning) {
  Put(Ending("abap", "2026-06-20T00:00:00Z", "ActionNeeded"));
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_, testing::StartsWith("WARNING: act: abap"));
}

TEST_F(ReadingTest, Describe_tells_what_comes_next_and_what_was_done_oldest_first) {
  json system = System("abap", true);
  system["status"]["nextTransition"] = {{"at", "2026-06-08T00:00:00Z"}, {"action", "Regenerate"}};
  Put(system);
  const auto operation = [&](const std::string& name, const std::string& made, json conditions) {
    objects_[kGroupPath + "certificateoperations/" + name] = {
        {"metadata", {{"name", name}, {"creationTimestamp", made}}},
        {"spec", {{"action", "Generate"}, {"systemRef", {{"name", "abap"}}}}},
        {"status", {{"conditions", std::move(conditions)}}}};
  };
  operation("abap-1", "2026-05-31T00:00:00Z",
            json::array({Condition("Failed", "True", "LimitReached", "two are there")}));
  operation("abap-2", "2026-05-30T00:00:00Z",
            json::array({Condition("Complete", "True", "Generated")}));
  operation("abap-3", "2026-05-31T23:59:00Z", json::array());
  objects_["/api/v1/namespaces/idm/events/one"] = {{"lastTimestamp", "2026-05-31T00:00:00Z"},
                                                   {"type", "Warning"},
                                                   {"reason", "ExpiringSoon"},
                                                   {"message", "It ends " + kFirst}};
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_,
              testing::ContainsRegex("Next +regeneration on 2026-06-08T00:00:00Z .in 7 days."));
  EXPECT_THAT(out_, testing::ContainsRegex("State +Active +Inactive")) << "beside each other";
  EXPECT_THAT(out_, testing::ContainsRegex("abap-1 +Generate +refused: LimitReached"));
  EXPECT_THAT(out_, testing::ContainsRegex("abap-3 +Generate +waits"));
  EXPECT_LT(out_.find("abap-2"), out_.find("abap-1"));
  EXPECT_THAT(out_, testing::ContainsRegex("Warning +ExpiringSoon +It ends AB:CD:EF:01…"));
}

TEST_F(ReadingTest, Describe_finds_the_operations_where_the_API_server_cannot_select_them) {
  Put(System("abap"));
  for (const char* of : {"abap", "hr"})
    objects_[kGroupPath + "certificateoperations/of-" + of] = {
        {"metadata",
         {{"name", std::string{"of-"} + of}, {"creationTimestamp", "2026-05-30T00:00:00Z"}}},
        {"spec", {{"action", "Generate"}, {"systemRef", {{"name", of}}}}}};
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("fieldSelector=spec.systemRef.name") == std::string::npos) return {};
    return kube::Answer(400, {{"kind", "Status"},
                              {"reason", "BadRequest"},
                              {"code", 400},
                              {"message", "field label not supported: spec.systemRef.name"}});
  };
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_, testing::ContainsRegex("of-abap +Generate"));
  EXPECT_THAT(out_, testing::Not(HasSubstr("of-hr")));
}

TEST_F(ReadingTest, Describe_recommends_regeneration_where_the_peer_needs_no_manual_step) {
  Put(System("abap"));
  json by_fingerprint = System("other");
  by_fingerprint["spec"]["peerMatching"] = "Fingerprint";
  Put(by_fingerprint);
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_, HasSubstr("auto on abap"));
  EXPECT_TRUE(Describe(TheSession(), {.name = "other"}));
  EXPECT_THAT(out_, Not(HasSubstr("auto on other")));
}

TEST_F(ReadingTest, Describe_tells_who_is_subscribed_and_what_they_were_sent) {
  json system = System("abap");
  system["spec"]["notifications"]["subscribers"] =
      json::array({{{"displayName", "Ann"}, {"email", "ann@example.com"}}});
  system["status"]["notifications"]["summary"] = json::array({{{"threshold", "720h"},
                                                               {"fingerprint", kFirst},
                                                               {"recipients", 12},
                                                               {"failed", 1},
                                                               {"at", "2026-05-30T00:00:00Z"}}});
  Put(system);
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_, HasSubstr("Ann <ann@example.com>"));
  EXPECT_THAT(out_, HasSubstr("720h: to 12, 1 not delivered"));
  EXPECT_THAT(out_, HasSubstr("2 days ago"));
}

TEST_F(ReadingTest, A_watch_shows_each_change_as_a_line_until_it_is_stopped) {
  Put(System("abap"));
  transport_->stream = [this](const kube::HttpRequest& request,
                              const kube::FakeTransport::LineSink& sink,
                              const std::stop_token&) -> kube::ApiResult<void> {
    EXPECT_THAT(request.path, HasSubstr("resourceVersion=7"));
    json changed = System("abap", true);
    changed["metadata"]["resourceVersion"] = "8";
    sink(json{{"type", "MODIFIED"}, {"object", changed}}.dump());
    sink(json{{"type", "DELETED"}, {"object", changed}}.dump());
    stop_.request_stop();
    return std::unexpected(kube::Cancelled());
  };
  EXPECT_TRUE(List(TheSession(), {.watch = true}));
  EXPECT_THAT(out_, HasSubstr("abap   Target   True    AB:CD:EF:01   AB:99:EF:01"));
  EXPECT_THAT(out_, HasSubstr("abap   Target   deleted"));
}

// Watches that end one after another as the test says; then Ctrl-C.
class WatchTest : public ReadingTest {
 protected:
  using Sink = kube::FakeTransport::LineSink;
  using Watch = std::function<kube::ApiResult<void>(const Sink&)>;
  void Watches(std::vector<Watch> watches) {
    transport_->stream = [this, watches = std::move(watches), next = std::size_t{0}](
                             const kube::HttpRequest& request, const Sink& sink,
                             const std::stop_token&) mutable -> kube::ApiResult<void> {
      from_.push_back(kube::QueryOf(request.path)["resourceVersion"]);
      if (next < watches.size()) return watches[next++](sink);
      stop_.request_stop();
      return std::unexpected(kube::Cancelled());
    };
  }
  static Watch FailsWith(kube::ApiErrorKind kind, int status) {
    return [=](const Sink&) -> kube::ApiResult<void> {
      return std::unexpected(kube::ApiError{kind, status, {}, "as the test wants it", {}});
    };
  }
  static std::size_t Count(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
      ++count;
    return count;
  }
  static json Versioned(json system, const std::string& version) {
    system["metadata"]["resourceVersion"] = version;
    return system;
  }
  std::vector<std::string> from_;
};

TEST_F(WatchTest, That_fell_behind_lists_anew_and_shows_what_changed_meanwhile) {
  Put(Versioned(System("same"), "1"));
  Put(Versioned(System("changed"), "2"));
  Put(Versioned(System("gone"), "3"));
  const Watch falls_behind = [this](const Sink& sink) -> kube::ApiResult<void> {
    Put(Versioned(System("changed", true), "8"));
    Put(Versioned(System("newcomer"), "9"));
    objects_.erase(kGroupPath + "provisioningsystems/gone");
    sink(json{{"type", "ERROR"},
              {"object", {{"kind", "Status"}, {"code", 410}, {"reason", "Expired"}}}}
             .dump());
    return {};
  };
  Watches({falls_behind});
  const Outcome outcome = List(TheSession(), {.watch = true});
  EXPECT_TRUE(outcome) << MessageOf(outcome);
  EXPECT_THAT(from_, testing::ElementsAre("7", "7"));
  EXPECT_EQ(Count(out_, "\nsame "), 1U) << out_;
  EXPECT_EQ(Count(out_, "\nchanged "), 2U) << out_;
  EXPECT_EQ(Count(out_, "\nnewcomer "), 1U) << out_;
  EXPECT_THAT(out_, testing::ContainsRegex("gone +Target +deleted"));
  EXPECT_EQ(err_, "");
}

TEST_F(WatchTest, That_is_answered_with_410_backs_off_longer_each_time) {
  Put(System("abap"));
  Watches(std::vector<Watch>(8, FailsWith(kube::ApiErrorKind::Gone, 410)));
  const auto began = clock_.Steady();
  EXPECT_TRUE(List(TheSession(), {.watch = true}));
  EXPECT_EQ(Methods("GET").size(), 18U) << "a list before each watch";
  EXPECT_GT(clock_.Steady() - began, std::chrono::seconds{40}) << "0.5, 1, 2, … up to 30 seconds";
}

TEST_F(WatchTest, Goes_on_after_a_cut_connection_and_says_so_once) {
  Put(System("abap"));
  const Watch cut = FailsWith(kube::ApiErrorKind::Transport, 0);
  const Watch change = [](const Sink& sink) -> kube::ApiResult<void> {
    sink(json{{"type", "MODIFIED"}, {"object", Versioned(System("abap", true), "8")}}.dump());
    return {};
  };
  Watches({cut, cut, change});
  EXPECT_TRUE(List(TheSession(), {.watch = true}));
  EXPECT_THAT(from_, testing::ElementsAre("7", "7", "7", "8"));
  EXPECT_EQ(Count(err_, "cannot be reached"), 1U) << err_;
  EXPECT_THAT(err_, HasSubstr("until Ctrl-C"));
  EXPECT_EQ(Count(out_, "\nabap "), 2U) << out_;
}

TEST_F(WatchTest, Ends_where_waiting_does_not_help) {
  Put(System("abap"));
  Watches({FailsWith(kube::ApiErrorKind::Forbidden, 403)});
  const Outcome outcome = List(TheSession(), {.watch = true});
  EXPECT_EQ(ExitOf(outcome), Exit::Failed);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("you may not watch"));
}

TEST_F(ReadingTest, Describe_without_the_right_to_Events_says_so_and_goes_on) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("/events") == std::string::npos) return std::nullopt;
    return kube::StatusAnswer(403, "Forbidden");
  };
  EXPECT_TRUE(Describe(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_, HasSubstr("you may not list events"));
}

TEST_F(ReadingTest, A_missing_right_names_verb_resource_and_role) {
  before = [](const kube::HttpRequest&) { return kube::StatusAnswer(403, "Forbidden"); };
  const Outcome outcome = List(TheSession(), {});
  EXPECT_EQ(ExitOf(outcome), Exit::Failed);
  EXPECT_THAT(MessageOf(outcome), AllOf(HasSubstr("list provisioningsystems.certpair.dev"),
                                        HasSubstr("certpair-viewer")));
}

// As the API server answers a write.
kube::HttpResponse Forbidden(const std::string& message) {
  return kube::Answer(
      403, {{"kind", "Status"}, {"reason", "Forbidden"}, {"code", 403}, {"message", message}});
}

TEST_F(ReadingTest, What_a_policy_or_a_webhook_forbids_is_a_refusal_and_no_missing_right) {
  Put(System("abap"));
  const std::string system = "provisioningsystems.certpair.dev \"abap\" is forbidden: ";
  struct Case {
    std::string said;
    Exit exit;
    const char* tells;
  };
  const Case cases[] = {
      {system + "User \"ann@example.com\" cannot patch resource \"provisioningsystems\" in API "
                "group \"certpair.dev\" in the namespace \"idm\"",
       Exit::Failed, "you may not patch provisioningsystems.certpair.dev in namespace \"idm\""},
      {system + "ValidatingAdmissionPolicy 'certpair-subscribers' with binding "
                "'certpair-subscribers' denied request: you may change one subscription at a time",
       Exit::Refused, "one subscription at a time"},
      {"admission webhook \"it.example.com\" denied the request: User \"ann\" cannot do that",
       Exit::Refused, "denied the request"},
      {system + "Certificates cannot be changed on Fridays", Exit::Refused, "on Fridays"}};
  for (const Case& c : cases) {
    before = [&](const kube::HttpRequest& request) {
      return request.method == "GET" ? std::nullopt : std::optional{Forbidden(c.said)};
    };
    for (const bool creates : {false, true}) {
      const Outcome outcome = creates ? Generate(TheSession(), {.name = "abap"})
                                      : Auto(TheSession(), {.on = true, .name = "abap"});
      EXPECT_EQ(ExitOf(outcome), c.exit) << c.said;
      if (!creates) {
        EXPECT_THAT(MessageOf(outcome), HasSubstr(c.tells));
      }
      const bool tells_of_a_role = MessageOf(outcome).find("The role") != std::string::npos;
      EXPECT_EQ(tells_of_a_role, c.exit == Exit::Failed) << MessageOf(outcome);
    }
  }
}

TEST_F(ReadingTest, An_API_server_that_does_not_answer_in_time_ends_with_4) {
  transport_->send = [](const kube::HttpRequest&,
                        const std::stop_token&) -> kube::ApiResult<kube::HttpResponse> {
    return std::unexpected(kube::ApiError{kube::ApiErrorKind::Timeout, 0, {}, "no answer", {}});
  };
  const Outcome outcome = Describe(TheSession(), {.name = "abap"});
  EXPECT_EQ(ExitOf(outcome), Exit::TimedOut);
  EXPECT_THAT(MessageOf(outcome), AllOf(HasSubstr("did not answer in time"),
                                        HasSubstr("--request-timeout"), HasSubstr("no answer")));
}

TEST_F(ReadingTest, Each_failure_has_its_exit_code_and_its_advice) {
  struct Case {
    int status;
    const char* reason;
    Exit exit;
    const char* says;
  };
  const Case cases[] = {{401, "Unauthorized", Exit::Failed, "Log in again"},
                        {404, "", Exit::Failed, "not installed"},
                        {422, "Invalid", Exit::Refused, "refuses"},
                        {500, "InternalError", Exit::Failed, "500"}};
  for (const Case& c : cases) {
    before = [&](const kube::HttpRequest&) { return kube::StatusAnswer(c.status, c.reason); };
    const Outcome outcome = Describe(TheSession(), {.name = "abap"});
    EXPECT_EQ(ExitOf(outcome), c.exit) << c.status;
    EXPECT_THAT(MessageOf(outcome), HasSubstr(c.says));
  }
  before = {};
  EXPECT_THAT(MessageOf(Describe(TheSession(), {.name = "nobody"})),
              HasSubstr("there is no system \"nobody\" in namespace \"idm\""));
}

TEST_F(ReadingTest, A_doctor_lists_what_needs_attention_by_urgency) {
  PutKinds();
  PutLease("2026-06-01T00:00:00.000000Z");
  EXPECT_TRUE(Doctor(TheSession(), {})) << out_;
  EXPECT_THAT(out_, HasSubstr("0 systems, no problems"));
  Put(Ending("later", "2026-06-25T00:00:00Z", "ActionNeeded"));
  Put(Ending("sooner", "2026-06-20T00:00:00Z", "ActionNeeded"));
  Put(Ending("ended", "2026-05-01T00:00:00Z", "Expired"));
  Put(Ending("itself", "2026-06-20T00:00:00Z", "WillBeRegenerated"));
  out_.clear();
  const Outcome outcome = Doctor(TheSession(), {});
  EXPECT_EQ(ExitOf(outcome), Exit::Failed);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("3 checks need attention"));
  EXPECT_LT(out_.find("idm/ended"), out_.find("idm/sooner"));
  EXPECT_LT(out_.find("idm/sooner"), out_.find("idm/later"));
  EXPECT_THAT(out_, Not(HasSubstr("idm/itself")));
}

TEST_F(ReadingTest, A_doctor_tells_once_that_no_mail_is_sent_however_many_wait_for_it) {
  PutKinds();
  PutLease("2026-06-01T00:00:00.000000Z");
  for (const char* name : {"a", "b", "c"}) {
    json system = System(name);
    if (name[0] != 'c')
      system["status"]["conditions"].push_back(
          Condition("NotificationsDelivered", "False", "MailNotConfigured"));
    Put(system);
  }
  EXPECT_THAT(MessageOf(Doctor(TheSession(), {})), HasSubstr("1 check needs attention"));
  EXPECT_THAT(out_, testing::ContainsRegex("SOON +mail +2 systems have subscribers"));
}

TEST_F(ReadingTest, A_doctor_takes_an_operator_that_looked_at_nothing_for_one_that_does_not_run) {
  PutKinds();
  json system = System("abap");
  Put(system);
  EXPECT_TRUE(Doctor(TheSession(), {})) << "it may run without leader election";
  EXPECT_THAT(out_, testing::ContainsRegex("UNKNOWN +operator"));
  system.erase("status");
  Put(system);
  out_.clear();
  EXPECT_EQ(ExitOf(Doctor(TheSession(), {})), Exit::Failed);
  EXPECT_THAT(out_, testing::ContainsRegex("BROKEN +operator +The Lease .* does not exist"));
}

TEST_F(ReadingTest, A_doctor_who_may_not_list_authorities_asks_for_those_that_the_systems_name) {
  PutKinds();
  PutLease("2026-06-01T00:00:00.000000Z");
  Put(System("abap"));
  const std::string authorities = "/apis/certpair.dev/v1/certificateauthorities";
  before = [&](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (!request.path.starts_with(authorities + "?")) return std::nullopt;
    return kube::StatusAnswer(403, "Forbidden");
  };
  EXPECT_EQ(ExitOf(Doctor(TheSession(), {})), Exit::Failed) << "it is not there";
  EXPECT_THAT(out_, testing::ContainsRegex("BROKEN +authority ca "));
  objects_[authorities + "/ca"] = {
      {"metadata", {{"name", "ca"}}},
      {"status",
       {{"conditions", json::array({Condition("Ready", "True", "Usable", "It signs")})}}}};
  out_.clear();
  EXPECT_TRUE(Doctor(TheSession(), {}));
  EXPECT_THAT(out_, testing::ContainsRegex("OK +authority ca +It signs"));
}

TEST_F(ReadingTest, A_doctor_finds_missing_CRDs_and_a_silent_operator) {
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (!request.path.starts_with("/openapi")) return std::nullopt;
    return kube::HttpResponse{404, "404 page not found", {}};
  };
  EXPECT_EQ(ExitOf(Doctor(TheSession(), {})), Exit::Failed);
  EXPECT_THAT(out_, HasSubstr("install the CRDs"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (!request.path.starts_with("/openapi")) return std::nullopt;
    return kube::Answer(200, {{"old", 1}});
  };
  PutLease("2026-06-01T00:00:00.000000Z", "");
  out_.clear();
  EXPECT_EQ(ExitOf(Doctor(TheSession(), {})), Exit::Failed);
  EXPECT_THAT(out_, HasSubstr("not of version"));
}

TEST_F(ReadingTest, The_fields_that_a_doctor_looks_for_are_in_the_CRDs) {
  PutLease("2026-06-01T00:00:00.000000Z");
  json kinds = json::array();
  for (const auto& file : std::filesystem::directory_iterator(test::SourceDir() + "/crds")) {
    const auto documents = ParseYaml(test::ReadFile(file.path()));
    ASSERT_TRUE(documents) << file.path();
    for (const json& kind : *documents) kinds.push_back(kind);
  }
  ASSERT_EQ(kinds.size(), 3U);
  const std::string schema = "/openapi/v3/apis/certpair.dev/v1";
  objects_[schema] = kinds;
  EXPECT_TRUE(Doctor(TheSession(), {})) << out_;
  EXPECT_THAT(out_, testing::ContainsRegex("OK +CRDs"));
  for (const char* field : {"nextTransition", "chain", "pkcs12"}) {
    std::string older = kinds.dump();
    const std::string name = '"' + std::string{field} + '"';
    for (std::size_t at = older.find(name); at != std::string::npos; at = older.find(name))
      older.replace(at, name.size(), "\"other\"");
    objects_[schema] = json::parse(older);
    out_.clear();
    EXPECT_FALSE(Doctor(TheSession(), {}));
    EXPECT_THAT(out_, HasSubstr("the field " + std::string{field} + " is missing"));
  }
}

TEST_F(ReadingTest, A_doctor_tells_a_machine_the_same) {
  PutKinds();
  PutLease("2026-06-01T00:00:00.000000Z");
  Put(Ending("abap", "2026-06-20T00:00:00Z", "ActionNeeded"));
  EXPECT_EQ(ExitOf(Doctor(TheSession(), {.format = Format::Json})), Exit::Failed);
  const json told = json::parse(out_);
  ASSERT_EQ(told.size(), 1U) << out_;
  EXPECT_EQ(told.at("findings").at(0),
            (json{{"urgency", "SOON"}, {"about", "idm/abap"}, {"message", "act: abap"}}));
  std::vector<std::string> others;
  for (const json& finding : told.at("findings"))
    if (finding.at("urgency") == "OK") others.push_back(finding.at("about"));
  EXPECT_THAT(others, testing::ElementsAre("CRDs", "operator"));
}

TEST_F(ReadingTest, A_version_is_told_to_people_and_to_machines) {
  EXPECT_TRUE(Version(console_, {.format = Format::Json}));
  EXPECT_EQ(json::parse(out_), (json{{"version", CERTPAIR_VERSION}, {"api", "certpair.dev/v1"}}));
  out_.clear();
  EXPECT_TRUE(Version(console_, {.format = Format::Yaml}));
  const auto read = ParseYaml(out_);
  ASSERT_TRUE(read) << out_;
  EXPECT_EQ(read->front().at("api"), "certpair.dev/v1");
  out_.clear();
  EXPECT_TRUE(Version(console_, {}));
  EXPECT_EQ(out_, "kubectl-certpair " CERTPAIR_VERSION " (certpair.dev/v1)\n");
}

TEST_F(ReadingTest, A_document_on_a_terminal_is_ASCII_and_in_a_file_as_it_is) {
  json system = System("abap");
  const std::string misleading =
      "Gr\xc3\xb6\xc3\x9f"
      "e\xe2\x80\xae\xc2\x9b[31m";
  system["spec"]["displayName"] = misleading;
  system["spec"]["certificate"]["note"] = misleading + "\n";
  Put(system);
  const auto is_ascii = [](const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x7F; });
  };
  for (const bool is_terminal : {true, false})
    for (const Format format : {Format::Json, Format::Yaml}) {
      console_.out_is_terminal = is_terminal;
      out_.clear();
      EXPECT_TRUE(List(TheSession(), {.format = format}));
      EXPECT_EQ(is_ascii(out_), is_terminal) << out_;
      const auto read = ParseYaml(out_);
      ASSERT_TRUE(read) << out_;
      const json& spec = read->front().at("items").at(0).at("spec");
      EXPECT_EQ(spec.at("displayName"), misleading);
      EXPECT_EQ(spec.at("certificate").at("note"), misleading + "\n");
    }
}

TEST_F(ReadingTest, A_doctor_who_may_not_look_does_not_tell_of_health) {
  PutKinds();
  PutLease("2026-06-01T00:00:00.000000Z");
  for (const char* kind : {"provisioningsystems", "certificateauthorities"}) {
    before = [&](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
      if (request.path.find(kind) == std::string::npos) return std::nullopt;
      return kube::StatusAnswer(403, "Forbidden");
    };
    out_.clear();
    EXPECT_EQ(ExitOf(Doctor(TheSession(), {})), Exit::Failed) << kind;
    EXPECT_THAT(out_, HasSubstr("UNKNOWN"));
    EXPECT_THAT(out_, HasSubstr(std::string{"you may not list "} + kind));
  }
}

TEST_F(ReadingTest, A_doctor_whose_clock_is_ahead_sees_the_Lease_renewed_before_his_eyes) {
  PutKinds();
  PutLease("2026-05-31T23:00:00.000000Z");
  int pauses = 0;
  on_pause = [&] {
    if (++pauses == 2) PutLease("2026-05-31T23:00:02.000000Z");
  };
  EXPECT_TRUE(Doctor(TheSession(), {})) << out_;
  EXPECT_THAT(out_, testing::ContainsRegex("OK +operator +The operator runs"));
  on_pause = {};
  out_.clear();
  EXPECT_FALSE(Doctor(TheSession(), {}));
  EXPECT_THAT(out_, testing::ContainsRegex("BROKEN +operator +The operator does not run"));
}

TEST_F(WatchTest, Shows_once_more_what_no_longer_is_what_was_asked_for) {
  json ending = Versioned(System("abap"), "1");
  ending["status"]["certificates"][0]["notAfter"] = "2026-06-10T00:00:00Z";
  Put(ending);
  const json renewed = Versioned(System("abap", true), "8");
  Watches({[&](const Sink& sink) -> kube::ApiResult<void> {
    for (int i = 0; i < 2; ++i) sink(json{{"type", "MODIFIED"}, {"object", renewed}}.dump());
    return {};
  }});
  EXPECT_TRUE(List(TheSession(), {.expiring_within = std::chrono::days{30}, .watch = true}));
  EXPECT_EQ(Count(out_, "\nabap "), 2U) << out_;
  EXPECT_THAT(out_, HasSubstr("AB:99:EF:01"));
}

}  // namespace
}  // namespace certpair::plugin
