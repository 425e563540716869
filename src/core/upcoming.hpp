// Private to src/core: what comes next, for status and for the timer.
#pragma once

#include <string_view>

#include "core/rules.hpp"

namespace certpair::core {

/// The action of a step that only tells people; every other changes what a certificate is good for.
inline constexpr std::string_view kWarnAction = "Warn";

/// The next automatic step, if nothing else happens before it.
[[nodiscard]] std::optional<NextTransition> NextStep(const View& view, const Outcome& automatic);

/// The earliest time at which Decide may answer otherwise though nothing else changed; never now,
/// unless `outcome` says so; a year off where nothing depends on time.
[[nodiscard]] sys_seconds NextLook(const View& view, const Outcome& outcome,
                                   const Outcome& automatic);

}  // namespace certpair::core
