// Generate, activate, delete: what is refused before anything is made, and how the wait ends.
#include "actions/operate.hpp"

#include "base/time_format.hpp"
#include "unit/actions/fake_cluster.hpp"

namespace certpair::actions {
namespace {

class ActionsOperateTest : public ClusterTest {
 protected:
  OrRefusal<OperationEnd> Generate(const How& how = {}) {
    const Session session = TheActing();
    const auto intent = IntendGenerate(session, "abap");
    if (!intent) return std::unexpected(intent.error());
    return Carry(session, *intent, how);
  }
  template <class R>
  static const R* RefusedWith(const auto& answer) {
    if (answer) ADD_FAILURE() << "it was not refused";
    return answer ? nullptr : std::get_if<R>(&answer.error());
  }
  void LoseAnswersTo(const std::string& method, kube::ApiErrorKind kind) {
    const auto answer = transport_->send;
    transport_->send = [=](const kube::HttpRequest& request,
                           const std::stop_token& stop) -> kube::ApiResult<kube::HttpResponse> {
      if (request.method != method) return answer(request, stop);
      return std::unexpected(kube::ApiError{kind, 0, {}, "no answer", {}});
    };
  }
};

TEST_F(ActionsOperateTest, Rules_of_the_pair_refuse_before_anything_is_made) {
  Put(System("full", true));
  Put(System("single"));
  const Session session = TheActing();
  const auto third = IntendGenerate(session, "full");
  const auto* two = RefusedWith<AlreadyTwo>(third);
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(two->system, (SystemRef{"idm", "full"}));
  EXPECT_EQ(two->inactive, kSecond);
  const auto none = IntendActivate(session, "single", "");
  EXPECT_NE(RefusedWith<NoInactive>(none), nullptr);
  const auto active = IntendDelete(session, "full", "ABCD");
  const auto* cannot = RefusedWith<CannotDeleteActive>(active);
  ASSERT_NE(cannot, nullptr);
  EXPECT_EQ(cannot->fingerprint, kFirst);
  EXPECT_TRUE(WroteNothing());
}

TEST_F(ActionsOperateTest, A_fingerprint_that_names_no_one_certificate_says_why) {
  Put(System("abap", true));
  using Why = BadFingerprint::Why;
  const std::pair<const char*, Why> rows[] = {{"", Why::NotHex},
                                              {"A", Why::NotHex},
                                              {"xyz", Why::NotHex},
                                              {"AB", Why::SeveralBeginSo},
                                              {"77:88", Why::NoneBeginsSo}};
  for (const auto& [text, why] : rows) {
    const auto intent = IntendDelete(TheActing(), "abap", text);
    const auto* bad = RefusedWith<BadFingerprint>(intent);
    ASSERT_NE(bad, nullptr) << text;
    EXPECT_EQ(bad->why, why) << text;
    EXPECT_EQ(bad->there.size(), 2U);
  }
  const auto intent = IntendDelete(TheActing(), "abap", "ab99");
  ASSERT_TRUE(intent);
  EXPECT_EQ(intent->fingerprint, kSecond);
}

TEST_F(ActionsOperateTest, Without_a_fingerprint_the_inactive_one_is_meant) {
  Put(System("abap", true));
  const auto intent = IntendActivate(TheActing(), "abap", "");
  ASSERT_TRUE(intent);
  EXPECT_EQ(intent->fingerprint, kSecond);
  EXPECT_FALSE(intent->ChangesNothing());
  EXPECT_TRUE(IntendActivate(TheActing(), "abap", "ABCD")->ChangesNothing());
}

TEST_F(ActionsOperateTest, An_answer_about_another_system_is_not_used) {
  before = [](const kube::HttpRequest&) { return kube::Answer(200, System("other")); };
  const auto intent = IntendGenerate(TheActing(), "abap");
  const auto* other = RefusedWith<AnotherSystem>(intent);
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(other->answered.name, "other");
}

TEST_F(ActionsOperateTest, The_end_is_awaited_and_then_that_status_shows_it) {
  Put(System("abap"));
  int looks = 0;
  on_operation = [&](json& operation) {
    if (++looks == 3) Finish(operation, "Complete", "Generated");
  };
  int pauses = 0;
  on_pause = [&] {
    if (++pauses == 5) Put(System("abap", true));
  };
  const auto end = Generate();
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->finished);
  EXPECT_EQ(end->name, "abap-1");
  EXPECT_EQ(end->fingerprint, kSecond);
  EXPECT_EQ(pauses, 5);
  ASSERT_FALSE(progress_.empty());
  const auto* waits = std::get_if<WaitsForOperation>(&progress_.front());
  ASSERT_NE(waits, nullptr);
  EXPECT_EQ(waits->operation, "abap-1");
  const auto posted = transport_->Requests().at(1);
  EXPECT_NE(posted.path.find("fieldManager=certpair-test"), std::string::npos);
}

TEST_F(ActionsOperateTest, A_refusal_of_the_operator_has_its_reason_and_message) {
  Put(System("abap"));
  on_operation = [](json& operation) { Finish(operation, "Failed", "LimitReached"); };
  const auto end = Generate();
  const auto* refused = RefusedWith<OperationRefused>(end);
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->reason, "LimitReached");
  EXPECT_EQ(refused->message, "so it is");
  EXPECT_EQ(refused->operation, "abap-1");
}

TEST_F(ActionsOperateTest, A_stop_amid_the_wait_names_the_operation_that_goes_on) {
  Put(System("abap"));
  on_pause = [this] { stop_.request_stop(); };
  const auto end = Generate();
  const auto* stopped = RefusedWith<Stopped>(end);
  ASSERT_NE(stopped, nullptr);
  EXPECT_EQ(stopped->operation, "abap-1");
}

TEST_F(ActionsOperateTest, A_silent_operator_ends_the_wait_early_and_is_told_once) {
  Put(System("abap"));
  PutLease("2026-05-31T23:00:00.000000Z");
  const auto began = clock_.Steady();
  const auto end = Generate();
  const auto* none = RefusedWith<NoOperator>(end);
  ASSERT_NE(none, nullptr);
  EXPECT_EQ(none->operation, "abap-1");
  EXPECT_EQ(none->liveness.state, Liveness::State::Expired);
  EXPECT_LT(clock_.Steady() - began, std::chrono::seconds{10});
  EXPECT_EQ(std::ranges::count_if(
                progress_,
                [](const Progress& told) { return std::holds_alternative<OperatorNotSeen>(told); }),
            1);
}

TEST_F(ActionsOperateTest, The_timeout_tells_what_was_known_of_operator_and_server) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("certificateoperations/") == std::string::npos) return std::nullopt;
    return kube::StatusAnswer(500, "InternalError");
  };
  const auto end = Generate({.timeout = seconds{9}});
  const auto* late = RefusedWith<NotInTime>(end);
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->timeout, seconds{9});
  ASSERT_TRUE(late->trouble);
  EXPECT_EQ(late->trouble->error.status, 500);
  ASSERT_TRUE(late->silence);
  EXPECT_EQ(late->silence->state, Liveness::State::Absent);
}

TEST_F(ActionsOperateTest, A_lost_answer_leaves_open_whether_it_was_made) {
  Put(System("abap"));
  LoseAnswersTo("POST", kube::ApiErrorKind::Transport);
  const auto end = Generate();
  EXPECT_NE(RefusedWith<PerhapsMade>(end), nullptr);
}

TEST_F(ActionsOperateTest, A_right_that_is_lost_amid_the_wait_names_the_operation) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("certificateoperations/") == std::string::npos) return std::nullopt;
    return kube::StatusAnswer(403, "Forbidden");
  };
  const auto end = Generate();
  const auto* lost = RefusedWith<LostSight>(end);
  ASSERT_NE(lost, nullptr);
  EXPECT_EQ(lost->operation, "abap-1");
}

TEST_F(ActionsOperateTest, A_hostile_name_of_the_operation_is_not_asked_for) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.method != "POST") return std::nullopt;
    return kube::Answer(201, {{"metadata", {{"name", "../secrets/x"}}}});
  };
  const auto end = Generate();
  EXPECT_NE(RefusedWith<BadOperationName>(end), nullptr);
  EXPECT_EQ(transport_->Requests().size(), 2U);
}

TEST_F(ActionsOperateTest, A_client_dry_run_sends_nothing_and_shows_the_object) {
  Put(System("abap"));
  const auto end = Generate({.dry_run = DryRun::Client});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->object.at("spec").at("action"), "Generate");
  EXPECT_TRUE(end->name.empty());
  EXPECT_TRUE(WroteNothing());
}

}  // namespace
}  // namespace certpair::actions
