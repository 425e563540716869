#include "reconcile/authority_codec.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/time_format.hpp"
#include "reconcile/json.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::reconcile {
namespace {

using json::At;
using json::Text;
using json::Value;

std::vector<core::LabelRequirement> DecodeSelector(const Value& selector) {
  using Operator = core::LabelRequirement::Operator;
  std::vector<core::LabelRequirement> requirements;
  for (const auto& [key, value] : json::DecodeTextMap(At(selector, "matchLabels")))
    requirements.push_back({.key = key, .op = Operator::In, .values = {value}});
  for (const Value& expression : At(selector, "matchExpressions")) {
    const std::string op = Text(At(expression, "operator"));
    requirements.push_back({.key = Text(At(expression, "key")),
                            .op = op == "In"       ? Operator::In
                                  : op == "NotIn"  ? Operator::NotIn
                                  : op == "Exists" ? Operator::Exists
                                                   : Operator::DoesNotExist,
                            .values = json::Texts(At(expression, "values"))});
  }
  return requirements;
}

core::AllowRule DecodeRule(const Value& rule) {
  const Value& namespaces = At(rule, "namespaces");
  return {.namespaces = {.all = json::Boolean(At(namespaces, "all")),
                         .names = json::Texts(At(namespaces, "names")),
                         .labels = DecodeSelector(At(namespaces, "selector"))},
          .common_names = json::Texts(At(rule, "commonNames")),
          .organizations = json::Texts(At(rule, "organizations")),
          .organizational_units = json::Texts(At(rule, "organizationalUnits")),
          .countries = json::Texts(At(rule, "countries")),
          .localities = json::Texts(At(rule, "localities")),
          .provinces = json::Texts(At(rule, "provinces")),
          .required = json::Texts(At(rule, "required"))};
}

core::AuthoritySource DecodeSource(const Value& spec) {
  const Value& generated = At(spec, "generated");
  if (!generated.is_object())
    return core::AuthorityFromSecret{.secret_name = Text(At(spec, "secret", "name"))};
  core::AuthorityGenerated source;
  source.common_name = Text(At(generated, "commonName"));
  source.validity = json::Duration(At(generated, "validity")).value_or(source.validity);
  source.key = DecodeKeySpec(At(generated, "key"), source.key).value_or(source.key);
  return source;
}

}  // namespace

StoredAuthority DecodeAuthority(const nlohmann::json& object) {
  const Value& metadata = At(object, "metadata");
  const Value& status = At(object, "status");
  StoredAuthority out;
  out.identity.uid = Text(At(metadata, "uid"));
  out.identity.name = Text(At(metadata, "name"));
  out.identity.being_deleted = !At(metadata, "deletionTimestamp").is_null();
  out.identity.generation = json::Integer(At(metadata, "generation"));
  out.resource_version = Text(At(metadata, "resourceVersion"));
  out.source = DecodeSource(At(object, "spec"));
  for (const Value& rule : At(object, "spec", "allow")) out.allow.push_back(DecodeRule(rule));
  out.status.observed_generation = json::Integer(At(status, "observedGeneration"));
  out.status.conditions = DecodeConditions(At(status, "conditions"));
  out.status.subject = Text(At(status, "subject"));
  out.status.not_before = json::Time(At(status, "notBefore"));
  out.status.not_after = json::Time(At(status, "notAfter"));
  out.status.fingerprint = Text(At(status, "fingerprint"));
  out.status.earlier_fingerprints = json::Texts(At(status, "earlierFingerprints"));
  out.status.same_key_fingerprints = json::Texts(At(status, "sameKeyFingerprints"));
  out.status.chain = Text(At(status, "chain"));
  out.secret_resource_version = Text(At(status, "secretResourceVersion"));
  return out;
}

nlohmann::json AuthorityStatusPatch(const StoredAuthority& before,
                                    const core::AuthorityStatus& after,
                                    const std::string& secret_resource_version) {
  const core::AuthorityStatus& old = before.status;
  Value patch = Value::object();
  const auto text = [&](const char* field, const std::string& was, const std::string& is) {
    if (was != is) patch[field] = is.empty() ? Value() : Value(is);
  };
  const auto time = [&](const char* field, const std::optional<sys_seconds>& was,
                        const std::optional<sys_seconds>& is) {
    if (was != is) patch[field] = is ? Value(FormatTime(*is)) : Value();
  };
  if (old.observed_generation != after.observed_generation)
    patch["observedGeneration"] = after.observed_generation;
  if (old.conditions != after.conditions) patch["conditions"] = EncodeConditions(after.conditions);
  text("subject", old.subject, after.subject);
  text("fingerprint", old.fingerprint, after.fingerprint);
  text("chain", old.chain, after.chain);
  text("secretResourceVersion", before.secret_resource_version, secret_resource_version);
  time("notBefore", old.not_before, after.not_before);
  time("notAfter", old.not_after, after.not_after);
  if (old.earlier_fingerprints != after.earlier_fingerprints)
    patch["earlierFingerprints"] = after.earlier_fingerprints;
  if (old.same_key_fingerprints != after.same_key_fingerprints)
    patch["sameKeyFingerprints"] = after.same_key_fingerprints;
  if (patch.empty()) return nullptr;
  return {{"status", std::move(patch)}};
}

core::AuthorityView ViewOf(const std::string& name, const StoredAuthority* authority) {
  core::AuthorityView view;
  view.name = name;
  if (authority == nullptr) return view;
  const core::AuthorityStatus& status = authority->status;
  const auto ready = std::ranges::find(status.conditions, "Ready", &core::Condition::type);
  const bool is_ready = ready != status.conditions.end() &&
                        ready->status == core::ConditionStatus::True && status.not_after;
  view.state = is_ready ? core::AuthorityView::State::Ready : core::AuthorityView::State::NotReady;
  view.message =
      ready == status.conditions.end() ? "it has not been looked at yet" : ready->message;
  view.subject = status.subject;
  view.fingerprint = status.fingerprint;
  view.earlier_fingerprints = status.earlier_fingerprints;
  view.same_key_fingerprints = status.same_key_fingerprints;
  view.not_before = status.not_before.value_or(sys_seconds{});
  view.chain_end = status.not_after.value_or(sys_seconds{});
  view.allow = authority->allow;
  return view;
}

}  // namespace certpair::reconcile
