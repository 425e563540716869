// YAML to JSON and back, as kubectl reads it: scalars by scalar.hpp, merge keys, and documents cut
// at lines that begin with `---`. The one file beside it includes yaml-cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"

namespace certpair::plugin {

/// The documents of `text`; empty ones are left out. Of a field that is given twice the last one
/// counts, and `<<` takes over fields where it stands, as kubectl does both. Invalid, with the
/// line, for what is not YAML, is nested more than 100 deep, or has aliases that make more than
/// 100,000 values.
[[nodiscard]] Result<std::vector<nlohmann::json>> ParseYaml(std::string_view text);

/// Ascii: all others as escapes, which readers undo.
enum class Letters { All, Ascii };

/// Block style, without an end of line at its end. Text that another reader could take for a
/// number, a boolean or null stands in quotes.
[[nodiscard]] std::string ToYaml(const nlohmann::json& value, Letters letters = Letters::All);

}  // namespace certpair::plugin
