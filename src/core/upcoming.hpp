// Private to src/core: what comes next, for status and for the timer.
#pragma once

#include "core/rules.hpp"

namespace certpair::core {

/// The next step that is taken by itself, if nothing happens before it.
[[nodiscard]] std::optional<NextTransition> NextStep(const View& view, const Outcome& automatic);

/// The earliest time at which Decide may answer otherwise though nothing else changed; never now,
/// unless `outcome` says so; a year off where nothing depends on time.
[[nodiscard]] sys_seconds NextLook(const View& view, const Outcome& outcome,
                                   const Outcome& automatic);

}  // namespace certpair::core
