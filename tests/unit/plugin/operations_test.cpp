// generate, activate, delete: what is asked of the operator, and how its answer is told.
#include "base/time_format.hpp"
#include "unit/plugin/fake_api.hpp"

namespace certpair::plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

class OperationsTest : public PluginTest {
 protected:
  void OperatorAnswers(const std::string& type, const std::string& reason) {
    on_operation = [=](json& operation) { Finish(operation, type, reason); };
  }
  [[nodiscard]] json Sent() const { return json::parse(transport_->Requests().at(1).body); }
};

TEST_F(OperationsTest, Generate_says_which_certificate_was_made_and_what_to_do_next) {
  json system = System("abap");
  system["spec"]["peerMatching"] = "Fingerprint";
  Put(system);
  OperatorAnswers("Complete", "Generated");
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  ASSERT_TRUE(outcome) << MessageOf(outcome);
  EXPECT_THAT(out_, HasSubstr("Certificate generated: " + kSecond));
  EXPECT_THAT(out_, HasSubstr("download abap --inactive"));
  EXPECT_THAT(out_, HasSubstr("activate abap AB:99:EF:01"));
  EXPECT_EQ(Sent().at("spec").at("action"), "Generate");
  EXPECT_EQ(Sent().at("metadata").at("generateName"), "abap-");
}

TEST_F(OperationsTest, Generate_with_two_certificates_is_refused_before_anything_is_asked) {
  Put(System("abap", true));
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_EQ(ExitOf(outcome), Exit::Refused);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("delete abap AB:99:EF:01"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(OperationsTest, A_refusal_of_the_operator_is_told_with_its_reason) {
  Put(System("abap"));
  OperatorAnswers("Failed", "LimitReached");
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_EQ(ExitOf(outcome), Exit::Refused);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("LimitReached"));
}

TEST_F(OperationsTest, A_long_name_still_makes_a_name_that_fits) {
  const std::string name(63, 'x');
  Put(System(name));
  EXPECT_TRUE(Generate(TheSession(), {.name = name, .change = {.wait = false}}));
  EXPECT_LE(Sent().at("metadata").at("generateName").get<std::string>().size() + 5, 63U);
}

TEST_F(OperationsTest, Without_a_fingerprint_the_inactive_one_is_activated) {
  Put(System("abap", true));
  OperatorAnswers("Complete", "Activated");
  const Outcome outcome = Activate(TheSession(), {.name = "abap"});
  ASSERT_TRUE(outcome) << MessageOf(outcome);
  EXPECT_EQ(Sent().at("spec").at("fingerprint"), kSecond);
  EXPECT_THAT(err_, HasSubstr("AB:99:EF:01 to its peer in place of AB:CD:EF:01"));
}

TEST_F(OperationsTest, Of_one_certificate_there_is_nothing_to_activate) {
  Put(System("abap"));
  EXPECT_EQ(ExitOf(Activate(TheSession(), {.name = "abap"})), Exit::Refused);
  EXPECT_TRUE(WroteNothing());
}

TEST_F(OperationsTest, A_shortened_fingerprint_must_be_one_of_the_pairs_and_no_other) {
  Put(System("abap", true));
  struct Case {
    const char* fingerprint;
    Exit exit;
    const char* says;
  };
  const Case cases[] = {{"AB", Exit::Usage, "ambiguous"},
                        {"ab", Exit::Usage, "ambiguous"},
                        {"A", Exit::Usage, "two hex digits"},
                        {"xyz", Exit::Usage, "two hex digits"},
                        {"", Exit::Usage, "two hex digits"},
                        {"77:88", Exit::Usage, "begins with 77:88"},
                        {"ABCD", Exit::Refused, "cannot be deleted"}};
  for (const Case& c : cases) {
    const Outcome outcome = Delete(TheSession(), {.name = "abap", .fingerprint = c.fingerprint});
    EXPECT_EQ(ExitOf(outcome), c.exit) << c.fingerprint;
    EXPECT_THAT(MessageOf(outcome), HasSubstr(c.says));
  }
  EXPECT_TRUE(WroteNothing());
  OperatorAnswers("Complete", "Deleted");
  EXPECT_TRUE(Delete(TheSession(), {.name = "abap", .fingerprint = "ab99"}));
}

TEST_F(OperationsTest, On_a_terminal_a_person_is_asked_and_no_means_no) {
  Put(System("abap", true));
  std::string asked;
  console_.ask = [&](std::string_view question, bool) {
    asked = question;
    return std::optional<std::string>{""};
  };
  EXPECT_EQ(ExitOf(Delete(TheSession(), {.name = "abap", .fingerprint = "ab99"})), Exit::Failed);
  EXPECT_THAT(asked, HasSubstr("Delete it?"));
  EXPECT_TRUE(WroteNothing());
  OperatorAnswers("Complete", "Deleted");
  EXPECT_TRUE(
      Delete(TheSession(), {.name = "abap", .fingerprint = "ab99", .change = {.yes = true}}));
}

TEST_F(OperationsTest, A_dry_run_stores_nothing) {
  Put(System("abap"));
  EXPECT_TRUE(Generate(TheSession(), {.name = "abap", .change = {.dry_run = DryRun::Client}}));
  EXPECT_TRUE(WroteNothing());
  EXPECT_TRUE(Generate(TheSession(), {.name = "abap", .change = {.dry_run = DryRun::Server}}));
  EXPECT_THAT(Methods("POST").at(0), HasSubstr("dryRun=All"));
  EXPECT_THAT(out_, HasSubstr("server dry run"));
}

TEST_F(OperationsTest, An_operator_whose_Lease_is_stale_is_told_at_once_and_the_operation_stays) {
  Put(System("abap"));
  PutLease("2026-05-31T23:00:00.000000Z");
  const auto began = clock_.Steady();
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_EQ(ExitOf(outcome), Exit::Failed);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("abap-1. It stays"));
  EXPECT_THAT(err_, HasSubstr("last renewed 60 minutes ago"));
  EXPECT_LT(clock_.Steady() - began, std::chrono::seconds{10});
  EXPECT_TRUE(objects_.contains(kGroupPath + "certificateoperations/abap-1"));
}

TEST_F(OperationsTest, While_the_operator_lives_it_is_waited_for_until_the_timeout) {
  Put(System("abap"));
  on_pause = [this] { PutLease(FormatMicroTime(clock_.Now())); };
  PutLease("2026-06-01T00:00:00.000000Z");
  const Outcome outcome =
      Generate(TheSession(), {.name = "abap", .change = {.timeout = seconds{30}}});
  EXPECT_EQ(ExitOf(outcome), Exit::TimedOut);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("abap-1 did not end within 30s"));
  EXPECT_EQ(err_, "");
}

TEST_F(OperationsTest, Ctrl_C_names_the_operation_which_goes_on) {
  Put(System("abap"));
  on_pause = [this] { stop_.request_stop(); };
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_EQ(ExitOf(outcome), Exit::Interrupted);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("The operation abap-1 goes on"));
}

TEST_F(OperationsTest, What_was_generated_can_be_downloaded_at_once_since_status_is_awaited) {
  Put(System("abap"));
  OperatorAnswers("Complete", "Generated");
  int pauses = 0;
  on_pause = [&] {
    if (++pauses == 3) Put(System("abap", true));
  };
  EXPECT_TRUE(Generate(TheSession(), {.name = "abap"}));
  EXPECT_EQ(pauses, 3);
}

TEST_F(OperationsTest, A_machine_gets_the_operation_alone) {
  Put(System("abap", true));
  OperatorAnswers("Complete", "Deleted");
  EXPECT_TRUE(
      Delete(TheSession(), {.name = "abap", .fingerprint = "ab99", .format = Format::Json}));
  EXPECT_EQ(json::parse(out_).at("status").at("fingerprint"), kSecond);
  EXPECT_EQ(err_, "");
}

TEST_F(OperationsTest, A_script_gets_the_name_alone) {
  Put(System("abap", true));
  OperatorAnswers("Complete", "Deleted");
  EXPECT_TRUE(
      Delete(TheSession(), {.name = "abap", .fingerprint = "ab99", .format = Format::Name}));
  EXPECT_EQ(out_, "certificateoperation.certpair.dev/abap-1\n");
  EXPECT_EQ(err_, "");
  out_.clear();
  EXPECT_TRUE(
      Activate(TheSession(),
               {.name = "abap", .change = {.dry_run = DryRun::Client}, .format = Format::Name}));
  EXPECT_EQ(out_, "certificateoperation.certpair.dev\n") << "it is not made, and has no name yet";
}

TEST_F(OperationsTest, What_others_wrote_does_not_reach_the_terminal_as_it_is) {
  json system = System("abap", true);
  system["status"]["certificates"][1]["fingerprint"] = "AB:99\x1b[2J\xe2\x80\xae";
  Put(system);
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_THAT(MessageOf(outcome) + out_ + err_, Not(HasSubstr("\x1b")));
}

TEST_F(OperationsTest, An_API_server_that_stumbles_is_asked_again_and_no_second_operation_is_made) {
  Put(System("abap"));
  OperatorAnswers("Complete", "Generated");
  int left = 3;
  before = [&](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.method != "GET" || request.path.find("certificateoperations/") == std::string::npos)
      return std::nullopt;
    if (left-- <= 0) return std::nullopt;
    return kube::StatusAnswer(left == 1 ? 429 : 500,
                              left == 1 ? "TooManyRequests" : "InternalError");
  };
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_TRUE(outcome) << MessageOf(outcome);
  EXPECT_EQ(Methods("POST").size(), 1U);
}

TEST_F(OperationsTest, What_ends_the_waiting_names_the_operation_that_was_made) {
  struct Case {
    int status;
    const char* reason;
    Exit exit;
  };
  for (const Case& c :
       {Case{403, "Forbidden", Exit::Failed}, Case{401, "Unauthorized", Exit::Failed},
        Case{500, "InternalError", Exit::TimedOut}}) {
    objects_.clear();
    Put(System("abap"));
    before = [&](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
      const bool looks = request.method == "GET" &&
                         request.path.find("certificateoperations/") != std::string::npos;
      return looks ? std::optional{kube::StatusAnswer(c.status, c.reason)} : std::nullopt;
    };
    const Outcome outcome = Generate(TheSession(), {.name = "abap"});
    EXPECT_EQ(ExitOf(outcome), c.exit) << c.reason;
    EXPECT_THAT(MessageOf(outcome), HasSubstr("get certop abap-1")) << c.reason;
  }
}

TEST_F(OperationsTest, Whether_it_was_made_is_not_known_where_the_answer_was_lost) {
  Put(System("abap"));
  const auto answer = transport_->send;
  transport_->send = [&](const kube::HttpRequest& request,
                         const std::stop_token& stop) -> kube::ApiResult<kube::HttpResponse> {
    if (request.method != "POST") return answer(request, stop);
    return std::unexpected(
        kube::ApiError{kube::ApiErrorKind::Transport, 0, {}, "the connection was cut", {}});
  };
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_EQ(ExitOf(outcome), Exit::Failed);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("may exist nevertheless"));
}

TEST_F(OperationsTest, An_API_server_that_does_not_answer_the_making_in_time_ends_with_4) {
  Put(System("abap"));
  const auto answer = transport_->send;
  transport_->send = [&](const kube::HttpRequest& request,
                         const std::stop_token& stop) -> kube::ApiResult<kube::HttpResponse> {
    if (request.method != "POST") return answer(request, stop);
    return std::unexpected(kube::ApiError{kube::ApiErrorKind::Timeout, 0, {}, "no answer", {}});
  };
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_EQ(ExitOf(outcome), Exit::TimedOut);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("may exist nevertheless"));
}

TEST_F(OperationsTest, A_person_is_asked_whatever_the_format_is_and_Ctrl_C_is_no_answer) {
  Put(System("abap", true));
  console_.ask = [&](std::string_view, bool) -> std::optional<std::string> {
    stop_.request_stop();
    return std::nullopt;
  };
  const Outcome outcome =
      Delete(TheSession(), {.name = "abap", .fingerprint = "ab99", .format = Format::Name});
  EXPECT_EQ(ExitOf(outcome), Exit::Interrupted);
  EXPECT_THAT(err_, HasSubstr("gone for good"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(OperationsTest, On_a_terminal_it_says_after_a_second_that_it_waits) {
  Put(System("abap"));
  console_.err_is_terminal = true;
  on_pause = [this] { PutLease(FormatMicroTime(clock_.Now())); };
  PutLease("2026-06-01T00:00:00.000000Z");
  EXPECT_FALSE(Generate(TheSession(), {.name = "abap", .change = {.timeout = seconds{5}}}));
  EXPECT_EQ(err_, "Waiting for the operator to carry out abap-1 …\n");
}

TEST_F(OperationsTest, Who_may_not_see_the_operator_is_told_where_it_is_looked_for) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path != kLeasePath) return std::nullopt;
    return kube::StatusAnswer(403, "Forbidden");
  };
  const Outcome outcome =
      Generate(TheSession(), {.name = "abap", .change = {.timeout = seconds{9}}});
  EXPECT_EQ(ExitOf(outcome), Exit::TimedOut);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("--operator-namespace"));
  EXPECT_THAT(err_, HasSubstr("is unknown"));
}

}  // namespace
}  // namespace certpair::plugin
