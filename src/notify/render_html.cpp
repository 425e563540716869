// A mail as HTML: tables and inline styles, since that is what mail programs understand; no
// picture, no script, nothing that is fetched.
#include <string_view>

#include <fmt/format.h>

#include "notify/content.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

constexpr std::string_view kFont =
    "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;";
constexpr std::string_view kMono = "font-family:ui-monospace,Menlo,Consolas,monospace;";
constexpr std::string_view kText = "font-size:15px;line-height:23px;color:#1f2933;";

// Dark enough for white text on it (WCAG 2.1, 4.5:1).
std::string_view Colour(Tone tone) {
  switch (tone) {
    case Tone::Good:
      return "#1b7f4b";
    case Tone::Ask:
      return "#1d5fa8";
    case Tone::Warn:
      return "#9a5b00";
    case Tone::Alarm:
      return "#b3261e";
  }
  return "";
}

std::string Paragraph(std::string_view words) {
  return fmt::format("<p style=\"margin:0 0 14px;{}\">{}</p>\n", kText, EscapeHtml(words));
}

std::string Title(std::string_view words) {
  return fmt::format(
      "<h2 style=\"margin:26px 0 10px;font-size:13px;line-height:18px;letter-spacing:.06em;"
      "text-transform:uppercase;color:#5f6b7a;\">{}</h2>\n",
      EscapeHtml(words));
}

std::string Shell(std::string_view command) {
  return fmt::format(
      "<pre style=\"margin:0 0 10px;padding:10px 12px;background:#f3f5f7;border:1px solid #dde3e9;"
      "border-radius:6px;{}font-size:13px;line-height:19px;color:#1f2933;white-space:pre-wrap;"
      "word-break:break-word;\">{}</pre>\n",
      kMono, EscapeHtml(command));
}

std::string Steps(const Content& content) {
  std::string html;
  for (const Step& step : content.steps) {
    html += fmt::format("<li style=\"margin:0 0 14px;{}\">{}\n", kText, EscapeHtml(step.words));
    for (const Command& command : step.commands) {
      html += Shell(command.plugin);
      html +=
          "<div style=\"margin:0 0 6px;font-size:13px;line-height:19px;color:#5f6b7a;\">or, "
          "without the plugin:</div>\n";
      html += Shell(command.plain);
    }
    html += "</li>\n";
  }
  const bool numbered = content.steps.size() > 1;
  return fmt::format(
      "<{0} style=\"margin:0;padding:0 0 0 {1}px;list-style-type:{2};\">\n{3}</{0}>\n",
      numbered ? "ol" : "ul", numbered ? 22 : 0, numbered ? "decimal" : "none", html);
}

std::string Rows(const Section& section) {
  std::string html =
      "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" "
      "style=\"border-collapse:collapse;\">\n";
  for (const Row& row : section.rows) {
    html += fmt::format(
        "<tr><th align=\"left\" valign=\"top\" width=\"132\" style=\"padding:6px 12px 6px 0;"
        "border-top:1px solid #e6eaee;font-size:13px;line-height:19px;font-weight:normal;"
        "color:#5f6b7a;\">{}</th><td valign=\"top\" style=\"padding:6px 0;border-top:1px solid "
        "#e6eaee;{}line-height:19px;color:#1f2933;word-break:break-word;\">{}</td></tr>\n",
        EscapeHtml(row.name),
        row.monospaced ? fmt::format("{}font-size:13px;", kMono) : "font-size:14px;",
        EscapeHtml(row.value));
  }
  return html + "</table>\n";
}

}  // namespace

std::string RenderHtml(const Content& content) {
  std::string body;
  for (const std::string& paragraph : content.paragraphs) body += Paragraph(paragraph);
  if (!content.steps.empty()) body += Title("What to do now") + Steps(content);
  for (const Section& section : content.sections) body += Title(section.title) + Rows(section);
  return fmt::format(
      "<!DOCTYPE html>\n"
      "<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>{subject}</title></head>\n"
      "<body style=\"margin:0;padding:0;background:#eef1f4;\">\n"
      "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" "
      "style=\"background:#eef1f4;\"><tr><td align=\"center\" style=\"padding:24px 12px;\">\n"
      "<table role=\"presentation\" width=\"640\" cellpadding=\"0\" cellspacing=\"0\" "
      "style=\"max-width:640px;width:100%;background:#ffffff;border-radius:10px;"
      "overflow:hidden;{font}\">\n"
      "<tr><td style=\"padding:20px 28px;background:{colour};\">"
      "<h1 style=\"margin:0;font-size:20px;line-height:27px;font-weight:600;color:#ffffff;\">"
      "{headline}</h1></td></tr>\n"
      "<tr><td style=\"padding:24px 28px 28px;\">\n{body}</td></tr>\n"
      "<tr><td style=\"padding:14px 28px 18px;background:#f7f9fa;border-top:1px solid #e6eaee;"
      "font-size:12px;line-height:18px;color:#5f6b7a;\">{footer}</td></tr>\n"
      "</table>\n</td></tr></table>\n</body></html>\n",
      fmt::arg("subject", EscapeHtml(content.subject)), fmt::arg("font", kFont),
      fmt::arg("colour", Colour(content.tone)), fmt::arg("headline", EscapeHtml(content.headline)),
      fmt::arg("body", body), fmt::arg("footer", EscapeHtml(content.footer)));
}

}  // namespace certpair::notify
