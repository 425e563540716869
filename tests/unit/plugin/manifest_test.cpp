// What `simulate -f` reads: scalars, merge keys, lists, JSON, and the schema of the CRD.
#include "manifest.hpp"

#include <set>

#include <gmock/gmock.h>

#include "scalar.hpp"
#include "schema.hpp"
#include "yaml.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json Read(const std::string& yaml) {
  const auto documents = ParseYaml(yaml);
  if (!documents) return "error: " + documents.error().message;
  return documents->empty() ? json() : documents->front();
}

TEST(Scalar, Is_read_as_kubectl_reads_it) {
  const std::pair<const char*, json> cases[] = {
      {"NO", false},
      {"no", false},
      {"n", false},
      {"Off", false},
      {"y", true},
      {"On", true},
      {"YES", true},
      {"oN", "oN"},
      {"~", nullptr},
      {"", nullptr},
      {"Null", nullptr},
      {"nULL", "nULL"},
      {"0123", 83},
      {"089", 89},
      {"0o17", 15},
      {"0x1F", 31},
      {"-0b11", -3},
      {"0b12", "0b12"},
      {"0x", "0x"},
      {"1_000", 1000},
      {"+5", 5},
      {"9223372036854775807", 9223372036854775807},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      {"18446744073709551615", 18446744073709551615U},
      {"1e3", 1000},
      {"1.5e-1", 0.15},
      {".5", 0.5},
      {"1.", 1},
      {"1e", "1e"},
      {".", "."},
      {"1:30", "1:30"},
      {"2026-01-02", "2026-01-02"},
      {"720h", "720h"},
      {"<<", "<<"},
      {"'NO'", "NO"},
      {"\"0123\"", "0123"},
      {"!!str 0123", "0123"},
      {"!!int '12'", 12},
      {"!!float 1", 1},
      {"!!bool yes", true},
      {"!!timestamp 2026-01-02", "2026-01-02"},
      {"!!binary YWJj", "abc"},
      {"!mine 12", "12"}};
  for (const auto& [text, value] : cases)
    EXPECT_EQ(Read("x: " + std::string{text}), json({{"x", value}})) << text;
  for (const char* bad : {".inf", "-.Inf", ".nan", "!!int x", "!!bool 1", "!!null x", "!!binary ?"})
    EXPECT_FALSE(ParseYaml("x: " + std::string{bad})) << bad;
}

TEST(Scalar, As_a_name_of_a_field_becomes_a_text) {
  EXPECT_EQ(Read("on: 1\n0x10: 2\n1.5: 3\n'no': 4"),
            json({{"true", 1}, {"16", 2}, {"1.5", 3}, {"no", 4}}));
  EXPECT_FALSE(ParseYaml("~: 1"));
  EXPECT_FALSE(ParseYaml("[a]: 1"));
}

TEST(Yaml, A_merge_key_takes_fields_over_where_it_stands) {
  const std::string base = "a: &a {x: 1, y2: 1}\nb: &b {x: 2, z: 2}\n";
  EXPECT_EQ(Read(base + "c: {<<: *a, x: 3}").at("c"), json({{"x", 3}, {"y2", 1}}));
  EXPECT_EQ(Read(base + "c: {x: 3, <<: *a}").at("c"), json({{"x", 1}, {"y2", 1}}));
  EXPECT_EQ(Read(base + "c: {<<: [*a, *b]}").at("c"), json({{"x", 1}, {"y2", 1}, {"z", 2}}));
  EXPECT_EQ(Read("c: {<<: {x: 1}}").at("c"), json({{"x", 1}}));
  EXPECT_EQ(Read("c: {'<<': {x: 1}}").at("c"), json({{"<<", {{"x", 1}}}}));
  for (const char* bad : {"<<: 1", "<<:", "<<: [1]", "a: &a [1]\nb: {<<: *a}"})
    EXPECT_FALSE(ParseYaml(bad)) << bad;
}

TEST(Yaml, Of_a_field_given_twice_the_last_one_counts) {
  EXPECT_EQ(Read("a: 1\na: 2"), json({{"a", 2}}));
}

TEST(Yaml, Documents_are_cut_where_kubectl_cuts_them) {
  EXPECT_EQ(ParseYaml("--- # one\na: 1\n---\n# none\n---\nb: 2\n...\nc: 3\n")->size(), 2U);
  EXPECT_THAT(ParseYaml("a: 1\n--- {b: 2}\n").error().message, HasSubstr("line 2"));
  EXPECT_THAT(ParseYaml("a: 1\n---\nb: [1\n").error().message, HasSubstr("line 4"));
}

TEST(Yaml, Aliases_that_multiply_or_contain_themselves_are_refused) {
  std::string laughs = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 10; ++i) {
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) laughs += (j == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    laughs += "]\n";
  }
  EXPECT_FALSE(ParseYaml(laughs));
  EXPECT_FALSE(ParseYaml("a: &a [*a]"));
  EXPECT_FALSE(ParseYaml("a: &a {<<: *a}"));
}

TEST(Manifest, Takes_lists_apart_and_reads_JSON_one_after_the_other) {
  EXPECT_EQ(ReadManifest("kind: List\nitems: [{kind: A}, {kind: B}]")->size(), 2U);
  const auto typed = ReadManifest("apiVersion: v\nkind: AList\nitems: [{x: 1}, {kind: B}]");
  EXPECT_EQ(typed->front(), json({{"kind", "A"}, {"apiVersion", "v"}, {"x", 1}}));
  EXPECT_EQ(typed->back().at("kind"), "B");
  EXPECT_EQ(ReadManifest("{\"a\": \"}\\\"\"} {\"b\": 1}\n")->size(), 2U);
  EXPECT_EQ(ReadManifest("{\"a\": 1}\n---\nb: 2\n")->size(), 2U);
  EXPECT_EQ(ReadManifest("{a: no}")->front(), json({{"a", false}})) << "YAML in flow style";
  EXPECT_EQ(ReadManifest("{\"a\": \"no\"}")->front(), json({{"a", "no"}}));
  for (const char* bad : {"{} {} x", "{\"a\": [}", "{"}) EXPECT_FALSE(ReadManifest(bad)) << bad;
  EXPECT_FALSE(ReadManifest(std::string(100'000, '{') + "\"a\""));
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "{\"a\":";
  EXPECT_FALSE(ReadManifest(deep + "1" + std::string(200, '}')));
}

json System(const std::string& spec = "", const std::string& metadata = "{name: hr}") {
  return Read("apiVersion: certpair.dev/v1\nkind: ProvisioningSystem\nmetadata: " + metadata +
              "\nspec:\n  type: Source\n  authorityRef: {name: ca}\n"
              "  certificate: {subject: {commonName: hr}}\n" +
              spec);
}

TEST(Manifest, What_the_schema_lacks_is_filled_in) {
  json system = System("  secret:\n  activation: {probe: ~}\n  colour: ~\n");
  EXPECT_THAT(PrepareSystem(system), IsEmpty());
  const json& spec = system.at("spec");
  EXPECT_EQ(spec.at("authentication"), "ClientCertificateAuthentication");
  EXPECT_EQ(spec.at("certificate").at("validity"), "8760h");
  EXPECT_EQ(spec.at("certificate").at("key"), json({{"algorithm", "RSA"}}));
  EXPECT_EQ(spec.at("notifications").at("warnBefore"), json({"720h", "336h", "72h"}));
  EXPECT_EQ(spec.at("secret"), json({{"deletionPolicy", "Delete"}}));
  EXPECT_EQ(spec.at("activation"), json({{"atExpiry", "Activate"}, {"probe", nullptr}}))
      << "null stays where the schema has `nullable`, and means absent";
}

TEST(Manifest, What_the_API_server_would_refuse_is_told_by_its_field) {
  struct Case {
    json system;
    const char* says;
  };
  const Case cases[] = {
      {System("  displayName: NO\n"),
       "spec.displayName: it is a boolean (false), and must be a "
       "text: put it in quotes"},
      {System("  displayName: 0123\n"), "spec.displayName: it is a number (83)"},
      {System("  displayName: ''\n"), "it has 0 characters, and must have at least 1"},
      {System("  colour: red\n"), "spec.colour: unknown field"},
      {System("  issuance: Never\n"), "must be one of Automatic, Manual"},
      {System("  automaticRegeneration: {enabled: 'yes'}\n"), "must be a boolean"},
      {System("  automaticRegeneration: [on]\n"), "is a list, and must be an object"},
      {System("  notifications: {subscribers: [{displayName: Ann}]}\n"),
       "spec.notifications.subscribers[0].email: it is missing"},
      {System("  notifications: {subscribers: [{email: a@b.c}, {email: a@b.c}]}\n"),
       "subscribers[1]: it is there twice"},
      {System("  notifications: {warnBefore: [1h, ~]}\n"), "warnBefore[1]: it is null"},
      {System("  notifications: {warnBefore: [1h,2h,3h,4h,5h,6h,7h,8h,9h]}\n"),
       "it has 9 items, and must have at most 8"},
      {System("  activation: {probe: {acceptStatus: [99]}}\n"), "must be from 100 to 599"},
      {System("  activation: {probe: {acceptStatus: [200.5]}}\n"), "must be an integer"},
      {System("  secret: {labels: {a: on}}\n"), "spec.secret.labels.a: it is a boolean"},
      {System("", "{name: 12}"), "metadata.name: it must be a text"},
      {System("", "{name: ../x}"), "metadata.name: it must be at most 63"},
      {System("", "{generateName: x}"), "metadata.name: it is missing"},
      {System("", "{name: x, labels: {a: yes}}"), "metadata.labels, a: it must be a text"},
      {System("", "{name: x, labels: {a: 'b c'}}"), "not that of a label"},
      {System("", "{name: x, colour: red}"), "metadata.colour: unknown field"},
      {System("", "hello"), "metadata: it must be an object"},
      {Read("kind: ProvisioningSystem\nmetadata: {name: x}"), "apiVersion: it must be"},
      {Read("kind: ProvisioningSystem\nmetadata: {name: x}"), "spec: it is missing"}};
  for (const Case& c : cases) {
    json system = c.system;
    EXPECT_THAT(PrepareSystem(system), Contains(HasSubstr(c.says))) << c.system.dump(2);
  }
}

TEST(Manifest, What_it_says_of_a_field_is_safe_on_a_terminal_and_has_an_end) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "  \"\\e[2J" + std::to_string(i) + "\": 1\n";
  json system = System(many);
  const auto found = PrepareSystem(system);
  EXPECT_EQ(found.size(), 20U);
  for (const std::string& reason : found) EXPECT_EQ(reason.find('\x1b'), std::string::npos);
}

// What a keyword asks for must not be passed over in silence when the CRD begins to use it.
void CollectKeywords(const json& schema, std::set<std::string>& keywords) {
  for (const auto& [keyword, value] : schema.items()) {
    keywords.insert(keyword);
    if (keyword == "properties")
      for (const auto& [name, member] : value.items()) CollectKeywords(member, keywords);
    if (keyword == "items" || keyword == "additionalProperties") CollectKeywords(value, keywords);
  }
}

TEST(Schema, Every_keyword_of_the_CRD_is_known) {
  const std::set<std::string> known{"type",
                                    "description",
                                    "required",
                                    "properties",
                                    "additionalProperties",
                                    "items",
                                    "default",
                                    "enum",
                                    "minLength",
                                    "maxLength",
                                    "minItems",
                                    "maxItems",
                                    "maxProperties",
                                    "minimum",
                                    "maximum",
                                    "format",
                                    "nullable",
                                    "x-kubernetes-preserve-unknown-fields",
                                    "x-kubernetes-list-type",
                                    "x-kubernetes-list-map-keys",
                                    "x-kubernetes-map-type",      // of server-side apply
                                    "x-kubernetes-validations"};  // the API server's alone
  std::set<std::string> keywords;
  CollectKeywords(SystemSchema(), keywords);
  EXPECT_THAT(keywords, testing::IsSubsetOf(known));
  EXPECT_TRUE(keywords.contains("maxLength"));
}

}  // namespace
}  // namespace certpair::plugin
