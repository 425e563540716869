#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct AutoCommand {
  bool on = false;
  std::string name;
  ChangeFlags change;
};
[[nodiscard]] Outcome Auto(const Session& session, const AutoCommand& command);

}  // namespace certpair::plugin
