#pragma once

#include <optional>
#include <string>

#include "command.hpp"

namespace certpair::plugin {

struct ListCommand {
  std::string selector;
  std::string type;                        ///< Source, Target, Proxy; empty: all
  std::optional<seconds> expiring_within;  ///< nothing: all
  std::string sort_by;                     ///< name, expiry, type; empty: as the server has them
  bool watch = false;
  Format format = Format::Table;
};
[[nodiscard]] Outcome List(const Session& session, const ListCommand& command);

}  // namespace certpair::plugin
