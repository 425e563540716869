// What the operator sees of the world, and does to it.
#include <tuple>
#include <utility>

#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"
#include "simulation/world.hpp"
#include "support/merge_patch.hpp"

namespace certpair::sim {
namespace {

using kube::ApiError;
using kube::ApiErrorKind;
using reconcile::ObjectKey;
using reconcile::Written;

std::unexpected<ApiError> Refuse(ApiErrorKind kind, int status, const char* message) {
  return std::unexpected(ApiError{
      .kind = kind, .status = status, .reason = {}, .message = message, .retry_after = {}});
}

bool IsWrite(Call call) { return call >= Call::CreateSecret && call <= Call::Settle; }
bool IsSecretWrite(Call call) { return call == Call::CreateSecret || call == Call::PatchSecret; }

bool SameButCertificates(const core::SystemStatus& a, const core::SystemStatus& b) {
  const auto facts = [](const core::SystemStatus& s) {
    return std::tie(s.observed_generation, s.conditions, s.secret_name, s.secret_resource_version,
                    s.next, s.ledger, s.automatic_issuances, s.secret_blocked, s.held_fingerprint);
  };
  return facts(a) == facts(b);
}

// What a merge patch does to a Secret.
void Merge(const reconcile::SecretDraft& draft, SecretObject& secret) {
  test::MergePatch(draft.labels, secret.metadata.labels);
  test::MergePatch(draft.annotations, secret.metadata.annotations);
  if (draft.owners) secret.metadata.owners = *draft.owners;
  for (const auto& [name, value] : draft.data) {
    if (value)
      secret.data[name] = std::string{value->Reveal()};
    else
      secret.data.erase(name);
  }
}

Written WrittenAs(const SecretObject& secret, const reconcile::SecretDraft& draft,
                  const std::string& stripped) {
  const auto& metadata = secret.metadata;
  return {.uid = metadata.uid,
          .resource_version = metadata.resource_version,
          .changed_metadata = draft.labels.contains(stripped) ? "label " + stripped : "",
          .is_watched = stripped != reconcile::kManagedByLabel};
}

}  // namespace

template <class T, class Effect>
kube::ApiResult<T> World::Perform(Call call, Effect effect) {
  ++counts_.at(static_cast<std::size_t>(call));
  const Fault befalls = fault ? fault(call) : Fault::None;
  switch (befalls) {
    case Fault::CrashBefore:
      throw Crash{};
    case Fault::Unreached:
      return Refuse(ApiErrorKind::Transport, 0, "no connection");
    case Fault::ServerError:
      return Refuse(ApiErrorKind::Server, 500, "internal error");
    case Fault::Throttled:
      return std::unexpected(ApiError{.kind = ApiErrorKind::Throttled,
                                      .status = 429,
                                      .reason = {},
                                      .message = "too many requests",
                                      .retry_after = std::chrono::seconds{2}});
    case Fault::Quota:
      if (IsSecretWrite(call)) return Refuse(ApiErrorKind::QuotaExceeded, 403, "exceeded quota");
      break;
    case Fault::Conflict:
      if (IsWrite(call)) return Refuse(ApiErrorKind::Conflict, 409, "the object was modified");
      break;
    case Fault::None:
    case Fault::LostAnswer:
    case Fault::CrashAfter:
      break;
  }
  kube::ApiResult<T> result = effect();
  if (befalls == Fault::CrashAfter) throw Crash{};
  if (befalls == Fault::LostAnswer) return Refuse(ApiErrorKind::Timeout, 0, "no answer in time");
  return result;
}

std::shared_ptr<const reconcile::SecretMetadata> World::Secret(const std::string& key) const {
  const auto cached = secrets_.Cached(key);
  if (!cached || cached->metadata.Label(reconcile::kManagedByLabel) != reconcile::kManagedBy)
    return nullptr;
  return {cached, &cached->metadata};
}

std::vector<OperationPointer> World::OperationsOf(const std::string& system_key) const {
  const auto found = operations_of_.find(system_key);
  return found == operations_of_.end() ? std::vector<OperationPointer>{} : found->second;
}

kube::ApiResult<std::optional<reconcile::LiveSecret>> World::ReadSecret(
    const std::string& namespace_, const std::string& name) {
  using Answer = std::optional<reconcile::LiveSecret>;
  return Perform<Answer>(Call::ReadSecret, [&]() -> kube::ApiResult<Answer> {
    const auto live = secrets_.Live(ObjectKey(namespace_, name));
    if (!live) return std::nullopt;
    reconcile::LiveSecret secret;
    secret.metadata = live->metadata;
    secret.type = live->type;
    secret.immutable = live->immutable;
    for (const auto& [key, value] : live->data) secret.data.emplace(key, SecretString{value});
    return secret;
  });
}

kube::ApiResult<std::optional<reconcile::StoredSystem>> World::ReadSystem(
    const std::string& namespace_, const std::string& name) {
  using Answer = std::optional<reconcile::StoredSystem>;
  return Perform<Answer>(Call::ReadSystem, [&]() -> kube::ApiResult<Answer> {
    const auto live = systems_.Live(ObjectKey(namespace_, name));
    return live ? Answer{*live} : std::nullopt;
  });
}

kube::ApiResult<std::optional<reconcile::StoredOperation>> World::ReadOperation(
    const std::string& namespace_, const std::string& name) {
  using Answer = std::optional<reconcile::StoredOperation>;
  return Perform<Answer>(Call::ReadOperation, [&]() -> kube::ApiResult<Answer> {
    const auto live = operations_.Live(ObjectKey(namespace_, name));
    return live ? Answer{*live} : std::nullopt;
  });
}

kube::ApiResult<Written> World::CreateSecret(const reconcile::SecretDraft& draft) {
  return Perform<Written>(Call::CreateSecret, [&]() -> kube::ApiResult<Written> {
    const std::string key = ObjectKey(draft.namespace_, draft.name);
    if (secrets_.Live(key)) return Refuse(ApiErrorKind::AlreadyExists, 409, "it exists already");
    if (home_ && home_->terminating)
      return Refuse(ApiErrorKind::QuotaExceeded, 403, "being terminated");
    auto secret = std::make_shared<SecretObject>();
    secret->metadata.namespace_ = draft.namespace_;
    secret->metadata.name = draft.name;
    secret->metadata.uid = NextUid("secret-uid-");
    Merge(draft, *secret);
    secret->metadata.labels.erase(strips_label);
    PutSecret(key, secret, true);
    return WrittenAs(*secret, draft, strips_label);
  });
}

kube::ApiResult<Written> World::PatchSecret(const reconcile::SecretDraft& draft) {
  return Perform<Written>(Call::PatchSecret, [&]() -> kube::ApiResult<Written> {
    const std::string key = ObjectKey(draft.namespace_, draft.name);
    const auto live = secrets_.Live(key);
    if (!live) return Refuse(ApiErrorKind::NotFound, 404, "not found");
    if (forbids_changes_of_owners && draft.owners && *draft.owners != live->metadata.owners)
      return Refuse(ApiErrorKind::Forbidden, 403, "you cannot set an ownerRef");
    if (live->metadata.resource_version != draft.resource_version ||
        live->metadata.uid != draft.uid)
      return Refuse(ApiErrorKind::Conflict, 409, "the object was modified");
    auto secret = std::make_shared<SecretObject>(*live);
    Merge(draft, *secret);
    secret->metadata.labels.erase(strips_label);
    if (live->immutable && secret->data != live->data)
      return Refuse(ApiErrorKind::Invalid, 422, "field is immutable");
    if (!SameContent(*secret, *live)) PutSecret(key, secret, true);
    return WrittenAs(*secret, draft, strips_label);
  });
}

kube::ApiResult<std::optional<Written>> World::WriteStatus(const reconcile::StoredSystem& before,
                                                           const core::SystemStatus& after) {
  using Answer = std::optional<Written>;
  // As StatusPatch: certificates count only where they differ and can be written.
  const bool certificates = reconcile::CertificatesDiffer(before, after);
  if (!certificates && SameButCertificates(after, before.status)) return std::nullopt;
  return Perform<Answer>(Call::WriteStatus, [&]() -> kube::ApiResult<Answer> {
    const std::string key = ObjectKey(before.identity.namespace_, before.identity.name);
    const auto live = systems_.Live(key);
    if (!live) return Refuse(ApiErrorKind::NotFound, 404, "not found");
    if (live->resource_version != before.resource_version ||
        live->identity.uid != before.identity.uid)
      return Refuse(ApiErrorKind::Conflict, 409, "the object was modified");
    auto system = std::make_shared<reconcile::StoredSystem>(
        reconcile::StoredSystem{.identity = live->identity,
                                .spec = live->spec,
                                .status = after,
                                .resource_version = {},
                                .pems_digest = live->pems_digest,
                                .undecodable = live->undecodable});
    if (certificates) {
      system->pems_digest = reconcile::PemsDigest(after);
    } else {
      system->status.active = before.status.active;
      system->status.inactive = before.status.inactive;
    }
    for (auto* slot : {&system->status.active, &system->status.inactive})
      if (*slot) (*slot)->pem.clear();
    PutSystem(key, system);
    return Written{.uid = system->identity.uid, .resource_version = system->resource_version};
  });
}

kube::ApiResult<std::optional<Written>> World::WriteStatus(const reconcile::StoredAuthority&,
                                                           const core::AuthorityStatus&,
                                                           const std::string&) {
  return std::nullopt;
}

kube::ApiResult<void> World::Settle(const reconcile::StoredOperation& operation,
                                    const core::OperationVerdict& verdict, sys_seconds now) {
  return Perform<void>(Call::Settle, [&]() -> kube::ApiResult<void> {
    const std::string key = ObjectKey(operation.namespace_, operation.operation.name);
    const auto live = operations_.Live(key);
    if (!live) return Refuse(ApiErrorKind::NotFound, 404, "not found");
    if (live->operation.uid != operation.operation.uid)
      return Refuse(ApiErrorKind::Conflict, 409, "another object of that name");
    const bool removes = verdict.kind == core::OperationVerdict::Kind::Remove;
    const bool marks = verdict.kind == core::OperationVerdict::Kind::Mark;
    if (!removes && !marks && live->resource_version != operation.resource_version)
      return Refuse(ApiErrorKind::Conflict, 409, "the object was modified");
    if (onlookers.settled) onlookers.settled(live, verdict);
    if (removes) {
      DeleteOperation(key);
      return {};
    }
    auto settled = std::make_shared<reconcile::StoredOperation>(*live);
    settled->resource_version = NextVersion();
    const bool succeeded =
        marks ? live->operation.succeeded : verdict.kind == core::OperationVerdict::Kind::Complete;
    settled->operation.mark =
        core::FinishedMark{live->operation.uid, succeeded, live->operation.name_was_generated};
    if (marks) {
      operations_.Set(key, std::move(settled), News());
      return {};
    }
    settled->operation.finished = true;
    settled->operation.succeeded = verdict.kind == core::OperationVerdict::Kind::Complete;
    settled->operation.completed_at = now;
    operations_.Set(key, std::move(settled), News());
    return {};
  });
}

void World::Tell(const core::SystemIdentity& system, const core::EventNotice& event) {
  (void)Perform<void>(Call::Tell, [&]() -> kube::ApiResult<void> {
    if (onlookers.told) onlookers.told(ObjectKey(system.namespace_, system.name), event);
    if (events.size() < events_kept) events.push_back(event);
    return {};
  });
}

}  // namespace certpair::sim
