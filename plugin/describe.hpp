#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct DescribeCommand {
  std::string name;
};
[[nodiscard]] Outcome Describe(const Session& session, const DescribeCommand& command);

}  // namespace certpair::plugin
