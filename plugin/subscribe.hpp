#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct SubscribeCommand {
  std::string name;
  bool me = false;
  std::string email;
  std::string display_name;
  ChangeFlags change;
};
[[nodiscard]] Outcome Subscribe(const Session& session, const SubscribeCommand& command);

}  // namespace certpair::plugin
