// What a mail says, and that no text of a user becomes a header, markup or a command.
#include "notify/message.hpp"

#include <algorithm>

#include <gmime/gmime.h>
#include <gmock/gmock.h>

#include "notify/content.hpp"
#include "notify/gmime_library.hpp"
#include "notify/text.hpp"
#include "unit/notify/notices.hpp"

namespace certpair::notify {
namespace {

using core::NoticeKind;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr NoticeKind kKinds[] = {NoticeKind::Expiring, NoticeKind::Expired, NoticeKind::Failing,
                                 NoticeKind::Held, NoticeKind::Renewed};

std::string Composed(const core::Notice& notice) {
  auto letter = Compose(notice, SomeLetterhead(), kNow);
  EXPECT_TRUE(letter) << letter.error().message;
  return letter ? letter->bytes : std::string{};
}

// A mail as GMime reads it.
class Parsed {
 public:
  explicit Parsed(const std::string& bytes) {
    UseGmime();
    const Handle<GMimeStream> stream{g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size())};
    const Handle<GMimeParser> parser{g_mime_parser_new_with_stream(stream.get())};
    message_.reset(g_mime_parser_construct_message(parser.get(), nullptr));
    EXPECT_NE(message_, nullptr);
  }
  std::string Subject() const { return g_mime_message_get_subject(message_.get()); }
  std::string Header(const char* name) const {
    const char* value = g_mime_object_get_header(GMIME_OBJECT(message_.get()), name);
    return value == nullptr ? "" : value;
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    GMimeHeaderList* list = g_mime_object_get_header_list(GMIME_OBJECT(message_.get()));
    for (int n = 0; n < g_mime_header_list_get_count(list); ++n)
      names.emplace_back(g_mime_header_get_name(g_mime_header_list_get_header_at(list, n)));
    return names;
  }
  std::string To() const {
    char* text =
        internet_address_list_to_string(g_mime_message_get_to(message_.get()), nullptr, false);
    std::string to = text;
    g_free(text);
    return to;
  }
  /// The decoded content of the first part of this type.
  std::string Part(const char* type, const char* subtype) const {
    std::string content;
    struct Search {
      const char* type;
      const char* subtype;
      std::string& content;
    } search{type, subtype, content};
    g_mime_message_foreach(
        message_.get(),
        [](GMimeObject* /*parent*/, GMimeObject* part, gpointer user) {
          auto& s = *static_cast<Search*>(user);
          if (!g_mime_content_type_is_type(g_mime_object_get_content_type(part), s.type,
                                           s.subtype) ||
              !GMIME_IS_PART(part))
            return;
          const Handle<GMimeStream> out{g_mime_stream_mem_new()};
          g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(part)), out.get());
          const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out.get()));
          s.content.assign(reinterpret_cast<const char*>(bytes->data), bytes->len);
        },
        &search);
    std::erase(content, '\r');
    return content;
  }

 private:
  Handle<GMimeMessage> message_;
};

TEST(Message, Subjects_are_exactly_those_of_R10) {
  for (const NoticeKind kind : kKinds) {
    for (const auto type :
         {core::SystemType::Source, core::SystemType::Target, core::SystemType::Proxy}) {
      core::Notice notice = SomeNotice(kind);
      notice.type = type;
      const std::string word = kind == NoticeKind::Renewed ? "Renewed" : "Expiration";
      EXPECT_EQ(Parsed{Composed(notice)}.Subject(), "Outbound Certificate " + word + ". " +
                                                        std::string{core::ToString(type)} +
                                                        " System: ABAP Production");
    }
  }
}

TEST(Message, Display_names_of_any_script_and_length_survive) {
  for (const std::string name :
       {"Größenwahn", "人事システム本番", "نظام الموارد البشرية", "מערכת", "🚀 prod",
        "a, b; c: <d>", "quote \" and \\", "ABAP, Production (EMEA) \"blue\""}) {
    core::Notice notice = SomeNotice();
    notice.display_name = name;
    notice.recipient.display_name = name;
    const Parsed mail{Composed(notice)};
    EXPECT_THAT(mail.Subject(), EndsWith("System: " + name));
    EXPECT_THAT(mail.To(), HasSubstr("<idm@example.com>"));
    EXPECT_THAT(mail.Part("text", "plain"), HasSubstr(name));
    EXPECT_THAT(mail.Part("text", "html"), HasSubstr(EscapeHtml(name)));
  }
  std::string long_name;
  for (int n = 0; n < 60; ++n) long_name += "人事";
  core::Notice notice = SomeNotice();
  notice.display_name = long_name;
  const std::string bytes = Composed(notice);
  EXPECT_THAT(Parsed{bytes}.Subject(), EndsWith(long_name));
}

TEST(Message, A_name_that_looks_like_an_encoded_word_is_text) {
  core::Notice notice = SomeNotice();
  notice.display_name = "=?utf-8?q?innocent?=";
  EXPECT_THAT(Parsed{Composed(notice)}.Subject(), EndsWith("System: = ?utf-8?q?innocent?="));
}

TEST(Message, Every_line_is_short_ASCII_and_ends_in_CRLF) {
  for (const NoticeKind kind : kKinds) {
    core::Notice notice = SomeNotice(kind);
    notice.display_name = std::string(3000, 'x');
    notice.active.subject = "CN=" + std::string(3000, 'y') + ",O=größe";
    notice.why = std::string(5000, 'z');
    const std::string bytes = Composed(notice);
    std::size_t begin = 0;
    while (begin < bytes.size()) {
      const std::size_t end = bytes.find("\r\n", begin);
      ASSERT_NE(end, std::string::npos);
      EXPECT_LE(end - begin, 998U);  // RFC 5322 §2.1.1
      EXPECT_EQ(bytes.find_first_of("\r\n", begin), end) << "a bare CR or LF";
      begin = end + 2;
    }
    EXPECT_TRUE(
        std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  }
}

TEST(Message, No_text_of_a_user_starts_a_header_or_a_part) {
  const auto honest = Parsed{Composed(SomeNotice(NoticeKind::Renewed))}.Names();
  for (const std::string evil :
       {"x\r\nBcc: victim@example.com", "x\nBcc: victim@example.com", "x\rBcc: victim@example.com",
        "x\r\n\r\nBcc: body",
        "x\xE2\x80\xA8"
        "Bcc: y",
        "x\xC2\x85"
        "Bcc: y",
        "x\vBcc: y\fBcc: z", "--=-\r\nContent-Type: text/html\r\n\r\n<script>",
        "\xff\xfe\r\nBcc: z"}) {
    core::Notice notice = SomeNotice(NoticeKind::Renewed);
    for (std::string* field :
         {&notice.id, &notice.display_name, &notice.recipient.display_name, &notice.system_name,
          &notice.system_namespace, &notice.system_uid, &notice.active.subject,
          &notice.active.issuer, &notice.active.serial_number, &notice.active.fingerprint,
          &notice.threshold, &notice.why, &notice.what_to_do})
      *field = evil;
    Letterhead letterhead = SomeLetterhead();
    letterhead.cluster_name = evil;
    letterhead.from.name = evil;
    const auto letter = Compose(notice, letterhead, kNow);
    ASSERT_TRUE(letter);
    const Parsed mail{letter->bytes};
    EXPECT_EQ(mail.Names(), honest);
    EXPECT_EQ(mail.Header("Bcc"), "");
    EXPECT_THAT(mail.Part("text", "html"), Not(HasSubstr("<script>")));
    EXPECT_THAT(mail.Part("text", "plain"), Not(HasSubstr("kubectl")))
        << "no command of such names";
  }
}

TEST(Message, Markup_in_any_field_is_escaped) {
  core::Notice notice = SomeNotice(NoticeKind::Failing);
  const std::string markup = "<img src=x onerror=\"alert('1')\">&amp;";
  for (std::string* field : {&notice.display_name, &notice.active.subject, &notice.active.issuer,
                             &notice.why, &notice.what_to_do, &notice.active.serial_number})
    *field = markup;
  const std::string html = Parsed{Composed(notice)}.Part("text", "html");
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, HasSubstr("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;"));
}

TEST(Message, The_system_and_its_certificate_are_described) {
  const Parsed mail{Composed(SomeNotice())};
  for (const std::string& body : {mail.Part("text", "plain"), mail.Part("text", "html")}) {
    for (const std::string word :
         {"ABAP Production", "Target", "idm", "abap-prod", "prod-eu", "active, valid",
          "CN=abap-prod,O=Example,C=DE", "CN=Corporate CA,O=Example", "01:23:45:67:89:AB:CD:EF",
          "2025-12-08 10:00:00 UTC", "2026-12-08 10:00:00 UTC", "expires in 14 days", "RSA 3072"})
      EXPECT_THAT(body, HasSubstr(word));
    EXPECT_THAT(body, AllOf(HasSubstr(HexPairs('A', 32)), HasSubstr(HexPairs('A', 20))));
  }
}

TEST(Message, Programs_recognise_it_by_its_headers) {
  const core::Notice notice = SomeNotice();
  const Parsed mail{Composed(notice)};
  EXPECT_EQ(mail.Header("Message-ID"), "<" + notice.id + ".certpair@example.com>");
  EXPECT_EQ(mail.Header("Date"), "Tue, 24 Nov 2026 10:00:00 +0000");
  EXPECT_EQ(mail.Header("From"), "certpair <certpair@example.com>");
  EXPECT_EQ(mail.Header("Auto-Submitted"), "auto-generated");
  EXPECT_EQ(mail.Header("X-Auto-Response-Suppress"), "All");
  EXPECT_EQ(mail.Header("List-Id"), "certpair <certpair.example.com>");
  EXPECT_EQ(mail.Header("X-Certpair-Kind"), "Expiring");
  EXPECT_EQ(mail.Header("X-Certpair-System"), "idm/abap-prod");
  EXPECT_EQ(mail.Header("X-Certpair-Cluster"), "prod-eu");
  EXPECT_EQ(mail.Header("References"),
            Parsed{Composed(SomeNotice(NoticeKind::Renewed, "other"))}.Header("References"))
      << "one conversation a system";
}

TEST(Message, A_new_certificate_is_attached_and_never_a_key) {
  core::Notice renewed = SomeNotice(NoticeKind::Renewed);
  const std::string leaf = renewed.active.pem;
  const std::string key_header = std::string{"-----BEGIN "} + "PRIVATE KEY-----\n";
  renewed.active.pem = key_header + "c2VjcmV0\n-----END PRIVATE KEY-----\n" + leaf + key_header;
  const std::string bytes = Composed(renewed);
  const Parsed mail{bytes};
  EXPECT_EQ(mail.Part("application", "x-pem-file"), leaf);
  EXPECT_THAT(bytes, HasSubstr("filename=abap-prod-BBBBBBBB.pem"));
  EXPECT_THAT(bytes, Not(HasSubstr("c2VjcmV0")));
  EXPECT_EQ(Parsed{Composed(SomeNotice(NoticeKind::Held))}.Part("application", "x-pem-file"),
            SomePem('C'));
  for (const NoticeKind kind : {NoticeKind::Expiring, NoticeKind::Expired, NoticeKind::Failing})
    EXPECT_EQ(Parsed{Composed(SomeNotice(kind))}.Part("application", "x-pem-file"), "");
  renewed.active.pem = key_header;
  EXPECT_EQ(Parsed{Composed(renewed)}.Part("application", "x-pem-file"), "");
}

TEST(Message, A_key_in_a_servers_text_is_redacted) {
  core::Notice notice = SomeNotice(NoticeKind::Failing);
  notice.why = std::string{"-----BEGIN "} + "PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----";
  EXPECT_THAT(Parsed{Composed(notice)}.Part("text", "plain"),
              AllOf(HasSubstr("[redacted]"), Not(HasSubstr("c2VjcmV0"))));
}

TEST(Message, The_steps_fit_the_pair) {
  const auto plain = [](const core::Notice& notice) {
    return Parsed{Composed(notice)}.Part("text", "plain");
  };
  core::Notice notice = SomeNotice();
  EXPECT_THAT(plain(notice), AllOf(HasSubstr("kubectl certpair generate abap-prod -n idm"),
                                   HasSubstr("action: Generate\nEND"),
                                   HasSubstr("automaticRegeneration"), Not(HasSubstr("Delete"))));
  notice.peer_matching = core::PeerMatching::Fingerprint;
  EXPECT_THAT(plain(notice), Not(HasSubstr("automaticRegeneration")));
  notice.inactive = SomeCertificate('D', kNow - std::chrono::days{1});
  EXPECT_THAT(plain(notice), AllOf(HasSubstr("action: Delete\n  fingerprint: \"DD:DD"),
                                   HasSubstr("action: Generate")));
  notice.inactive = SomeCertificate('D', kNow + std::chrono::days{300});
  EXPECT_THAT(plain(notice), AllOf(HasSubstr("action: Activate\n  fingerprint: \"DD:DD"),
                                   Not(HasSubstr("action: Generate"))));
  EXPECT_THAT(plain(SomeNotice(NoticeKind::Expired)), HasSubstr("expired 2 days ago"));
  EXPECT_THAT(plain(SomeNotice(NoticeKind::Failing)),
              AllOf(HasSubstr("Cause: CertificateAuthority \"corporate-ca\""),
                    HasSubstr("describe psys abap-prod")));
  EXPECT_THAT(plain(SomeNotice(NoticeKind::Held)),
              AllOf(HasSubstr("Upload the attached certificate"),
                    HasSubstr("action: Activate\n  fingerprint: \"CC:CC")));
  EXPECT_THAT(plain(SomeNotice(NoticeKind::Renewed)), HasSubstr("has a new certificate"));
}

TEST(Message, An_invalid_address_is_refused_and_not_repeated) {
  core::Notice notice = SomeNotice();
  for (const std::string email : {"", "nobody", "a@b\r\nRCPT TO:<c@d>", "secretly@",
                                  "|secretly@example.com", "secretly@localhost"}) {
    notice.recipient.email = email;
    const auto letter = Compose(notice, SomeLetterhead(), kNow);
    ASSERT_FALSE(letter) << email;
    EXPECT_EQ(letter.error().code, ErrorCode::Invalid);
    EXPECT_THAT(letter.error().message, Not(HasSubstr("secretly")));
  }
}

TEST(Message, A_name_of_an_older_version_brings_no_link) {
  for (const NoticeKind kind : {NoticeKind::Expiring, NoticeKind::Renewed, NoticeKind::Held}) {
    core::Notice notice = SomeNotice(kind);
    notice.display_name = "log in at https://evil.example or www.evil.example now";
    notice.recipient.display_name = "see evil.example/x";
    const Parsed mail{Composed(notice)};
    for (const std::string& text :
         {mail.Part("text", "plain"), mail.Part("text", "html"), Composed(notice)})
      EXPECT_THAT(text, Not(HasSubstr("evil")));
    EXPECT_THAT(mail.Part("text", "plain"), HasSubstr("log in at [link removed] or"));
  }
}

TEST(OneLine, It_is_one_line_of_valid_and_visible_UTF_8) {
  const struct {
    std::string text;
    std::string line;
  } rows[] = {{"  plain  words ", "plain words"},
              {"a\r\n\tb", "a b"},
              {std::string{"a\0b", 3}, "a�b"},
              {"a\xffz", "a�z"},
              {"safe\xE2\x80\xAE"
               "gpj.exe",
               "safe gpj.exe"},
              {"zwj \xE2\x80\x8D"
               "ok",
               "zwj \xE2\x80\x8D"
               "ok"},
              {"", ""}};
  for (const auto& row : rows) EXPECT_EQ(OneLine(row.text), row.line);
  EXPECT_EQ(OneLine("größer", 3), "grö…");
  EXPECT_EQ(OneLine(std::string(1'000'000, 'x'), 10), "xxxxxxxxxx…");
}

TEST(ShellWord, It_is_one_word_for_a_shell) {
  EXPECT_EQ(ShellWord("abap-prod"), "abap-prod");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("a b; rm -rf $HOME"), "'a b; rm -rf $HOME'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
}

TEST(Wrap, It_breaks_between_words_and_counts_characters) {
  EXPECT_EQ(Wrap("one two three", 7, ""), "one two\nthree");
  EXPECT_EQ(Wrap("größe größe", 11, ""), "größe größe");
  EXPECT_EQ(Wrap("a verylongword b", 6, "  "), "  a\n  verylongword\n  b");
}

}  // namespace
}  // namespace certpair::notify
