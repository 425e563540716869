// SystemPass: what is read, from the caches and from the API server.
#include <algorithm>
#include <utility>

#include "core/ledger.hpp"
#include "reconcile/authority_codec.hpp"
#include "reconcile/keystore.hpp"
#include "reconcile/names.hpp"
#include "reconcile/pass/system_pass.hpp"

namespace certpair::reconcile {

SystemPass::ReadResult SystemPass::Observe() {
  ObserveSystem();
  return ObserveSecret();
}

// What the caches and this process know, without the Secret.
void SystemPass::ObserveSystem() {
  seen_.now = tools_.clock.NowSeconds();
  seen_.identity = system_.identity;
  if (auto home = tools_.view.Namespace(system_.identity.namespace_)) {
    seen_.identity.namespace_known = true;
    seen_.identity.namespace_labels = std::move(home->labels);
    seen_.identity.namespace_terminating = home->terminating;
  }
  seen_.spec = system_.spec;
  seen_.status = system_.status;
  const auto authority = tools_.view.Authority(system_.spec.authority);
  seen_.authority = ViewOf(system_.spec.authority, authority.get());
  seen_.installation = tools_.installation;
  memory_.trouble.ShowIn(seen_);
  seen_.owner_refusal = memory_.owner.message;
  seen_.owner_refused_at = memory_.owner.at;
  if (memory_.metadata.generation == system_.identity.generation) {
    seen_.changed_metadata = memory_.metadata.what;
    seen_.metadata_changed_at = memory_.metadata.at;
  }
  ObserveMail();
  operations_ = tools_.view.OperationsOf(key_);
  for (const auto& operation : operations_) seen_.operations.push_back(operation->operation);
}

// In this order: what is not under way any more has left its outcome.
void SystemPass::ObserveMail() {
  if (tools_.postbox == nullptr) return;
  core::MailView& mail = seen_.mail;
  mail = {};
  for (std::string& id : core::DueNotices(system_.status.ledger))
    if (tools_.postbox->IsUnderWay(id)) mail.under_way.push_back(std::move(id));
  mail.outcomes = tools_.postbox->Outcomes(key_);
  if (!system_.spec.subscribers.empty()) mail.room = tools_.postbox->Room(key_);
}

// The status says enough while it describes the Secret that the watch shows, and this process
// believes it. Else the Secret is read.
SystemPass::ReadResult SystemPass::ObserveSecret() {
  const core::SystemStatus& status = system_.status;
  const std::uint64_t digest = StatusDigest(status, system_.pems_digest);
  if (memory_.status.See(digest))
    memory_.depth_check.PlanNext(system_.identity.uid, seen_.now, tools_.check_in_depth_every);
  const auto cached =
      tools_.view.Secret(ObjectKey(system_.identity.namespace_, system_.spec.secret.name));
  const std::string& version = status.secret_resource_version;
  if (cached && IsOurs(*cached, system_.identity) && status.active &&
      version == cached->resource_version && memory_.status.Is(digest))
    described_ = cached;
  // A Secret that the watch does not show may exist all the same, without its label.
  const bool surely_missing =
      !cached && version.empty() && !status.active && !status.inactive && !status.secret_blocked;
  const bool is_due = memory_.depth_check.IsDue(seen_.now);
  if (is_due && system_.spec.secret.pkcs12)
    if (auto read = ReadPassword(); !read) return read;
  if (memory_.read_live || is_due || (!described_ && !surely_missing)) return ReadSecret();
  TakeOver(cached ? ReadSecretByStatus(*cached, system_, tools_.installation)
                  : SecretReading{.state = core::Missing{}});
  return {};
}

SystemPass::ReadResult SystemPass::ReadSecret() {
  auto read = tools_.cluster.ReadSecret(system_.identity.namespace_, system_.spec.secret.name);
  if (!read) return std::unexpected(read.error());
  secret_ = std::move(*read);
  seen_.live.secret = true;
  TakeOver(ReadSecretInDepth(secret_ ? &*secret_ : nullptr, system_, seen_.authority,
                             tools_.installation, tools_.certificates));
  return {};
}

// Only where a key store is made, and once a day to see whether the password has changed: its
// Secret is not in the watch. A password that cannot be read fails no pass, since no certificate
// waits for it.
SystemPass::ReadResult SystemPass::ReadPassword() {
  const core::PasswordReference& reference = *system_.spec.secret.pkcs12;
  const auto secret = tools_.cluster.ReadSecret(system_.identity.namespace_, reference.name);
  if (!secret && secret.error().kind == kube::ApiErrorKind::Cancelled)
    return std::unexpected(secret.error());
  PasswordReading reading = reconcile::ReadPassword(reference, secret);
  seen_.password = std::move(reading.view);
  password_ = std::move(reading.password);
  return {};
}

void SystemPass::TakeOver(SecretReading reading) {
  seen_.secret = std::move(reading.state);
  seen_.secret_resource_version = std::move(reading.resource_version);
  seen_.secret_metadata_differs = reading.metadata_differs;
  seen_.secret_owner_differs = reading.owner_differs;
  seen_.receipt = std::move(reading.receipt);
  seen_.budget = core::Merge(std::move(reading.budget), remembered_);
  seen_.renewed = std::move(reading.renewed);
  seen_.keystore = std::move(reading.keystore);
  seen_.keystore_damaged = reading.keystore_damaged;
}

SystemPass::Ended SystemPass::Learn(core::Need need) {
  switch (need) {
    case core::Need::Secret:
      return LearnSecret();
    case core::Need::Password:
      if (const auto read = ReadPassword(); !read) return FailedBy(read.error());
      return std::nullopt;
    case core::Need::System:
      return LearnSystem();
    case core::Need::Operation:
      break;
  }
  return LearnOperation();
}

SystemPass::Ended SystemPass::LearnSecret() {
  const auto read = ReadSecret();
  if (read) return std::nullopt;
  return decided_.change ? ReadFailed(read.error()) : FailedBy(read.error());
}

SystemPass::Ended SystemPass::LearnSystem() {
  const auto live = tools_.cluster.ReadSystem(system_.identity.namespace_, system_.identity.name);
  if (!live) return FailedBy(live.error());
  if (!*live || (*live)->identity.uid != system_.identity.uid || (*live)->identity.being_deleted)
    return LookAgainLater();
  seen_.live.system = true;
  return std::nullopt;
}

SystemPass::Ended SystemPass::LearnOperation() {
  const std::string& uid = decided_.change->receipt->operation_uid;
  const auto cached =
      std::ranges::find(operations_, uid, [](const auto& o) { return o->operation.uid; });
  if (cached == operations_.end()) return LookAgainLater();
  const auto live = tools_.cluster.ReadOperation((*cached)->namespace_, (*cached)->operation.name);
  if (!live) return FailedBy(live.error());
  if (!*live || (*live)->operation.uid != uid || (*live)->operation.finished)
    return LookAgainLater();
  seen_.live.operation_uid = uid;
  return std::nullopt;
}

// As where the Secret cannot be written: nothing can be changed. What the status says of it, if it
// can be believed, is still worth warnings.
PassResult SystemPass::ReadFailed(const kube::ApiError& error) {
  if (!described_) return FailedBy(error);
  TakeOver(ReadSecretByStatus(*described_, system_, tools_.installation));
  return ChangeFailed(error);
}

}  // namespace certpair::reconcile
