#include "reconcile/secret_codec.hpp"

#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

using json::At;
using json::Text;
using json::Value;

constexpr std::string_view kLastAppliedAnnotation =
    "kubectl.kubernetes.io/last-applied-configuration";

Value EncodeOwners(const std::vector<OwnerReference>& owners) {
  Value list = Value::array();
  for (const OwnerReference& owner : owners) {
    Value entry{{"apiVersion", owner.api_version},
                {"kind", owner.kind},
                {"name", owner.name},
                {"uid", owner.uid}};
    if (owner.controller) entry["controller"] = true;
    if (owner.blocks_deletion) entry["blockOwnerDeletion"] = true;
    list.push_back(std::move(entry));
  }
  return list;
}

Value EncodeMetadata(const SecretDraft& draft) {
  Value metadata{{"name", draft.name}, {"namespace", draft.namespace_}};
  for (const auto& [name, value] : draft.labels)
    metadata["labels"][name] = value ? Value(*value) : Value();
  for (const auto& [name, value] : draft.annotations)
    metadata["annotations"][name] = value ? Value(*value) : Value();
  if (draft.owners) metadata["ownerReferences"] = EncodeOwners(*draft.owners);
  return metadata;
}

Value EncodeData(const SecretDraft& draft) {
  Value data = Value::object();
  for (const auto& [name, value] : draft.data)
    data[name] = value ? Value(EncodeBase64(value->Reveal())) : Value();
  return data;
}

// Tools leave copies of whole objects in annotations, keys included, as kubectl apply does in
// kubectl.kubernetes.io/last-applied-configuration: none of that is to lie in a cache. What is of
// use here is ours, and what a system's spec put there, which the annotation of ours lists.
bool IsOfUse(const std::string& name, const std::string& listed) {
  if (name == kLastAppliedAnnotation) return false;
  return name.starts_with(kOurPrefix) ||
         fmt::format(" {} ", listed)
             .contains(fmt::format(" {}{} ", kTemplateAnnotationEntry, name));
}

TextMap DecodeAnnotations(const Value& object) {
  const TextMap all = json::DecodeTextMap(object);
  const auto found = all.find(kTemplateAnnotation);
  const std::string listed = found == all.end() ? "" : found->second;
  TextMap kept;
  for (const auto& [name, value] : all)
    if (IsOfUse(name, listed)) kept.emplace_hint(kept.end(), name, value);
  return kept;
}

}  // namespace

SecretMetadata DecodeSecretMetadata(const nlohmann::json& object) {
  const Value& metadata = At(object, "metadata");
  SecretMetadata out{.namespace_ = Text(At(metadata, "namespace")),
                     .name = Text(At(metadata, "name")),
                     .uid = Text(At(metadata, "uid")),
                     .resource_version = Text(At(metadata, "resourceVersion")),
                     .labels = json::DecodeTextMap(At(metadata, "labels")),
                     .annotations = DecodeAnnotations(At(metadata, "annotations")),
                     .owners = {},
                     .being_deleted = !At(metadata, "deletionTimestamp").is_null()};
  for (const Value& owner : At(metadata, "ownerReferences"))
    out.owners.push_back({.api_version = Text(At(owner, "apiVersion")),
                          .kind = Text(At(owner, "kind")),
                          .name = Text(At(owner, "name")),
                          .uid = Text(At(owner, "uid")),
                          .controller = json::Boolean(At(owner, "controller")),
                          .blocks_deletion = json::Boolean(At(owner, "blockOwnerDeletion"))});
  return out;
}

LiveSecret DecodeSecret(nlohmann::json& object) {
  LiveSecret secret;
  secret.metadata = DecodeSecretMetadata(object);
  secret.type = Text(At(object, "type"));
  secret.immutable = json::Boolean(At(object, "immutable"));
  if (!object.contains("data") || !object["data"].is_object()) return secret;
  for (auto& [name, value] : object["data"].items()) {
    if (!value.is_string()) continue;
    const SecretString encoded{std::move(value.get_ref<std::string&>())};
    secret.data.emplace(name, SecretString{DecodeBase64(encoded.Reveal()).value_or("")});
  }
  return secret;
}

nlohmann::json EncodeNewSecret(const SecretDraft& draft) {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"type", "kubernetes.io/tls"},
          {"metadata", EncodeMetadata(draft)},
          {"data", EncodeData(draft)}};
}

nlohmann::json EncodeSecretPatch(const SecretDraft& draft) {
  Value patch{{"metadata", EncodeMetadata(draft)}};
  patch["metadata"]["resourceVersion"] = draft.resource_version;
  patch["metadata"]["uid"] = draft.uid;
  if (!draft.data.empty()) patch["data"] = EncodeData(draft);
  return patch;
}

}  // namespace certpair::reconcile
