// Completion by kubectl: it runs `kubectl_complete-certpair`, which asks `__complete`.
#pragma once

#include <string>
#include <vector>

#include "run.hpp"

namespace certpair::plugin {

/// Prints what the last of `words` may become, and at the end `:N`, as spf13/cobra's completions
/// do. Says nothing where the cluster does not answer.
void Complete(const World& world, const std::vector<std::string>& words);

}  // namespace certpair::plugin
