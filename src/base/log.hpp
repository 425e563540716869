// Structured logs on stderr, in which no secret can stand. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace certpair::log {

enum class Level { Debug, Info, Warn, Error };
enum class Format { Text, Json };

/// A key and its value. Values are cut at 2,000 bytes, control characters are escaped.
struct Field {
  std::string_view key;
  std::string value;
};

/// Sets level and format for the process; before the first thread. Without it: Info, Text.
void Configure(Level level, Format format);

/// Writes one line: time (UTC), level, message, fields. What looks like a private key or a bearer
/// token is replaced by
/// `[redacted]`, whatever the caller meant.
void Write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void Debug(std::string_view m, std::initializer_list<Field> f = {}) {
  Write(Level::Debug, m, f);
}
inline void Info(std::string_view m, std::initializer_list<Field> f = {}) {
  Write(Level::Info, m, f);
}
inline void Warn(std::string_view m, std::initializer_list<Field> f = {}) {
  Write(Level::Warn, m, f);
}
inline void Error(std::string_view m, std::initializer_list<Field> f = {}) {
  Write(Level::Error, m, f);
}

/// The text as Write would print it: secrets replaced, control characters escaped, cut. Also for
/// conditions and Events.
[[nodiscard]] std::string Redact(std::string_view text);

/// One whole line without its end, as Write would print it; for tests.
[[nodiscard]] std::string Render(Format format, std::string_view time, Level level,
                                 std::string_view message, std::initializer_list<Field> fields);

}  // namespace certpair::log
