// The terminal, or what stands in its place, as commands see it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace certpair::plugin {

enum class Tint { None, Good, Warn, Bad, Faint, Bold };

/// Values that a test can hand in. Commands print names and messages of others only through
/// Escaped (text.hpp).
struct Console {
  std::function<void(std::string_view)> out;  ///< standard output
  std::function<void(std::string_view)> err;  ///< standard error
  /// Asks a person, and answers with the line, or nothing where it was cut short (Ctrl-C, Ctrl-D).
  /// Empty: no person can be asked. `hidden`: what is typed is not shown.
  std::function<std::optional<std::string>(std::string_view question, bool hidden)> ask;
  bool colour = false;  ///< of standard output
  bool out_is_terminal = false;
  bool err_is_terminal = false;  ///< a person may wonder why nothing happens

  /// One line on standard output.
  void Print(std::string_view line) const { out(std::string{line} + "\n"); }
  /// Lines on standard error: progress and remarks, so that standard output stays for results.
  /// They go through Escaped once more: messages pass through many hands.
  void Remark(std::string_view lines) const;
  /// `text` in this colour, if colours are wanted.
  [[nodiscard]] std::string Coloured(Tint tint, std::string_view text) const;
};

}  // namespace certpair::plugin
