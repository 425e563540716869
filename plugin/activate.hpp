#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct ActivateCommand {
  std::string name;
  std::string fingerprint;  ///< may be shortened; empty: the inactive one
  ChangeFlags change;
  Format format = Format::Table;
};
[[nodiscard]] Outcome Activate(const Session& session, const ActivateCommand& command);

}  // namespace certpair::plugin
