// A mail as plain text.
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "notify/content.hpp"
#include "notify/text.hpp"

namespace certpair::notify {
namespace {

constexpr std::size_t kWidth = 76;

std::string Title(std::string_view words) {
  return fmt::format("\n{}\n{}\n", words, std::string(CountCharacters(words), '-'));
}

std::string Indent(std::string_view lines, std::string_view by) {
  std::string indented;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    // What is pasted must be as it was: a here-document ends at a line without indent.
    indented.append(by).append(lines.substr(0, end)).append("\n");
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return indented;
}

std::string Steps(const Content& content) {
  std::string text;
  int number = 0;
  for (const Step& step : content.steps) {
    const std::string mark =
        content.steps.size() > 1 ? fmt::format("{}. ", ++number) : std::string{};
    std::string words = Wrap(step.words, kWidth, std::string(mark.size(), ' '));
    words.replace(0, mark.size(), mark);
    text += "\n" + words + "\n";
    for (const Command& command : step.commands) {
      text += "\n" + Indent(command.plugin, "   ");
      text += "\n   or, without the plugin:\n\n" + Indent(command.plain, "");
    }
  }
  return text;
}

std::string Rows(const Section& section) {
  std::size_t widest = 0;
  for (const Row& row : section.rows) widest = std::max(widest, row.name.size());
  std::string text;
  for (const Row& row : section.rows)
    text += fmt::format("{:<{}}  {}\n", row.name + ":", widest + 1, row.value);
  return text;
}

}  // namespace

std::string RenderText(const Content& content) {
  std::string text = Wrap(content.headline, kWidth, "") + "\n";
  for (const std::string& paragraph : content.paragraphs)
    text += "\n" + Wrap(paragraph, kWidth, "") + "\n";
  if (!content.steps.empty()) text += Title("What to do now") + Steps(content);
  for (const Section& section : content.sections) text += Title(section.title) + Rows(section);
  // RFC 3676 §4.3: what follows "-- " is a signature.
  return text + "\n-- \n" + Wrap(content.footer, kWidth, "") + "\n";
}

}  // namespace certpair::notify
