// Names as Kubernetes gives them to objects. Pure, thread-safe.
#pragma once

#include <string_view>

namespace certpair::actions {

/// Whether this is an RFC 1123 subdomain of at most 253 characters. Such a name is one word for a
/// shell, is not a flag, and as a file name it stays in its folder.
[[nodiscard]] bool IsObjectName(std::string_view text);

}  // namespace certpair::actions
