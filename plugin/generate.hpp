#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct GenerateCommand {
  std::string name;
  ChangeFlags change;
  Format format = Format::Table;
};
[[nodiscard]] Outcome Generate(const Session& session, const GenerateCommand& command);

}  // namespace certpair::plugin
