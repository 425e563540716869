#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct SubscribersCommand {
  std::string name;
  Format format = Format::Table;
};
[[nodiscard]] Outcome Subscribers(const Session& session, const SubscribersCommand& command);

}  // namespace certpair::plugin
