// Files that a person names on the command line, pipes and standard input among them.
#pragma once

#include <stop_token>
#include <string>

#include "outcome.hpp"

namespace certpair::plugin {

/// All of it, to its end; at most 4 MiB. `-` is standard input. Waits for the writer of a pipe
/// until `stop`: then Interrupted. Failed: there is none, it is a folder, or too large; the
/// message names the path.
[[nodiscard]] Expected<std::string> ReadInput(const std::string& path, const std::stop_token& stop);

}  // namespace certpair::plugin
