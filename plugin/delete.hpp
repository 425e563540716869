#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct DeleteCommand {
  std::string name;
  std::string fingerprint;  ///< may be shortened
  ChangeFlags change;
  Format format = Format::Table;
};
[[nodiscard]] Outcome Delete(const Session& session, const DeleteCommand& command);

}  // namespace certpair::plugin
