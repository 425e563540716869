// SystemPass: the one write of the pair's Secret, and what keeps it from happening.
#include <utility>

#include "base/log.hpp"
#include "core/slots.hpp"
#include "reconcile/apply.hpp"
#include "reconcile/names.hpp"
#include "reconcile/pass/system_pass.hpp"

namespace certpair::reconcile {
namespace {

using Kind = PassResult::Kind;
using kube::ApiErrorKind;

// A key that takes longer than this is worth a status of its own; most are there before.
constexpr std::chrono::seconds kKeyIsSlow{3};
constexpr std::chrono::minutes kLookForKey{1};

}  // namespace

SystemPass::Ended SystemPass::Change() {
  core::PlannedChange plan = *decided_.change;
  std::optional<x509::IssuedCertificate> issued;
  if (plan.slots.order) {
    if (auto ended = Issue(*plan.slots.order, issued)) return ended;
  }
  memory_.key.End();
  auto keystore = EncodeKeystore(issued);
  if (!keystore) {
    Decide();
    if (!decided_.change) return std::nullopt;
    plan.keystore = decided_.change->keystore;
  }
  const LiveSecret* secret = secret_ ? &*secret_ : nullptr;
  SecretDraft draft = DraftOf(plan, issued, secret, seen_.secret, system_, tools_.installation,
                              keystore ? std::move(*keystore) : SecretString{});
  const auto written = Write(std::move(draft));
  if (!written) return ChangeFailed(written.error());
  return *written ? EnterWrite(plan, issued, **written) : std::nullopt;
}

SystemPass::Ended SystemPass::Issue(const core::CertificateOrder& order,
                                    std::optional<x509::IssuedCertificate>& issued) {
  auto made = tools_.certificates.Make(key_, system_.spec.authority, order);
  if (!made) return SigningFailed(made.error());
  if (!*made) return WaitForKey();
  issued = std::move(*made);
  return std::nullopt;
}

// The bytes that the decided change puts beside the slots. Nothing: they cannot be made, and the
// observation says so.
std::optional<SecretString> SystemPass::EncodeKeystore(
    const std::optional<x509::IssuedCertificate>& issued) {
  const core::PlannedChange& plan = *decided_.change;
  if (!std::holds_alternative<core::MakeKeystore>(plan.keystore)) return SecretString{};
  const SlotTexts slot = ActiveTextsAfter(plan, issued, secret_ ? &*secret_ : nullptr);
  auto made = tools_.certificates.EncodeKeystore(slot.certificate, slot.key, slot.authority,
                                                 password_, system_.identity.name);
  if (made) return std::move(*made);
  log::Error("a key store could not be made", {{"system", key_}, {"error", made.error().message}});
  seen_.password = {
      .state = core::PasswordView::State::Unusable, .version = {}, .problem = made.error().message};
  return std::nullopt;
}

// The admission plugin OwnerReferencesPermissionEnforcement, which OpenShift has, lets only those
// change ownerReferences who may delete the object. The operator may not delete Secrets, and no
// certificate waits for an owner: what is refused with a change of owners is tried without.
// Nothing: only the owners were to be changed, and nothing was written.
kube::ApiResult<std::optional<Written>> SystemPass::Write(SecretDraft draft) {
  const bool changes_owners = draft.owners.has_value();
  auto written = secret_ ? tools_.cluster.PatchSecret(draft) : tools_.cluster.CreateSecret(draft);
  if (!written && written.error().kind == ApiErrorKind::Forbidden && changes_owners && secret_)
    return WriteWithoutOwners(std::move(draft), std::move(written.error()));
  if (!written) return std::unexpected(std::move(written.error()));
  if (changes_owners) {
    memory_.owner = {};
    seen_.owner_refusal.clear();
  }
  return std::move(*written);
}

kube::ApiResult<std::optional<Written>> SystemPass::WriteWithoutOwners(SecretDraft draft,
                                                                       kube::ApiError refusal) {
  seen_.owner_refusal = refusal.message;
  seen_.owner_refused_at = seen_.now;
  Decide();
  std::optional<Written> done;
  if (decided_.change) {
    draft.owners.reset();
    auto written = tools_.cluster.PatchSecret(draft);
    if (!written) {  // the owners alone were not the cause
      seen_.owner_refusal.clear();
      memory_.owner = {};
      return std::unexpected(std::move(written.error()));
    }
    done = std::move(*written);
  }
  memory_.owner = {.message = seen_.owner_refusal, .at = seen_.owner_refused_at};
  log::Warn("the Secret's owners could not be changed",
            {{"system", key_}, {"error", seen_.owner_refusal}});
  return done;
}

SystemPass::Ended SystemPass::EnterWrite(const core::PlannedChange& plan,
                                         const std::optional<x509::IssuedCertificate>& issued,
                                         const Written& written) {
  memory_.trouble.Clear();
  memory_.read_live = false;
  // A Secret that lost the label of the watch is not waited for: the next pass reads it.
  if (written.is_watched) memory_.writes.WroteSecret(written.resource_version);
  memory_.metadata = {
      .what = written.changed_metadata, .at = seen_.now, .generation = system_.identity.generation};
  seen_.changed_metadata = memory_.metadata.what;
  seen_.metadata_changed_at = memory_.metadata.at;
  if (!written.changed_metadata.empty())
    log::Warn("admission changed what was written to a pair's Secret",
              {{"system", key_}, {"changed", written.changed_metadata}});
  const std::string change{ToString(plan.slots.kind)};
  log::Info("a pair's Secret was written",
            {{"system", key_},
             {"change", change},
             {"fingerprint", issued ? issued->details.fingerprint : ""}});
  if (issued && tools_.observer.issued) tools_.observer.issued(change);
  seen_ = core::AfterWrite(std::move(seen_), plan, issued ? &issued->details : nullptr,
                           written.resource_version);
  secret_.reset();
  if (auto ended = DecideFully()) return ended;
  // An invariant of Decide. The status is written all the same, and the next pass starts from what
  // the API server has.
  if (decided_.change)
    log::Error("after a change, another is wanted",
               {{"system", key_}, {"change", std::string{ToString(decided_.change->slots.kind)}}});
  return std::nullopt;
}

// A short wait is not worth a write of the status; a long one is.
PassResult SystemPass::WaitForKey() {
  if (memory_.key.Last(tools_.clock.Steady()) < kKeyIsSlow)
    return {.kind = Kind::Waiting, .wake_at = tools_.clock.NowSeconds() + kKeyIsSlow};
  if (auto ended = Report()) return *ended;
  return {.kind = Kind::Waiting, .wake_at = tools_.clock.NowSeconds() + kLookForKey};
}

// A key that no change wants does not stay in memory. While an operation's verdict goes first, it
// is kept.
void SystemPass::ForgetUnwantedKey() {
  if (!memory_.key.IsOpen() || decided_.change || !decided_.verdicts.empty()) return;
  tools_.certificates.Forget(key_);
  memory_.key.End();
}

PassResult SystemPass::ChangeFailed(const kube::ApiError& error) {
  memory_.read_live = true;
  if (error.kind == ApiErrorKind::Cancelled) return FailedBy(error);
  return NeedsPerson(error.kind) ? Refused(FailedBy(error), false)
                                 : Hindered(FailedBy(error), false);
}

// A CA's Secret that could not be read just now is no more than a write that failed.
PassResult SystemPass::SigningFailed(const Error& error) {
  PassResult failure{.kind = Kind::Failed, .error = error.message, .error_kind = "Signing"};
  if (error.code == ErrorCode::Cancelled) return failure;
  return error.code == ErrorCode::Unavailable ? Hindered(std::move(failure), true)
                                              : Refused(std::move(failure), true);
}

PassResult SystemPass::Hindered(PassResult failure, bool by_signer) {
  memory_.trouble.Hinder(failure.error, by_signer, seen_.now);
  return ReportFailure(std::move(failure));
}

PassResult SystemPass::Refused(PassResult failure, bool by_signer) {
  memory_.trouble.Refuse(failure.error, by_signer);
  return ReportFailure(std::move(failure));
}

// The status says what has lasted long enough; mails follow when their time comes. Where the status
// says it already, nothing is written.
PassResult SystemPass::ReportFailure(PassResult failure) {
  memory_.trouble.ShowIn(seen_);
  Decide();
  if (!decided_.tells_failure) return failure;
  if (auto ended = Report()) return *ended;
  return failure;
}

// No change is wanted any more, so none fails.
SystemPass::Ended SystemPass::Forgive() {
  memory_.trouble.Clear();
  memory_.trouble.ShowIn(seen_);
  return DecideFully();
}

}  // namespace certpair::reconcile
