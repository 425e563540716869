// What a mail says, before anything is known of MIME or HTML. Pure, thread-safe.
// Private to src/notify.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "core/notice.hpp"
#include "notify/commands.hpp"

namespace certpair::notify {

enum class Tone { Good, Ask, Warn, Alarm };

struct Step {
  std::string words;
  std::vector<Command> commands;  ///< one after the other
};

struct Row {
  std::string name;
  std::string value;
  bool monospaced = false;
};

struct Section {
  std::string title;
  std::vector<Row> rows;
};

struct Attachment {
  std::string file_name;
  std::string pem;  ///< one certificate, and nothing else
};

/// Every text is one line of valid UTF-8, but for commands.
struct Content {
  Tone tone = Tone::Warn;
  std::string subject;
  std::string headline;
  std::vector<std::string> paragraphs;
  std::vector<Step> steps;
  std::vector<Section> sections;
  std::string footer;
  std::optional<Attachment> attachment;
};

/// R10: the subjects to the letter. `now` is the time of sending: days are counted from it.
[[nodiscard]] Content Write(const core::Notice& notice, const std::string& cluster_name,
                            sys_seconds now);

/// The two forms of the body. Text: lines of at most 76 characters, but for commands and values
/// that must not be broken. HTML: self-contained, everything escaped.
[[nodiscard]] std::string RenderText(const Content& content);
[[nodiscard]] std::string RenderHtml(const Content& content);

}  // namespace certpair::notify
