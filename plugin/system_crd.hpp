// The CRD of ProvisioningSystem, YAML, as it was when this program was built.
#pragma once

#include <string_view>

namespace certpair::plugin {

extern const std::string_view kSystemCrd;

}  // namespace certpair::plugin
