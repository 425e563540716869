// Mail through the real reconciler: what is written before and after, and what a crash repeats.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/reasons.hpp"
#include "simulation/specimens.hpp"

namespace certpair::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kKey = "idm/abap";

class MailTest : public testing::Test {
 protected:
  MailTest() : stage({.installation = {}, .check_in_depth_every = hours{24}, .mail = true}) {}
  void SetUp() override {
    AddAuthority(stage);
    stage.daemon.Start();
  }
  void MakeItLive(bool regeneration, int subscribers = 1) {
    auto system = MakeSystem("abap");
    system.spec.regeneration_enabled = regeneration;
    for (int n = 0; n < subscribers; ++n)
      system.spec.subscribers.push_back(
          {fmt::format("reader-{}", n), fmt::format("reader-{}@example.com", n)});
    stage.world.AddSystem(std::move(system));
    stage.Settle();
    stage.world.ResetCounts();
  }
  // Until shortly before the active certificate has `left` to live.
  void RunToBefore(seconds left) {
    const auto end = stage.world.LiveSystem(kKey)->status.active->not_after;
    stage.Run((end - left - minutes{1}) - stage.world.TrueNow());
    stage.world.ResetCounts();
    stage.world.mails.clear();
  }
  [[nodiscard]] std::vector<std::string> Mails() const {
    std::vector<std::string> mails;
    for (const core::Notice& notice : stage.world.mails)
      mails.push_back(notice.threshold + " to " + notice.recipient.display_name);
    return mails;
  }
  [[nodiscard]] std::string Delivered() const {
    const auto* told = stage.world.LiveSystem(kKey)->status.Find("NotificationsDelivered");
    return told != nullptr ? told->reason : "";
  }
  [[nodiscard]] std::vector<std::string> Lines(std::string_view state) const {
    std::vector<std::string> lines;
    for (const auto& entry : stage.world.LiveSystem(kKey)->status.ledger.entries)
      if (auto line = core::FormatLedgerEntry(entry); line.starts_with(state))
        lines.push_back(std::move(line));
    return lines;
  }
  void EditSubscribers(const std::function<void(std::vector<core::Subscriber>&)>& edit) {
    stage.world.EditSystem(kKey, [&](auto& system) { edit(system.spec.subscribers); });
  }
  // `befalls` the next mail, and no other.
  void FailNextMail(MailFault befalls) {
    stage.world.mail_fault = [this, befalls] {
      stage.world.mail_fault = nullptr;
      return befalls;
    };
  }

  Stage stage;
};

TEST_F(MailTest, A_threshold_costs_two_writes_and_no_read_of_the_Secret) {
  MakeItLive(false);
  RunToBefore(hours{720});
  stage.Run(minutes{5});
  EXPECT_THAT(Mails(), ElementsAre("720h to reader-0"));
  EXPECT_EQ(stage.world.Count(Call::WriteStatus), 2) << "intended, sent";
  EXPECT_EQ(stage.world.Reads(), 0);
  EXPECT_EQ(Delivered(), "Delivered");
}

TEST_F(MailTest, A_year_brings_three_warnings_or_one_renewal) {
  MakeItLive(false);
  stage.Run(hours{24 * 400});
  EXPECT_THAT(Mails(), ElementsAre("720h to reader-0", "336h to reader-0", "72h to reader-0"));
  stage.world.DeleteSystem(kKey);
  stage.Run(minutes{10});
  stage.world.mails.clear();
  MakeItLive(true);
  stage.Run(hours{24 * 364});
  ASSERT_THAT(Mails(), ElementsAre("renewed to reader-0"));
  EXPECT_EQ(stage.world.mails[0].active.pem, "cert:2") << "the new one is attached";
}

TEST_F(MailTest, A_process_that_dies_before_the_server_has_it_sends_it_once) {
  MakeItLive(false);
  RunToBefore(hours{720});
  FailNextMail(MailFault::CrashBefore);
  stage.Run(minutes{5});
  EXPECT_FALSE(stage.daemon.IsRunning());
  EXPECT_THAT(Mails(), IsEmpty());
  EXPECT_THAT(Lines("due/"), SizeIs(1));
  stage.daemon.Start();
  stage.Run(minutes{5});
  EXPECT_THAT(Mails(), ElementsAre("720h to reader-0"));
}

TEST_F(MailTest, A_mail_repeated_after_a_crash_has_the_same_id) {
  MakeItLive(false, 3);
  RunToBefore(hours{720});
  FailNextMail(MailFault::CrashAfter);
  stage.Run(minutes{5});
  stage.daemon.Start();
  stage.Run(minutes{5});
  EXPECT_THAT(Mails(), ElementsAre("720h to reader-0", "720h to reader-0", "720h to reader-1",
                                   "720h to reader-2"));
  EXPECT_EQ(stage.world.mails[0].id, stage.world.mails[1].id);
  EXPECT_THAT(Lines("sent/"), SizeIs(3));
}

// Wherever in the life of a mail the process dies, each reader has it, and at most once more.
TEST_F(MailTest, A_crash_at_each_write_loses_no_mail) {
  MakeItLive(false, 4);
  RunToBefore(hours{720});
  int calls = 0;
  int crash_at = 1;
  stage.world.fault = [&](Call) {
    if (++calls != crash_at) return Fault::None;
    crash_at += 3;
    calls = 0;
    return crash_at % 2 == 0 ? Fault::CrashBefore : Fault::CrashAfter;
  };
  for (int process = 0; process < 30; ++process) {
    if (!stage.daemon.IsRunning()) stage.daemon.Start();
    stage.Run(minutes{1});
  }
  std::map<std::string, int> got;
  for (const core::Notice& notice : stage.world.mails) ++got[notice.id];
  EXPECT_THAT(got, SizeIs(4));
  EXPECT_THAT(Lines("sent/"), SizeIs(4));
}

TEST_F(MailTest, A_restart_repeats_nothing) {
  MakeItLive(false, 3);
  RunToBefore(hours{336});
  stage.Run(minutes{5});
  EXPECT_THAT(stage.world.mails, SizeIs(3));
  stage.world.ResetCounts();
  stage.daemon.Start();
  stage.Run(hours{24});
  EXPECT_THAT(stage.world.mails, SizeIs(3));
  EXPECT_EQ(stage.world.Writes(), 0);
}

// What a leader before us sent while our cache slept is not sent again.
TEST_F(MailTest, An_earlier_leaders_debt_is_read_live_before_posting) {
  MakeItLive(false);
  RunToBefore(hours{720});
  FailNextMail(MailFault::CrashAfter);
  stage.Run(minutes{5});
  ASSERT_THAT(Lines("due/"), SizeIs(1));
  stage.world.watch_delay = [] { return World::Delay{10'000}; };
  stage.daemon.Start();  // its cache shows the debt
  stage.world.EditSystem(kKey, [](auto& system) {
    for (core::LedgerEntry& entry : system.status.ledger.entries)
      if (auto* mail = std::get_if<core::MailEntry>(&entry)) mail->state = core::MailState::Sent;
  });
  stage.world.ResetCounts();
  stage.Run(World::Delay{2000});
  EXPECT_EQ(stage.world.Count(Call::ReadSystem), 1);
  stage.Run(minutes{5});
  EXPECT_THAT(stage.world.mails, SizeIs(1));
}

TEST_F(MailTest, A_conflict_at_the_intent_posts_nothing_until_it_is_written) {
  MakeItLive(false);
  RunToBefore(hours{720});
  bool refused = false;
  stage.world.fault = [&](Call call) {
    if (call != Call::WriteStatus || refused) return Fault::None;
    refused = true;
    EXPECT_THAT(stage.world.mails, IsEmpty());
    return Fault::Conflict;
  };
  stage.Run(minutes{5});
  EXPECT_TRUE(refused);
  EXPECT_THAT(Mails(), ElementsAre("720h to reader-0"));
}

TEST_F(MailTest, An_outcome_that_could_not_be_written_is_kept_until_it_is) {
  MakeItLive(false);
  RunToBefore(hours{720});
  int writes = 0;
  stage.world.fault = [&](Call call) {
    if (call != Call::WriteStatus) return Fault::None;
    return ++writes == 2 || writes == 3 ? Fault::ServerError : Fault::None;
  };
  stage.Run(minutes{10});
  EXPECT_THAT(Mails(), ElementsAre("720h to reader-0"));
  EXPECT_THAT(Lines("sent/"), SizeIs(1));
  EXPECT_THAT(Lines("due/"), IsEmpty());
}

TEST_F(MailTest, Fifty_readers_through_a_narrow_postbox_all_get_theirs) {
  MakeItLive(false, 50);
  RunToBefore(hours{72});
  stage.world.mail_delay = [] { return World::Delay{200}; };
  stage.Run(minutes{30});
  EXPECT_THAT(stage.world.mails, SizeIs(50));
  EXPECT_EQ(stage.world.Count(Call::ReadSystem), 0) << "of debts that it entered itself it is sure";
  EXPECT_THAT(Lines("due/"), IsEmpty());
  EXPECT_EQ(Delivered(), "Delivered");
}

TEST_F(MailTest, A_refused_reader_is_named_and_delays_no_other) {
  MakeItLive(false, 2);
  EditSubscribers([](auto& all) { all.push_back({"Nobody", "refused@example.com"}); });
  RunToBefore(hours{720});
  stage.Run(minutes{5});
  EXPECT_THAT(Mails(), ElementsAre("720h to reader-0", "720h to reader-1"));
  EXPECT_EQ(Delivered(), "RecipientRefused");
  EXPECT_THAT(stage.world.LiveSystem(kKey)->status.Find("NotificationsDelivered")->message,
              HasSubstr("\"Nobody\" (refused). 550 no such user"));
}

TEST_F(MailTest, Who_unsubscribes_while_the_server_is_away_gets_nothing) {
  MakeItLive(false, 2);
  RunToBefore(hours{720});
  stage.world.mail_fault = [] { return MailFault::Delay; };
  stage.Run(minutes{5});
  EXPECT_EQ(Delivered(), "MailDelayed");
  EditSubscribers([](auto& all) { all.pop_back(); });
  stage.world.mail_fault = nullptr;
  stage.Run(hours{24});
  EXPECT_THAT(Mails(), ElementsAre("720h to reader-0"));
  EXPECT_THAT(Lines("due/"), IsEmpty());
  EXPECT_EQ(Delivered(), "Delivered");
}

TEST_F(MailTest, A_mail_server_that_is_away_delays_no_renewal) {
  MakeItLive(true);
  stage.world.mail_fault = [] { return MailFault::Delay; };
  stage.Run(hours{24 * 364});
  EXPECT_THAT(stage.world.mails, IsEmpty());
  EXPECT_EQ(stage.world.LiveSystem(kKey)->status.active->pem, "");
  EXPECT_EQ(stage.world.LiveSecretOf("idm/abap-outbound")->Data("tls.crt"), "cert:1");
}

TEST_F(MailTest, A_wiped_status_repeats_only_the_most_urgent_mail) {
  MakeItLive(false, 2);
  RunToBefore(hours{336});
  stage.Run(minutes{5});
  stage.world.mails.clear();
  stage.world.EditSystem(kKey, [](auto& system) {
    system.status = {};
    system.pems_digest = reconcile::PemsDigest({});
  });
  stage.Run(minutes{5});
  EXPECT_THAT(Mails(), ElementsAre("336h to reader-0", "336h to reader-1"));
}

// A passing fault or a person's refusal, and be it that the Secret cannot even be read.
struct Hindrance {
  const char* name;
  Call call;
  Fault fault;
};
void PrintTo(const Hindrance& hindrance, std::ostream* out) { *out << hindrance.name; }

class Hindered : public MailTest, public testing::WithParamInterface<Hindrance> {
 protected:
  void Hinder() {
    stage.world.fault = [](Call call) {
      return call == GetParam().call ? GetParam().fault : Fault::None;
    };
  }
  [[nodiscard]] std::string Regeneration() const {
    const auto* told = stage.world.LiveSystem(kKey)->status.Find("AutomaticRegeneration");
    return told != nullptr ? told->reason : "";
  }
};

TEST_P(Hindered, A_failing_renewal_is_mailed_once_and_happens_when_it_can) {
  MakeItLive(true, 2);
  RunToBefore(hours{336});
  Hinder();
  stage.Run(hours{48});
  EXPECT_THAT(Regeneration(),
              AnyOf(core::reason::kSecretWriteFailed, core::reason::kSigningFailed));
  EXPECT_THAT(Mails(), IsEmpty());
  RunToBefore(hours{72});
  stage.Run(hours{6});
  EXPECT_THAT(Mails(), ElementsAre("72h to reader-0", "72h to reader-1"));
  ASSERT_FALSE(stage.world.mails.empty());
  EXPECT_EQ(stage.world.mails[0].kind, core::NoticeKind::Failing);
  EXPECT_THAT(stage.world.mails[0].why,
              AnyOf(HasSubstr("could not be written"), HasSubstr("did not sign")));
  stage.world.fault = nullptr;
  stage.Run(hours{1});
  EXPECT_EQ(Regeneration(), "Scheduled");
  EXPECT_THAT(Mails(), ElementsAre("72h to reader-0", "72h to reader-1", "renewed to reader-0",
                                   "renewed to reader-1"));
}

using BrieflyHindered = Hindered;

TEST_P(BrieflyHindered, A_short_failure_costs_no_mail_and_no_write) {
  MakeItLive(true);
  RunToBefore(hours{336});
  stage.Run(hours{25});  // renewed, at a time of its own
  const auto end = stage.world.LiveSystem(kKey)->status.active->not_after;
  stage.Run(end - hours{336} - minutes{1} - stage.world.TrueNow());
  stage.world.mails.clear();
  stage.world.ResetCounts();
  Hinder();
  do {
    stage.world.ResetCounts();
    stage.Run(minutes{1});
  } while (stage.world.Count(GetParam().call) == 0);
  stage.Run(minutes{5});
  EXPECT_EQ(stage.world.Count(Call::WriteStatus), 0);
  EXPECT_EQ(Regeneration(), "Scheduled");
  stage.world.fault = nullptr;
  stage.Run(hours{26});
  EXPECT_THAT(Mails(), ElementsAre("renewed to reader-0"));
}

constexpr std::array kPassing{Hindrance{"a_500", Call::PatchSecret, Fault::ServerError},
                              Hindrance{"a_429", Call::PatchSecret, Fault::Throttled},
                              Hindrance{"no_connection", Call::PatchSecret, Fault::Unreached},
                              Hindrance{"conflicts", Call::PatchSecret, Fault::Conflict},
                              Hindrance{"reads_that_fail", Call::ReadSecret, Fault::ServerError}};
std::string NameOf(const testing::TestParamInfo<Hindrance>& test) { return test.param.name; }

INSTANTIATE_TEST_SUITE_P(By, Hindered, testing::ValuesIn(kPassing), NameOf);
INSTANTIATE_TEST_SUITE_P(By, BrieflyHindered, testing::ValuesIn(kPassing), NameOf);
// A person has to see this one at once.
INSTANTIATE_TEST_SUITE_P(ByOnesOwn, Hindered,
                         testing::Values(Hindrance{"quota", Call::PatchSecret, Fault::Quota}),
                         NameOf);

class TakenBack : public MailTest, public testing::WithParamInterface<bool> {
 protected:
  // A person activates the older certificate seconds before its end: then the newer comes back.
  void GoBackToTheOlder(bool status_can_be_written) {
    const auto older = *stage.world.LiveSystem(kKey)->status.inactive;
    stage.Run((older.not_after - seconds{5}) - stage.world.TrueNow());
    if (!status_can_be_written)
      stage.world.fault = [](Call call) {
        return call == Call::WriteStatus ? Fault::Throttled : Fault::None;
      };
    stage.world.AddOperation("abap", core::OperationAction::Activate, older.fingerprint);
    stage.Run(seconds{20});
    stage.world.fault = nullptr;
    stage.Run(hours{1});
  }
};

// Found by a simulated life. Nobody is told of what no status has ever shown.
TEST_P(TakenBack, At_once_is_told_to_who_came_later_where_the_status_showed_it) {
  MakeItLive(true);
  RunToBefore(hours{336});
  stage.Run(hours{25});
  ASSERT_THAT(Mails(), ElementsAre("renewed to reader-0"));
  const auto active = stage.world.LiveSystem(kKey)->status.active->fingerprint;
  EditSubscribers([](auto& all) { all.push_back({"late", "late@example.com"}); });
  stage.Run(hours{1});
  GoBackToTheOlder(GetParam());
  EXPECT_EQ(stage.world.LiveSystem(kKey)->status.active->fingerprint, active);
  if (GetParam())
    EXPECT_THAT(Mails(), ElementsAre("renewed to reader-0", "renewed to late"));
  else
    EXPECT_THAT(Mails(), ElementsAre("renewed to reader-0"));
}

INSTANTIATE_TEST_SUITE_P(Status, TakenBack, testing::Bool(), [](const auto& test) {
  return std::string{test.param ? "showed_it" : "never_showed_it"};
});

TEST_F(MailTest, A_system_that_goes_takes_its_mails_with_it) {
  MakeItLive(false, 3);
  RunToBefore(hours{72});
  stage.world.mail_delay = [] { return World::Delay{60'000}; };
  stage.Run(minutes{1} + seconds{10});
  EXPECT_THAT(Lines("due/"), SizeIs(3));
  stage.world.DeleteSystem(kKey);
  stage.Run(hours{24});
  EXPECT_THAT(stage.world.mails, IsEmpty());
}

}  // namespace
}  // namespace certpair::sim
