// What may change on a ProvisioningSystem that is there, and what may not.
#include <chrono>

#include "table.hpp"

namespace certpair::test {
namespace {

using Transition = CrdTest;

const std::string kSubject =
    "cannot be changed, because the peer recognizes the system by its subject: delete the system "
    "and create it again";
const std::string kSecretName =
    "<nil>: Invalid value: spec.secret.name cannot be changed (the default is metadata.name "
    "followed by -outbound): delete the system and create it again";

Json Spec(const Json& spec) { return {{"spec", spec}}; }
Json Subject(const Json& subject) { return Spec({{"certificate", {{"subject", subject}}}}); }
Json SecretName(const Json& name) { return Spec({{"secret", {{"name", name}}}}); }

std::string Refused(const std::string& attribute) {
  return "spec.certificate.subject." + attribute + ": Invalid value: " + kSubject;
}

TEST_F(Transition, No_attribute_of_a_subject_can_change) {
  Create(MinimalSystem(), "subject",
         Subject(Json::parse(
             R"({"organizations": ["A", "B"], "organizationalUnits": ["U"], "countries": ["DE"],
                               "localities": ["L"], "provinces": ["P"]})")));
  const std::vector<Row> rows{
      {"the name", Subject({{"commonName", "other"}}), Refused("commonName")},
      {"the order", Subject({{"organizations", {"B", "A"}}}), Refused("organizations")},
      {"one less", Subject({{"organizations", {"A"}}}), Refused("organizations")},
      {"all gone", Subject({{"organizationalUnits", nullptr}}), Refused("organizationalUnits")},
      {"emptied", Subject({{"countries", Json::array()}}), Refused("countries")},
      {"another", Subject({{"localities", {"M"}}}), Refused("localities")},
      {"one more", Subject({{"provinces", {"P", "Q"}}}), Refused("provinces")},
      {"the same again", Subject({{"organizations", {"A", "B"}}}), ""}};
  for (const Row& row : rows) {
    EXPECT_EQ(AnswerToPatch("psys/subject", row.patch), row.answer) << row.what;
  }
}

TEST_F(Transition, An_absent_list_and_an_empty_one_are_the_same_subject) {
  Create(MinimalSystem(), "empty-lists");
  EXPECT_EQ(AnswerToPatch("psys/empty-lists", Subject({{"organizations", Json::array()}})), "");
  EXPECT_EQ(AnswerToPatch("psys/empty-lists", Subject({{"organizations", nullptr}})), "");
  EXPECT_EQ(AnswerToPatch("psys/empty-lists", Subject({{"organizations", {"New"}}})),
            Refused("organizations"));
}

TEST_F(Transition, Type_and_authority_cannot_change) {
  Create(MinimalSystem(), "fixed");
  EXPECT_EQ(AnswerToPatch("psys/fixed", Spec({{"type", "Source"}})),
            "spec.type: Invalid value: \"Source\": cannot be changed: delete the system and create "
            "it again");
  EXPECT_EQ(AnswerToPatch("psys/fixed", Spec({{"authorityRef", {{"name", "other"}}}})),
            "spec.authorityRef.name: Invalid value: \"other\": cannot be changed, because the peer "
            "recognizes the system by its issuer: delete the system and create it again");
  EXPECT_EQ(AnswerToPatch("psys/fixed", Spec({{"authorityRef", nullptr}})),
            "spec.authorityRef: Required value");
}

TEST_F(Transition, A_given_Secret_name_cannot_change) {
  Create(MinimalSystem(), "named", SecretName("mine"));
  EXPECT_EQ(AnswerToPatch("psys/named", SecretName("other")), kSecretName);
  EXPECT_EQ(AnswerToPatch("psys/named", SecretName(nullptr)), kSecretName)
      << "the first half of a detour";
  EXPECT_EQ(AnswerToPatch("psys/named", Spec({{"secret", nullptr}})), kSecretName)
      << "and the whole of it";
  EXPECT_EQ(AnswerToPatch("psys/named", SecretName("mine")), "");
}

TEST_F(Transition, A_default_Secret_name_may_be_written_out_but_not_changed) {
  Create(MinimalSystem(), "unnamed");
  EXPECT_EQ(AnswerToPatch("psys/unnamed", SecretName("other")), kSecretName);
  EXPECT_EQ(AnswerToPatch("psys/unnamed", SecretName("unnamed-outbound")), "");
  EXPECT_EQ(AnswerToPatch("psys/unnamed", SecretName("other")), kSecretName);
  EXPECT_EQ(AnswerToPatch("psys/unnamed", SecretName(nullptr)), "");
  EXPECT_EQ(AnswerToPatch("psys/unnamed", SecretName("other")), kSecretName);
}

TEST_F(Transition, Everything_else_may_change) {
  Create(MinimalSystem(), "free");
  EXPECT_EQ(AnswerToPatch("psys/free", Json::parse(R"({"spec": {
    "displayName": "Free", "authentication": "OAuth2", "peerMatching": "Fingerprint", "issuance": "Manual",
    "certificate": {"validity": "48h", "key": {"algorithm": "ECDSA"}},
    "secret": {"deletionPolicy": "Retain", "labels": {"team": "x"}, "annotations": {"note": "y"}},
    "automaticRegeneration": {"enabled": true, "before": "12h"}, "activation": {"atExpiry": "Hold"},
    "notifications": {"warnBefore": ["6h"], "subscribers": [{"email": "a@example.com"}]}}})")),
            "");
}

TEST_F(Transition, A_change_of_algorithm_drops_the_old_key_size) {
  Create(MinimalSystem(), "rekeyed");
  EXPECT_EQ(
      AnswerToPatch("psys/rekeyed", Spec({{"certificate", {{"key", {{"algorithm", "ECDSA"}}}}}})),
      "");
  EXPECT_EQ(Get("psys/rekeyed")["spec"]["certificate"]["key"], Json({{"algorithm", "ECDSA"}}));
}

TEST_F(Transition, Each_person_owns_their_entry_of_the_subscribers) {
  Create(MinimalSystem(), "subscribed");
  const auto subscribe = [](const std::string& person) {
    return Kubectl({"apply", "--server-side", "--field-manager=" + person, "-f", "-"},
                   R"({"apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem",
                       "metadata": {"name": "subscribed", "namespace": "crd"},
                       "spec": {"notifications": {"subscribers": [{"email": ")" +
                       person + R"(@example.com"}]}}})");
  };
  EXPECT_EQ(subscribe("ann").exit_code, 0);
  const ProcessResult second = subscribe("bob");
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(Get("psys/subscribed")["spec"]["notifications"]["subscribers"],
            Json::parse(R"([{"email": "ann@example.com"}, {"email": "bob@example.com"}])"));
}

// The CRD of before has neither rule; what it let in stays, and may be taken out.
TEST_F(Transition, Subscribers_older_than_the_rules_stay) {
  const Json crd =
      Json::parse(MustKubectl({"get", "crd", "provisioningsystems.certpair.dev", "-o", "json"}));
  const std::string spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/";
  const std::string items = spec + "notifications/properties/subscribers/items/properties/";
  const auto with_rules = [](const std::string& field, const Json& rules) {
    return Json{{"op", "replace"}, {"path", field + "/x-kubernetes-validations"}, {"value", rules}};
  };
  Json off = Json::array();
  Json on = Json::array();
  for (const std::string& field : {spec + "displayName", items + "displayName", items + "email"}) {
    off.push_back(with_rules(field, Json::array()));
    on.push_back(
        with_rules(field, crd.at(Json::json_pointer{field + "/x-kubernetes-validations"})));
  }
  const auto change = [](const Json& patch) {
    MustKubectl(
        {"patch", "crd", "provisioningsystems.certpair.dev", "--type=json", "-p", patch.dump()});
  };
  const Json old =
      Spec({{"displayName", "https://example.com"},
            {"notifications",
             {{"subscribers", {{{"email", "|x@localhost"}, {"displayName", "a@example.com"}}}}}}});
  change(off);
  Json manifest = MinimalSystem();
  manifest.merge_patch(old);
  EXPECT_TRUE(
      Eventually([&] { return AnswerToCreate(manifest).empty(); }, std::chrono::seconds{30}));
  Create(MinimalSystem(), "lenient", old);
  change(on);
  EXPECT_TRUE(
      Eventually([&] { return !AnswerToCreate(manifest).empty(); }, std::chrono::seconds{30}));
  Json people = old["spec"]["notifications"]["subscribers"];
  people.push_back({{"email", "b@example.com"}});
  EXPECT_EQ(AnswerToPatch("psys/lenient", Spec({{"notifications", {{"subscribers", people}}}})),
            "");
  people.push_back({{"email", "|y@localhost"}});
  EXPECT_NE(AnswerToPatch("psys/lenient", Spec({{"notifications", {{"subscribers", people}}}})),
            "");
}

}  // namespace
}  // namespace certpair::test
