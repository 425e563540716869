#include "notify/address.hpp"

#include <gmock/gmock.h>

#include "notify/settings.hpp"

namespace certpair::notify {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Address, Is_read_as_the_row_says) {
  const std::string long_label(63, 'b');
  const struct {
    std::string text;
    std::string local;
    std::string domain;
    bool utf8 = false;
  } rows[] = {
      {"idm@example.com", "idm", "example.com"},
      {"a@b", "a", "b"},
      {"Anna.Berg+certs@Mail.Example.COM", "Anna.Berg+certs", "mail.example.com"},
      {"\"anna berg\"@example.com", "\"anna berg\"", "example.com"},
      {"\"a@b\"@example.com", "\"a@b\"", "example.com"},
      {R"("a\"b"@example.com)", R"("a\"b")", "example.com"},
      {"o'neil!#$%&*-/=?^_`{|}~@example.com", "o'neil!#$%&*-/=?^_`{|}~", "example.com"},
      {"größe@example.com", "größe", "example.com", true},
      {"anna@bücher.example", "anna", "xn--bcher-kva.example"},
      {"anna@" + long_label + ".example", "anna", long_label + ".example"},
  };
  for (const auto& row : rows) {
    const auto address = ParseAddress(row.text);
    ASSERT_TRUE(address) << row.text << ": " << address.error().message;
    EXPECT_EQ(address->local, row.local);
    EXPECT_EQ(address->domain, row.domain);
    EXPECT_EQ(address->needs_utf8, row.utf8) << row.text;
  }
}

TEST(Address, That_cannot_be_written_is_refused_and_not_repeated) {
  const struct {
    std::string text;
    const char* why;
  } rows[] = {
      {"", "is empty"},
      {"secretly", "no @"},
      {"@example.com", "before the @"},
      {"secretly@", "no domain"},
      {"secretly@-b.example", "no domain"},
      {"secretly@b..example", "no domain"},
      {"secretly@example.com.", "no domain"},
      {"secretly@[127.0.0.1]", "no domain"},
      {"secretly@exa mple.com", "no domain"},
      {"two words@example.com", "quotes"},
      {".secretly@example.com", "quotes"},
      {"sec..retly@example.com", "quotes"},
      {"secretly@example.com, other@example.com", "quotes"},
      {"<secretly@example.com>", "quotes"},
      {"\"secretly@example.com", "no @"},
      {"\"secretly\"x@example.com", "no @"},
      {"secretly@example.com\r\nRCPT TO:<other@example.com>", "control characters"},
      {std::string{"secretly\0@example.com", 21}, "control characters"},
      {"secretly\xff@example.com", "broken characters"},
      {"secretly@" + std::string(300, 'b'), "309 characters"},
      {std::string(65, 'a') + "@example.com", "65 characters before the @"},
  };
  for (const auto& row : rows) {
    const auto address = ParseAddress(row.text);
    ASSERT_FALSE(address) << row.text;
    EXPECT_EQ(address.error().code, ErrorCode::Invalid);
    EXPECT_THAT(address.error().message, HasSubstr(row.why)) << row.text;
    EXPECT_THAT(address.error().message, Not(HasSubstr("secretly")));
  }
}

TEST(Recipient, Is_an_address_that_no_server_reads_as_more) {
  for (const char* text : {"idm@example.com", "Anna.Berg+certs@Mail.Example.COM",
                           "größe@example.com", "anna@bücher.example"})
    EXPECT_TRUE(ParseRecipient(text)) << text;
  for (const char* text : {"nobody", "|secretly@example.com", "-secretly@example.com",
                           "\"secretly\"@example.com", "secretly@localhost", "secretly@b"}) {
    const auto address = ParseRecipient(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().message,
                AllOf(HasSubstr("the address"), Not(HasSubstr("secretly"))));
  }
}

TEST(Sender, Has_a_name_with_or_without_quotes_or_none) {
  const struct {
    const char* text;
    const char* name;
  } rows[] = {{"idm@example.com", ""},
              {"<idm@example.com>", ""},
              {"Identity team <idm@example.com>", "Identity team"},
              {"\"Team, Identität\" <idm@example.com>", "Team, Identität"}};
  for (const auto& row : rows) {
    const auto sender = ParseSender(row.text);
    ASSERT_TRUE(sender) << row.text;
    EXPECT_EQ(sender->name, row.name);
    EXPECT_EQ(sender->address.Text(), "idm@example.com");
  }
  for (const char* text :
       {"", "team", "idm@example.com>", "a\nb <idm@example.com>", "größe@a.example"})
    EXPECT_FALSE(ParseSender(text)) << text;
}

TEST(MailSettings, Are_read_as_the_row_says) {
  const struct {
    MailFlags flags;
    const char* host;
    int port;
  } rows[] = {
      {{.server = "mail.example.com:2525", .from = "a@b.example"}, "mail.example.com", 2525},
      {{.server = "mail.example.com", .from = "a@b.example"}, "mail.example.com", 587},
      {{.server = "mail.example.com", .from = "a@b.example", .tls = "tls"},
       "mail.example.com",
       465},
      {{.server = "127.0.0.1", .from = "a@b.example", .tls = "none"}, "127.0.0.1", 25},
      {{.server = "[2001:db8::1]", .from = "a@b.example"}, "2001:db8::1", 587},
      {{.server = "[::1]:25", .from = "a@b.example"}, "::1", 25},
  };
  for (const auto& row : rows) {
    const auto settings = CheckSettings(row.flags);
    ASSERT_TRUE(settings) << settings.error().message;
    ASSERT_TRUE(*settings);
    EXPECT_EQ((*settings)->server.host, row.host);
    EXPECT_EQ((*settings)->server.port, row.port);
  }
  const auto defaults = CheckSettings({.server = "mail.example.com", .from = "a@b.example"});
  ASSERT_TRUE(defaults && *defaults);
  EXPECT_EQ((*defaults)->rates.per_minute, 60);
  EXPECT_EQ((*defaults)->rates.namespace_per_hour, 600);
  EXPECT_EQ((*defaults)->rates.address_per_hour, 120);
  EXPECT_EQ((*defaults)->server.helo_name, "b.example") << "the sender's domain";
  for (const char* name : {"certpair.example.com", "relay", "[192.0.2.1]", "[IPv6:2001:db8::1]"}) {
    const auto named =
        CheckSettings({.server = "mail.example.com", .from = "a@b.example", .helo_name = name});
    ASSERT_TRUE(named && *named) << name;
    EXPECT_EQ((*named)->server.helo_name, name);
  }
  const auto off = CheckSettings({});
  ASSERT_TRUE(off);
  EXPECT_FALSE(*off) << "no server, no mail";
}

TEST(MailSettings, That_cannot_work_are_refused_by_their_flag) {
  const MailFlags good{.server = "mail.example.com", .from = "a@b.example"};
  const auto with = [&](auto change) {
    MailFlags flags = good;
    change(flags);
    return flags;
  };
  const struct {
    MailFlags flags;
    const char* message;
  } rows[] = {
      {with([](MailFlags& f) { f.server = "mail.example.com:0"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.server = "mail.example.com:65536"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.server = "mail.example.com:25x"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.server = "smtp://mail.example.com"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.server = "user@mail.example.com"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.server = "2001:db8::1"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.server = "[::1"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.server = "[::1]25"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.server = "a b"; }), "--smtp-server"},
      {with([](MailFlags& f) { f.from = ""; }), "--smtp-from"},
      {with([](MailFlags& f) { f.from = "nobody"; }), "--smtp-from"},
      {with([](MailFlags& f) { f.tls = "ssl"; }), "--smtp-tls"},
      {with([](MailFlags& f) { f.rate = -1; }), "--smtp-rate"},
      {with([](MailFlags& f) { f.rate = 100'001; }), "--smtp-rate"},
      {with([](MailFlags& f) { f.namespace_rate = -1; }), "--smtp-namespace-rate"},
      {with([](MailFlags& f) { f.address_rate = -1; }), "--smtp-address-rate"},
      {with([](MailFlags& f) { f.helo_name = "a b"; }), "--smtp-helo-name"},
      {with([](MailFlags& f) { f.helo_name = "-a.example"; }), "--smtp-helo-name"},
      {with([](MailFlags& f) { f.helo_name = "a.example."; }), "--smtp-helo-name"},
      {with([](MailFlags& f) { f.helo_name = "a\r\nQUIT"; }), "--smtp-helo-name"},
      {with([](MailFlags& f) { f.helo_name = "../x"; }), "--smtp-helo-name"},
      {with([](MailFlags& f) { f.helo_name = "[a.example]"; }), "--smtp-helo-name"},
      {with([](MailFlags& f) { f.in_flight = 0; }), "--smtp-in-flight"},
      {with([](MailFlags& f) { f.in_flight = 51; }), "--smtp-in-flight"},
      {with([](MailFlags& f) {
         f.tls = "none";
         f.credentials_file = "/c";
       }),
       "--smtp-credentials-file"},
      {with([](MailFlags& f) {
         f.tls = "none";
         f.ca_file = "/c";
       }),
       "--smtp-ca-file"},
      {{.from = "a@b.example"}, "--smtp-from"},
      {{.credentials_file = "/c"}, "--smtp-credentials-file"},
      {{.helo_name = "a.example"}, "--smtp-helo-name"},
  };
  for (const auto& row : rows) {
    const auto settings = CheckSettings(row.flags);
    ASSERT_FALSE(settings) << row.message;
    EXPECT_THAT(settings.error().message, HasSubstr(row.message));
  }
}

TEST(MailSettings, With_a_password_in_them_are_refused_without_repeating_it) {
  const MailFlags rows[] = {
      {.server = "smtp://certpair:sesame@mail.example.com", .from = "a@b.example"},
      {.server = "certpair:sesame@mail.example.com:587", .from = "a@b.example"},
      {.server = "mail.example.com", .from = "a@b.example", .tls = "certpair:sesame@tls"},
      {.server = "mail.example.com", .from = "certpair:sesame@mail.example.com@"},
      {.server = "mail.example.com",
       .from = "a@b.example",
       .credentials_file = "certpair:ses/ame-sesame"},
  };
  for (const auto& flags : rows) {
    const auto settings = CheckSettings(flags);
    ASSERT_FALSE(settings) << flags.server;
    EXPECT_THAT(settings.error().message, Not(HasSubstr("sesame")));
    EXPECT_THAT(settings.error().message, HasSubstr("--smtp-"));
  }
}

TEST(Login, Is_one_line_and_its_password_may_have_colons) {
  const auto login = ParseLogin("certpair:open:sesame\r\n");
  ASSERT_TRUE(login);
  EXPECT_EQ(login->user, "certpair");
  EXPECT_EQ(login->password.Reveal(), "open:sesame");
  for (const char* text : {"", "\n", "secretly", ":secretly", "secretly:", "a:secretly\nb:c"}) {
    const auto wrong = ParseLogin(text);
    ASSERT_FALSE(wrong) << text;
    EXPECT_THAT(wrong.error().message, Not(HasSubstr("secretly")));
  }
}

}  // namespace
}  // namespace certpair::notify
