#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.hpp"

namespace certpair::plugin {

struct SimulateCommand {
  std::string name;  ///< of several in a file: which
  std::string file;  ///< `-`: standard input; empty: what is in the cluster
  std::optional<seconds> until;
  std::vector<std::string> what_if;  ///< KEY=VALUE
  Format format = Format::Table;
};
[[nodiscard]] Outcome Simulate(const Session& session, const SimulateCommand& command);

}  // namespace certpair::plugin
