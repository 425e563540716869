// The reconciler's passes, call by call: what is read, what is written, and what is not.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "core/reasons.hpp"
#include "reconcile/names.hpp"
#include "simulation/specimens.hpp"

namespace certpair::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsEmpty;

constexpr const char* kKey = "idm/abap";
constexpr const char* kSecretKey = "idm/abap-outbound";

class ReconcilerTest : public testing::Test {
 protected:
  void SetUp() override {
    AddAuthority(stage);
    stage.daemon.Start();
  }
  void StopSigning() {
    auto& ca = *stage.mint.Find(kAuthority);
    ca.signs = false;
    stage.world.SetAuthority(DescribeAuthority(kAuthority, ca));
  }
  // A system whose first certificate is there, and of which all news has arrived.
  void MakeItLive(reconcile::StoredSystem system = MakeSystem("abap")) {
    stage.world.AddSystem(std::move(system));
    stage.Settle();
    ASSERT_EQ(Ready(), "Valid");
    stage.world.ResetCounts();
    stage.world.events.clear();
  }
  [[nodiscard]] std::string Ready() const {
    const auto system = stage.world.LiveSystem(kKey);
    const auto* ready = system ? system->status.Find("Ready") : nullptr;
    return ready != nullptr ? ready->reason : "";
  }
  [[nodiscard]] std::string Data(std::string_view key) const {
    const auto secret = stage.world.LiveSecretOf(kSecretKey);
    return secret ? std::string{secret->Data(key)} : "";
  }
  [[nodiscard]] std::string FingerprintIn(std::string_view key) const {
    const auto* certificate = stage.mint.Known(Data(key));
    return certificate != nullptr ? certificate->fingerprint : "";
  }
  [[nodiscard]] bool WasTold(std::string_view reason) const {
    return std::ranges::any_of(stage.world.events,
                               [&](const auto& event) { return event.reason == reason; });
  }
  // `fault` befalls the next such call, and no other.
  void FailNext(Call call, Fault fault) {
    stage.world.fault = [this, call, fault](Call now) {
      if (now != call) return Fault::None;
      stage.world.fault = nullptr;
      return fault;
    };
  }
  int Count(Call call) { return stage.world.Count(call); }

  Stage stage;
};

TEST_F(ReconcilerTest, A_new_system_costs_three_writes_and_no_read) {
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Settle();
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(Data("tls.crt"), "cert:0");
  EXPECT_EQ(Data("tls.key"), "key:0");
  EXPECT_EQ(Data("ca.crt"), "ca:1");
  EXPECT_EQ(Data("inactive.crt"), "");
  EXPECT_EQ(Count(Call::CreateSecret), 1);
  EXPECT_EQ(Count(Call::WriteStatus), 1);
  EXPECT_EQ(Count(Call::Tell), 1);
  EXPECT_EQ(stage.world.Writes(), 3);
  EXPECT_EQ(stage.world.Reads(), 0);
}

TEST_F(ReconcilerTest, The_echo_of_its_own_writes_makes_no_pass) {
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Settle();
  EXPECT_EQ(stage.daemon.Passes(), 1U);
  stage.Run(minutes{1});
  EXPECT_EQ(stage.daemon.Passes(), 1U);
}

TEST_F(ReconcilerTest, A_caches_delay_of_a_second_causes_no_second_write) {
  stage.world.watch_delay = [] { return World::Delay{1000}; };
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{5});
  EXPECT_EQ(stage.world.Writes(), 3);
}

TEST_F(ReconcilerTest, A_restart_in_the_steady_state_reads_and_writes_nothing) {
  MakeItLive();
  stage.daemon.Start();
  stage.Settle();
  EXPECT_EQ(stage.world.Reads(), 0);
  EXPECT_EQ(stage.world.Writes(), 0);
}

TEST_F(ReconcilerTest, Each_day_the_Secret_is_read_in_depth_and_nothing_is_written) {
  MakeItLive();
  stage.Run(hours{24 * 10});
  EXPECT_EQ(Count(Call::ReadSecret), 10);
  EXPECT_EQ(stage.world.Writes(), 0);
}

TEST_F(ReconcilerTest, Nor_does_a_restart_every_hour_put_that_off) {
  MakeItLive();
  for (int hour = 0; hour < 240; ++hour) {
    stage.daemon.Start();
    stage.Run(hours{1});
  }
  EXPECT_EQ(Count(Call::ReadSecret), 10);
}

TEST_F(ReconcilerTest, A_quiet_year_costs_a_write_for_each_thing_that_happens) {
  MakeItLive();
  stage.Run(hours{24 * 365});
  EXPECT_EQ(Count(Call::PatchSecret), 1);
  // ExpiringSoon at its threshold; the regeneration (which comes before the second, or as it does).
  EXPECT_LE(Count(Call::WriteStatus), 3);
  EXPECT_TRUE(WasTold(core::reason::kCertificateRegenerated));
}

TEST_F(ReconcilerTest, A_status_edited_by_hand_is_not_believed_and_restored) {
  MakeItLive();
  const auto before = stage.world.LiveSystem(kKey)->status;
  stage.world.EditSystem(kKey, [](auto& system) {
    system.status.active->fingerprint = "AB:CD";
    system.status.conditions[0].message = "All is well, trust me.";
  });
  stage.Settle();
  EXPECT_EQ(Count(Call::ReadSecret), 1);
  EXPECT_EQ(stage.world.LiveSystem(kKey)->status, before);
  EXPECT_EQ(Count(Call::PatchSecret), 0);
}

TEST_F(ReconcilerTest, A_PEM_edited_by_hand_in_the_status_is_restored) {
  MakeItLive();
  const auto before = stage.world.LiveSystem(kKey)->pems_digest;
  stage.world.EditSystem(kKey, [](auto& system) { system.pems_digest = 1; });
  stage.Settle();
  EXPECT_EQ(stage.world.LiveSystem(kKey)->pems_digest, before);
}

TEST_F(ReconcilerTest, A_status_that_was_wiped_comes_back_without_a_new_certificate) {
  MakeItLive();
  stage.world.EditSystem(kKey, [](auto& system) {
    system.status = {};
    system.pems_digest = reconcile::PemsDigest({});
  });
  stage.Settle();
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(ReconcilerTest, A_Secret_deleted_by_hand_is_made_anew_with_a_Warning) {
  MakeItLive();
  stage.world.DeleteSecret(kSecretKey);
  stage.Settle();
  EXPECT_EQ(Data("tls.crt"), "cert:1");
  EXPECT_EQ(Count(Call::ReadSystem), 1);
  ASSERT_TRUE(WasTold(core::reason::kCertificateLost));
  EXPECT_TRUE(stage.world.events.front().warning);
}

TEST_F(ReconcilerTest, Twelve_deletions_give_six_certificates) {
  MakeItLive();
  for (int n = 0; n < 12; ++n) {
    stage.world.DeleteSecret(kSecretKey);
    stage.Settle();
  }
  EXPECT_EQ(stage.mint.Made(), 6U);
  EXPECT_EQ(Ready(), core::reason::kIssuanceBudgetExceeded);
  stage.daemon.Start();  // nor does a restart give another
  stage.Run(hours{24});
  EXPECT_EQ(stage.mint.Made(), 6U);
  stage.Run(hours{24 * 14});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(stage.mint.Made(), 7U);
}

TEST_F(ReconcilerTest, Deletions_with_a_wiped_status_are_remembered_by_the_process) {
  MakeItLive();
  for (int n = 0; n < 12; ++n) {
    stage.world.EditSystem(kKey, [](auto& system) {
      system.status = {};
      system.pems_digest = reconcile::PemsDigest({});
    });
    stage.world.DeleteSecret(kSecretKey);
    stage.Settle();
  }
  EXPECT_EQ(stage.mint.Made(), 6U);
}

TEST_F(ReconcilerTest, A_crash_before_the_status_loses_no_issuance) {
  MakeItLive();
  for (int n = 0; n < 12; ++n) {
    stage.world.DeleteSecret(kSecretKey);
    if (stage.mint.Made() < 6) FailNext(Call::WriteStatus, Fault::CrashBefore);
    stage.Run(minutes{1});
    stage.daemon.Start();
    stage.Settle();
  }
  EXPECT_EQ(stage.mint.Made(), 6U);
}

TEST_F(ReconcilerTest, No_certificate_waits_for_owners_that_cannot_be_changed) {
  core::Installation installation;
  installation.secret_metadata_allow = {"team"};
  stage.daemon.Configure(std::move(installation));
  stage.daemon.Start();
  auto system = MakeSystem("abap");
  system.spec.regeneration_enabled = true;
  MakeItLive(system);
  stage.world.forbids_changes_of_owners = true;
  stage.world.EditSystem(kKey, [](auto& s) {
    s.spec.secret.deletion_policy = core::DeletionPolicy::Retain;
    ++s.identity.generation;
  });
  stage.Run(minutes{10});
  EXPECT_EQ(Ready(), core::reason::kOwnerNotChanged);
  EXPECT_THAT(stage.world.LiveSystem(kKey)->status.Find("Ready")->message,
              testing::HasSubstr("you cannot set an ownerRef"));
  EXPECT_TRUE(WasTold(core::reason::kOwnerNotChanged));
  const int tries = Count(Call::PatchSecret);
  EXPECT_EQ(tries, 1);

  // Labels are written all the same, and so is a new certificate.
  stage.world.EditSystem(kKey, [](auto& s) {
    s.spec.secret.labels["team"] = "a";
    ++s.identity.generation;
  });
  stage.Settle();
  EXPECT_EQ(stage.world.LiveSecretOf(kSecretKey)->metadata.Label("team"), "a");
  stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Run(minutes{2});
  EXPECT_EQ(Data("inactive.crt"), "cert:1");
  EXPECT_EQ(Ready(), core::reason::kOwnerNotChanged);
  EXPECT_FALSE(stage.world.LiveSecretOf(kSecretKey)->metadata.owners.empty());

  // A quiet day costs a try an hour, and no write of the status.
  stage.world.ResetCounts();
  stage.Run(hours{24});
  EXPECT_LE(Count(Call::PatchSecret), 24);
  EXPECT_EQ(Count(Call::WriteStatus), 0);

  stage.world.forbids_changes_of_owners = false;
  stage.Run(hours{2});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_TRUE(stage.world.LiveSecretOf(kSecretKey)->metadata.owners.empty());
}

class LabelPolicy : public ReconcilerTest, public testing::WithParamInterface<const char*> {};

TEST_P(LabelPolicy, That_removes_a_label_delays_nothing_and_is_reported) {
  MakeItLive();
  const std::string first = Data("tls.crt");
  stage.world.strips_label = GetParam();
  stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Run(seconds{20});  // less than a cache may lag behind a write
  const std::string second = Data("inactive.crt");
  EXPECT_NE(second, "");
  stage.world.AddOperation("abap", core::OperationAction::Activate, FingerprintIn("inactive.crt"));
  stage.Run(seconds{20});
  EXPECT_EQ(Data("tls.crt"), second);
  EXPECT_EQ(Data("inactive.crt"), first);
  EXPECT_EQ(Ready(), core::reason::kMetadataNotKept);
  EXPECT_THAT(stage.world.LiveSystem(kKey)->status.Find("Ready")->message,
              testing::HasSubstr(std::string{"label "} + GetParam()));
  EXPECT_TRUE(WasTold(core::reason::kMetadataNotKept));

  // A quiet day costs one attempt an hour.
  stage.world.ResetCounts();
  stage.Run(hours{24});
  EXPECT_LE(Count(Call::PatchSecret), 25);
  EXPECT_EQ(Count(Call::WriteStatus), 0);

  stage.world.strips_label.clear();
  stage.Run(hours{2});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_NE(stage.world.LiveSecretOf(kSecretKey)->metadata.Label(GetParam()), "");
}

INSTANTIATE_TEST_SUITE_P(Of, LabelPolicy,
                         testing::Values("app.kubernetes.io/managed-by", "certpair.dev/system"),
                         [](const auto& label) {
                           return label.index == 0 ? "the_watch" : "the_system";
                         });

TEST_F(ReconcilerTest, A_first_try_that_is_refused_its_owners_still_issues) {
  MakeItLive();
  stage.world.forbids_changes_of_owners = true;
  // The refusal and a certificate that is due meet in one write.
  stage.daemon.Stop();
  stage.world.EditSystem(kKey, [](auto& s) {
    s.spec.secret.deletion_policy = core::DeletionPolicy::Retain;
    ++s.identity.generation;
  });
  stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.daemon.Start();
  stage.Run(minutes{2});
  EXPECT_EQ(Data("inactive.crt"), "cert:1");
  EXPECT_EQ(stage.mint.Made(), 2U);
  EXPECT_EQ(Ready(), core::reason::kOwnerNotChanged);
}

TEST_F(ReconcilerTest, A_foreign_Secret_of_that_name_is_left_alone) {
  SecretObject foreign;
  foreign.metadata.name = "abap-outbound";
  foreign.data["tls.crt"] = "somebody's";
  stage.world.AddSecret(foreign);
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{5});
  EXPECT_EQ(Ready(), core::reason::kSecretNotOurs);
  EXPECT_EQ(Count(Call::PatchSecret), 0);
  EXPECT_EQ(Data("tls.crt"), "somebody's");
  EXPECT_TRUE(stage.world.LiveSecretOf(kSecretKey)->metadata.labels.empty());

  stage.world.DeleteSecret(kSecretKey);  // it is not in the watch: found by looking again
  stage.Run(minutes{15});
  EXPECT_EQ(Ready(), "Valid");
}

TEST_F(ReconcilerTest, A_conflict_on_the_status_is_tried_again) {
  FailNext(Call::WriteStatus, Fault::Conflict);
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{1});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(ReconcilerTest, A_pass_that_failed_still_asks_for_what_comes_next) {
  FailNext(Call::WriteStatus, Fault::ServerError);
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Settle();
  const reconcile::PassResult& failed = stage.daemon.LastResult();
  ASSERT_EQ(failed.kind, reconcile::PassResult::Kind::Failed);
  ASSERT_TRUE(failed.wake_at);
  EXPECT_GT(*failed.wake_at, stage.clock.NowSeconds());
}

TEST_F(ReconcilerTest, An_unanswered_creation_of_a_Secret_is_taken_up) {
  FailNext(Call::CreateSecret, Fault::LostAnswer);
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{1});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(Count(Call::CreateSecret), 1);
  EXPECT_EQ(Count(Call::PatchSecret), 0);
  EXPECT_EQ(stage.world.LiveSystem(kKey)->status.active->fingerprint, FingerprintIn("tls.crt"));
}

TEST_F(ReconcilerTest, A_crash_between_Secret_and_status_is_made_up_for) {
  FailNext(Call::WriteStatus, Fault::CrashBefore);
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Settle();
  ASSERT_FALSE(stage.daemon.IsRunning());
  EXPECT_EQ(Ready(), "");
  stage.daemon.Start();
  stage.Settle();
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(ReconcilerTest, An_authority_that_appears_later_wakes_its_systems) {
  stage.world.RemoveAuthority(kAuthority);
  stage.Settle();
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Settle();
  EXPECT_EQ(Ready(), core::reason::kAuthorityNotFound);
  EXPECT_EQ(stage.mint.Made(), 0U);
  stage.world.SetAuthority(DescribeAuthority(kAuthority, *stage.mint.Find(kAuthority)));
  stage.Settle();
  EXPECT_EQ(Ready(), "Valid");
}

// R25. The caches may see a system before its namespace, and may not be let to see that at all.
TEST_F(ReconcilerTest, Labels_of_an_unread_namespace_allow_nothing) {
  auto authority = *stage.world.LiveAuthority(kAuthority);
  authority.allow[0].namespaces = {
      .labels = {{.key = "tenant", .op = core::LabelRequirement::Operator::DoesNotExist}}};
  stage.world.SetAuthority(authority);
  stage.world.SetNamespace(std::nullopt);
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{1});
  EXPECT_EQ(Ready(), core::reason::kNotAllowed);
  EXPECT_THAT(stage.world.LiveSystem(kKey)->status.Find("Ready")->message,
              testing::HasSubstr("cannot be read (yet)"));
  EXPECT_EQ(stage.mint.Made(), 0U);
  stage.world.SetNamespace(reconcile::StoredNamespace{.labels = {{"tenant", "x"}}});
  stage.Settle();
  EXPECT_EQ(Ready(), core::reason::kNotAllowed);
  stage.world.SetNamespace(reconcile::StoredNamespace{});
  stage.Settle();
  EXPECT_EQ(Ready(), "Valid");
}

TEST_F(ReconcilerTest, Nothing_is_written_while_a_key_is_being_made) {
  stage.mint.key_delay = [] { return World::Delay{2000}; };
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(World::Delay{1900});
  EXPECT_EQ(stage.world.Writes(), 0);
  stage.Run(World::Delay{200});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(stage.world.Writes(), 3);
}

TEST_F(ReconcilerTest, A_key_that_is_not_wanted_any_more_is_forgotten) {
  stage.mint.key_delay = [] { return World::Delay{2000}; };
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(World::Delay{1000});
  ASSERT_EQ(stage.mint.Pending(), 1U);
  stage.world.EditSystem(kKey, [](auto& system) { system.spec.issuance = core::Issuance::Manual; });
  stage.Run(minutes{1});
  EXPECT_EQ(Ready(), core::reason::kWaitingForGenerate);
  EXPECT_EQ(stage.mint.Pending(), 0U);
}

TEST_F(ReconcilerTest, A_key_that_takes_long_is_told_in_the_status) {
  stage.mint.key_delay = [] { return minutes{5}; };
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{1});
  EXPECT_EQ(Ready(), core::reason::kIssuing);
  EXPECT_EQ(Count(Call::CreateSecret), 0);
  stage.Run(minutes{5});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(ReconcilerTest, A_quota_is_told_once_and_overcome_when_it_is_lifted) {
  stage.world.fault = [](Call) { return Fault::Quota; };
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{10});
  EXPECT_EQ(Ready(), core::reason::kSecretWriteFailed);
  EXPECT_EQ(Count(Call::WriteStatus), 1);
  EXPECT_EQ(std::ranges::count(stage.world.events, core::reason::kSecretWriteFailed,
                               &core::EventNotice::reason),
            1);
  stage.world.fault = nullptr;
  stage.Run(minutes{10});
  EXPECT_EQ(Ready(), "Valid");
}

TEST_F(ReconcilerTest, A_CA_that_could_not_be_read_is_told_of_only_once_that_lasts) {
  stage.mint.trouble = Error{ErrorCode::Unavailable, "GET Secret: no answer"};
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{5});
  EXPECT_EQ(Count(Call::WriteStatus), 0);
  EXPECT_FALSE(WasTold(core::reason::kSigningFailed));
  stage.Run(minutes{10});
  EXPECT_EQ(Ready(), core::reason::kSigningFailed);
  stage.mint.trouble.reset();
  stage.Run(minutes{10});
  EXPECT_EQ(Ready(), "Valid");
}

TEST_F(ReconcilerTest, One_that_cannot_sign_as_things_are_is_told_of_at_once) {
  stage.mint.trouble = Error{ErrorCode::Invalid, "the Secret may not be read"};
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Settle();
  EXPECT_EQ(Ready(), core::reason::kSigningFailed);
}

TEST_F(ReconcilerTest, A_refusal_is_recorded_though_the_status_conflicts) {
  MakeItLive();
  FailNext(Call::WriteStatus, Fault::Conflict);
  stage.world.EditSystem(kKey, [](auto& system) { ++system.identity.generation; });
  const auto key =
      stage.world.AddOperation("abap", core::OperationAction::Delete, FingerprintIn("tls.crt"));
  stage.Run(minutes{1});
  EXPECT_TRUE(stage.world.LiveOperation(key)->operation.finished);
  EXPECT_EQ(std::ranges::count(stage.world.events, core::reason::kOperationFailed,
                               &core::EventNotice::reason),
            1);
  EXPECT_EQ(stage.world.fault, nullptr);
}

TEST_F(ReconcilerTest, A_system_that_is_being_deleted_gets_nothing) {
  auto system = MakeSystem("abap");
  system.identity.being_deleted = true;
  stage.world.AddSystem(system);
  stage.Run(hours{48});
  EXPECT_EQ(stage.world.Writes(), 0);
}

TEST_F(ReconcilerTest, A_system_in_a_namespace_that_terminates_gets_nothing) {
  stage.world.SetNamespace(reconcile::StoredNamespace{.labels = {}, .terminating = true});
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(hours{48});
  EXPECT_EQ(stage.world.Writes(), 0);
}

TEST_F(ReconcilerTest, A_Secret_that_went_with_its_system_is_not_made_anew) {
  MakeItLive();
  // The collector's news of the Secret comes first, that of the system a minute later.
  stage.world.DeleteSecret(kSecretKey);
  stage.world.watch_delay = [] { return minutes{1}; };
  stage.world.DeleteSystem(kKey);
  stage.Run(minutes{10});
  EXPECT_EQ(stage.world.LiveSecretOf(kSecretKey), nullptr);
  EXPECT_EQ(Count(Call::CreateSecret), 0);
}

TEST_F(ReconcilerTest, Nor_where_the_caches_still_show_it_and_a_regeneration_is_due) {
  MakeItLive();
  stage.daemon.Stop();
  stage.Run(hours{24 * 360});
  stage.daemon.Start();
  stage.world.watch_delay = [] { return minutes{1}; };
  stage.world.DeleteSecret(kSecretKey);
  stage.world.DeleteSystem(kKey);
  stage.Run(minutes{10});
  EXPECT_EQ(Count(Call::CreateSecret), 0);
}

TEST_F(ReconcilerTest, The_same_name_again_waits_for_the_collector_and_begins_anew) {
  MakeItLive();
  stage.world.collector_delay = [] { return minutes{2}; };
  const std::string first = FingerprintIn("tls.crt");
  stage.world.DeleteSystem(kKey);
  stage.world.AddSystem(MakeSystem("abap"));
  stage.Run(minutes{1});
  EXPECT_EQ(Ready(), core::reason::kWaitingForRemoval);
  EXPECT_EQ(FingerprintIn("tls.crt"), first);
  stage.Run(minutes{5});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_NE(FingerprintIn("tls.crt"), first);
}

TEST_F(ReconcilerTest, A_retained_Secret_is_adopted_by_the_next_system_of_that_name) {
  auto system = MakeSystem("abap");
  system.spec.secret.deletion_policy = core::DeletionPolicy::Retain;
  MakeItLive(system);
  stage.world.DeleteSystem(kKey);
  stage.Run(minutes{5});
  ASSERT_NE(stage.world.LiveSecretOf(kSecretKey), nullptr);
  stage.world.AddSystem(system);
  stage.Run(minutes{5});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(stage.mint.Made(), 1U);
  EXPECT_EQ(
      stage.world.LiveSecretOf(kSecretKey)->metadata.Annotation(reconcile::kSystemUidAnnotation),
      stage.world.LiveSystem(kKey)->identity.uid);
}

// R24. What an authority knows of its earlier CAs stands in its status and nowhere else.
class ForgetfulAuthorityTest : public ReconcilerTest {
 protected:
  // With another key, and nothing of the one before: deleted and made again, or replaced by force.
  void MakeItAnew() {
    const Ca& ca = stage.mint.Open(kAuthority, stage.world.TrueNow() - hours{1},
                                   stage.world.TrueNow() + hours{24 * 3650});
    stage.world.SetAuthority(DescribeAuthority(kAuthority, ca));
  }
  void WipeItsStatus() {
    auto authority = *stage.world.LiveAuthority(kAuthority);
    authority.status = {};
    stage.world.SetAuthority(std::move(authority));
  }
  void WipeStatus() {
    stage.world.EditSystem(kKey, [](auto& system) {
      system.status = {};
      system.pems_digest = reconcile::PemsDigest({});
    });
  }
  // Sound in itself, and signed by somebody else.
  void PlantForeignCertificate() {
    stage.mint.Open("somebody-else", stage.world.TrueNow() - hours{1},
                    stage.world.TrueNow() + hours{24 * 365});
    const core::CertificateOrder order{.subject = MakeSystem("abap").spec.subject,
                                       .key = {},
                                       .not_before = stage.world.TrueNow(),
                                       .not_after = stage.world.TrueNow() + hours{24 * 300}};
    const auto foreign = stage.mint.Make("nobody", "somebody-else", order);
    stage.world.EditSecret(kSecretKey, [&](auto& secret) {
      secret.data["tls.crt"] = (*foreign)->certificate_pem;
      secret.data["tls.key"] = std::string{(*foreign)->key_pem.Reveal()};
      secret.data["ca.crt"] = (*foreign)->ca_pem;
    });
  }
};

TEST_F(ForgetfulAuthorityTest, That_was_made_anew_leaves_the_pair_and_says_that_it_changed) {
  MakeItLive();
  MakeItAnew();
  stage.Run(hours{72});
  stage.daemon.Start();
  stage.Run(hours{72});
  EXPECT_EQ(Data("tls.crt"), "cert:0");
  EXPECT_EQ(stage.mint.Made(), 1U);
  EXPECT_EQ(Ready(), core::reason::kAuthorityChanged);
  EXPECT_FALSE(WasTold(core::reason::kCertificateLost));
}

TEST_F(ForgetfulAuthorityTest, Whose_status_was_wiped_leaves_the_pair) {
  MakeItLive();
  WipeItsStatus();
  stage.Run(hours{72});
  EXPECT_EQ(Ready(), "Valid");
  MakeItAnew();
  stage.Run(hours{72});
  EXPECT_EQ(Ready(), core::reason::kAuthorityChanged);
  EXPECT_EQ(Data("tls.crt"), "cert:0");
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(ForgetfulAuthorityTest, Leaves_the_pair_where_the_systems_status_is_lost_too) {
  MakeItLive();
  MakeItAnew();
  WipeStatus();
  stage.daemon.Start();
  stage.Run(hours{72});
  EXPECT_EQ(Data("tls.crt"), "cert:0");
  EXPECT_EQ(stage.mint.Made(), 1U);
  EXPECT_EQ(Ready(), core::reason::kAuthorityChanged);
  const auto& status = stage.world.LiveSystem(kKey)->status;
  ASSERT_TRUE(status.active);
  EXPECT_EQ(status.active->issuer_fingerprint, Mint::CaFingerprint(1));
}

TEST_F(ForgetfulAuthorityTest, Does_not_let_a_foreign_certificate_in) {
  MakeItLive();
  MakeItAnew();
  stage.Run(hours{72});
  PlantForeignCertificate();
  stage.Run(hours{1});
  EXPECT_EQ(Data("tls.crt"), "cert:2");
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_TRUE(WasTold(core::reason::kCertificateLost));
}

// It was never intact, so no status ever lists it, however often it is looked at.
TEST_F(ForgetfulAuthorityTest, Nor_does_one_become_ours_by_being_there_for_long) {
  auto system = MakeSystem("abap");
  system.spec.regeneration_enabled = false;
  MakeItLive(system);
  PlantForeignCertificate();
  stage.Run(hours{72});
  stage.daemon.Start();
  stage.Run(hours{72});
  ASSERT_EQ(Ready(), core::reason::kSecretDamaged);
  stage.world.EditSystem(kKey, [](auto& edited) { edited.spec.regeneration_enabled = true; });
  stage.Run(hours{1});
  EXPECT_EQ(Data("tls.crt"), "cert:2");
  EXPECT_EQ(Ready(), "Valid");
}

TEST_F(ReconcilerTest, A_label_that_was_taken_away_is_put_back) {
  MakeItLive();
  stage.world.EditSecret(kSecretKey, [](auto& secret) { secret.metadata.labels.clear(); });
  stage.Run(minutes{1});
  EXPECT_EQ(stage.world.LiveSecretOf(kSecretKey)->metadata.Label(reconcile::kManagedByLabel),
            reconcile::kManagedBy);
  EXPECT_EQ(stage.mint.Made(), 1U);
}

TEST_F(ReconcilerTest, A_damaged_Secret_that_cannot_be_repaired_is_reported) {
  auto system = MakeSystem("abap");
  system.spec.regeneration_enabled = false;
  MakeItLive(system);
  stage.world.EditSystem(kKey, [](auto& edited) { edited.spec.issuance = core::Issuance::Manual; });
  stage.world.EditSecret(kSecretKey, [](auto& secret) { secret.data["inactive.crt"] = "junk"; });
  stage.Run(minutes{1});
  ASSERT_EQ(Ready(), core::reason::kInactiveDamaged);
  stage.world.EditSecret(kSecretKey, [](auto& secret) { secret.metadata.labels.clear(); });
  stage.Run(minutes{1});
  EXPECT_EQ(Ready(), core::reason::kInactiveDamaged);
  EXPECT_FALSE(WasTold(core::reason::kCertificateLost));
  EXPECT_EQ(stage.world.LiveSecretOf(kSecretKey)->metadata.Label(reconcile::kManagedByLabel),
            reconcile::kManagedBy);
}

TEST_F(ReconcilerTest, Operations_run_one_after_the_other_and_each_is_answered) {
  MakeItLive();
  const auto generate = stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  const auto again = stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Run(minutes{1});
  EXPECT_TRUE(stage.world.LiveOperation(generate)->operation.succeeded);
  EXPECT_TRUE(stage.world.LiveOperation(again)->operation.finished);
  EXPECT_FALSE(stage.world.LiveOperation(again)->operation.succeeded);
  EXPECT_EQ(Data("inactive.crt"), "cert:1");
  const auto activate = stage.world.AddOperation("abap", core::OperationAction::Activate,
                                                 FingerprintIn("inactive.crt"));
  stage.Run(minutes{1});
  EXPECT_TRUE(stage.world.LiveOperation(activate)->operation.succeeded);
  EXPECT_EQ(Data("tls.crt"), "cert:1");
  EXPECT_EQ(Data("inactive.key"), "key:0");
  const auto remove = stage.world.AddOperation("abap", core::OperationAction::Delete,
                                               FingerprintIn("inactive.crt"));
  stage.Run(minutes{1});
  EXPECT_TRUE(stage.world.LiveOperation(remove)->operation.succeeded);
  EXPECT_EQ(Data("inactive.crt"), "");
  EXPECT_EQ(Data("inactive.key"), "");
  EXPECT_EQ(Data("inactive-ca.crt"), "");
  stage.Run(hours{25});
  EXPECT_THAT(stage.world.LiveOperations(), IsEmpty());
}

// R27, also across restarts: the count stands in the Secret.
TEST_F(ReconcilerTest, What_is_broken_again_and_again_is_mended_six_times_a_window) {
  MakeItLive();
  for (int hour = 0; hour < 24; ++hour) {
    stage.world.EditSecret(kSecretKey, [](auto& secret) { secret.data["tls.key"] = "junk"; });
    if (hour % 3 == 0) stage.daemon.Start();
    stage.Run(hours{1});
  }
  EXPECT_EQ(stage.mint.Made(), 6U);  // the first one counts
  EXPECT_EQ(Ready(), core::reason::kSecretDamaged);
  EXPECT_EQ(stage.world.LiveSystem(kKey)->status.Find("AutomaticRegeneration")->reason,
            core::reason::kIssuanceBudgetExceeded);
  stage.Run(hours{24 * 15});
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(stage.mint.Made(), 7U);
}

struct CrashPoint {
  Call call;
  Fault fault;
  const char* name;
};
class OperationCrashTest : public ReconcilerTest, public testing::WithParamInterface<CrashPoint> {};

TEST_P(OperationCrashTest, Its_effect_happens_once_wherever_the_process_dies) {
  MakeItLive();
  FailNext(GetParam().call, GetParam().fault);
  const auto key = stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Run(minutes{1});
  ASSERT_FALSE(stage.daemon.IsRunning());
  stage.daemon.Start();
  stage.Run(minutes{1});
  const auto operation = stage.world.LiveOperation(key);
  EXPECT_TRUE(operation->operation.succeeded);
  const auto secret = stage.world.LiveSecretOf(kSecretKey);
  const auto receipt =
      core::ParseReceipt(secret->metadata.Annotation(reconcile::kReceiptAnnotation));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->operation_uid, operation->operation.uid);
  EXPECT_EQ(receipt->fingerprint, FingerprintIn("inactive.crt"));
  EXPECT_EQ(Data("tls.crt"), "cert:0");
  EXPECT_EQ(Count(Call::PatchSecret),
            GetParam().call == Call::PatchSecret && GetParam().fault == Fault::CrashBefore ? 2 : 1);
  EXPECT_EQ(stage.world.LiveSystem(kKey)->status.inactive->fingerprint, receipt->fingerprint);
}

INSTANTIATE_TEST_SUITE_P(
    Each, OperationCrashTest,
    testing::Values(CrashPoint{Call::ReadOperation, Fault::CrashBefore, "before_the_live_read"},
                    CrashPoint{Call::PatchSecret, Fault::CrashBefore, "before_the_Secret"},
                    CrashPoint{Call::PatchSecret, Fault::CrashAfter, "after_the_Secret"},
                    CrashPoint{Call::Settle, Fault::CrashBefore, "before_its_status"},
                    CrashPoint{Call::Settle, Fault::CrashAfter, "after_its_status"},
                    CrashPoint{Call::WriteStatus, Fault::CrashBefore, "before_the_system_status"},
                    CrashPoint{Call::WriteStatus, Fault::CrashAfter, "after_the_system_status"}),
    [](const auto& each) { return each.param.name; });

TEST_F(ReconcilerTest, An_operation_finished_by_another_leader_is_not_done_again) {
  MakeItLive();
  stage.daemon.Stop();
  const auto key = stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.daemon.Start();
  // The caches still show it pending; the API server knows better.
  stage.world.watch_delay = [] { return World::Delay{3000}; };
  const auto live = stage.world.LiveOperation(key);
  ASSERT_TRUE(stage.world
                  .Settle(*live,
                          {.kind = core::OperationVerdict::Kind::Fail, .uid = live->operation.uid},
                          stage.world.TrueNow())
                  .has_value());
  stage.Run(minutes{1});
  EXPECT_EQ(Count(Call::PatchSecret), 0);
  EXPECT_EQ(Data("inactive.crt"), "");
}

TEST_F(ReconcilerTest, An_operation_without_a_system_fails_after_a_minute) {
  const auto key = stage.world.AddOperation("nobody", core::OperationAction::Generate, "");
  stage.Run(std::chrono::seconds{59});
  EXPECT_FALSE(stage.world.LiveOperation(key)->operation.finished);
  stage.Run(std::chrono::seconds{2});
  EXPECT_TRUE(stage.world.LiveOperation(key)->operation.finished);
  EXPECT_FALSE(stage.world.LiveOperation(key)->operation.succeeded);
}

TEST_F(ReconcilerTest, A_waiting_operation_ends_with_its_deleted_system) {
  MakeItLive();
  StopSigning();
  const auto early = stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Run(minutes{2});
  const auto late = stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Run(std::chrono::seconds{1});
  ASSERT_FALSE(stage.world.LiveOperation(early)->operation.finished);
  stage.world.DeleteSystem(kKey);
  stage.Run(std::chrono::seconds{1});
  // The minute for a system that is still to come counts from each operation's creation.
  EXPECT_TRUE(stage.world.LiveOperation(early)->operation.finished);
  EXPECT_FALSE(stage.world.LiveOperation(late)->operation.finished);
  stage.Run(minutes{1});
  EXPECT_TRUE(stage.world.LiveOperation(late)->operation.finished);
  for (const auto& key : {early, late})
    EXPECT_FALSE(stage.world.LiveOperation(key)->operation.succeeded);
}

TEST_F(ReconcilerTest, A_waiting_operation_ends_as_its_system_is_deleted) {
  MakeItLive();
  StopSigning();
  const auto key = stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Settle();
  ASSERT_FALSE(stage.world.LiveOperation(key)->operation.finished);
  stage.world.EditSystem(kKey, [](auto& system) { system.identity.being_deleted = true; });
  stage.Settle();
  EXPECT_TRUE(stage.world.LiveOperation(key)->operation.finished);
  EXPECT_FALSE(stage.world.LiveOperation(key)->operation.succeeded);
}

// In a second there is room for several: they are done as they were created, whatever their names.
TEST_F(ReconcilerTest, Operations_of_one_second_run_in_order_of_creation) {
  MakeItLive();
  std::vector<std::string> keys;
  for (int i = 0; i < 12; ++i)  // "operation-10" is before "operation-9"
    keys.push_back(stage.world.AddOperation("abap", core::OperationAction::Generate, ""));
  stage.Run(minutes{1});
  for (const auto& key : keys)
    EXPECT_EQ(stage.world.LiveOperation(key)->operation.succeeded, key == keys.front()) << key;
}

TEST_F(ReconcilerTest, An_operation_waits_for_a_system_that_no_cache_shows) {
  stage.world.watch_delay = [] { return minutes{2}; };
  stage.world.AddSystem(MakeSystem("abap"));
  stage.world.watch_delay = nullptr;
  const auto key = stage.world.AddOperation("abap", core::OperationAction::Generate, "");
  stage.Run(std::chrono::seconds{119});
  EXPECT_FALSE(stage.world.LiveOperation(key)->operation.finished);
  EXPECT_GT(Count(Call::ReadSystem), 0);
  stage.Run(minutes{1});
  EXPECT_TRUE(stage.world.LiveOperation(key)->operation.succeeded);
}

TEST_F(ReconcilerTest, A_spec_that_cannot_be_read_is_told_once_and_nothing_is_done) {
  MakeItLive();
  const auto secret = stage.world.LiveSecretOf(kSecretKey)->metadata.resource_version;
  stage.world.EditSystem(kKey, [](auto& system) {
    system.undecodable = "spec.type: this operator does not know the value \"Gateway\"";
  });
  stage.Run(hours{24 * 400});
  EXPECT_EQ(Ready(), core::reason::kInvalidSpec);
  EXPECT_EQ(stage.world.Writes(), 2) << "its status and an Event";
  EXPECT_EQ(stage.world.Reads(), 0);
  EXPECT_EQ(stage.world.LiveSecretOf(kSecretKey)->metadata.resource_version, secret);
  stage.daemon.Start();
  stage.Run(hours{1});
  EXPECT_EQ(stage.world.Writes(), 2) << "nor by a process that does not remember";
  ASSERT_EQ(stage.world.events.size(), 1U);
  EXPECT_TRUE(stage.world.events.front().warning);

  stage.world.EditSystem(kKey, [](auto& system) { system.undecodable.clear(); });
  stage.Settle();
  EXPECT_EQ(Ready(), "Valid");
  EXPECT_EQ(Data("tls.crt"), "cert:1") << "what was due meanwhile is done";
}

TEST_F(ReconcilerTest, A_new_one_gets_no_Secret) {
  auto system = MakeSystem("abap");
  system.undecodable = "spec.certificate.validity: \"365d\" is not a duration such as 720h";
  stage.world.AddSystem(std::move(system));
  stage.Settle();
  EXPECT_EQ(Ready(), core::reason::kInvalidSpec);
  EXPECT_EQ(stage.world.LiveSecretOf(kSecretKey), nullptr);
  EXPECT_EQ(stage.world.Writes(), 2);
}

TEST_F(ReconcilerTest, A_write_that_no_cache_shows_is_read_live_in_the_end) {
  stage.world.watch_delay = [] { return hours{1}; };
  stage.daemon.Stop();
  stage.world.AddSystem(MakeSystem("abap"));
  stage.daemon.Start();
  stage.Settle();
  EXPECT_EQ(Count(Call::CreateSecret), 1);
  stage.world.EditSystem(kKey, [](auto&) {});
  stage.daemon.Wake(kKey);
  stage.Run(minutes{10});
  EXPECT_GE(Count(Call::ReadSecret), 1);
  EXPECT_EQ(Count(Call::CreateSecret), 1);
  EXPECT_EQ(stage.mint.Made(), 1U);
}

}  // namespace
}  // namespace certpair::sim
