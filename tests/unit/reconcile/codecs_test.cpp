// Operations, authorities and Secrets between JSON and values.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "reconcile/authority_codec.hpp"
#include "reconcile/names.hpp"
#include "reconcile/operation_codec.hpp"
#include "reconcile/secret_codec.hpp"

namespace certpair::reconcile {
namespace {

using nlohmann::json;
using std::chrono::hours;
using testing::ElementsAre;

constexpr sys_seconds kNow = std::chrono::sys_days{std::chrono::year{2027} / 11 / 9};

const std::string kFingerprint = [] {
  std::string text = "AB";
  for (int i = 1; i < 32; ++i) text += ":AB";
  return text;
}();

json OperationObject() {
  json object = json::parse(R"({
    "metadata": {"name": "activate-abap-x1", "generateName": "activate-abap-", "namespace": "idm",
                 "uid": "o-1", "resourceVersion": "9", "creationTimestamp": "2027-11-09T00:00:00Z"},
    "spec": {"systemRef": {"name": "abap"}, "action": "Activate", "ttlAfterFinished": "24h"}})");
  object["spec"]["fingerprint"] = std::string(64, 'a');
  return object;
}

TEST(OperationCodec, Every_field_is_read) {
  const StoredOperation stored = DecodeOperation(OperationObject());
  EXPECT_EQ(stored.namespace_, "idm");
  EXPECT_EQ(stored.system, "abap");
  EXPECT_EQ(stored.resource_version, "9");
  core::Operation wanted{.uid = "o-1",
                         .name = "activate-abap-x1",
                         .created = kNow,
                         .action = core::OperationAction::Activate,
                         .fingerprint = stored.operation.fingerprint,
                         .ttl_after_finished = hours{24},
                         .name_was_generated = true};
  EXPECT_EQ(stored.operation, wanted);
}

TEST(OperationCodec, Fingerprints_become_canonical) {
  for (const std::string& typed : {std::string(kFingerprint), [] {
                                     std::string lower;
                                     for (int i = 0; i < 32; ++i) lower += "ab";
                                     return lower;
                                   }()}) {
    json object = OperationObject();
    object["spec"]["fingerprint"] = typed;
    EXPECT_EQ(DecodeOperation(object).operation.fingerprint, kFingerprint);
  }
}

TEST(OperationCodec, A_named_operation_without_a_TTL_says_so) {
  json object = OperationObject();
  object["metadata"].erase("generateName");
  object["spec"].erase("ttlAfterFinished");
  object["spec"]["action"] = "Delete";
  object["metadata"]["deletionTimestamp"] = "2027-11-09T00:00:00Z";
  const auto operation = DecodeOperation(object).operation;
  EXPECT_FALSE(operation.name_was_generated);
  EXPECT_FALSE(operation.ttl_after_finished);
  EXPECT_TRUE(operation.being_deleted);
  EXPECT_EQ(operation.action, core::OperationAction::Delete);
}

TEST(OperationCodec, A_verdict_makes_it_finished) {
  using Kind = core::OperationVerdict::Kind;
  for (const Kind kind : {Kind::Complete, Kind::Fail}) {
    json object = OperationObject();
    const json patch = VerdictPatch(DecodeOperation(object),
                                    {.kind = kind,
                                     .uid = "o-1",
                                     .name = "activate-abap-x1",
                                     .reason = "Activated",
                                     .message = "It is active.",
                                     .fingerprint = kFingerprint},
                                    kNow + hours{1});
    EXPECT_EQ(patch["metadata"]["uid"], "o-1");
    EXPECT_EQ(patch["metadata"]["resourceVersion"], "9");
    EXPECT_EQ(patch["status"]["fingerprint"], kFingerprint);
    object.merge_patch(patch);
    const auto operation = DecodeOperation(object).operation;
    EXPECT_TRUE(operation.finished);
    EXPECT_EQ(operation.succeeded, kind == Kind::Complete);
    EXPECT_EQ(operation.completed_at, kNow + hours{1});
  }
}

TEST(OperationCodec, A_mark_is_read_back_also_where_a_backup_dropped_the_rest) {
  json object = OperationObject();
  const json patch = MarkPatch(DecodeOperation(object), true);
  EXPECT_EQ(patch["metadata"]["uid"], "o-1");
  object.merge_patch(patch);
  object["metadata"].erase("generateName");
  object["metadata"]["uid"] = "o-2";
  object["metadata"]["labels"] = {{"velero.io/restore-name", "r"}};
  const auto operation = DecodeOperation(object).operation;
  EXPECT_EQ(operation.mark, (core::FinishedMark{"o-1", true, true}));
  EXPECT_TRUE(operation.name_was_generated);
  EXPECT_TRUE(operation.restored);
  EXPECT_FALSE(operation.finished);
  object["metadata"]["name"] = "copied";
  EXPECT_FALSE(DecodeOperation(object).operation.mark);
}

TEST(OperationCodec, A_condition_that_is_False_finishes_nothing) {
  json object = OperationObject();
  object["status"]["conditions"] = json::array(
      {{{"type", "Complete"}, {"status", "False"}}, {{"type", "Other"}, {"status", "True"}}});
  EXPECT_FALSE(DecodeOperation(object).operation.finished);
}

json AuthorityObject() {
  return json::parse(R"({
    "metadata": {"name": "ca", "uid": "a-1", "resourceVersion": "3", "generation": 2},
    "spec": {
      "generated": {"commonName": "Demo CA", "validity": "100h", "key": {"algorithm": "RSA", "size": 4096}},
      "allow": [
        {"namespaces": {"names": ["idm"]}, "commonNames": ["abap-*"], "organizations": ["O"],
         "organizationalUnits": ["OU"], "countries": ["DE"], "localities": ["L"], "provinces": ["P"],
         "required": ["countries"]},
        {"namespaces": {"all": true}},
        {"namespaces": {"selector": {"matchLabels": {"team": "a"},
          "matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["x", "y"]},
                               {"key": "e", "operator": "Exists"},
                               {"key": "d", "operator": "DoesNotExist"},
                               {"key": "i", "operator": "In", "values": ["z"]}]}}}]}})");
}

TEST(AuthorityCodec, Every_field_is_read) {
  const StoredAuthority authority = DecodeAuthority(AuthorityObject());
  EXPECT_EQ(authority.identity.uid, "a-1");
  EXPECT_EQ(authority.identity.generation, 2);
  const auto& generated = std::get<core::AuthorityGenerated>(authority.source);
  EXPECT_EQ(generated,
            (core::AuthorityGenerated{"Demo CA", hours{100}, {core::KeyAlgorithm::Rsa, 4096}}));
  ASSERT_EQ(authority.allow.size(), 3U);
  EXPECT_EQ(
      authority.allow[0],
      (core::AllowRule{
          {.names = {"idm"}}, {"abap-*"}, {"O"}, {"OU"}, {"DE"}, {"L"}, {"P"}, {"countries"}}));
  EXPECT_TRUE(authority.allow[1].namespaces.all);
  using Operator = core::LabelRequirement::Operator;
  EXPECT_THAT(authority.allow[2].namespaces.labels,
              ElementsAre(core::LabelRequirement{"team", Operator::In, {"a"}},
                          core::LabelRequirement{"k", Operator::NotIn, {"x", "y"}},
                          core::LabelRequirement{"e", Operator::Exists, {}},
                          core::LabelRequirement{"d", Operator::DoesNotExist, {}},
                          core::LabelRequirement{"i", Operator::In, {"z"}}));
}

TEST(AuthorityCodec, A_Secret_as_its_source) {
  json object = AuthorityObject();
  object["spec"].erase("generated");
  object["spec"]["secret"]["name"] = "corporate";
  EXPECT_EQ(DecodeAuthority(object).SecretName(), "corporate");
}

core::AuthorityStatus AuthorityStatusOf() {
  return {.observed_generation = 2,
          .conditions = {{.type = "Ready",
                          .status = core::ConditionStatus::True,
                          .reason = "Usable",
                          .message = "It signs.",
                          .observed_generation = 2,
                          .last_transition = kNow}},
          .subject = "CN=Demo CA",
          .not_before = kNow,
          .not_after = kNow + hours{100},
          .fingerprint = "AA",
          .earlier_fingerprints = {"BB", "CC"},
          .same_key_fingerprints = {"CC"},
          .chain = "-----BEGIN CERTIFICATE-----\n"};
}

TEST(AuthorityCodec, A_status_comes_back_as_it_was_written_and_is_taken_back) {
  json object = AuthorityObject();
  object.merge_patch(AuthorityStatusPatch(DecodeAuthority(object), AuthorityStatusOf(), "77"));
  const StoredAuthority stored = DecodeAuthority(object);
  EXPECT_EQ(stored.status, AuthorityStatusOf());
  EXPECT_EQ(stored.secret_resource_version, "77");
  EXPECT_TRUE(AuthorityStatusPatch(stored, AuthorityStatusOf(), "77").is_null());
  object.merge_patch(AuthorityStatusPatch(stored, {}, ""));
  EXPECT_EQ(DecodeAuthority(object).status, core::AuthorityStatus{});
  EXPECT_EQ(DecodeAuthority(object).secret_resource_version, "");
  EXPECT_FALSE(object["status"].contains("notAfter"));
}

TEST(AuthorityCodec, A_system_sees_it_as_ready_only_where_its_status_says_so) {
  using State = core::AuthorityView::State;
  EXPECT_EQ(ViewOf("ca", nullptr).state, State::Absent);
  StoredAuthority authority = DecodeAuthority(AuthorityObject());
  EXPECT_EQ(ViewOf("ca", &authority).state, State::NotReady);
  authority.status = AuthorityStatusOf();
  const auto view = ViewOf("ca", &authority);
  EXPECT_EQ(view.state, State::Ready);
  EXPECT_EQ(view.chain_end, kNow + hours{100});
  EXPECT_THAT(view.earlier_fingerprints, ElementsAre("BB", "CC"));
  EXPECT_EQ(view.allow.size(), 3U);
  authority.status.conditions[0].status = core::ConditionStatus::False;
  EXPECT_EQ(ViewOf("ca", &authority).state, State::NotReady);
  EXPECT_EQ(ViewOf("ca", &authority).message, "It signs.");
}

TEST(SecretCodec, A_Secret_is_read_without_its_base64) {
  json object = json::parse(R"({
    "metadata": {"name": "s", "namespace": "idm", "uid": "s-1", "resourceVersion": "5",
                 "labels": {"l": "1"}, "annotations": {"certpair.dev/a": "2"},
                 "deletionTimestamp": "2027-11-09T00:00:00Z",
                 "ownerReferences": [{"apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem",
                                      "name": "abap", "uid": "u-1", "controller": true}]},
    "type": "kubernetes.io/tls", "immutable": true, "data": {"odd": 3, "broken": "%%%"}})");
  object["data"]["tls.crt"] = EncodeBase64("the certificate");
  const LiveSecret secret = DecodeSecret(object);
  EXPECT_EQ(secret.Data("tls.crt"), "the certificate");
  EXPECT_EQ(secret.Data("broken"), "");
  EXPECT_EQ(secret.Data("odd"), "");
  EXPECT_EQ(secret.Data("absent"), "");
  EXPECT_TRUE(secret.immutable);
  EXPECT_EQ(secret.type, "kubernetes.io/tls");
  const SecretMetadata& metadata = secret.metadata;
  EXPECT_EQ(metadata.uid, "s-1");
  EXPECT_EQ(metadata.resource_version, "5");
  EXPECT_EQ(metadata.Label("l"), "1");
  EXPECT_EQ(metadata.Annotation("certpair.dev/a"), "2");
  EXPECT_TRUE(metadata.being_deleted);
  EXPECT_THAT(metadata.owners, ElementsAre(OwnerReference{"certpair.dev/v1", "ProvisioningSystem",
                                                          "abap", "u-1", true}));
  EXPECT_EQ(object["data"]["tls.crt"], "") << "the key must stand in memory once";
}

// What kubectl apply and others leave there may hold the key once more.
TEST(SecretCodec, Of_the_annotations_only_ours_and_those_of_the_spec_are_kept) {
  const json object = json::parse(R"({"metadata": {"annotations": {
    "certpair.dev/system-uid": "u-1",
    "certpair.dev/secret-template": "label:team annotation:example.com/note annotation:note",
    "example.com/note": "ours", "note": "ours too", "ote": "no", "team": "no",
    "kapp.k14s.io/original": "{\"data\": {\"tls.key\": \"a2V5\"}}",
    "kubectl.kubernetes.io/last-applied-configuration": "{\"data\": {\"tls.key\": \"a2V5\"}}"}}})");
  const TextMap kept = DecodeSecretMetadata(object).annotations;
  EXPECT_THAT(kept, ElementsAre(testing::Key("certpair.dev/secret-template"),
                                testing::Key("certpair.dev/system-uid"),
                                testing::Key("example.com/note"), testing::Key("note")));
}

TEST(SecretCodec, Drops_what_kubectl_applied_also_where_it_is_listed) {
  const json object = json::parse(R"({"metadata": {"annotations": {
    "certpair.dev/secret-template": "annotation:kubectl.kubernetes.io/last-applied-configuration",
    "kubectl.kubernetes.io/last-applied-configuration": "{}"}}})");
  EXPECT_EQ(DecodeSecretMetadata(object).annotations.size(), 1U);
}

SecretDraft Draft() {
  SecretDraft draft{.namespace_ = "idm", .name = "s", .resource_version = "5", .uid = "s-1"};
  draft.data["tls.crt"] = SecretString{"new"};
  draft.data["inactive.crt"] = std::nullopt;
  draft.labels = {{"l", "1"}};
  draft.annotations = {{"kept", "x"}, {"gone", std::nullopt}};
  draft.owners = {{OwnerReference{"v1", "Kind", "n", "u", true}}};
  return draft;
}

TEST(SecretCodec, A_new_Secret_is_of_the_type_that_consumers_know) {
  const json object = EncodeNewSecret(Draft());
  EXPECT_EQ(object["type"], "kubernetes.io/tls");
  EXPECT_EQ(object["metadata"]["labels"]["l"], "1");
  EXPECT_EQ(object["metadata"]["ownerReferences"][0]["controller"], true);
  EXPECT_FALSE(object["metadata"].contains("resourceVersion"));
  EXPECT_EQ(object["data"]["tls.crt"], EncodeBase64("new"));
}

TEST(SecretCodec, A_patch_carries_its_preconditions_and_removes_what_is_to_go) {
  json object = json::parse(R"({"metadata": {"annotations": {"gone": "1", "others": "2"}},
                                "data": {"inactive.crt": "b2xk", "others": "eA=="}})");
  const json patch = EncodeSecretPatch(Draft());
  EXPECT_EQ(patch["metadata"]["resourceVersion"], "5");
  EXPECT_EQ(patch["metadata"]["uid"], "s-1");
  object.merge_patch(patch);
  EXPECT_EQ(object["data"], json({{"tls.crt", EncodeBase64("new")}, {"others", "eA=="}}));
  EXPECT_EQ(object["metadata"]["annotations"], json({{"kept", "x"}, {"others", "2"}}));
}

TEST(SecretCodec, A_patch_of_labels_alone_leaves_data_and_owners_alone) {
  SecretDraft draft = Draft();
  draft.data.clear();
  draft.owners.reset();
  const json patch = EncodeSecretPatch(draft);
  EXPECT_FALSE(patch.contains("data"));
  EXPECT_FALSE(patch["metadata"].contains("ownerReferences"));
}

}  // namespace
}  // namespace certpair::reconcile
