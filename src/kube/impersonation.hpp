// Acting as somebody else (Kubernetes: authentication, "User impersonation"). Private to kube.
#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "kube/config.hpp"

namespace certpair::kube {

/// One value for each name; it may hold further whole lines of the same header.
using Headers = std::map<std::string, std::string>;

/// What each request carries; empty where nobody is impersonated. Invalid: a value that is empty or
/// has control characters, which would begin a header of its own. Pure.
[[nodiscard]] Result<Headers> ImpersonationHeaders(const Impersonation& who);

}  // namespace certpair::kube
