#include "reconcile/scheduling.hpp"

namespace certpair::reconcile {

void Schedule(kube::WorkQueue& queue, const std::string& key, const PassResult& result) {
  switch (result.kind) {
    case PassResult::Kind::Failed:
      queue.AddAfterFailure(key, result.retry_after);
      if (result.wake_at) queue.AddDespiteFailure(key, *result.wake_at, result.urgency);
      return;
    case PassResult::Kind::Gone:
      // Not Forget: a new object of the same name may have come while this pass was under way.
      queue.Succeeded(key);
      return;
    case PassResult::Kind::Settled:
      queue.Succeeded(key);
      break;
    case PassResult::Kind::Waiting:
      break;
  }
  if (result.wake_at) queue.AddAt(key, *result.wake_at, result.urgency);
}

}  // namespace certpair::reconcile
