#include "notify/message.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/recipient.hpp"
#include "notify/content.hpp"
#include "notify/gmime_library.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

constexpr const char* kUtf8 = "utf-8";

std::string_view ToString(core::NoticeKind kind) {
  switch (kind) {
    case core::NoticeKind::Expiring:
      return "Expiring";
    case core::NoticeKind::Expired:
      return "Expired";
    case core::NoticeKind::Failing:
      return "Failing";
    case core::NoticeKind::Held:
      return "Held";
    case core::NoticeKind::Renewed:
      return "Renewed";
  }
  return "";
}

// What may stand in a Message-ID before its @ (RFC 5322 §3.6.4, dot-atom).
std::string IdWord(std::string_view text) {
  std::string word;
  for (const char c : text.substr(0, 128)) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    word += fits ? c : '-';
  }
  return word;
}

// What a header shows: text that looks like an encoded word would be read as one (RFC 2047 §2).
std::string HeaderText(std::string_view text, std::size_t most) {
  std::string line = OneLine(text, most);
  for (std::size_t at = 0; (at = line.find("=?", at)) != std::string::npos; at += 3)
    line.insert(at + 1, " ");
  return line;
}

Handle<GMimeStream> StreamOf(std::string_view bytes) {
  return Handle<GMimeStream>{g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size())};
}

Handle<GMimeTextPart> TextPart(const char* subtype, const std::string& text) {
  Handle<GMimeTextPart> part{g_mime_text_part_new_with_subtype(subtype)};
  g_mime_text_part_set_charset(part.get(), kUtf8);
  const auto stream = StreamOf(text);
  const Handle<GMimeDataWrapper> content{
      g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT)};
  g_mime_part_set_content(GMIME_PART(part.get()), content.get());
  g_mime_part_set_content_encoding(GMIME_PART(part.get()), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  return part;
}

// Base64, so that not even a line end changes on the way.
Handle<GMimePart> CertificatePart(const Attachment& attachment) {
  Handle<GMimePart> part{g_mime_part_new_with_type("application", "x-pem-file")};
  g_mime_part_set_filename(part.get(), attachment.file_name.c_str());
  const auto stream = StreamOf(attachment.pem);
  const Handle<GMimeDataWrapper> content{
      g_mime_data_wrapper_new_with_stream(stream.get(), GMIME_CONTENT_ENCODING_DEFAULT)};
  g_mime_part_set_content(part.get(), content.get());
  g_mime_part_set_content_encoding(part.get(), GMIME_CONTENT_ENCODING_BASE64);
  return part;
}

Handle<GMimeMultipart> Body(const Content& content) {
  Handle<GMimeMultipart> alternative{g_mime_multipart_new_with_subtype("alternative")};
  const auto plain = TextPart("plain", RenderText(content));
  const auto html = TextPart("html", RenderHtml(content));
  g_mime_multipart_add(alternative.get(), GMIME_OBJECT(plain.get()));
  g_mime_multipart_add(alternative.get(), GMIME_OBJECT(html.get()));
  if (!content.attachment) return alternative;
  Handle<GMimeMultipart> mixed{g_mime_multipart_new_with_subtype("mixed")};
  const auto certificate = CertificatePart(*content.attachment);
  g_mime_multipart_add(mixed.get(), GMIME_OBJECT(alternative.get()));
  g_mime_multipart_add(mixed.get(), GMIME_OBJECT(certificate.get()));
  return mixed;
}

void AddHeader(GMimeMessage* message, const char* name, const std::string& value) {
  g_mime_object_append_header(GMIME_OBJECT(message), name, value.c_str(), kUtf8);
}

void AddDate(GMimeMessage* message, sys_seconds now) {
  GDateTime* date = g_date_time_new_from_unix_utc(now.time_since_epoch().count());
  if (date == nullptr) return;
  g_mime_message_set_date(message, date);
  g_date_time_unref(date);
}

void AddHeaders(GMimeMessage* message, const core::Notice& notice, const Letterhead& letterhead,
                sys_seconds now) {
  const std::string& domain = letterhead.from.address.domain;
  AddDate(message, now);
  g_mime_message_set_message_id(message,
                                fmt::format("{}.certpair@{}", IdWord(notice.id), domain).c_str());
  // Never sent, but the same in all mails about a system: programs show these as one conversation.
  AddHeader(message, "References",
            fmt::format("<{}.certpair@{}>", IdWord(notice.system_uid), domain));
  AddHeader(message, "Auto-Submitted", "auto-generated");  // RFC 3834 §5
  AddHeader(message, "X-Auto-Response-Suppress", "All");   // the same for Exchange: MS-OXCMAIL
  AddHeader(message, "List-Id", fmt::format("certpair <certpair.{}>", domain));  // RFC 2919
  AddHeader(message, "X-Certpair-Kind", std::string{ToString(notice.kind)});
  AddHeader(message, "X-Certpair-System",
            OneLine(notice.system_namespace + "/" + notice.system_name));
  if (const std::string cluster = OneLine(letterhead.cluster_name); !cluster.empty())
    AddHeader(message, "X-Certpair-Cluster", cluster);
}

std::string Bytes(GMimeMessage* message) {
  const Handle<GMimeStream> stream{g_mime_stream_mem_new()};
  GMimeFormatOptions* options = g_mime_format_options_new();
  g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
  g_mime_object_write_to_stream(GMIME_OBJECT(message), options, stream.get());
  g_mime_format_options_free(options);
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return {reinterpret_cast<const char*>(bytes->data), bytes->len};  // NOLINT: GLib's bytes
}

}  // namespace

Result<Letter> Compose(const core::Notice& notice, const Letterhead& letterhead, sys_seconds now) {
  auto to = ParseRecipient(notice.recipient.email);
  if (!to) return std::unexpected(to.error());
  UseGmime();
  const Content content = Write(notice, letterhead.cluster_name, now);
  const Handle<GMimeMessage> message{g_mime_message_new(true)};
  const std::string sender_name = HeaderText(letterhead.from.name, 128);
  g_mime_message_add_mailbox(message.get(), GMIME_ADDRESS_TYPE_FROM,
                             sender_name.empty() ? nullptr : sender_name.c_str(),
                             letterhead.from.address.Text().c_str());
  const std::string name = core::WithoutLinks(HeaderText(notice.recipient.display_name, 128));
  g_mime_message_add_mailbox(message.get(), GMIME_ADDRESS_TYPE_TO,
                             name.empty() ? nullptr : name.c_str(), to->Text().c_str());
  g_mime_message_set_subject(message.get(), HeaderText(content.subject, 500).c_str(), kUtf8);
  AddHeaders(message.get(), notice, letterhead, now);
  const auto body = Body(content);
  g_mime_message_set_mime_part(message.get(), GMIME_OBJECT(body.get()));
  return Letter{.from = letterhead.from.address.Text(),
                .to = to->Text(),
                .needs_utf8 = to->needs_utf8,
                .bytes = Bytes(message.get())};
}

}  // namespace certpair::notify
