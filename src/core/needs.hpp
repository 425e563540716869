// Private to src/core: what a decision depends on that nothing has read yet.
#pragma once

#include <optional>

#include "core/view.hpp"

namespace certpair::core {

/// What to read next. `lacks_attachment`: a mail is due whose certificate only the Secret holds.
[[nodiscard]] std::optional<Need> NextNeed(const View& view,
                                           const std::optional<PlannedChange>& change,
                                           bool lacks_attachment);

}  // namespace certpair::core
