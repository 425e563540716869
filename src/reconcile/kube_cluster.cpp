#include "reconcile/kube_cluster.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reconcile/authority_codec.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/operation_codec.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::reconcile {
namespace {

using kube::ApiResult;
using kube::Shape;

Written WrittenOf(const nlohmann::json& object) {
  return {.uid = json::Text(json::At(object, "metadata", "uid")),
          .resource_version = json::Text(json::At(object, "metadata", "resourceVersion"))};
}

// The first entry of `wanted` that `present` does not have as it was written.
std::string ChangedIn(const std::map<std::string, std::optional<std::string>>& wanted,
                      const nlohmann::json& present, std::string_view kind) {
  for (const auto& [name, value] : wanted) {
    const nlohmann::json& found = json::Member(present, name);
    if (value ? json::Text(found) != *value : !found.is_null())
      return fmt::format("{} {}", kind, name);
  }
  return {};
}

// A mutating webhook or policy may have changed what was written. Its answer tells at once, while a
// watch by label might never show the Secret again.
ApiResult<Written> OutcomeOf(const ApiResult<nlohmann::json>& object, const SecretDraft& draft) {
  if (!object) return std::unexpected(object.error());
  Written written = WrittenOf(*object);
  const nlohmann::json& labels = json::At(*object, "metadata", "labels");
  written.is_watched = json::Text(json::Member(labels, kManagedByLabel)) == kManagedBy;
  written.changed_metadata = ChangedIn(draft.labels, labels, "label");
  if (written.changed_metadata.empty())
    written.changed_metadata =
        ChangedIn(draft.annotations, json::At(*object, "metadata", "annotations"), "annotation");
  return written;
}

// A GET for which a missing object is an answer.
template <class Decode>
auto Read(ApiResult<nlohmann::json> object, Decode decode)
    -> ApiResult<std::optional<decltype(decode(*object))>> {
  if (object) return decode(*object);
  if (object.error().kind == kube::ApiErrorKind::NotFound) return std::nullopt;
  return std::unexpected(std::move(object.error()));
}

ApiResult<Written> OutcomeOf(ApiResult<nlohmann::json> object) {
  if (!object) return std::unexpected(std::move(object.error()));
  return WrittenOf(*object);
}

}  // namespace

ApiResult<std::optional<LiveSecret>> KubeCluster::ReadSecret(const std::string& namespace_,
                                                             const std::string& name) {
  return Read(client_.Get(kSecrets, namespace_, name, hard_stop_), DecodeSecret);
}

ApiResult<std::optional<StoredSystem>> KubeCluster::ReadSystem(const std::string& namespace_,
                                                               const std::string& name) {
  return Read(client_.Get(kSystems, namespace_, name, hard_stop_), DecodeSystem);
}

ApiResult<std::optional<StoredOperation>> KubeCluster::ReadOperation(const std::string& namespace_,
                                                                     const std::string& name) {
  return Read(client_.Get(kOperations, namespace_, name, hard_stop_), DecodeOperation);
}

// The Lease says who writes; the resourceVersions are the fence behind it.
ApiResult<void> KubeCluster::MayWrite() const {
  if (!may_write_ || may_write_()) return {};
  return std::unexpected(
      kube::ApiError{.kind = kube::ApiErrorKind::Cancelled,
                     .message = "another replica leads: nothing is written here"});
}

// What is asked back is the metadata alone: no key travels twice.
ApiResult<Written> KubeCluster::CreateSecret(const SecretDraft& draft) {
  if (const auto may = MayWrite(); !may) return std::unexpected(may.error());
  return OutcomeOf(client_.Create(kSecrets, draft.namespace_, EncodeNewSecret(draft), hard_stop_,
                                  Shape::MetadataOnly),
                   draft);
}

ApiResult<Written> KubeCluster::PatchSecret(const SecretDraft& draft) {
  if (const auto may = MayWrite(); !may) return std::unexpected(may.error());
  return OutcomeOf(client_.MergePatch(kSecrets, draft.namespace_, draft.name, "",
                                      EncodeSecretPatch(draft), hard_stop_, Shape::MetadataOnly),
                   draft);
}

ApiResult<std::optional<Written>> KubeCluster::WriteStatus(const StoredSystem& before,
                                                           const core::SystemStatus& after) {
  nlohmann::json patch = StatusPatch(before, after);
  if (patch.is_null()) return std::nullopt;
  if (const auto may = MayWrite(); !may) return std::unexpected(may.error());
  patch["metadata"] = {{"uid", before.identity.uid}, {"resourceVersion", before.resource_version}};
  return OutcomeOf(client_.MergePatch(kSystems, before.identity.namespace_, before.identity.name,
                                      "status", patch, hard_stop_, Shape::MetadataOnly));
}

ApiResult<std::optional<Written>> KubeCluster::WriteStatus(
    const StoredAuthority& before, const core::AuthorityStatus& after,
    const std::string& secret_resource_version) {
  nlohmann::json patch = AuthorityStatusPatch(before, after, secret_resource_version);
  if (patch.is_null()) return std::nullopt;
  if (const auto may = MayWrite(); !may) return std::unexpected(may.error());
  patch["metadata"] = {{"uid", before.identity.uid}, {"resourceVersion", before.resource_version}};
  return OutcomeOf(client_.MergePatch(kAuthorities, "", before.identity.name, "status", patch,
                                      hard_stop_, Shape::MetadataOnly));
}

ApiResult<void> KubeCluster::Settle(const StoredOperation& operation,
                                    const core::OperationVerdict& verdict, sys_seconds now) {
  if (const auto may = MayWrite(); !may) return std::unexpected(may.error());
  if (verdict.kind == core::OperationVerdict::Kind::Remove)
    return client_.Delete(kOperations, operation.namespace_, operation.operation.name,
                          {.uid = operation.operation.uid, .resource_version = {}}, hard_stop_);
  const auto mark = [&](bool succeeded) {
    return client_.MergePatch(kOperations, operation.namespace_, operation.operation.name, "",
                              MarkPatch(operation, succeeded), hard_stop_, Shape::MetadataOnly);
  };
  if (verdict.kind == core::OperationVerdict::Kind::Mark) {
    const auto marked = mark(operation.operation.succeeded);
    if (!marked) return std::unexpected(marked.error());
    return {};
  }
  const auto patched =
      client_.MergePatch(kOperations, operation.namespace_, operation.operation.name, "status",
                         VerdictPatch(operation, verdict, now), hard_stop_, Shape::MetadataOnly);
  if (!patched) return std::unexpected(patched.error());
  // The status is durable. A mark that fails now is a verdict of its own in a later pass.
  if (!operation.operation.mark) (void)mark(verdict.kind == core::OperationVerdict::Kind::Complete);
  return {};
}

void KubeCluster::Tell(const core::SystemIdentity& system, const core::EventNotice& event) {
  events_.Record({.api_version = std::string{kApiVersion},
                  .kind = "ProvisioningSystem",
                  .namespace_ = system.namespace_,
                  .name = system.name,
                  .uid = system.uid},
                 event.warning ? kube::EventType::Warning : kube::EventType::Normal, event.reason,
                 event.message);
}

void KubeCluster::Tell(const core::AuthorityIdentity& authority,
                       const core::AuthorityEvent& event) {
  events_.Record({.api_version = std::string{kApiVersion},
                  .kind = "CertificateAuthority",
                  .namespace_ = {},
                  .name = authority.name,
                  .uid = authority.uid},
                 event.warning ? kube::EventType::Warning : kube::EventType::Normal, event.reason,
                 event.message);
}

}  // namespace certpair::reconcile
