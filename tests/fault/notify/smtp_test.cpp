// The mailer against a real SMTP server, good and bad.
#include <thread>

#include "fault/notify/mail_setup.hpp"

namespace certpair::notify {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

class Smtp : public MailFault {
 protected:
  void SetUp() override {
    MailFault::SetUp();
    WriteCredentials("certpair:open:sesame\n");
  }
};

// What a message may never hold.
auto NoSecretNorAddress() {
  return AllOf(Not(HasSubstr("sesame")), Not(HasSubstr("@")), Not(HasSubstr("b3BlbjpzZXNhbWU")));
}

TEST_F(Smtp, A_mail_goes_through_TLS_and_a_login_and_arrives_as_it_was) {
  test::SmtpServer server{{.behaviour = Behaviour()}};
  SmtpMailer mailer{ServerOf(server)};
  const Letter letter = LetterTo("idm@example.com");
  const Delivery delivery = mailer.Send(letter, {});
  EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message;
  const auto mails = server.Mails();
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_EQ(mails[0].bytes, letter.bytes);
  EXPECT_EQ(mails[0].about.at("from"), "certpair@example.com");
  EXPECT_EQ(mails[0].To(), "idm@example.com");
  EXPECT_EQ(mails[0].about.at("user"), "certpair");
  EXPECT_TRUE(mails[0].about.at("tls"));
}

TEST_F(Smtp, One_connection_carries_many_mails_and_is_left_with_QUIT) {
  test::SmtpServer server{{.behaviour = Behaviour()}};
  SmtpMailer mailer{ServerOf(server)};
  for (int n = 0; n < 5; ++n)
    EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), {}).verdict, Verdict::Sent);
  for (const auto& mail : server.Mails()) EXPECT_EQ(mail.about.at("connection"), 1);
  mailer.Rest();
  EXPECT_EQ(server.CountLines("tls QUIT"), 1) << server.Lines();
  EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), {}).verdict, Verdict::Sent);
  EXPECT_EQ(server.Mails().back().about.at("connection"), 2);
}

TEST_F(Smtp, Implicit_TLS_and_no_TLS_work_where_they_are_set) {
  test::SmtpServer implicit{{.tls = "tls", .behaviour = Behaviour()}};
  SmtpServer settings = ServerOf(implicit);
  settings.tls = Tls::Implicit;
  EXPECT_EQ(SmtpMailer{settings}.Send(LetterTo("a@example.com"), {}).verdict, Verdict::Sent);
  EXPECT_EQ(implicit.Mails().at(0).about.at("user"), "certpair");

  test::SmtpServer clear{{.tls = "none"}};
  settings = ServerOf(clear);
  settings.tls = Tls::None;
  settings.ca_file = settings.credentials_file = "";
  const Delivery delivery = SmtpMailer{settings}.Send(LetterTo("a@example.com"), {});
  EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message;
  EXPECT_FALSE(clear.Mails().at(0).about.at("tls"));
}

struct FaultRow {
  const char* name;
  json behaviour;
  Verdict verdict;
  const char* message;
};

void PrintTo(const FaultRow& row, std::ostream* out) { *out << row.name; }

class SmtpFaults : public Smtp, public testing::WithParamInterface<FaultRow> {};

TEST_P(SmtpFaults, Is_answered_as_the_row_says_and_the_next_mail_goes) {
  test::SmtpServer server{{.behaviour = Behaviour(GetParam().behaviour)}};
  SmtpMailer mailer{ServerOf(server)};
  const auto begin = std::chrono::steady_clock::now();
  const Delivery delivery = mailer.Send(LetterTo("anna@example.com"), {});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
  EXPECT_EQ(delivery.verdict, GetParam().verdict) << delivery.message << server.Lines();
  EXPECT_THAT(delivery.message, AllOf(HasSubstr(GetParam().message), NoSecretNorAddress()));
  EXPECT_LE(delivery.message.size(), 400U);
  server.Behave(Behaviour());
  const Delivery next = mailer.Send(LetterTo("berta@example.com"), {});
  ASSERT_EQ(next.verdict, Verdict::Sent) << next.message;
  EXPECT_EQ(server.Mails().back().To(), "berta@example.com");
}

constexpr Verdict kAll = Verdict::DelayedAll;
constexpr Verdict kAlone = Verdict::DelayedAlone;

INSTANTIATE_TEST_SUITE_P(
    Server, SmtpFaults,
    testing::Values(
        FaultRow{
            "greets_with_554", {{"greeting", "554 no service for anna@example.com"}}, kAll, ""},
        FaultRow{"greets_with_421", {{"greeting", "421 busy"}}, kAll, "421 busy"},
        FaultRow{"greets_with_garbage", {{"greeting", "garbage"}}, kAll, "greeting"},
        FaultRow{"greets_with_a_line_of_1_MB", {{"greeting", "long"}}, kAll, ""},
        FaultRow{"greets_without_end", {{"greeting", "flood"}}, kAll, "endless"},
        FaultRow{"stalls_at_the_greeting", {{"greeting", "stall"}}, kAll, "in time"},
        FaultRow{"closes_at_the_greeting", {{"greeting", "close"}}, kAll, "closed"},
        FaultRow{"stalls_at_EHLO", {{"EHLO", "stall"}}, kAll, "in time at EHLO"},
        FaultRow{"answers_EHLO_with_garbage", {{"EHLO", "garbage"}}, kAll, "at EHLO"},
        FaultRow{"answers_EHLO_with_a_line_of_1_MB", {{"EHLO", "long"}}, kAll, ""},
        FaultRow{"closes_at_EHLO", {{"EHLO", "close"}}, kAll, "closed"},
        FaultRow{"offers_no_STARTTLS", {{"EHLO", "hide"}}, kAll, "not offer STARTTLS"},
        FaultRow{"offers_no_AUTH", {{"EHLO", "hide-auth"}}, kAll, "not offer AUTH"},
        FaultRow{"refuses_STARTTLS", {{"STARTTLS", "454 no TLS now"}}, kAll, "454 no TLS now"},
        FaultRow{"stalls_at_STARTTLS", {{"STARTTLS", "stall"}}, kAll, "in time at STARTTLS"},
        FaultRow{"agrees_to_STARTTLS_and_talks_no_TLS",
                 {{"STARTTLS", "220 go ahead"}},
                 kAll,
                 "no trusted TLS"},
        FaultRow{"answers_AUTH_with_garbage", {{"AUTH", "garbage"}}, kAll, "at the login"},
        FaultRow{"answers_AUTH_with_a_line_of_1_MB", {{"AUTH", "long"}}, kAll, ""},
        FaultRow{"refuses_the_login",
                 {{"AUTH", "535 5.7.8 no b3BlbjpzZXNhbWU= open:sesame"}},
                 kAll,
                 "at the login: 535 5.7.8"},
        FaultRow{"stalls_at_AUTH", {{"AUTH", "stall"}}, kAll, "in time at the login"},
        FaultRow{"closes_at_AUTH", {{"AUTH", "close"}}, kAll, "closed"},
        FaultRow{"refuses_the_sender",
                 {{"MAIL", "550 5.7.1 certpair@example.com may not"}},
                 kAll,
                 "550 5.7.1 [address] may not"},
        FaultRow{
            "takes_no_mail_so_large", {{"MAIL", "552 5.3.4 too large"}}, Verdict::Refused, "552"},
        FaultRow{"closes_at_MAIL", {{"MAIL", "close"}}, kAll, "closed"},
        FaultRow{"answers_MAIL_with_a_line_of_1_MB", {{"MAIL", "long"}}, kAll, ""},
        FaultRow{"stalls_at_MAIL", {{"MAIL", "stall"}}, kAll, "in time at MAIL FROM"},
        FaultRow{"knows_no_such_recipient",
                 {{"RCPT", "550 5.1.1 <anna@example.com>: unknown"}},
                 Verdict::Refused,
                 "550 5.1.1 [address] unknown"},
        FaultRow{"has_a_policy_at_RCPT", {{"RCPT", "554 5.7.1 relay denied"}}, kAlone, "5.7.1"},
        FaultRow{"accepts_no_mail_for_one_recipient",
                 {{"RCPT", "550 5.7.1 <anna@example.com>: Recipient address rejected: no"}},
                 Verdict::Refused,
                 "5.7.1"},
        FaultRow{"relays_nothing_and_says_so_without_a_code",
                 {{"RCPT", "550 relay not permitted"}},
                 kAlone,
                 "550 relay not permitted"},
        FaultRow{"is_qmail_and_does_not_relay",
                 {{"RCPT", "553 sorry, that domain isn't in my list of allowed rcpthosts"}},
                 kAlone,
                 "rcpthosts"},
        FaultRow{"could_not_verify_the_sender", {{"RCPT", "550 Sender verify failed"}}, kAlone, ""},
        FaultRow{"is_SES_and_knows_us_not",
                 {{"body", "554 Message rejected: Email address is not verified."}},
                 kAlone,
                 "not verified"},
        FaultRow{"knows_no_such_user_and_has_no_codes",
                 {{"RCPT", "550 No such user here"}},
                 Verdict::Refused,
                 "No such user"},
        FaultRow{
            "offers_nothing_that_a_password_serves", {{"auth", "GSSAPI NTLM"}}, kAll, "password"},
        FaultRow{
            "is_busy_for_one_recipient", {{"RCPT", "450 4.2.1 later"}}, kAlone, "450 4.2.1 later"},
        FaultRow{"has_too_many_recipients", {{"RCPT", "552 too many"}}, kAlone, "552"},
        FaultRow{"leaves_at_RCPT_with_421", {{"RCPT", "421 leaving"}}, kAll, "421"},
        FaultRow{"stalls_at_RCPT", {{"RCPT", "stall"}}, kAlone, "in time at RCPT TO"},
        FaultRow{"answers_RCPT_without_end", {{"RCPT", "flood"}}, kAlone, "endless"},
        FaultRow{"answers_RCPT_with_garbage", {{"RCPT", "garbage"}}, kAlone, "at RCPT TO"},
        FaultRow{"answers_RCPT_with_a_line_of_1_MB", {{"RCPT", "long"}}, kAlone, ""},
        FaultRow{"answers_DATA_with_garbage", {{"DATA", "garbage"}}, kAlone, ""},
        FaultRow{"answers_DATA_with_a_line_of_1_MB", {{"DATA", "long"}}, kAlone, ""},
        FaultRow{"leaves_at_DATA_with_421", {{"DATA", "421 leaving"}}, kAll, "421"},
        FaultRow{"stalls_at_DATA", {{"DATA", "stall"}}, kAlone, "in time"},
        FaultRow{"closes_at_DATA", {{"DATA", "close"}}, kAlone, "closed"},
        FaultRow{"closes_after_the_text", {{"body", "close"}}, kAlone, "after the message text"},
        FaultRow{
            "stalls_after_the_text", {{"body", "stall"}}, kAlone, "in time after the message text"},
        FaultRow{"refuses_the_text", {{"body", "554 5.6.0 no such mail"}}, Verdict::Refused, "554"},
        FaultRow{"takes_the_text_later", {{"body", "451 4.3.0 disk"}}, kAlone, "451"},
        FaultRow{"answers_the_text_with_a_line_of_1_MB", {{"body", "long"}}, kAlone, ""},
        FaultRow{"leaves_after_the_text_with_421", {{"body", "421 leaving"}}, kAll, "421"},
        FaultRow{"answers_the_text_with_garbage", {{"body", "garbage"}}, kAlone, ""},
        FaultRow{"closes_after_its_250", {{"body", "reply-and-close"}}, Verdict::Sent, ""}),
    [](const auto& test) { return std::string{test.param.name}; });

TEST_F(Smtp, Nothing_is_sent_in_clear_where_TLS_is_asked_for) {
  const struct {
    const char* what;
    test::TlsSubject subject;
    json behaviour;
    bool other_ca;
  } rows[] = {
      {"no STARTTLS", {}, {{"EHLO", "hide"}}, false},
      {"STARTTLS refused", {}, {{"STARTTLS", "502 no"}}, false},
      {"an expired certificate",
       {.begins = std::chrono::hours{-48}, .ends = std::chrono::hours{-24}},
       {},
       false},
      {"a certificate of another host", {.alt_names = "DNS:mail.example.com"}, {}, false},
      {"a certificate of another CA", {}, {}, true},
  };
  test::SmtpServer other{{.behaviour = Behaviour()}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    test::SmtpServer server{
        {.subject = row.subject,
         .behaviour = Behaviour(row.behaviour.is_null() ? json::object() : row.behaviour)}};
    SmtpServer settings = ServerOf(server);
    if (row.other_ca) settings.ca_file = other.CaFile();
    SmtpMailer mailer{settings};
    const Delivery delivery = mailer.Send(LetterTo("anna@example.com"), {});
    EXPECT_EQ(delivery.verdict, Verdict::DelayedAll);
    EXPECT_THAT(delivery.message, AnyOf(HasSubstr("TLS"), HasSubstr("certificate")));
    for (const char* verb : {"AUTH", "MAIL", "RCPT", "DATA"}) {
      EXPECT_EQ(server.CountLines(std::string{"clear "} + verb), 0) << server.Lines();
      EXPECT_EQ(server.CountLines(std::string{"tls "} + verb), 0) << server.Lines();
    }
  }
}

TEST_F(Smtp, Bad_credentials_delay_and_good_ones_count_at_once) {
  test::SmtpServer server{{.behaviour = Behaviour()}};
  SmtpMailer mailer{ServerOf(server)};
  const auto send = [&] { return mailer.Send(LetterTo("anna@example.com"), {}); };
  EXPECT_EQ(send().verdict, Verdict::Sent);
  const struct {
    const char* text;
    const char* message;
  } rows[] = {{"", "it is empty"},
              {"\n", "it is empty"},
              {"certpair", "user:password"},
              {"certpair:", "user:password"},
              {"certpair:sesame\nmore:sesame\n", "user:password"}};
  for (const auto& row : rows) {
    WriteCredentials(row.text);
    const Delivery delivery = send();
    EXPECT_EQ(delivery.verdict, Verdict::DelayedAll) << row.text;
    EXPECT_THAT(delivery.message,
                AllOf(HasSubstr("credentials file"), HasSubstr(row.message), NoSecretNorAddress()));
  }
  WriteCredentials("certpair:wrong sesame");
  const Delivery refused = send();
  EXPECT_EQ(refused.verdict, Verdict::DelayedAll);
  EXPECT_THAT(refused.message, AllOf(HasSubstr("535"), NoSecretNorAddress()));
  std::remove((folder_ / "credentials").c_str());
  EXPECT_THAT(send().message, HasSubstr("there is no file"));
  server.Behave({{"user", "certpair"}, {"password", "new:one"}});
  WriteCredentials("certpair:new:one\r\n");
  EXPECT_EQ(send().verdict, Verdict::Sent);
  EXPECT_EQ(server.CountMails(), 2U);
}

// Of what a server offers curl would take the strongest, which no user and password serve.
TEST_F(Smtp, A_server_that_offers_stronger_ways_too_is_logged_in_to) {
  for (const char* offers : {"GSSAPI NTLM DIGEST-MD5 CRAM-MD5 PLAIN LOGIN", "LOGIN NTLM",
                             "SCRAM-SHA-256 DIGEST-MD5 PLAIN", "XOAUTH2 LOGIN", "GSSAPI LOGIN"}) {
    test::SmtpServer server{{.behaviour = Behaviour({{"auth", offers}})}};
    SmtpMailer mailer{ServerOf(server)};
    for (const char* mail : {"first", "second"}) {
      const Delivery delivery = mailer.Send(LetterTo("anna@example.com"), {});
      EXPECT_EQ(delivery.verdict, Verdict::Sent)
          << offers << ", " << mail << ": " << delivery.message;
    }
    EXPECT_EQ(server.CountLines("tls AUTH"), 1) << offers;
  }
}

TEST_F(Smtp, Hashed_passwords_are_used_where_nothing_else_is_offered) {
  test::SmtpServer server{{.behaviour = Behaviour({{"auth", "GSSAPI CRAM-MD5"}})}};
  SmtpMailer mailer{ServerOf(server)};
  // aiosmtpd knows no CRAM-MD5; that curl asks for it is enough.
  EXPECT_EQ(mailer.Send(LetterTo("anna@example.com"), {}).verdict, Verdict::DelayedAll);
  EXPECT_EQ(server.CountLines("tls AUTH"), 1) << server.Lines();
  server.Behave(Behaviour());
  EXPECT_EQ(mailer.Send(LetterTo("anna@example.com"), {}).verdict, Verdict::Sent)
      << "and with a plain one when that is offered";
}

TEST_F(Smtp, The_server_is_greeted_with_the_name_that_is_set) {
  for (const char* name : {"certpair.example.com", "[192.0.2.1]", "[IPv6:2001:db8::1]"}) {
    test::SmtpServer server{{.behaviour = Behaviour({{"helo", name}})}};
    SmtpServer settings = ServerOf(server);
    settings.helo_name = name;
    SmtpMailer mailer{settings};
    const Delivery delivery = mailer.Send(LetterTo("anna@example.com"), {});
    EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message;
    mailer.Rest();
    EXPECT_EQ(server.CountLines(std::string{"clear EHLO "} + name), 1) << server.Lines();
    EXPECT_EQ(server.CountLines(std::string{"tls EHLO "} + name), 1) << server.Lines();
  }
}

TEST_F(Smtp, A_connection_of_a_former_login_or_CA_file_is_left) {
  test::SmtpServer server{{.behaviour = Behaviour()}};
  SmtpServer settings = ServerOf(server);
  settings.ca_file = folder_ / "ca.crt";
  std::ofstream{settings.ca_file} << test::ReadFile(server.CaFile());
  SmtpMailer mailer{settings};
  const auto send = [&] { return mailer.Send(LetterTo("anna@example.com"), {}).verdict; };
  EXPECT_EQ(send(), Verdict::Sent);
  server.Behave({{"user", "another"}, {"password", "new:one"}});
  WriteCredentials("another:new:one");
  EXPECT_EQ(send(), Verdict::Sent);
  EXPECT_EQ(server.CountLines("tls QUIT"), 1) << server.Lines();
  EXPECT_EQ(server.Mails().back().about.at("user"), "another");
  std::ofstream{settings.ca_file, std::ios::app} << "\n" << test::ReadFile(server.CaFile());
  EXPECT_EQ(send(), Verdict::Sent);
  EXPECT_EQ(server.CountLines("tls QUIT"), 2) << server.Lines();
  EXPECT_EQ(send(), Verdict::Sent);
  EXPECT_EQ(server.Mails().back().about.at("connection"), 3) << "what did not change is kept";
}

TEST_F(Smtp, A_replaced_CA_file_counts_from_the_next_connection_on) {
  test::SmtpServer server{{.behaviour = Behaviour()}};
  SmtpServer settings = ServerOf(server);
  settings.ca_file = folder_ / "ca.crt";
  SmtpMailer mailer{settings};
  const auto send = [&] { return mailer.Send(LetterTo("anna@example.com"), {}); };
  EXPECT_THAT(send().message, HasSubstr("CA file"));
  std::ofstream{settings.ca_file} << "no PEM";
  EXPECT_THAT(send().message, HasSubstr("holds no PEM certificate"));
  std::ofstream{settings.ca_file} << test::TlsAuthority{"another"}.Certificate();
  EXPECT_THAT(send().message, HasSubstr("no trusted TLS"));
  std::ofstream{settings.ca_file} << test::ReadFile(server.CaFile());
  const Delivery delivery = send();
  EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message;
}

TEST_F(Smtp, A_refused_or_delayed_recipient_delays_no_other) {
  test::SmtpServer server{{.behaviour = Behaviour({{"refuse",
                                                    {{"no@example.com", "550 5.1.1 no such user"},
                                                     {"later@example.com", "450 later"}}}})}};
  SmtpMailer mailer{ServerOf(server)};
  EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), {}).verdict, Verdict::Sent);
  const Delivery refused = mailer.Send(LetterTo("no@example.com"), {});
  EXPECT_EQ(refused.verdict, Verdict::Refused) << refused.message;
  EXPECT_EQ(mailer.Send(LetterTo("b@example.com"), {}).verdict, Verdict::Sent);
  EXPECT_EQ(mailer.Send(LetterTo("later@example.com"), {}).verdict, Verdict::DelayedAlone);
  EXPECT_EQ(mailer.Send(LetterTo("c@example.com"), {}).verdict, Verdict::Sent);
  EXPECT_EQ(server.CountMails(), 3U);
}

// RFC 5321 §4.5.3.2.6: who does not wait for it sends copies.
TEST_F(Smtp, A_late_answer_to_the_text_is_awaited) {
  test::SmtpServer server{{.behaviour = Behaviour({{"body", "slow"}})}};
  SmtpServer settings = ServerOf(server);
  settings.deadlines = {.connect = 10s, .reply = 1s, .final_reply = 30s, .mail = 60s};
  SmtpMailer mailer{settings};
  for (const char* recipient : {"a@example.com", "b@example.com"}) {
    const Delivery delivery = mailer.Send(LetterTo(recipient), {});
    EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message;
  }
  EXPECT_EQ(server.CountMails(), 2U);
  EXPECT_EQ(server.CountLines("tls DATA"), 2) << server.Lines();
  server.Behave(Behaviour({{"MAIL", "stall"}}));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(mailer.Send(LetterTo("c@example.com"), {}).message, HasSubstr("in time"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 15s) << "the patience ends with that answer";
}

TEST_F(Smtp, Two_mails_in_a_row_without_an_answer_are_the_servers_trouble) {
  test::SmtpServer server{{.behaviour = Behaviour({{"RCPT", "close"}})}};
  SmtpMailer mailer{ServerOf(server)};
  EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), {}).verdict, Verdict::DelayedAlone);
  EXPECT_EQ(mailer.Send(LetterTo("b@example.com"), {}).verdict, Verdict::DelayedAll);
}

TEST_F(Smtp, A_connection_that_the_server_left_is_made_anew) {
  test::SmtpServer server{{.behaviour = Behaviour({{"body", "reply-and-close"}})}};
  SmtpMailer mailer{ServerOf(server)};
  for (int n = 0; n < 3; ++n) {
    const Delivery delivery = mailer.Send(LetterTo("a@example.com"), {});
    EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message;
  }
  EXPECT_EQ(server.CountMails(), 3U);
  server.Behave(Behaviour());
  EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), {}).verdict, Verdict::Sent);
  server.Behave(Behaviour({{"MAIL", "421 idle for too long"}}));
  EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), {}).verdict, Verdict::DelayedAll)
      << "twice 421 is trouble";
  EXPECT_EQ(server.CountMails(), 4U);
}

TEST_F(Smtp, A_stop_request_ends_any_wait_at_once) {
  for (const char* step :
       {"greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "body"}) {
    SCOPED_TRACE(step);
    test::SmtpServer server{{.behaviour = Behaviour({{step, "stall"}})}};
    SmtpServer settings = ServerOf(server);
    settings.deadlines = {.connect = 60s, .reply = 60s, .final_reply = 60s, .mail = 60s};
    SmtpMailer mailer{settings};
    std::stop_source stop;
    std::jthread later{[&] {
      std::this_thread::sleep_for(300ms);
      stop.request_stop();
    }};
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), stop.get_token()).verdict, Verdict::Stopped);
    mailer.Rest();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  }
}

TEST_F(Smtp, A_server_that_stalls_at_QUIT_is_left) {
  test::SmtpServer server{{.behaviour = Behaviour({{"QUIT", "stall"}})}};
  SmtpMailer mailer{ServerOf(server)};
  EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), {}).verdict, Verdict::Sent);
  const auto begin = std::chrono::steady_clock::now();
  mailer.Rest();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST_F(Smtp, A_server_that_cannot_be_reached_is_a_delay) {
  int port = 0;
  {
    const test::SmtpServer gone{{.tls = "none"}};
    port = gone.Port();
  }
  SmtpServer settings{.host = "127.0.0.1", .port = port, .deadlines = {.connect = 5s}};
  Delivery delivery = SmtpMailer{settings}.Send(LetterTo("a@example.com"), {});
  EXPECT_EQ(delivery.verdict, Verdict::DelayedAll);
  EXPECT_THAT(delivery.message, HasSubstr("nothing accepts the connection"));
  settings.host = "nobody.invalid";
  delivery = SmtpMailer{settings}.Send(LetterTo("a@example.com"), {});
  EXPECT_EQ(delivery.verdict, Verdict::DelayedAll) << delivery.message;
}

TEST_F(Smtp, A_local_part_beyond_ASCII_goes_with_SMTPUTF8_or_not_at_all) {
  test::SmtpServer server{{.behaviour = Behaviour({{"utf8", true}})}};
  SmtpMailer mailer{ServerOf(server)};
  const Letter letter = LetterTo("größe@example.com");
  Delivery delivery = mailer.Send(letter, {});
  EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message << server.Lines();
  EXPECT_THAT(server.Lines(), HasSubstr("SMTPUTF8"));
  const auto mails = server.Mails();  // which have no defect, or the test fails
  ASSERT_EQ(mails.size(), 1U);
  EXPECT_EQ(mails[0].To(), "größe@example.com");
  EXPECT_THAT(mails[0].Header("To"), HasSubstr("größe@example.com"));
  server.Behave(Behaviour());
  mailer.Rest();
  for (const char* connection : {"new", "reused"}) {
    SCOPED_TRACE(connection);
    delivery = mailer.Send(letter, {});
    EXPECT_EQ(delivery.verdict, Verdict::Refused) << delivery.message;
    EXPECT_THAT(delivery.message, AllOf(HasSubstr("SMTPUTF8"), NoSecretNorAddress()));
    EXPECT_EQ(mailer.Send(LetterTo("a@example.com"), {}).verdict, Verdict::Sent);
  }
  EXPECT_EQ(server.CountMails(), 3U);
}

TEST_F(Smtp, Addresses_of_unusual_form_reach_the_server_unchanged) {
  test::SmtpServer server{{.behaviour = Behaviour()}};
  SmtpMailer mailer{ServerOf(server)};
  for (const std::string& address :
       {std::string{"a@b"}, std::string{"\"anna berg\"@example.com"},
        std::string{R"("a\"b@c"@example.com)"}, std::string{"o'neil!#$%&*-/=?^_`{|}~@example.com"},
        std::string(64, 'a') + "@example.com"}) {
    Letter letter = LetterTo("a@example.com");
    letter.to = address;  // Compose takes none of them from a subscriber
    const Delivery delivery = mailer.Send(letter, {});
    EXPECT_EQ(delivery.verdict, Verdict::Sent) << address << ": " << delivery.message;
    EXPECT_EQ(server.Mails().back().To(), address);
  }
}

TEST_F(Smtp, An_international_domain_goes_everywhere_in_its_ASCII_form) {
  test::SmtpServer server{{.behaviour = Behaviour()}};
  SmtpMailer mailer{ServerOf(server)};
  const Delivery delivery = mailer.Send(LetterTo("anna@bücher.example"), {});
  EXPECT_EQ(delivery.verdict, Verdict::Sent) << delivery.message;
  EXPECT_EQ(server.Mails().at(0).To(), "anna@xn--bcher-kva.example");
}

}  // namespace
}  // namespace certpair::notify
