// A small file as text.
#pragma once

#include <string>

#include "base/result.hpp"

namespace certpair {

/// The whole of a regular file of at most 4 MiB. NotFound: there is none; Invalid: too large or not
/// a file; Unavailable: it cannot be read. The message names the path.
[[nodiscard]] Result<std::string> ReadFileText(const std::string& path);

}  // namespace certpair
