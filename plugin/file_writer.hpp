// Files that nobody else may read, and that are whole or not there.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certpair::plugin {

/// Whether WritePrivateFile may put something there: so that of several files all or none are
/// written. The same errors, as far as they can be told before.
[[nodiscard]] Result<void> MayBeReplaced(const std::string& path, bool force);

/// Writes `content` beside `path` (mode 0600), syncs it, and puts it in its place in one step. What
/// stands at `path` is never written through: a link there is replaced, not followed, and only with
/// `force`. Invalid: there is something already (without `force`), or it is a folder. NotFound:
/// there is no such folder. Unavailable: no right, no room. Nothing is left behind.
[[nodiscard]] Result<void> WritePrivateFile(const std::string& path, std::string_view content,
                                            bool force);

}  // namespace certpair::plugin
