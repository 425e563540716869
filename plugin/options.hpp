// The command line as a whole. CLI11 is included by options.cpp alone, since it takes seconds to
// compile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "command.hpp"
#include "outcome.hpp"

namespace certpair::plugin {

/// Flags that every command has; they are kubectl's own.
struct Globals {
  std::string kubeconfig;
  std::string context;
  std::string namespace_;
  bool all_namespaces = false;
  std::string as;
  std::vector<std::string> as_groups;
  std::string as_uid;
  std::optional<seconds> request_timeout;  ///< nothing: the client's own
  int verbosity = 0;                       ///< from 6 on, each request stands on standard error
  std::string operator_namespace = "certpair-system";  ///< where its Lease is
};

/// A command line, read.
struct Invocation {
  Globals globals;
  const CommandEntry* entry = nullptr;
  std::unique_ptr<Command> command;
};

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
/// The name of the command that a word stands for: `list` for `ls`; any other word comes back as it
/// is.
[[nodiscard]] std::string CommandOf(const std::string& word);
/// What this flag of a command takes, where that is one of a few words; else nothing.
[[nodiscard]] std::vector<std::string> ValuesOf(const std::string& command,
                                                const std::string& flag);
/// Whether the word after this flag of some command (`-o`, `--timeout`) is its value.
[[nodiscard]] bool TakesValue(const std::string& flag);
/// Whether that value is the name of a file.
[[nodiscard]] bool TakesFile(const std::string& flag);
/// What a command takes as its word number `index`, from 0; nothing: it takes no such word.
[[nodiscard]] std::optional<WordRules> WordOf(const std::string& command, std::size_t index);

}  // namespace certpair::plugin
