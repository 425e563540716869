// Work for as long as this process leads, and again when it leads again.
#pragma once

#include <functional>
#include <stop_token>

#include "kube/leader_elector.hpp"

namespace certpair::controller {

/// Stands for election until `stop`, and calls `work` with a token that is stopped when a term
/// ends. `work` returns when it is; the Lease is freed only after that. Blocks.
void WorkWhileLeading(const kube::Client& client, const Clock& clock,
                      const kube::LeaderOptions& options,
                      const std::function<void(const kube::LeaderElector&)>& announce,
                      const std::function<void(std::stop_token)>& work,
                      const std::stop_token& stop);

}  // namespace certpair::controller
