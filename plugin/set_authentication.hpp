#pragma once

#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct SetAuthenticationCommand {
  std::string name;
  std::string value;
  ChangeFlags change;
};
[[nodiscard]] Outcome SetAuthentication(const Session& session,
                                        const SetAuthenticationCommand& command);

}  // namespace certpair::plugin
