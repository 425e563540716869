// The command line. CLI11 is included by options.cpp alone, since it takes seconds to compile.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "invocation.hpp"
#include "outcome.hpp"

namespace certpair::plugin {

/// What is to be printed instead of a command: help on standard output, or a mistake on standard
/// error.
struct Advice {
  Exit exit = Exit::Done;
  std::string text;
};

/// `arguments` without the program's name.
[[nodiscard]] std::variant<Invocation, Advice> ParseCommandLine(std::vector<std::string> arguments);

/// The commands, and the long flags of one (empty: of all commands), for completion.
[[nodiscard]] std::vector<std::string> CommandNames();
[[nodiscard]] std::vector<std::string> FlagsOf(const std::string& command);
/// The name of the command that a word stands for: `list` for `ls`; what is none comes back as it
/// is.
[[nodiscard]] std::string CommandOf(const std::string& word);
/// What this flag of a command takes, where that is one of a few words; else nothing.
[[nodiscard]] std::vector<std::string> ValuesOf(const std::string& command,
                                                const std::string& flag);
/// Whether the word after this flag of some command (`-o`, `--timeout`) is its value.
[[nodiscard]] bool TakesValue(const std::string& flag);

}  // namespace certpair::plugin
