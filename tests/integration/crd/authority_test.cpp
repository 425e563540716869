// What the API server says to a CertificateAuthority.
#include "table.hpp"

namespace certpair::test {
namespace {

using AuthorityCrd = CrdTest;

Json Allow(const std::string& rules) { return {{"spec", {{"allow", Json::parse(rules)}}}}; }
Json Generated(const Json& generated) { return {{"spec", {{"generated", generated}}}}; }

TEST_F(AuthorityCrd, An_authority_has_exactly_one_source) {
  const std::string refused =
      "spec: Invalid value: must have exactly one of secret (your own key pair) and generated (a "
      "key pair that the operator makes)";
  Check(MinimalAuthority(),
        {{"generated", Json::object(), ""},
         {"a Secret",
          Json::parse(R"({"spec": {"generated": null, "secret": {"name": "corporate-ca"}}})"), ""},
         {"both", Json::parse(R"({"spec": {"secret": {"name": "corporate-ca"}}})"), refused},
         {"neither", Json::parse(R"({"spec": {"generated": null}})"), refused},
         {"an unknown one", Json::parse(R"({"spec": {"generated": null, "vault": {}}})"),
          R"(unknown field "spec.vault")"},
         {"no spec", Json::parse(R"({"spec": null})"), "spec: Required value"},
         {"a Secret without a name", Json::parse(R"({"spec": {"generated": null, "secret": {}}})"),
          "spec.secret.name: Required value"}});
}

TEST_F(AuthorityCrd, A_generated_CA_has_the_limits_of_a_certificate) {
  Check(
      MinimalAuthority(),
      {{"RSA", Generated(Json::parse(R"({"key": {"algorithm": "RSA", "size": 4096}})")), ""},
       {"a size alone is of ECDSA", Generated(Json::parse(R"({"key": {"size": 384}})")), ""},
       {"no name", Generated({{"commonName", nullptr}}),
        "spec.generated.commonName: Required value"},
       {"a long name", Generated({{"commonName", std::string(65, 'x')}}),
        "spec.generated.commonName: Too long: may not be more than 64 bytes"},
       {"ECDSA 2048", Generated(Json::parse(R"({"key": {"algorithm": "ECDSA", "size": 2048}})")),
        "spec.generated.key.size: Invalid value: an ECDSA key has 256 (P-256) or 384 (P-384) bits"},
       {"one minute", Generated({{"validity", "1m"}}),
        "spec.generated.validity: Invalid value: \"1m\": must be at least two minutes (2m)"},
       {"years", Generated({{"validity", "10y"}}),
        "spec.generated.validity: Invalid value: \"10y\": must be hours, minutes and seconds, in "
        "this order, such as 8760h, 36h or 1h30m. There is no unit for days: a day is 24h, a year "
        "8760h"}});
}

TEST_F(AuthorityCrd, A_rule_requires_only_attributes_for_which_it_has_patterns) {
  const auto rule = [](const std::string& rest) {
    return Allow(R"([{"namespaces": {"all": true}, "commonNames": ["*"])" + rest + "}]");
  };
  const std::string refused =
      "spec.allow[0].required: Invalid value: must list only attributes for which the rule has "
      "patterns, because no subject could fulfil it otherwise";
  Check(MinimalAuthority(),
        {{"none", rule(R"(, "required": [])"), ""},
         {"one with patterns", rule(R"(, "organizations": ["*"], "required": ["organizations"])"),
          ""},
         {"all", rule(R"(, "organizations": ["*"], "organizationalUnits": ["*"], "countries": ["*"],
                  "localities": ["*"], "provinces": ["*"], "required": ["organizations",
                  "organizationalUnits", "countries", "localities", "provinces"])"),
          ""},
         {"one without", rule(R"(, "countries": ["*"], "required": ["organizations"])"), refused},
         {"one with an empty list", rule(R"(, "organizations": [], "required": ["organizations"])"),
          refused},
         {"an unknown one", rule(R"(, "required": ["emails"])"),
          "spec.allow[0].required[0]: Unsupported value: \"emails\": supported values: "
          "\"organizations\", \"organizationalUnits\", \"countries\", \"localities\", "
          "\"provinces\""},
         {"the common name", rule(R"(, "required": ["commonName"])"),
          "spec.allow[0].required[0]: Unsupported value: \"commonName\": supported values: "
          "\"organizations\", \"organizationalUnits\", \"countries\", \"localities\", "
          "\"provinces\""}});
}

TEST_F(AuthorityCrd, The_name_of_a_generated_CA_must_fit_into_a_label) {
  const auto named = [](std::size_t length) {
    return Json{{"metadata", {{"name", std::string(length, 'x')}}}};
  };
  Json brought =
      Json::parse(R"({"spec": {"generated": null, "secret": {"name": "corporate-ca"}}})");
  brought["metadata"] = named(64)["metadata"];
  Check(MinimalAuthority(),
        {{"63", named(63), ""},
         {"64", named(64),
          "<nil>: Invalid value: metadata.name of a generated authority must have at most 63 "
          "characters, because it becomes the value of a label of its Secret"},
         {"64, with a Secret that is there", brought, ""}});
}

TEST_F(AuthorityCrd, A_rule_needs_namespaces_and_common_names) {
  const std::string nobody =
      "spec.allow[0].namespaces: Invalid value: must select namespaces: give names, a selector or "
      "all: true";
  const std::string empty_selector =
      "spec.allow[0].namespaces.selector: Invalid value: must not be empty: to select all "
      "namespaces, write all: true";
  const std::string values =
      "spec.allow[0].namespaces.selector.matchExpressions[0].values: Invalid value: In and NotIn "
      "need values, and Exists and DoesNotExist have none";
  Check(
      MinimalAuthority(),
      {{"nobody", Allow("[]"), ""},
       {"names",
        Allow(
            R"([{"namespaces": {"names": ["idm"]}, "commonNames": ["abap-*"], "organizations": ["*"]}])"),
        ""},
       {"all", Allow(R"([{"namespaces": {"all": true}, "commonNames": ["*"]}])"), ""},
       {"labels",
        Allow(
            R"([{"namespaces": {"selector": {"matchLabels": {"team": "idm"}}}, "commonNames": ["*"]}])"),
        ""},
       {"expressions", Allow(R"([{"namespaces": {"selector": {"matchExpressions": [
            {"key": "team", "operator": "In", "values": ["a"]}, {"key": "test", "operator": "DoesNotExist"}]}}, "commonNames": ["*"]}])"),
        ""},
       {"an empty rule", Allow("[{}]"),
        "spec.allow[0].namespaces: Required value\nspec.allow[0].commonNames: Required value"},
       {"no namespace", Allow(R"([{"namespaces": {}, "commonNames": ["*"]}])"), nobody},
       {"not all", Allow(R"([{"namespaces": {"all": false}, "commonNames": ["*"]}])"), nobody},
       {"no names", Allow(R"([{"namespaces": {"names": []}, "commonNames": ["*"]}])"), nobody},
       {"an empty selector", Allow(R"([{"namespaces": {"selector": {}}, "commonNames": ["*"]}])"),
        empty_selector},
       {"In without values",
        Allow(
            R"([{"namespaces": {"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}, "commonNames": ["*"]}])"),
        values},
       {"Exists with values",
        Allow(
            R"([{"namespaces": {"selector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}}, "commonNames": ["*"]}])"),
        values},
       {"no namespace's name",
        Allow(R"([{"namespaces": {"names": ["idm", "a/b"]}, "commonNames": ["*"]}])"),
        "spec.allow[0].namespaces.names[1]: Invalid value: \"a/b\": must be the name of a "
        "namespace: lower-case letters, digits and '-', with a letter or digit at both ends"},
       {"no common name", Allow(R"([{"namespaces": {"all": true}}])"),
        "spec.allow[0].commonNames: Required value"},
       {"an empty pattern", Allow(R"([{"namespaces": {"all": true}, "commonNames": [""]}])"),
        "spec.allow[0].commonNames[0]: Invalid value: \"\": spec.allow[0].commonNames[0] in body "
        "should be at least 1 chars long"},
       {"misspelt",
        Allow(R"([{"namespaces": {"all": true}, "commonNames": ["*"], "organisations": ["*"]}])"),
        R"(unknown field "spec.allow[0].organisations")"}});
}

TEST_F(AuthorityCrd, A_generated_CA_cannot_change_but_its_rules_can) {
  Create(MinimalAuthority());
  const Json generated = Get("certca/ca")["spec"];
  EXPECT_EQ(
      generated,
      Json::parse(
          R"({"generated": {"commonName": "Test CA", "validity": "87600h", "key": {"algorithm": "ECDSA"}}})"))
      << "the defaults, and nobody allowed";
  const std::string refused =
      "spec.generated: Invalid value: cannot be changed, because a CA is made only once: create "
      "another CertificateAuthority";
  EXPECT_EQ(AnswerToPatch("certca/ca", Generated({{"commonName", "Other CA"}})), refused);
  EXPECT_EQ(AnswerToPatch("certca/ca", Generated({{"key", {{"size", 384}}}})), refused);
  EXPECT_EQ(
      AnswerToPatch("certca/ca", Allow(R"([{"namespaces": {"all": true}, "commonNames": ["*"]}])")),
      "");
}

TEST_F(AuthorityCrd, A_generated_CA_cannot_change_by_way_of_a_Secret) {
  Create(MinimalAuthority(), "detour");
  EXPECT_EQ(
      AnswerToPatch("certca/detour",
                    Json::parse(R"({"spec": {"generated": null, "secret": {"name": "mine"}}})")),
      "")
      << "a CA of one's own may take its place";
  EXPECT_EQ(AnswerToPatch("certca/detour", Json::parse(R"({"spec": {"secret": null,
                "generated": {"commonName": "Other CA"}}})")),
            "spec.generated: Invalid value: cannot be added later, because a CA is made only once: "
            "create another CertificateAuthority");
}

}  // namespace
}  // namespace certpair::test
