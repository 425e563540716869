// Subscribers are told: from the first warning to the renewal, late ones, those who left, those
// whom the mail server refuses.
#include <algorithm>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>

#include "integration/mail/mail_fixture.hpp"

namespace certpair::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Mails = std::vector<std::string>;

TEST_F(MailTest, One_conversation_goes_from_first_warning_to_renewal) {
  OperatorProcess op{WithMail()};
  Apply(GeneratedAuthority("thread-ca"));
  Json system = Ending("thread", "thread-ca");
  system["spec"]["notifications"]["warnBefore"] = {"9m59s", "9m52s"};
  Subscribe(system, "anna");
  Mails so_far{Expiring("anna", "thread")};
  AwaitMails("thread", so_far);
  so_far.push_back(Expiring("anna", "thread"));
  AwaitMails("thread", so_far);
  Subscribe(system, "late");
  so_far.push_back(Expiring("late", "thread"));
  AwaitMails("thread", so_far);
  AwaitDelivered("thread");

  const std::string before = PairOf("thread").active;
  TurnOn(system);
  AwaitPair("thread", [&](const Pair& pair) { return pair.inactive == before; });
  Await([&] { return MailsAbout("thread").size() >= 5; });
  const auto mails = MailsAbout("thread");
  ASSERT_THAT(mails, SizeIs(5));
  EXPECT_THAT(mails, Contains(Renewed("anna", "thread")));
  EXPECT_THAT(mails, Contains(Renewed("late", "thread")));
  AwaitDelivered("thread");

  // The new certificate is attached, and it is the one in the Secret.
  const std::string active = SecretValue(*Get("secret", "thread-outbound"), "tls.crt");
  std::string attached;
  for (const ReceivedMail& mail : server_->Mails()) {
    EXPECT_THAT(mail.about.at("defects"), IsEmpty());
    EXPECT_TRUE(mail.about.at("tls").get<bool>());
    if (mail.Header("Subject").find("Renewed") == std::string::npos) continue;
    for (const Json& part : mail.about.at("parts"))
      if (part.at("disposition") == "attachment") attached = part.at("content");
  }
  const auto line = [](const std::string& pem) { return pem.substr(28, 60); };
  ASSERT_GT(attached.size(), 100U);
  EXPECT_EQ(line(attached), line(active));

  Subscribe(system, "after-the-renewal");
  AwaitCondition("psys", "thread", "Ready", "True", "", kSoon);
  EXPECT_EQ(MessageIds().size(), 5U) << "each its own";
  EXPECT_THAT(MailsAbout("thread"), SizeIs(5)) << "who comes late missed the renewal";
  EXPECT_EQ(op.Metric("certpair_notifications_total", {R"(outcome="sent")"}), 5);
  EXPECT_THAT(op.Log(), Not(HasSubstr("open sesame")));
  EXPECT_THAT(op.Log(), Not(HasSubstr("anna@example.com")));
}

TEST_F(MailTest, A_held_certificate_asks_for_its_upload_until_Activate) {
  OperatorProcess op{WithMail()};
  Apply(GeneratedAuthority("held-ca"));
  Json system = Ending("held", "held-ca");
  system["spec"]["peerMatching"] = "Fingerprint";
  system["spec"]["notifications"]["warnBefore"] = Json::array();
  Subscribe(system, "anna");
  AwaitCondition("psys", "held", "Ready", "True", "", kSoon);
  TurnOn(system);
  const Pair pair = AwaitPair("held", [](const Pair& p) { return !p.inactive.empty(); });
  AwaitMails("held", {Expiring("anna", "held")});
  const ReceivedMail mail = server_->Mails().back();
  EXPECT_THAT(mail.Part("text/plain"), HasSubstr(pair.inactive));
  EXPECT_EQ(Operate("held-activate", "held", "Activate", pair.inactive).first, "Complete");
  AwaitPair("held", [&](const Pair& p) { return p.active == pair.inactive; });
  AwaitDelivered("held");
  EXPECT_THAT(MailsAbout("held"), SizeIs(1)) << "a person activated it";
}

TEST_F(MailTest, A_refused_recipient_delays_no_other_and_is_named) {
  server_->Behave(Behaviour({{"refuse", {{"gone@example.com", "550 no such user"}}}}));
  OperatorProcess op{WithMail()};
  Apply(GeneratedAuthority("refused-ca"));
  Json system = Ending("refused", "refused-ca");
  for (const char* reader : {"gone", "anna", "bert"})
    system["spec"]["notifications"]["subscribers"].push_back(
        {{"displayName", reader}, {"email", std::string{reader} + "@example.com"}});
  Apply(system);
  Await([&] { return MailsAbout("refused").size() >= 2; });
  EXPECT_THAT(MailsAbout("refused"), testing::UnorderedElementsAre(Expiring("anna", "refused"),
                                                                   Expiring("bert", "refused")));
  AwaitDelivered("refused", "RecipientRefused");
  const Told told = ConditionOf(*Get("psys", "refused"), "NotificationsDelivered");
  EXPECT_THAT(told.message, HasSubstr("\"gone\" (refused)"));
  EXPECT_THAT(told.message, HasSubstr("550"));
  EXPECT_THAT(told.message, Not(HasSubstr("@example.com")));
  EXPECT_TRUE(Eventually(
      [] {
        const auto reasons = EventReasons("refused");
        return std::ranges::count(reasons, "RecipientRefused") == 1;
      },
      kSoon));
}

TEST_F(MailTest, A_delayed_recipient_delays_no_other_and_is_sent_later) {
  std::string words = "450 4.2.1 ";  // cut for the condition, and between characters
  for (int n = 0; n < 180; ++n) words += "я";
  server_->Behave(Behaviour({{"refuse", {{"busy@example.com", words}}}}));
  OperatorProcess op{WithMail()};
  Apply(GeneratedAuthority("put-off-ca"));
  Json system = Ending("put-off", "put-off-ca");
  for (const char* reader : {"anna", "busy"})
    system["spec"]["notifications"]["subscribers"].push_back(
        {{"displayName", reader}, {"email", std::string{reader} + "@example.com"}});
  Apply(system);
  AwaitDelivered("put-off", "MailDelayed");
  const Told told = ConditionOf(*Get("psys", "put-off"), "NotificationsDelivered");
  EXPECT_THAT(told.message, HasSubstr("450 4.2.1 яя"));
  EXPECT_THAT(told.message, Not(HasSubstr("@example.com")));
  EXPECT_EQ(MailsAbout("put-off"), Mails{Expiring("anna", "put-off")});
  EXPECT_THAT(Ledger("put-off", "due/"), SizeIs(1));
  Subscribe(system, "late");
  AwaitMails("put-off", {Expiring("anna", "put-off"), Expiring("late", "put-off")});
  server_->Behave(Login());
  Await([&] { return MailsAbout("put-off").size() == 3; });
  AwaitDelivered("put-off");
  EXPECT_THAT(MailsAbout("put-off"), Contains(Expiring("busy", "put-off")));
}

TEST_F(MailTest, A_server_that_is_away_is_reported_and_waited_for) {
  server_->Behave(Behaviour({{"greeting", "421 closed for today"}}));
  OperatorProcess op{WithMail()};
  Apply(GeneratedAuthority("away-ca"));
  Json system = Ending("away", "away-ca");
  Subscribe(system, "anna");
  Subscribe(system, "leaving");
  AwaitDelivered("away", "MailDelayed");
  Json renewed = Ending("renewed-meanwhile", "away-ca");
  Subscribe(renewed, "bert");
  AwaitCondition("psys", "renewed-meanwhile", "Ready", "True", "", kSoon);
  TurnOn(renewed);  // nothing waits for mail
  AwaitPair("renewed-meanwhile", [](const Pair& pair) { return !pair.inactive.empty(); });
  system["spec"]["notifications"]["subscribers"].erase(1);
  Apply(system);
  EXPECT_TRUE(Eventually([] { return Ledger("away", "due/").size() == 1; }, kSoon));
  EXPECT_EQ(server_->CountMails(), 0U);
  server_->Behave(Login());
  AwaitMails("away", {Expiring("anna", "away")});
  Await([&] { return !MailsAbout("renewed-meanwhile").empty(); });
  EXPECT_THAT(MailsAbout("renewed-meanwhile"), Contains(Renewed("bert", "renewed-meanwhile")));
  AwaitDelivered("away");
}

TEST_F(MailTest, Missing_or_wrong_credentials_are_reported_and_lose_nothing) {
  const std::string file = folder_ / "credentials";
  std::filesystem::remove(file);
  OperatorProcess op{WithMail()};
  Apply(GeneratedAuthority("login-ca"));
  Json system = Ending("login", "login-ca");
  Subscribe(system, "anna");
  AwaitDelivered("login", "MailDelayed");
  const auto says = [](const char* words) {
    Await([&] {
      return ConditionOf(*Get("psys", "login"), "NotificationsDelivered").message.find(words) !=
             std::string::npos;
    });
  };
  says("the credentials file");
  Await([] {
    const auto reasons = EventReasons("login");
    return std::ranges::find(reasons, "MailDelayed") != reasons.end();
  });
  std::ofstream{file} << "certpair:close barley\n";
  Await([&] { return server_->CountLines("tls AUTH") > 0; });
  EXPECT_EQ(server_->CountMails(), 0U);
  std::ofstream{file} << "certpair:open sesame\n";
  AwaitMails("login", {Expiring("anna", "login")});
  AwaitDelivered("login");
  for (const char* password : {"open sesame", "close barley", "b3BlbiBzZXNhbWU"})
    EXPECT_THAT(op.Log(), Not(HasSubstr(password)));
}

// What the API takes of names goes out as it is, but for what turns text around; what it does not
// take is shown by tests/integration/crd.
TEST_F(MailTest, Names_of_any_script_reach_the_reader_and_no_header) {
  const std::string turning =
      "abc\xE2\x80\xAE"
      "gnp.exe";
  std::string long_name;
  for (int n = 0; n < 64; ++n) long_name += "人事";
  const std::map<std::string, std::string> names{{"script-1", "نظام الموارد البشرية"},
                                                 {"script-2", "人事システム 🚀 ÄÖÜ"},
                                                 {"script-3", "=?utf-8?q?=0D=0ABcc:_xy?="},
                                                 {"script-4", "\"a\" <b>, c; d"},
                                                 {"script-5", turning},
                                                 {"script-6", long_name}};
  OperatorOptions options = WithMail();
  std::erase_if(options.arguments, [](const std::string& flag) {
    return flag.starts_with("--smtp-from") || flag.starts_with("--cluster-name");
  });
  options.arguments.emplace_back("--smtp-from=Größe, Ltd. <certpair@example.com>");
  options.arguments.emplace_back("--cluster-name=クラスタ\r\nBcc: z@example.com");
  OperatorProcess op{options};
  // A star stands for none of `/ , = +` nor for what turns text around: those are named in whole.
  Json authority = GeneratedAuthority("script-ca");
  for (const auto& [name, text] : names)
    authority["spec"]["allow"][0]["commonNames"].push_back(text.substr(0, 60));
  Apply(authority);
  for (const auto& [name, text] : names) {
    Json system = Ending(name, "script-ca");
    system["spec"]["displayName"] = text;
    system["spec"]["certificate"]["subject"]["commonName"] = text.substr(0, 60);
    system["spec"]["notifications"]["subscribers"] = {
        {{"displayName", text.substr(0, 120)}, {"email", name + "@example.com"}}};
    Apply(system);
  }
  ASSERT_TRUE(server_->AwaitMails(names.size()));
  for (const ReceivedMail& mail : server_->Mails()) {  // which has no defect, or the test fails
    const std::string name = mail.To().substr(0, mail.To().find('@'));
    const std::string& text = names.at(name);
    EXPECT_EQ(mail.Header("Bcc"), "");
    EXPECT_THAT(mail.Part("text/plain"), HasSubstr("クラスタ"));
    EXPECT_THAT(mail.Header("To"), HasSubstr("<" + name + "@example.com>"));
    const std::string subject = mail.Header("Subject");
    if (text == turning) {
      EXPECT_THAT(subject, testing::EndsWith("System: abc gnp.exe"));
    } else if (!text.starts_with("=?")) {
      EXPECT_THAT(subject, testing::EndsWith("System: " + text));
    }
  }
}

TEST_F(MailTest, A_wiped_status_repeats_the_most_urgent_mail_alone) {
  OperatorProcess op{WithMail()};
  Apply(GeneratedAuthority("wiped-ca"));
  Json system = Ending("wiped", "wiped-ca");
  system["spec"]["notifications"]["warnBefore"] = {"9m59s", "9m58s"};
  Subscribe(system, "anna");
  AwaitCondition("psys", "wiped", "ExpiringSoon", "True", "", kSoon);
  Await([&] { return Ledger("wiped", "sent/").size() == 2; });
  const std::size_t before = MailsAbout("wiped").size();
  const auto ids = MessageIds();
  MustKubectl({"patch", "psys", "wiped", "-n", "idm", "--subresource=status", "--type=json", "-p",
               R"([{"op": "remove", "path": "/status"}])"});
  Await([&] { return MailsAbout("wiped").size() > before; });
  AwaitDelivered("wiped");
  EXPECT_EQ(MailsAbout("wiped").size(), before + 1);
  EXPECT_EQ(MessageIds().size(), ids.size()) << "the same Message-ID";
}

// An attempt to fill a mailbox: entries of one mailbox come and go.
TEST_F(MailTest, Subscribers_that_come_and_go_fill_no_mailbox) {
  constexpr int kRounds = 2;
  OperatorProcess op{WithMail({"--smtp-address-rate=12"})};  // one, then one in five minutes
  Apply(GeneratedAuthority("bomb-ca"));
  Json system = Ending("bomb", "bomb-ca");
  Apply(system);
  AwaitCondition("psys", "bomb", "ExpiringSoon", "True", "", kSoon);
  Json& readers = system["spec"]["notifications"]["subscribers"];
  for (int round = 0; round < kRounds; ++round) {
    readers = Json::array();
    for (int n = 0; n < 20; ++n)
      readers.push_back({{"email", "victim+" + std::to_string(20 * round + n) + "@example.com"}});
    Apply(system);
    const std::size_t waiting = round == 0 ? 19 : 20;  // the first goes
    const auto in_the_ledger = [&] {
      return Ledger("bomb", "due/").size() == waiting && Ledger("bomb", "sent/").size() == 1;
    };
    EXPECT_TRUE(Eventually(in_the_ledger, kSoon));
  }
  AwaitDelivered("bomb", "MailDelayed");
  EXPECT_THAT(ConditionOf(*Get("psys", "bomb"), "NotificationsDelivered").message,
              HasSubstr("12 mails an hour (--smtp-address-rate)"));
  EXPECT_EQ(server_->CountMails(), 1U);
  Json beside = Ending("beside-the-bomb", "bomb-ca");
  Subscribe(beside, "anna");
  AwaitMails("beside-the-bomb", {Expiring("anna", "beside-the-bomb")});
  EXPECT_EQ(server_->CountMails(), 2U);
  // Who leaves and comes back is told once: what was sent stays in the ledger.
  readers = Json::array();
  Apply(system);
  Await([] { return Ledger("bomb", "due/").empty(); });
  readers.push_back({{"email", "victim+0@example.com"}});
  Apply(system);
  AwaitDelivered("bomb");
  std::map<std::string, int> told;
  for (const ReceivedMail& mail : server_->Mails()) ++told[mail.To()];
  EXPECT_EQ(told["victim+0@example.com"], 1);
}

}  // namespace
}  // namespace certpair::test
