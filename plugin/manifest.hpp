// A file of Kubernetes objects as `kubectl apply -f` takes it. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.hpp"

namespace certpair::plugin {

/// The objects of YAML (documents divided by `---`) or JSON (one after the other); lists are taken
/// apart. Invalid, with the place, for what is neither.
[[nodiscard]] Result<std::vector<nlohmann::json>> ReadManifest(std::string_view text);

/// Fills in the defaults of the schema, takes the status away, and tells what the API server would
/// refuse of a ProvisioningSystem, a sentence each. What only CEL rules forbid is not told.
[[nodiscard]] std::vector<std::string> PrepareSystem(nlohmann::json& object);

}  // namespace certpair::plugin
