#include "base/log.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace certpair::log {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// Put together at run time, so that no scanner takes this file for one that holds a key.
std::string Pem(const std::string& label, const std::string& body) {
  const std::string dashes(5, '-');
  return dashes + "BEGIN " + label + dashes + "\n" + body + "\n" + dashes + "END " + label +
         dashes + "\n";
}

TEST(Redact, Leaves_ordinary_text_as_it_is) {
  for (const std::string text :
       {"", "patched secrets/abap-prod-outbound in 4 ms", "Müller & Söhne, 東京, 🔑",
        "https://api.example:6443/apis/certpair.dev/v1", "key=value", "a@b.example",
        "mailto://x y@z", "monkeyJar", "no bearer token was given"})
    EXPECT_EQ(Redact(text), text);
}

TEST(Redact, Covers_private_keys_of_every_label_and_nothing_else) {
  for (const std::string label : {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY",
                                  "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"}) {
    const std::string clean = Redact("before " + Pem(label, "MIIsecret") + "after");
    EXPECT_EQ(clean, "before [redacted]\\nafter") << label;
  }
  EXPECT_THAT(Redact(Pem("CERTIFICATE", "MIIpublic")), HasSubstr("MIIpublic"));
}

TEST(Redact, Covers_each_key_of_several) {
  const std::string clean =
      Redact(Pem("CERTIFICATE", "public1") + Pem("PRIVATE KEY", "secret1") +
             Pem("CERTIFICATE", "public2") + Pem("EC PRIVATE KEY", "secret2"));
  EXPECT_THAT(clean, HasSubstr("public1"));
  EXPECT_THAT(clean, HasSubstr("public2"));
  EXPECT_THAT(clean, Not(HasSubstr("secret")));
}

TEST(Redact, A_key_that_is_cut_off_is_covered_to_the_end) {
  const std::string whole = Pem("PRIVATE KEY", "MIIsecret");
  EXPECT_EQ(Redact("x " + whole.substr(0, 35)), "x [redacted]");
  EXPECT_EQ(Redact(Pem("PRIVATE KEY", std::string(40'000, 'k'))), "[redacted]…");
}

TEST(Redact, A_stray_beginning_does_not_hide_the_next_key) {
  EXPECT_THAT(Redact("-----BEGIN x\n" + Pem("PRIVATE KEY", "MIIsecret")), Not(HasSubstr("secret")));
}

TEST(Redact, Covers_bearer_tokens_however_they_are_written) {
  for (const std::string text :
       {"Bearer s3cr3t.t0ken", "bearer s3cr3t-t0ken", "BEARER s3cr3t", "Bearer  s3cr3t",
        "Bearer\ts3cr3t", "Bearer: s3cr3t/+~==", "bearer=s3cr3t", "\"Bearer\" \"s3cr3t\"",
        "Authorization: Bearer s3cr3t", "authorization: Basic s3cr3t:x y s3cr3t",
        "Authorization:s3cr3t"})
    EXPECT_THAT(Redact("GET failed (" + text + "\nnext line"),
                AllOf(HasSubstr("[redacted]"), Not(HasSubstr("s3cr3t")), EndsWith("next line")))
        << text;
  EXPECT_EQ(Redact("Bearer aaa, Bearer bbb"), "Bearer [redacted], Bearer [redacted]");
}

TEST(Redact, Covers_JSON_web_tokens_wherever_they_stand) {
  const std::string token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl_-";
  for (const std::string before : {"", "token ", "token=", "token:", "(", "\"", "/", "a\n"})
    EXPECT_THAT(
        Redact(before + token + ", done"),
        AllOf(HasSubstr("[redacted], done"), Not(HasSubstr("hbGci")), Not(HasSubstr("c2ln"))))
        << before;
}

TEST(Redact, Covers_a_PEM_in_base64_as_Secrets_hold_it) {
  EXPECT_EQ(Redact("{\"tls.key\":\"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t\"}"),
            "{\"tls.key\":\"[redacted]\"}");
}

TEST(Redact, Covers_the_user_and_password_of_an_address) {
  EXPECT_EQ(Redact("cannot reach https://joe:pa@ss@host/x@y"),
            "cannot reach https://[redacted]@host/x@y");
  EXPECT_EQ(Redact("smtp://joe@host:25 and http://h/?a=@b"),
            "smtp://[redacted]@host:25 and http://h/?a=@b");
}

TEST(Redact, Escapes_controls_and_what_deceives_a_reader) {
  struct Row {
    std::string text;
    std::string clean;
  };
  const std::vector<Row> rows{
      {"a\nb", "a\\nb"},
      {"a\rb", "a\\x0db"},
      {"a\tb", "a\\x09b"},
      {"\x1b[31mred", "\\x1b[31mred"},
      {std::string("a\0b", 3), "a\\x00b"},
      {"\x7f", "\\x7f"},
      {"\xc2\x9b", "\\xc2\\x9b"},  // U+009B, a one-character escape sequence
      {"\xe2\x80" + std::string{"\xae"} + "evil",
       "\\xe2\\x80\\xaeevil"},              // U+202E, right-to-left override
      {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},  // U+2028, a line's end to JavaScript
      {"\xc2\xa0ok", "\xc2\xa0ok"},
  };
  for (const Row& row : rows) EXPECT_EQ(Redact(row.text), row.clean);
}

TEST(Redact, Escapes_what_is_not_UTF_8) {
  struct Row {
    std::string text;
    std::string clean;
  };
  const std::vector<Row> rows{
      {"\xff", "\\xff"},
      {"\x80", "\\x80"},
      {"\xc3", "\\xc3"},
      {"\xc3(", "\\xc3("},
      {"\xc0\xaf", "\\xc0\\xaf"},                    // not the shortest form
      {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},           // nor this
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond U+10FFFF
      {"\xf0\x9f\x94", "\\xf0\\x9f\\x94"},
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
      {"\xed\x9f\xbf", "\xed\x9f\xbf"},
  };
  for (const Row& row : rows) EXPECT_EQ(Redact(row.text), row.clean);
}

TEST(Redact, Cuts_long_values_between_characters) {
  const std::string mark = "…";
  EXPECT_EQ(Redact(std::string(2000, 'a')), std::string(2000, 'a'));
  EXPECT_EQ(Redact(std::string(2001, 'a')), std::string(2000, 'a') + mark);
  EXPECT_EQ(Redact(std::string(1'000'000, 'a')), std::string(2000, 'a') + mark);
  for (const std::string character : {"ü", "東", "🔑"}) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
      std::string text(shift, 'a');
      while (text.size() < 2100) text += character;
      const std::string clean = Redact(text);
      ASSERT_THAT(clean, EndsWith(mark));
      const std::string kept = clean.substr(0, clean.size() - mark.size());
      EXPECT_LE(kept.size(), 2000U);
      EXPECT_GT(kept.size(), 1996U);
      EXPECT_EQ((kept.size() - shift) % character.size(), 0U);
    }
  }
}

TEST(Redact, What_is_clean_stays_as_it_is) {
  for (const std::string text : {"Bearer abc", "https://a:b@c/", "\x1b[0m", "token=eyJabc.def"})
    EXPECT_EQ(Redact(Redact(text)), Redact(text)) << text;
}

TEST(Render, Text_is_one_line_with_quotes_where_they_are_needed) {
  EXPECT_EQ(
      Render(Format::Text, "2027-11-23T10:00:00Z", Level::Info, "system is ready",
             {{"system", "idm/abap"},
              {"note", "two words"},
              {"none", ""},
              {"eq", "a=b"},
              {"quote", "say \"x\""}}),
      "2027-11-23T10:00:00Z info  system is ready system=idm/abap note=\"two words\" none=\"\" "
      "eq=\"a=b\" quote=\"say \\\"x\\\"\"");
}

TEST(Render, Every_level_has_its_name) {
  struct Row {
    Level level;
    std::string name;
  };
  for (const Row& row : std::vector<Row>{{Level::Debug, "debug"},
                                         {Level::Info, "info"},
                                         {Level::Warn, "warn"},
                                         {Level::Error, "error"}}) {
    const auto line = nlohmann::json::parse(Render(Format::Json, "t", row.level, "m", {}));
    EXPECT_EQ(line.at("level"), row.name);
    EXPECT_THAT(Render(Format::Text, "t", row.level, "m", {}), HasSubstr("t " + row.name));
  }
}

TEST(Render, JSON_is_valid_whatever_the_text_holds) {
  std::vector<std::string> texts{"plain",
                                 "\"quoted\"",
                                 "back\\slash",
                                 "\n\r\t",
                                 "ü 東 🔑",
                                 "\xff\xfe",
                                 std::string("nul\0", 4),
                                 "</script>",
                                 std::string(5000, '"'),
                                 std::string(1999, '\\') + "\""};
  for (int byte = 0; byte < 256; ++byte) texts.push_back({'a', static_cast<char>(byte), 'b'});
  for (const std::string& text : texts) {
    const std::string line = Render(Format::Json, "t", Level::Info, text, {{"field", text}});
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << line;
    EXPECT_EQ(parsed.at("message"), Redact(text));
    EXPECT_EQ(parsed.at("field"), Redact(text));
  }
}

TEST(Render, Secrets_are_covered_in_the_message_and_in_every_field) {
  for (const Format format : {Format::Text, Format::Json}) {
    const std::string line = Render(format, "t", Level::Error, "Bearer s3cr3t",
                                    {{"a", Pem("PRIVATE KEY", "s3cr3t")}, {"b", "bearer s3cr3t"}});
    EXPECT_THAT(line, Not(HasSubstr("s3cr3t")));
  }
}

TEST(Write, Prints_a_line_from_the_level_on_that_is_set) {
  Configure(Level::Warn, Format::Json);
  ::testing::internal::CaptureStderr();
  Info("not this");
  Warn("but this", {{"key", "value"}});
  const std::string output = ::testing::internal::GetCapturedStderr();
  Configure(Level::Info, Format::Text);
  const auto line = nlohmann::json::parse(output);
  EXPECT_EQ(line.at("message"), "but this");
  EXPECT_EQ(line.at("key"), "value");
  EXPECT_THAT(line.at("time").get<std::string>(), EndsWith("Z"));
}

}  // namespace
}  // namespace certpair::log
