#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/time_format.hpp"

namespace certpair::log {
namespace {

constexpr std::size_t kMaxValue = 2000;
constexpr std::string_view kRedacted = "[redacted]";
// The form is an installation's choice, set once before the first thread.
std::atomic<Format> g_format{
    Format::Text};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

std::shared_ptr<spdlog::logger> MakeSink() {
  auto sink = std::make_shared<spdlog::logger>("certpair",
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>());
  sink->set_pattern("%v");
  sink->flush_on(spdlog::level::info);
  return sink;
}

spdlog::logger& Sink() {
  static const std::shared_ptr<spdlog::logger> sink = MakeSink();
  return *sink;
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Info:
      return spdlog::level::info;
    case Level::Warn:
      return spdlog::level::warn;
    case Level::Error:
      break;
  }
  return spdlog::level::err;
}

std::string_view NameOf(Level level) {
  static constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warn", "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

bool IsTokenCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}

// From `begin` on, replaces the run of characters of a token.
void CoverToken(std::string& text, std::size_t begin) {
  std::size_t end = begin;
  while (end < text.size() && IsTokenCharacter(text[end])) ++end;
  text.replace(begin, end - begin, kRedacted);
}

void CoverPrivateKeys(std::string& text) {
  constexpr std::string_view kTail = "PRIVATE KEY-----";
  for (std::size_t at = 0; (at = text.find("-----BEGIN", at)) != std::string::npos;) {
    const std::size_t label_end = text.find("-----", at + 10);
    if (label_end == std::string::npos) return;
    const std::string_view label = std::string_view{text}.substr(at, label_end + 5 - at);
    if (!label.ends_with(kTail)) {
      at = label_end;
      continue;
    }
    std::size_t end =
        text.find(kTail, label_end + 5);  // an unfinished one is covered to the end of the text
    end = end == std::string::npos ? text.size() : end + kTail.size();
    text.replace(at, end - at, kRedacted);
    at += kRedacted.size();
  }
}

// JSON Web Tokens start with `{"` in base64url, with or without a word before them.
void CoverTokens(std::string& text) {
  for (const std::string_view mark : {"Bearer ", "bearer ", "eyJ"}) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
      const bool jwt = mark == "eyJ";
      if (jwt && at > 0 && IsTokenCharacter(text[at - 1])) {
        ++at;
        continue;
      }
      CoverToken(text, jwt ? at : at + mark.size());
      at += kRedacted.size();
    }
  }
}

std::string EscapeControls(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) {
      escaped += c;
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return escaped;
}

std::string JsonString(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

bool NeedsQuotes(std::string_view value) {
  return value.empty() || value.find_first_of(" =\"") != std::string_view::npos;
}

}  // namespace

std::string Redact(std::string_view text) {
  std::string clean{text};
  CoverPrivateKeys(clean);
  CoverTokens(clean);
  clean = EscapeControls(clean);
  if (clean.size() > kMaxValue) {
    std::size_t cut = kMaxValue;
    while (cut > 0 && (static_cast<unsigned char>(clean[cut]) & 0xC0U) == 0x80U)
      --cut;  // never amid a UTF-8 character
    clean.resize(cut);
    clean += "…";
  }
  return clean;
}

std::string Render(Format format, std::string_view time, Level level, std::string_view message,
                   std::initializer_list<Field> fields) {
  std::string line;
  if (format == Format::Json) {
    line = fmt::format(R"({{"time":"{}","level":"{}","message":{})", time, NameOf(level),
                       JsonString(Redact(message)));
    for (const Field& field : fields)
      line += fmt::format(",{}:{}", JsonString(field.key), JsonString(Redact(field.value)));
    return line + "}";
  }
  line = fmt::format("{} {:5} {}", time, NameOf(level), Redact(message));
  for (const Field& field : fields) {
    const std::string value = Redact(field.value);
    line += fmt::format(" {}={}", field.key, NeedsQuotes(value) ? JsonString(value) : value);
  }
  return line;
}

void Configure(Level level, Format format) {
  g_format = format;
  Sink().set_level(ToSpdlog(level));
}

void Write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  spdlog::logger& sink = Sink();
  if (!sink.should_log(ToSpdlog(level))) return;
  const std::string time = FormatMicroTime(std::chrono::system_clock::now());
  sink.log(ToSpdlog(level), Render(g_format, time, level, message, fields));
}

}  // namespace certpair::log
