#include "reconcile/operation_codec.hpp"

#include <nlohmann/json.hpp>

#include "base/plain_text.hpp"
#include "base/time_format.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::reconcile {

using json::At;
using json::Text;

StoredOperation DecodeOperation(const nlohmann::json& object) {
  const auto& metadata = At(object, "metadata");
  const auto& spec = At(object, "spec");
  const auto& status = At(object, "status");
  StoredOperation out{.operation = {},
                      .namespace_ = Text(At(metadata, "namespace")),
                      .system = Text(At(spec, "systemRef", "name")),
                      .resource_version = Text(At(metadata, "resourceVersion"))};
  core::Operation& operation = out.operation;
  operation.uid = Text(At(metadata, "uid"));
  operation.name = Text(At(metadata, "name"));
  operation.created = json::Time(At(metadata, "creationTimestamp")).value_or(sys_seconds{});
  operation.name_was_generated = !At(metadata, "generateName").is_null();
  operation.mark = core::ParseFinishedMark(
      Text(At(At(metadata, "annotations"), kFinishedAnnotation)), operation.name);
  if (operation.mark) operation.name_was_generated |= operation.mark->name_was_generated;
  operation.restored = !At(At(metadata, "labels"), kRestoreLabel).is_null();
  operation.being_deleted = !At(metadata, "deletionTimestamp").is_null();
  for (const auto action : {core::OperationAction::Generate, core::OperationAction::Activate,
                            core::OperationAction::Delete})
    if (Text(At(spec, "action")) == core::ToString(action)) operation.action = action;
  const std::string fingerprint = Text(At(spec, "fingerprint"));
  operation.fingerprint = core::CanonicalFingerprint(fingerprint).value_or(fingerprint);
  operation.ttl_after_finished = json::Duration(At(spec, "ttlAfterFinished"));
  for (const core::Condition& condition : DecodeConditions(At(status, "conditions"))) {
    if (condition.status != core::ConditionStatus::True) continue;
    operation.succeeded |= condition.type == "Complete";
    operation.finished |= condition.type == "Complete" || condition.type == "Failed";
  }
  operation.completed_at = json::Time(At(status, "completionTime"));
  return out;
}

nlohmann::json MarkPatch(const StoredOperation& stored, bool succeeded) {
  const core::Operation& operation = stored.operation;
  const core::FinishedMark mark{operation.uid, succeeded, operation.name_was_generated};
  return {
      {"metadata",
       {{"uid", operation.uid},
        {"annotations", {{kFinishedAnnotation, core::FormatFinishedMark(operation.name, mark)}}}}}};
}

nlohmann::json VerdictPatch(const StoredOperation& operation, const core::OperationVerdict& verdict,
                            sys_seconds now) {
  const bool complete = verdict.kind == core::OperationVerdict::Kind::Complete;
  nlohmann::json status{{"conditions", EncodeConditions({{.type = complete ? "Complete" : "Failed",
                                                          .status = core::ConditionStatus::True,
                                                          .reason = verdict.reason,
                                                          .message = PlainText(verdict.message),
                                                          .observed_generation = 1,
                                                          .last_transition = now}})},
                        {"completionTime", FormatTime(now)}};
  if (!verdict.fingerprint.empty()) status["fingerprint"] = verdict.fingerprint;
  return {{"metadata",
           {{"uid", operation.operation.uid}, {"resourceVersion", operation.resource_version}}},
          {"status", std::move(status)}};
}

}  // namespace certpair::reconcile
