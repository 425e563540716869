// A command of the plugin. Each one is a file that holds its name, its flags, what it does and its
// help, as a CommandEntry; command_table.cpp lists the entries.
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include "flags.hpp"
#include "outcome.hpp"
#include "session.hpp"

namespace certpair::plugin {

/// A command and the values of its flags. Results go to standard output; a Failure is printed by
/// the caller.
class Command {
 public:
  virtual ~Command() = default;
  virtual void Declare(Flags& flags) = 0;
  [[nodiscard]] virtual Outcome Run(const Session& session) const = 0;
  /// Of commands that need no cluster.
  [[nodiscard]] virtual Outcome RunAlone(const Console& console) const = 0;
};

/// One whose flags fill `Options`.
template <class Options>
class Configured : public Command {
 public:
  Options options;
};

struct CommandEntry {
  std::string_view name;
  std::string_view help;          ///< one line
  std::string_view alias;         ///< another name; empty: none
  bool spans_namespaces = false;  ///< -A makes sense
  bool needs_cluster = true;
  std::unique_ptr<Command> (*make)() = nullptr;
};

/// The entry of a command that is two functions: `declare(Flags&, Options&)`, and either
/// `run(const Session&, const Options&)` or, where it needs no cluster, `run(const Console&, …)`.
template <class Options, auto declare, auto run>
constexpr CommandEntry EntryOf(std::string_view name, std::string_view help,
                               std::string_view alias = {}, bool spans_namespaces = false) {
  constexpr bool kNeedsCluster = std::is_invocable_v<decltype(run), const Session&, const Options&>;
  class Made final : public Configured<Options> {
   public:
    void Declare(Flags& flags) override { declare(flags, this->options); }
    [[nodiscard]] Outcome Run([[maybe_unused]] const Session& session) const override {
      if constexpr (kNeedsCluster)
        return run(session, this->options);
      else
        return run(session.console, this->options);
    }
    [[nodiscard]] Outcome RunAlone([[maybe_unused]] const Console& console) const override {
      if constexpr (kNeedsCluster)
        return Fail(Exit::Failed, "this command needs a cluster");
      else
        return run(console, this->options);
    }
  };
  return {.name = name,
          .help = help,
          .alias = alias,
          .spans_namespaces = spans_namespaces,
          .needs_cluster = kNeedsCluster,
          .make = []() -> std::unique_ptr<Command> { return std::make_unique<Made>(); }};
}

/// All of them, in the order in which help lists them.
[[nodiscard]] const std::vector<const CommandEntry*>& Commands();

}  // namespace certpair::plugin
