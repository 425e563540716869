#pragma once

#include "command.hpp"

namespace certpair::plugin {

struct VersionCommand {
  Format format = Format::Table;
};
[[nodiscard]] Outcome Version(const Console& console, const VersionCommand& command);

}  // namespace certpair::plugin
