#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct UnsubscribeCommand {
  std::string name;
  bool me = false;
  std::string email;
  ChangeFlags change;
};
[[nodiscard]] Outcome Unsubscribe(const Session& session, const UnsubscribeCommand& command);

}  // namespace certpair::plugin
