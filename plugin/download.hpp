#pragma once

#include <string>

#include "actions/download.hpp"
#include "command.hpp"

namespace certpair::plugin {

struct DownloadCommand {
  using Which = actions::Which;
  using Encoding = actions::Encoding;
  std::string name;
  Which which = Which::Active;
  Encoding encoding = Encoding::Pem;
  bool key = false;
  std::string to;  ///< a file or a folder; empty or `-`: standard output
  bool force = false;
  std::string password_file;
  // As flags.
  bool active = false;
  bool inactive = false;
  bool all = false;
};
[[nodiscard]] Outcome Download(const Session& session, const DownloadCommand& command);

}  // namespace certpair::plugin
