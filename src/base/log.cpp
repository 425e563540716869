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

// The form is an installation's choice, set once before the first thread.
std::atomic<Format> g_format{Format::Text};

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
