#include "reconcile/system_reconciler.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "core/slots.hpp"
#include "reconcile/apply.hpp"
#include "reconcile/authority_codec.hpp"
#include "reconcile/keystore.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_look.hpp"

namespace certpair::reconcile {
namespace {

using kube::ApiErrorKind;
using Kind = PassResult::Kind;

constexpr std::chrono::seconds kLookAgain{5};
// A key that takes longer than this is worth a status of its own; most are there before.
constexpr std::chrono::seconds kKeyIsSlow{3};

bool HoldsPair(const core::SecretState& state) {
  return std::holds_alternative<core::CertificatePair>(state);
}

}  // namespace

SystemReconciler::SystemReconciler(const View& view, Cluster& cluster,
                                   CertificateSource& certificates, const Clock& clock,
                                   core::Installation installation, PassObserver observer,
                                   seconds check_in_depth_every, notify::Postbox* postbox)
    : view_(view),
      cluster_(cluster),
      certificates_(certificates),
      clock_(clock),
      installation_{.regeneration_supported = installation.regeneration_supported,
                    .mail_configured = postbox != nullptr,
                    .secret_metadata_allow = std::move(installation.secret_metadata_allow)},
      observer_(std::move(observer)),
      check_in_depth_every_(check_in_depth_every),
      postbox_(postbox) {}

PassResult SystemReconciler::Pass(const std::string& key) {
  const auto system = view_.System(key);
  if (!system) return PassWithout(key);
  Memory memory;
  {
    auto memories = memories_.Lock();
    memory = (*memories)[key];
  }
  PassResult result = PassOver(key, *system, memory);
  (*memories_.Lock())[key] = std::move(memory);
  return result;
}

PassResult SystemReconciler::PassOver(const std::string& key, const StoredSystem& system,
                                      Memory& memory) {
  if (IsBehind(key, system, memory))
    return {.kind = Kind::Waiting, .wake_at = clock_.NowSeconds() + kLookAgain};
  Look look{.system = system};
  if (std::exchange(memory.uid, system.identity.uid) != system.identity.uid)
    memory.automatic_issuances.clear();
  look.remembered.automatic = memory.automatic_issuances;
  PassResult result = system.undecodable.empty() ? LookAt(key, look, memory)
                                                 : PassOverUnreadable(key, look, memory);
  if (const auto& known = look.decided.status.automatic_issuances; !known.empty())
    memory.automatic_issuances = known;
  // What comes next comes at its time, whatever failed now: it is not held up by a back-off.
  if (result.kind == Kind::Failed && !result.wake_at) {
    result.wake_at = look.decided.wake_at;
    result.urgency = look.decided.urgent ? kube::Urgency::First : kube::Urgency::InTurn;
  }
  return result;
}

PassResult SystemReconciler::LookAt(const std::string& key, Look& look, Memory& memory) {
  if (const auto read = Observe(key, look, memory, memory.read_live); !read)
    return ReadFailed(key, read.error(), look, memory);
  look.decided = core::Decide(look.seen);
  if (const auto read = DecideOnMail(key, look, memory); !read) return FailedBy(read.error());
  if (const auto read = DecideOnPassword(look); !read) return FailedBy(read.error());
  if (look.decided.change) {
    if (auto ended = ConfirmBeforeChange(key, look, memory)) return *ended;
  }
  ForgetUnwantedKey(key, look, memory);
  if (look.decided.change) {
    if (auto ended = Change(key, look, memory)) return *ended;
  } else if (!memory.write_failure.empty()) {
    Forgive(look, memory);
  }
  if (const auto read = DecideOnMail(key, look, memory); !read) return FailedBy(read.error());
  if (auto ended = Tell(key, look, memory)) return *ended;
  return Finish(look, memory);
}

// The system is gone: operations that name it still want an answer.
PassResult SystemReconciler::PassWithout(const std::string& key) {
  memories_.Lock()->erase(key);
  certificates_.Forget(key);
  if (postbox_ != nullptr) postbox_->Forget(key);
  const sys_seconds now = clock_.NowSeconds();
  std::optional<sys_seconds> wake_at;
  bool is_surely_gone = false;
  for (const auto& operation : view_.OperationsOf(key)) {
    const core::OrphanDecision decided =
        core::DecideOrphan(operation->operation, operation->system, now);
    const bool fails =
        decided.verdict && decided.verdict->kind == core::OperationVerdict::Kind::Fail;
    if (fails && !is_surely_gone) {
      // A verdict is for good: it is not given on the word of a cache, which may be behind.
      const auto live = cluster_.ReadSystem(operation->namespace_, operation->system);
      if (!live) return FailedBy(live.error());
      if (*live) return {.kind = Kind::Waiting, .wake_at = now + kLookAgain};
      is_surely_gone = true;
    }
    if (decided.verdict) {
      const auto settled = cluster_.Settle(*operation, *decided.verdict, now);
      if (!settled && settled.error().kind != ApiErrorKind::NotFound)
        return FailedBy(settled.error());
    }
    if (decided.wake_at) wake_at = wake_at ? std::min(*wake_at, *decided.wake_at) : decided.wake_at;
  }
  return {.kind = wake_at ? Kind::Settled : Kind::Gone, .wake_at = wake_at};
}

SystemReconciler::ReadResult SystemReconciler::Observe(const std::string& key, Look& look,
                                                       Memory& memory, bool live) const {
  const sys_seconds now = clock_.NowSeconds();
  const StoredSystem& system = look.system;
  look.seen.now = now;
  look.seen.identity = system.identity;
  if (auto home = view_.Namespace(system.identity.namespace_)) {
    look.seen.identity.namespace_known = true;
    look.seen.identity.namespace_labels = std::move(home->labels);
    look.seen.identity.namespace_terminating = home->terminating;
  }
  look.seen.spec = system.spec;
  look.seen.status = system.status;
  const auto authority = view_.Authority(system.spec.authority);
  look.seen.authority = ViewOf(system.spec.authority, authority.get());
  look.seen.installation = installation_;
  look.seen.write_failure = memory.write_failure;
  look.seen.signing_failed = memory.signing_failed;
  look.seen.write_fails_since = memory.write_fails_since;
  look.seen.owner_refusal = memory.owner_refusal;
  look.seen.owner_refused_at = memory.owner_refused_at;
  ObserveMail(key, look);
  look.operations = view_.OperationsOf(key);
  look.seen.operations.clear();
  for (const auto& operation : look.operations)
    look.seen.operations.push_back(operation->operation);

  const std::uint64_t digest = StatusDigest(system.status, system.pems_digest);
  if (digest != memory.believed_status) memory.wrote_status = false;
  if (!memory.believes) {
    memory.believes = true;
    memory.believed_status = digest;
    memory.depth_check_at = NextCheckInDepth(system.identity.uid, now);
  }
  const auto cached = view_.Secret(ObjectKey(system.identity.namespace_, system.spec.secret.name));
  const std::string& described = system.status.secret_resource_version;
  const bool status_describes_it = cached && IsOurs(*cached, system.identity) &&
                                   system.status.active && described == cached->resource_version &&
                                   digest == memory.believed_status;
  look.described = status_describes_it ? cached : nullptr;
  // A Secret that is not in our watch may be there all the same: somebody else's, or ours without
  // its label.
  const bool nothing_known =
      !cached && described.empty() && !system.status.active && !system.status.inactive;
  const core::Condition* ready = system.status.Find("Ready");
  const bool was_refused = ready != nullptr && ready->reason.starts_with("Secret");
  if (now >= memory.depth_check_at && system.spec.secret.pkcs12)
    if (auto read = ReadPassword(look); !read) return read;
  if (live || now >= memory.depth_check_at ||
      (!status_describes_it && (!nothing_known || was_refused)))
    return ReadLive(look);
  look.TakeOver(cached ? ReadSecretByStatus(*cached, system, installation_)
                       : SecretReading{.state = core::Missing{}});
  return {};
}

SystemReconciler::ReadResult SystemReconciler::ReadLive(Look& look) const {
  auto read = cluster_.ReadSecret(look.system.identity.namespace_, look.system.spec.secret.name);
  if (!read) return std::unexpected(read.error());
  look.secret = std::move(*read);
  look.was_read = true;
  look.TakeOver(ReadSecretInDepth(look.secret ? &*look.secret : nullptr, look.system,
                                  look.seen.authority, installation_, certificates_));
  return {};
}

// A change is decided upon what the API server holds now, not upon what a cache remembers. A system
// without a status is new: the creation of its Secret is check enough, since it fails where there
// is one.
std::optional<PassResult> SystemReconciler::ConfirmBeforeChange(const std::string& key, Look& look,
                                                                Memory& memory) {
  const bool is_new =
      !look.system.HasStatus() && std::holds_alternative<core::Missing>(look.seen.secret);
  if (!look.was_read && (!is_new || memory.read_live)) {
    if (const auto read = Observe(key, look, memory, true); !read)
      return ReadFailed(key, read.error(), look, memory);
    look.decided = core::Decide(look.seen);
    if (const auto read = DecideOnPassword(look); !read) return FailedBy(read.error());
    if (!look.decided.change) return std::nullopt;
  }
  // The Secret may be gone because its system is: the collector's news can come first.
  if (!is_new && std::holds_alternative<core::Missing>(look.seen.secret)) {
    auto live = cluster_.ReadSystem(look.system.identity.namespace_, look.system.identity.name);
    if (!live) return FailedBy(live.error());
    if (!*live || (*live)->identity.uid != look.system.identity.uid ||
        (*live)->identity.being_deleted)
      return PassResult{.kind = Kind::Waiting, .wake_at = clock_.NowSeconds() + kLookAgain};
  }
  if (look.decided.change->receipt) {
    const auto& uid = look.decided.change->receipt->operation_uid;
    const auto cached =
        std::ranges::find(look.operations, uid, [](const auto& o) { return o->operation.uid; });
    auto live = cached == look.operations.end()
                    ? kube::ApiResult<std::optional<StoredOperation>>{}
                    : cluster_.ReadOperation((*cached)->namespace_, (*cached)->operation.name);
    if (!live) return FailedBy(live.error());
    if (!*live || (*live)->operation.uid != uid || (*live)->operation.finished)
      return PassResult{.kind = Kind::Waiting, .wake_at = clock_.NowSeconds() + kLookAgain};
  }
  return std::nullopt;
}

std::optional<PassResult> SystemReconciler::Change(const std::string& key, Look& look,
                                                   Memory& memory) {
  core::PlannedChange plan = *look.decided.change;
  std::optional<x509::IssuedCertificate> issued;
  if (plan.slots.order) {
    auto made = certificates_.Make(key, look.system.spec.authority, *plan.slots.order);
    if (!made) return SigningFailed(key, made.error(), look, memory);
    if (!*made) return WaitForKey(key, look, memory);
    issued = std::move(*made);
  }
  memory.key_wanted_since.reset();
  auto keystore = EncodeKeystore(key, look, issued);
  if (!keystore) {
    look.decided = core::Decide(look.seen);
    if (!look.decided.change) return std::nullopt;
    plan.keystore = look.decided.change->keystore;
  }
  const LiveSecret* secret = look.secret ? &*look.secret : nullptr;
  SecretDraft draft = DraftOf(plan, issued, secret, look.seen.secret, look.system, installation_,
                              keystore ? std::move(*keystore) : SecretString{});
  const auto outcome = Write(look, memory, std::move(draft));
  if (!outcome) return ChangeFailed(key, outcome.error(), look, memory);
  if (!*outcome) return std::nullopt;
  const Written& written = **outcome;
  memory.write_failure.clear();
  memory.write_fails_since.reset();
  memory.read_live = false;
  memory.secret_version = written.resource_version;
  log::Info("a pair's Secret was written",
            {{"system", key},
             {"change", std::string{ToString(plan.slots.kind)}},
             {"fingerprint", issued ? issued->details.fingerprint : ""}});
  if (issued && observer_.issued) observer_.issued(ToString(plan.slots.kind));

  look.seen = core::AfterWrite(std::move(look.seen), plan, issued ? &issued->details : nullptr,
                               written.resource_version);
  look.secret.reset();
  look.decided = core::Decide(look.seen);
  if (look.decided.change) {
    // An invariant of Decide is broken. The status is told all the same, and the next pass starts
    // from what is really there.
    log::Error(
        "after a change, another is wanted",
        {{"system", key}, {"change", std::string{ToString(look.decided.change->slots.kind)}}});
    memory.read_live = true;
  }
  return std::nullopt;
}

// Nothing is to be made any more: the key that was asked for does not stay in memory. While
// something else goes first, it is kept.
void SystemReconciler::ForgetUnwantedKey(const std::string& key, const Look& look, Memory& memory) {
  if (!memory.key_wanted_since || look.decided.change || !look.decided.verdicts.empty()) return;
  certificates_.Forget(key);
  memory.key_wanted_since.reset();
}

// The key is on its way. A short wait is not worth a write; a long one is told.
PassResult SystemReconciler::WaitForKey(const std::string& key, Look& look, Memory& memory) {
  const auto now = clock_.Steady();
  if (!memory.key_wanted_since) memory.key_wanted_since = now;
  if (now - *memory.key_wanted_since < kKeyIsSlow)
    return {.kind = Kind::Waiting, .wake_at = clock_.NowSeconds() + kKeyIsSlow};
  if (auto ended = Tell(key, look, memory)) return *ended;
  return {.kind = Kind::Waiting, .wake_at = clock_.NowSeconds() + std::chrono::minutes{1}};
}

PassResult SystemReconciler::ChangeFailed(const std::string& key, const kube::ApiError& error,
                                          Look& look, Memory& memory) {
  memory.read_live = true;
  if (error.kind == ApiErrorKind::Cancelled) return FailedBy(error);
  memory.signing_failed = false;
  if (NeedsPerson(error.kind)) return Refused(key, FailedBy(error), look, memory);
  return Hindered(key, FailedBy(error), look, memory);
}

// A CA's Secret that could not be read just now is no more than a write that failed.
PassResult SystemReconciler::SigningFailed(const std::string& key, const Error& error, Look& look,
                                           Memory& memory) {
  PassResult failure{.kind = Kind::Failed, .error = error.message, .error_kind = "Signing"};
  if (error.code == ErrorCode::Cancelled) return failure;
  memory.signing_failed = true;
  if (error.code == ErrorCode::Unavailable) return Hindered(key, std::move(failure), look, memory);
  return Refused(key, std::move(failure), look, memory);
}

// By what may pass by itself: told only once it has lasted.
PassResult SystemReconciler::Hindered(const std::string& key, PassResult failure, Look& look,
                                      Memory& memory) {
  if (memory.write_failure.empty()) {
    memory.write_failure = failure.error;  // the first of many: each may have other words
    memory.write_fails_since = look.seen.now;
  }
  return TellFailure(key, std::move(failure), look, memory);
}

// As where the Secret cannot be written: nothing can be changed. What status says of it, if that
// can be believed, is still worth warnings.
PassResult SystemReconciler::ReadFailed(const std::string& key, const kube::ApiError& error,
                                        Look& look, Memory& memory) {
  if (!look.described) return FailedBy(error);
  look.TakeOver(ReadSecretByStatus(*look.described, look.system, installation_));
  return ChangeFailed(key, error, look, memory);
}

// Nothing is to be written any more, so nothing fails.
void SystemReconciler::Forgive(Look& look, Memory& memory) {
  memory.write_failure.clear();
  memory.write_fails_since.reset();
  look.seen.write_failure.clear();
  look.seen.write_fails_since.reset();
  look.decided = core::Decide(look.seen);
}

PassResult SystemReconciler::Refused(const std::string& key, PassResult failure, Look& look,
                                     Memory& memory) {
  memory.write_failure = failure.error;
  memory.write_fails_since.reset();
  return TellFailure(key, std::move(failure), look, memory);
}

// What has become worth a word stands in the status, and goes out by mail when its time comes;
// where it was said before, nothing is written.
PassResult SystemReconciler::TellFailure(const std::string& key, PassResult failure, Look& look,
                                         Memory& memory) {
  look.seen.write_failure = memory.write_failure;
  look.seen.signing_failed = memory.signing_failed;
  look.seen.write_fails_since = memory.write_fails_since;
  look.decided = core::Decide(look.seen);
  if (!look.decided.tells_failure) return failure;
  TakeBack(key, look);
  if (auto ended = Tell(key, look, memory)) return *ended;
  return failure;
}

// Verdicts first (an operation's end is durable before the next change), each with its Event, since
// no later pass comes to it again; then the status, then the other Events.
std::optional<PassResult> SystemReconciler::Tell(const std::string& key, Look& look,
                                                 Memory& memory) {
  for (const core::OperationVerdict& verdict : look.decided.verdicts) {
    const auto operation = std::ranges::find(look.operations, verdict.uid,
                                             [](const auto& o) { return o->operation.uid; });
    if (operation == look.operations.end()) continue;
    const auto settled = cluster_.Settle(**operation, verdict, look.seen.now);
    // A mark is for a restore: nothing waits for it, and the next pass tries again.
    if (verdict.kind == core::OperationVerdict::Kind::Mark) continue;
    // Somebody was there first, most likely ourselves in an earlier pass: the cache will tell.
    if (!settled && settled.error().kind == ApiErrorKind::Conflict)
      return PassResult{.kind = Kind::Waiting, .wake_at = look.seen.now + seconds{1}};
    if (!settled && settled.error().kind != ApiErrorKind::NotFound)
      return FailedBy(settled.error());
    TellEvents(look, verdict.uid);
  }
  std::erase_if(look.decided.verdicts, [](const core::OperationVerdict& verdict) {
    return verdict.kind == core::OperationVerdict::Kind::Mark;
  });
  // The status of what is on its way out is of no more use to anybody.
  if (look.seen.identity.being_deleted || look.seen.identity.namespace_terminating)
    return std::nullopt;
  core::SystemStatus& status = look.decided.status;
  status.secret_name = look.system.spec.secret.name;
  status.secret_resource_version =
      HoldsPair(look.seen.secret) ? look.seen.secret_resource_version : "";
  const auto written = cluster_.WriteStatus(look.system, status);
  if (!written) {
    if (written.error().kind == ApiErrorKind::NotFound)
      return PassResult{.kind = Kind::Waiting, .wake_at = look.seen.now + kLookAgain};
    return FailedBy(written.error());
  }
  const bool pems_known =
      (status.active && !status.active->pem.empty()) || (!status.active && !status.inactive);
  memory.believed_status =
      StatusDigest(status, pems_known ? PemsDigest(status) : look.system.pems_digest);
  if (*written) {
    memory.system_version = (*written)->resource_version;
    memory.wrote_status = true;
    look.resource_version = (*written)->resource_version;
  }
  TellEvents(look, "");
  return Post(key, look, memory);
}

// Those of one verdict, or those of none.
void SystemReconciler::TellEvents(const Look& look, const std::string& verdict_uid) {
  for (const core::EventNotice& event : look.decided.events)
    if (event.verdict_uid == verdict_uid) cluster_.Tell(look.seen.identity, event);
}

PassResult SystemReconciler::Finish(Look& look, Memory& memory) const {
  if (look.was_read) {
    memory.read_live = false;
    if (look.seen.now >= memory.depth_check_at)
      memory.depth_check_at = NextCheckInDepth(look.system.identity.uid, look.seen.now);
  }
  if (look.decided.change)
    return {.kind = Kind::Failed,
            .error = "after a change, another was wanted",
            .error_kind = "Unstable"};
  if (!look.decided.verdicts.empty())
    return {.kind = Kind::Settled, .wake_at = look.seen.now + seconds{1}};
  return {.kind = Kind::Settled,
          .wake_at = std::min(look.decided.wake_at, memory.depth_check_at),
          .urgency = look.decided.urgent ? kube::Urgency::First : kube::Urgency::InTurn};
}

}  // namespace certpair::reconcile
