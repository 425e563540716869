// SIGKILL at every step of a mail, and a change of leaders: no mail is lost, and a mail that
// comes twice has the same Message-ID.
#include <csignal>

#include <gmock/gmock.h>

#include "integration/mail/mail_fixture.hpp"
#include "support/fault_proxy.hpp"

namespace certpair::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class MailCrash : public MailTest {
 protected:
  void SetUp() override {
    MailTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    proxy_.emplace(TheControlPlane());
  }
  [[nodiscard]] OperatorOptions ThroughProxy() const {
    OperatorOptions options = WithMail();
    options.kubeconfig = proxy_->Kubeconfig();
    return options;
  }
  // A system with a warning that waits for a first reader.
  static Json Waiting(const std::string& name) {
    Json system = Ending(name, "mail-crash-ca");
    Apply(system);
    AwaitCondition("psys", name, "ExpiringSoon", "True", "", kSoon);
    return system;
  }
  void ExpectOnceOrTheSameTwice(const std::string& system, std::size_t most) {
    EXPECT_TRUE(Eventually([&] { return Ledger(system, "sent/").size() == 1; }, kSoon));
    EXPECT_THAT(Ledger(system, "due/"), IsEmpty());
    const auto mails = MailsAbout(system);
    EXPECT_GE(mails.size(), 1U);
    EXPECT_LE(mails.size(), most);
    EXPECT_THAT(MessageIds(), SizeIs(1));
  }
  std::optional<FaultProxy> proxy_;
};

TEST_F(MailCrash, After_the_intent_the_next_process_sends_the_mail) {
  OperatorProcess first{ThroughProxy()};
  Apply(GeneratedAuthority("mail-crash-ca"));
  Json system = Waiting("intended");
  proxy_->Do({{"do", "kill_after_writes"}, {"pid", first.Pid()}, {"writes", 1}});
  Subscribe(system, "anna");
  EXPECT_EQ(first.WaitForExit(kSoon), 128 + SIGKILL);
  EXPECT_THAT(Ledger("intended", "due/"), SizeIs(1));
  OperatorProcess second{ThroughProxy()};
  ExpectOnceOrTheSameTwice("intended", 2);
}

TEST_F(MailCrash, Between_250_and_ledger_it_is_repeated_with_the_same_id) {
  Json system;
  {
    OperatorProcess first{ThroughProxy()};
    Apply(GeneratedAuthority("mail-crash-ca"));
    system = Waiting("taken");
    // The intent passes; what became of it does not.
    proxy_->Do({{"do", "rule"},
                {"verb", "PATCH"},
                {"path", "/taken/status"},
                {"status", 500},
                {"times", 1000},
                {"after", 1}});
    Subscribe(system, "anna");
    EXPECT_TRUE(server_->AwaitMails(1));
    EXPECT_THAT(Ledger("taken", "due/"), SizeIs(1));
    first.Signal(SIGKILL);
    first.WaitForExit(kSoon);
  }
  proxy_->Do({{"do", "reset"}});
  OperatorProcess second{ThroughProxy()};
  EXPECT_TRUE(server_->AwaitMails(2));
  ExpectOnceOrTheSameTwice("taken", 2);
}

TEST_F(MailCrash, After_the_outcome_was_written_nothing_is_repeated) {
  OperatorProcess first{ThroughProxy()};
  Apply(GeneratedAuthority("mail-crash-ca"));
  Json system = Waiting("settled");
  proxy_->Do({{"do", "kill_after_writes"}, {"pid", first.Pid()}, {"writes", 2}});
  Subscribe(system, "anna");
  EXPECT_EQ(first.WaitForExit(kSoon), 128 + SIGKILL);
  OperatorProcess second{ThroughProxy()};
  EXPECT_TRUE(Eventually([&] { return second.Ready().starts_with("ok"); }, kSoon));
  ExpectOnceOrTheSameTwice("settled", 1);
}

TEST_F(MailCrash, A_regeneration_is_told_of_wherever_the_process_dies) {
  Apply(GeneratedAuthority("mail-crash-ca"));
  for (int writes = 1; writes <= 3;
       ++writes) {  // the Secret, the status with the intent, the outcome
    SCOPED_TRACE(writes);
    const std::string name = "regenerated-" + std::to_string(writes);
    OperatorProcess first{ThroughProxy()};
    Json system = Ending(name, "mail-crash-ca");
    system["spec"]["notifications"]["warnBefore"] = Json::array();
    Subscribe(system, "anna");
    AwaitCondition("psys", name, "Ready", "True", "", kSoon);
    proxy_->Do({{"do", "kill_after_writes"}, {"pid", first.Pid()}, {"writes", writes}});
    TurnOn(system);
    EXPECT_EQ(first.WaitForExit(kSoon), 128 + SIGKILL);
    OperatorProcess second{ThroughProxy()};
    EXPECT_TRUE(Eventually([&] { return Ledger(name, "sent/").size() == 1; }, kSoon));
    const auto mails = MailsAbout(name);
    EXPECT_EQ(mails.front(), Renewed("anna", name));
    EXPECT_LE(mails.size(), 2U);
  }
  EXPECT_THAT(MessageIds(), SizeIs(3));
}

TEST_F(MailCrash, The_next_leader_sends_what_is_due_and_repeats_nothing) {
  const auto start = [&](const std::string& name) {
    OperatorOptions options{.kubeconfig = TheControlPlane().Kubeconfig(), .arguments = MailFlags()};
    for (const char* flag : {"--leader-elect-lease-duration=5s", "--leader-elect-renew-deadline=3s",
                             "--leader-elect-retry-period=1s"})
      options.arguments.emplace_back(flag);
    options.environment = {"POD_NAME=" + name};
    return std::make_unique<OperatorProcess>(options);
  };
  auto first = start("mail-first");
  Apply(GeneratedAuthority("mail-crash-ca"));
  Json system = Waiting("led");
  auto second = start("mail-second");
  Subscribe(system, "anna");
  AwaitMails("led", {Expiring("anna", "led")});
  AwaitDelivered("led");
  server_->Behave(Behaviour({{"MAIL", "421 not now"}}));
  Subscribe(system, "bert");
  AwaitDelivered("led", "MailDelayed");
  first->Signal(SIGKILL);
  server_->Behave(Login());
  AwaitMails("led", {Expiring("anna", "led"), Expiring("bert", "led")});
  AwaitDelivered("led");
  EXPECT_THAT(MailsAbout("led"), SizeIs(2));
}

}  // namespace
}  // namespace certpair::test
