// What is repeated of the API's schema, against crds/ and against the operator's own reading.
#include "actions/fields.hpp"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include "actions/operate.hpp"
#include "actions/system_view.hpp"
#include "reconcile/system_codec.hpp"
#include "support/child.hpp"
#include "support/source.hpp"

namespace certpair::actions {
namespace {

YAML::Node SchemaOf(const std::string& kinds) {
  const YAML::Node crd =
      YAML::LoadFile(test::SourceDir() + "/crds/certpair.dev_" + kinds + ".yaml");
  return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
}

YAML::Node FieldOf(YAML::Node schema, const std::vector<std::string>& path) {
  for (const std::string& name : path) schema.reset(schema["properties"][name]);
  return schema;
}

template <std::size_t size>
void ExpectWords(const YAML::Node& field, const std::array<std::string_view, size>& words) {
  std::vector<std::string> wanted;
  for (const YAML::Node& word : field["enum"]) wanted.push_back(word.Scalar());
  EXPECT_THAT(std::vector<std::string>(words.begin(), words.end()),
              testing::UnorderedElementsAreArray(wanted));
}

TEST(Fields, Words_are_those_of_the_CRDs) {
  const YAML::Node system = SchemaOf("provisioningsystems");
  ExpectWords(FieldOf(system, {"spec", "type"}), fields::kSystemTypes);
  ExpectWords(FieldOf(system, {"spec", "peerMatching"}), fields::kPeerMatchings);
  ExpectWords(FieldOf(system, {"spec", "issuance"}), fields::kIssuances);
  ExpectWords(FieldOf(system, {"spec", "activation", "atExpiry"}), fields::kAtExpiries);
  const YAML::Node operation = SchemaOf("certificateoperations");
  ExpectWords(FieldOf(operation, {"spec", "action"}), fields::kActions);
  for (const Action action : {Action::Generate, Action::Activate, Action::Delete})
    EXPECT_THAT(fields::kActions, testing::Contains(ToString(action)));
}

TEST(Fields, Defaults_are_those_of_the_CRD) {
  const YAML::Node system = SchemaOf("provisioningsystems");
  const auto default_of = [&](const std::vector<std::string>& path) {
    return FieldOf(system, path)["default"].Scalar();
  };
  EXPECT_EQ(default_of({"spec", "peerMatching"}), fields::kPeerMatchingDefault);
  EXPECT_EQ(default_of({"spec", "activation", "atExpiry"}), fields::kAtExpiryDefault);
  EXPECT_EQ(default_of({"spec", "authentication"}), fields::kClientCertificate);
}

TEST(Fields, A_view_has_the_defaults_that_the_operator_has) {
  const nlohmann::json object{{"metadata", {{"name", "abap"}, {"namespace", "idm"}, {"uid", "u"}}},
                              {"spec",
                               {{"type", "Target"},
                                {"authorityRef", {{"name", "ca"}}},
                                {"certificate", {{"subject", {{"commonName", "abap"}}}}}}}};
  const SystemView view = ViewOf(object);
  const reconcile::StoredSystem stored = reconcile::DecodeSystem(object);
  ASSERT_EQ(stored.undecodable, "");
  EXPECT_EQ(view.secret, stored.spec.secret.name);
  EXPECT_EQ(view.display_name, stored.spec.display_name);
  EXPECT_EQ(view.peer_matching, core::ToString(stored.spec.peer_matching));
  EXPECT_EQ(view.HoldsAtExpiry(), stored.spec.at_expiry == core::AtExpiry::Hold);
  EXPECT_EQ(view.automatic, stored.spec.regeneration_enabled);
}

TEST(Fields, What_can_be_supposed_is_a_field_with_its_example) {
  const YAML::Node system = SchemaOf("provisioningsystems");
  for (const fields::Supposable& field : fields::kSupposables) {
    std::vector<std::string> path;
    for (const std::string_view name : field.path)
      if (!name.empty()) path.emplace_back(name);
    const YAML::Node schema = FieldOf(system, path);
    ASSERT_TRUE(schema.IsDefined() && schema.IsMap()) << field.key;
    const YAML::Node words = schema["enum"];
    if (!words.IsDefined()) continue;
    std::vector<std::string> allowed;
    for (const YAML::Node& word : words) allowed.push_back(word.Scalar());
    EXPECT_THAT(allowed, testing::Contains(std::string{field.example})) << field.key;
  }
}

TEST(Fields, What_is_needed_of_a_schema_is_in_the_CRDs) {
  std::string all;
  for (const char* kinds :
       {"provisioningsystems", "certificateoperations", "certificateauthorities"})
    all += test::ReadFile(test::SourceDir() + "/crds/certpair.dev_" + kinds + ".yaml");
  for (const std::string_view field : fields::kNeeded)
    EXPECT_NE(all.find(" " + std::string{field} + ":"), std::string::npos) << field;
}

}  // namespace
}  // namespace certpair::actions
