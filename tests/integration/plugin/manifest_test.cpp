// `simulate -f` beside kubectl and the API server: of odd documents both take the same ones.
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "integration/plugin/plugin_test.hpp"

namespace certpair::test {
namespace {

// A document, of whose system the name is NAME.
struct Odd {
  const char* what;
  std::string text;
};

std::string Yaml(const std::string& spec, const std::string& metadata = "{name: NAME}") {
  return "apiVersion: certpair.dev/v1\nkind: ProvisioningSystem\nmetadata: " + metadata +
         "\nspec:\n  type: Source\n  authorityRef: {name: ca}\n" + spec;
}
std::string WithSubject(const std::string& subject) {
  return Yaml("  certificate: {subject: {" + subject + "}}\n");
}
std::string With(const std::string& spec) {
  return Yaml("  certificate: {subject: {commonName: hr}}\n" + spec);
}
std::string WithMetadata(const std::string& metadata) {
  return Yaml("  certificate: {subject: {commonName: hr}}\n", metadata);
}

std::vector<Odd> Documents() {
  std::vector<Odd> all{
      {"plain", With("")},
      {"quoted country", WithSubject("commonName: hr, countries: ['NO']")},
      {"country that is false", WithSubject("commonName: hr, countries: [NO]")},
      {"a name that is null", WithSubject("commonName: ~")},
      {"a tagged text", WithSubject("commonName: !!str 0123")},
      {"a merge key", WithSubject("<<: {commonName: hr}, organizations: [x]")},
      {"a merge key in quotes", WithSubject("'<<': {commonName: hr}, commonName: hr")},
      {"a merge key of a number", WithSubject("<<: 1, commonName: hr")},
      {"a merge that overrides", WithSubject("commonName: hr, <<: {commonName: 12}")},
      {"a merge that is overridden", WithSubject("<<: {commonName: 12}, commonName: hr")},
      {"a field twice, good at last", WithSubject("commonName: 12, commonName: hr")},
      {"a field twice, bad at last", WithSubject("commonName: hr, commonName: 12")},
      {"an unknown field", With("  colour: red\n")},
      {"an unknown field of null", With("  colour: ~\n")},
      {"on as a field", With("  on: 1\n")},
      {"a boolean in words", With("  automaticRegeneration: {enabled: y}\n")},
      {"a boolean in quotes", With("  automaticRegeneration: {enabled: 'true'}\n")},
      {"null for a default", With("  secret: ~\n  peerMatching:\n")},
      {"null without a default", With("  displayName: ~\n")},
      {"null in a list", With("  notifications: {warnBefore: [~]}\n")},
      {"null as a label", With("  secret: {labels: {a: ~}}\n")},
      {"an empty text", With("  displayName: ''\n")},
      {"a long text", With("  displayName: " + std::string(257, 'x') + "\n")},
      {"a long text of two octets each", With("  displayName: " +
                                              [] {
                                                std::string text;
                                                for (int i = 0; i < 256; ++i) text += "\xc3\xb6";
                                                return text;
                                              }() +
                                              "\n")},
      {"not of the enum", With("  issuance: automatic\n")},
      {"a list for an object", With("  secret: []\n")},
      {"an octal size", Yaml("  certificate: {subject: {commonName: hr}, key: {size: 04000}}\n")},
      {"a size in float",
       Yaml("  certificate: {subject: {commonName: hr}, key: {size: 3072.0}}\n")},
      {"a size in hex", Yaml("  certificate: {subject: {commonName: hr}, key: {size: 0xC00}}\n")},
      {"a size in text", Yaml("  certificate: {subject: {commonName: hr}, key: {size: '3072'}}\n")},
      {"an address twice",
       With("  notifications: {subscribers: [{email: a@b.cc}, {email: a@b.cc}]}\n")},
      {"a subscriber without address",
       With("  notifications: {subscribers: [{displayName: x}]}\n")},
      {"too many thresholds",
       With("  notifications: {warnBefore: [1h,2h,3h,4h,5h,6h,7h,8h,9h]}\n")},
      {"infinite", With("  displayName: .inf\n")},
      {"a date", With("  displayName: 2026-01-02\n")},
      {"sexagesimal", With("  displayName: 1:30\n")},
      {"no such float", With("  displayName: 1e3x\n")},
      {"status of anything", With("") + "status: {colour: red}\n"},
      {"beside spec", With("") + "specs: {}\n"},
      {"a label of boolean", WithMetadata("{name: NAME, labels: {a: yes}}")},
      {"a label with a blank", WithMetadata("{name: NAME, labels: {a: 'b c'}}")},
      {"an annotation", WithMetadata("{name: NAME, annotations: {a.b/c: 'd e'}}")},
      {"unknown in metadata", WithMetadata("{name: NAME, colour: red}")},
      {"a name with a slash", WithMetadata("{name: NAME/x}")},
      {"a generated name", WithMetadata("{generateName: NAME-}")},
      {"content after the divider", "--- {a: b}\n" + With("")},
      {"a comment after the divider", "--- # hello\n" + With("")},
      {"what follows dots", With("") + "...\nx: [\n"},
      {"an alias", "x-a: &a hr\n" + With("")},
      {"itself", WithSubject("commonName: hr, organizations: &a [*a]")},
      {"a list of kind List",
       R"({"apiVersion":"v1","kind":"List","items":[{"apiVersion":"certpair.dev/v1",
          "kind":"ProvisioningSystem","metadata":{"name":"NAME"},"spec":{"type":"Source",
          "authorityRef":{"name":"ca"},"certificate":{"subject":{"commonName":"hr"}}}}]})"},
      {"JSON with a number",
       R"({"apiVersion":"certpair.dev/v1","kind":"ProvisioningSystem","metadata":{"name":"NAME"},
          "spec":{"type":"Source","authorityRef":{"name":"ca"},
          "certificate":{"subject":{"commonName":12}}}})"},
      {"JSON with a float",
       R"({"apiVersion":"certpair.dev/v1","kind":"ProvisioningSystem","metadata":{"name":"NAME"},
          "spec":{"type":"Source","authorityRef":{"name":"ca"},
          "certificate":{"subject":{"commonName":"NO"},"key":{"size":3072.0}}}})"}};
  for (const char* scalar : {"no", "Yes", "y", "oN", "0123", "089", "0o17", "0x1F", "0b11", "1_000",
                             "1e3", ".5", "+1", "-", "null", "nULL"})
    all.push_back({scalar, WithSubject("commonName: " + std::string{scalar})});
  return all;
}

class Manifest : public PluginTest {};

TEST_F(Manifest, Is_taken_exactly_where_kubectl_and_the_API_server_take_it) {
  const ScratchFolder folder;
  const std::vector<Odd> documents = Documents();
  const auto name_of = [](std::size_t i) { return "odd-" + std::to_string(i); };
  for (std::size_t i = 0; i < documents.size(); ++i) {
    std::string text = documents[i].text;
    text.replace(text.find("NAME"), 4, name_of(i));
    std::ofstream(folder / (name_of(i) + ".yaml")) << text;
  }
  // All at once: kubectl goes on after what it refuses.
  const ProcessResult told =
      Kubectl({"-n", "idm", "apply", "--dry-run=server", "-o", "name", "-f", folder.Path()});
  std::set<std::string> taken;
  std::istringstream lines{told.out};
  for (std::string line; std::getline(lines, line);) taken.insert(line.substr(line.find('/') + 1));
  EXPECT_GT(taken.size(), 10U) << told.err;
  EXPECT_LT(taken.size() + 10, documents.size()) << told.err;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    const ProcessResult ours =
        Certpair({"simulate", "--until", "1d", "-f", folder / (name_of(i) + ".yaml")});
    EXPECT_EQ(ours.exit_code == 0, taken.contains(name_of(i))) << documents[i].what << "\n"
                                                               << documents[i].text << "\n"
                                                               << ours.err << "\n"
                                                               << told.err;
  }
}

}  // namespace
}  // namespace certpair::test
