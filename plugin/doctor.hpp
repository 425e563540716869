#pragma once

#include "command.hpp"

namespace certpair::plugin {

struct DoctorCommand {
  Format format = Format::Table;
};
[[nodiscard]] Outcome Doctor(const Session& session, const DoctorCommand& command);

}  // namespace certpair::plugin
