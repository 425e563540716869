// A YAML scalar as kubectl reads it: YAML 1.1 as go.yaml.in/yaml/v2 has it (resolve.go), then JSON
// as sigs.k8s.io/yaml writes it. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"

namespace certpair::plugin {

/// The value of a scalar. `tag` is yaml-cpp's: `?` or empty for a plain scalar, `!` for one in
/// quotes, else the tag that stands there. So `NO` is false, `0123` is 83 and `"NO"` a text.
/// Invalid: the text does not fit the tag, or JSON has no such number (.inf, .nan).
[[nodiscard]] Result<nlohmann::json> ResolveScalar(std::string_view tag, std::string_view text);

/// The same as the name of a field: a number or a boolean becomes its text (`on` is `true`).
/// Invalid: null, and an integer above 2^63-1.
[[nodiscard]] Result<std::string> ResolveKey(std::string_view tag, std::string_view text);

}  // namespace certpair::plugin
