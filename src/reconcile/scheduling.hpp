// What a pass's outcome means for the work queue. Thread-safe.
#pragma once

#include <string>

#include "kube/work_queue.hpp"
#include "reconcile/pass_result.hpp"

namespace certpair::reconcile {

/// Puts `key` back as `result` asks for; between Take and Done.
void Schedule(kube::WorkQueue& queue, const std::string& key, const PassResult& result);

}  // namespace certpair::reconcile
