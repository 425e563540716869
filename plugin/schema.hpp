// What the API server asks of an object by the structural schema of its CRD: pruned nulls,
// defaults, types, required and unknown fields, limits. CEL rules (x-kubernetes-validations) are
// the API server's alone. Pure, thread-safe.
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace certpair::plugin {

/// The openAPIV3Schema of ProvisioningSystem in the CRD that this program was built with.
[[nodiscard]] const nlohmann::json& SystemSchema();

/// As kubectl and the API server do before it is validated: a field that is null goes unless the
/// schema has it nullable, and a missing field gets the default of the schema.
void FillDefaults(const nlohmann::json& schema, nlohmann::json& value);

/// What the API server would refuse, a sentence each, which begins with the field; at most 20.
/// Unknown fields are among it, as with kubectl's own --validate=strict. apiVersion, kind and
/// metadata of the object are left to the caller.
[[nodiscard]] std::vector<std::string> Violations(const nlohmann::json& schema,
                                                  const nlohmann::json& object);

}  // namespace certpair::plugin
