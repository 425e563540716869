// SystemReconciler: a system whose spec this program cannot read.
#include "base/log.hpp"
#include "reconcile/system_look.hpp"

namespace certpair::reconcile {

// Its owner is told where they look. What this process remembers of its status and Secret counts no
// more.
PassResult SystemReconciler::PassOverUnreadable(const std::string& key, Look& look,
                                                Memory& memory) {
  look.seen.now = clock_.NowSeconds();
  look.seen.identity = look.system.identity;
  const auto home = view_.Namespace(look.system.identity.namespace_);
  look.seen.identity.namespace_terminating = home && home->terminating;
  look.seen.status = look.system.status;
  look.operations = view_.OperationsOf(key);
  for (const auto& operation : look.operations)
    look.seen.operations.push_back(operation->operation);
  ObserveMail(key, look);
  look.decided = core::DecideUnreadable(look.seen, look.system.undecodable);
  if (postbox_ != nullptr && !look.decided.withdrawn.empty())
    postbox_->Withdraw(key, look.decided.withdrawn);
  look.seen.mail.outcomes.clear();  // they are entered once the spec can be read
  if (!look.decided.events.empty())
    log::Error("a system's spec cannot be read: is the CRD of this version?",
               {{"system", key}, {"field", look.system.undecodable}});
  ForgetUnwantedKey(key, look, memory);
  memory.read_live = true;
  if (auto ended = Tell(key, look, memory)) return *ended;
  return {.kind = PassResult::Kind::Settled, .wake_at = look.decided.wake_at};
}

}  // namespace certpair::reconcile
