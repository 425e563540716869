// What people see with kubectl: columns, selectors, short names, explain; and that a status
// survives.
#include <sstream>

#include "support/source.hpp"
#include "table.hpp"

namespace certpair::test {
namespace {

using Printing = CrdTest;

constexpr const char* kFingerprint =
    "AB:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"
    "EE";

Json Condition(const std::string& type, const std::string& status, const std::string& reason) {
  return {{"type", type},
          {"status", status},
          {"reason", reason},
          {"message", "In words."},
          {"observedGeneration", 1},
          {"lastTransitionTime", "2026-11-23T10:00:00Z"}};
}

// Every field that there is: what the schema does not know would be dropped without a word.
Json FullSystemStatus() {
  Json status = Json::parse(R"({
    "observedGeneration": 1,
    "certificates": [{
      "state": "Active", "fingerprintSHA1": "AB:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22",
      "subject": "CN=printed,O=Example,C=DE", "issuer": "CN=Test CA", "issuerFingerprint": "CD:00",
      "serialNumber": "01:02", "signatureAlgorithm": "ecdsa-with-SHA256", "keyAlgorithm": "RSA", "keySize": 3072,
      "notBefore": "2026-11-23T10:00:00Z", "notAfter": "2027-11-23T10:00:00Z", "pem": "-----BEGIN CERTIFICATE-----\n"}],
    "secretName": "printed-outbound", "secretResourceVersion": "4711", "secretBlocked": true, "heldFingerprint": "EF:00", "expires": "2027-11-23T10:00:00Z",
    "nextTransition": {"at": "2027-11-09T10:00:00Z", "action": "Regenerate"},
    "notifications": {"sent": ["f00d"], "failure": {"id": "f00d", "message": "550 no"}, "delay": {"message": "450 later"}, "summary": [
      {"threshold": "336h", "fingerprint": "AB:00", "at": "2027-11-09T10:00:00Z", "recipients": 12, "failed": 1}]}
  })");
  status["certificates"][0]["fingerprint"] = kFingerprint;
  status["activeFingerprint"] = kFingerprint;
  status["conditions"] = Json::array(
      {Condition("Ready", "True", "CertificateValid"), Condition("InUse", "Unknown", "Unknown")});
  return status;
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

// Without the line breaks that kubectl makes.
std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

// Header and first line of a table, each as words.
std::pair<std::vector<std::string>, std::vector<std::string>> Table(const std::string& text) {
  std::istringstream in(text);
  std::string header;
  std::string line;
  std::getline(in, header);
  std::getline(in, line);
  return {Words(header), Words(line)};
}

using List = std::vector<std::string>;

TEST_F(Printing, A_full_status_of_a_system_survives_and_fills_the_columns) {
  Json system = MinimalSystem();
  system["metadata"]["name"] = "printed";
  system["spec"]["automaticRegeneration"] = {{"enabled", true}};
  Create(system);
  PatchStatus("psys/printed", FullSystemStatus());
  EXPECT_EQ(Get("psys/printed")["status"], FullSystemStatus());

  auto [header, line] = Table(MustKubectl({"get", "-n", "crd", "psys", "printed"}));
  EXPECT_EQ(header, (List{"NAME", "TYPE", "READY", "EXPIRES", "NEXT", "AUTO", "AGE"}));
  ASSERT_EQ(line.size(), 7U);
  line.pop_back();  // the age
  EXPECT_EQ(line, (List{"printed", "Target", "True", "2027-11-23T10:00:00Z", "2027-11-09T10:00:00Z",
                        "true"}));

  std::tie(header, line) =
      Table(MustKubectl({"get", "-n", "crd", "psys", "printed", "-o", "wide"}));
  EXPECT_EQ(header, (List{"NAME", "TYPE", "READY", "EXPIRES", "NEXT", "AUTO", "AGE", "REASON",
                          "ACTION", "AUTHORITY", "SECRET", "FINGERPRINT"}));
  ASSERT_EQ(line.size(), 12U);
  EXPECT_EQ(List(line.begin() + 7, line.end()),
            (List{"CertificateValid", "Regenerate", "ca", "printed-outbound", kFingerprint}));
}

TEST_F(Printing, A_status_cannot_be_smuggled_in_with_the_spec) {
  Json system = MinimalSystem();
  system["metadata"]["name"] = "no-status";
  system["status"] = FullSystemStatus();
  Create(system);
  EXPECT_FALSE(Get("psys/no-status").contains("status"));
}

TEST_F(Printing, An_operation_shows_its_result) {
  Create(MinimalOperation(), "printed");
  const Json status{
      {"conditions",
       {Condition("Complete", "False", "Refused"), Condition("Failed", "True", "LimitReached")}},
      {"fingerprint", kFingerprint},
      {"completionTime", "2026-11-23T10:00:01Z"}};
  PatchStatus("certop/printed", status);
  EXPECT_EQ(Get("certop/printed")["status"], status);
  auto [header, line] = Table(MustKubectl({"get", "-n", "crd", "certop", "printed"}));
  EXPECT_EQ(header, (List{"NAME", "SYSTEM", "ACTION", "COMPLETE", "FAILED", "REASON", "AGE"}));
  ASSERT_EQ(line.size(), 7U);
  line.pop_back();
  EXPECT_EQ(line, (List{"printed", "abap", "Generate", "False", "True", "LimitReached"}));
}

TEST_F(Printing, An_authority_shows_its_subject_and_end) {
  Create(MinimalAuthority(), "printed");
  const Json status{{"observedGeneration", 1},
                    {"conditions", {Condition("Ready", "True", "CanSign")}},
                    {"subject", "CN=Test"},
                    {"notBefore", "2026-11-23T10:00:00Z"},
                    {"notAfter", "2036-11-23T10:00:00Z"},
                    {"fingerprint", kFingerprint},
                    {"chain", "-----BEGIN CERTIFICATE-----\n"},
                    {"earlierFingerprints", {"AA:BB"}}};
  PatchStatus("certca/printed", status);
  EXPECT_EQ(Get("certca/printed")["status"], status);
  auto [header, line] = Table(MustKubectl({"get", "certca", "printed", "-o", "wide"}));
  EXPECT_EQ(header, (List{"NAME", "READY", "SUBJECT", "EXPIRES", "AGE", "REASON", "FINGERPRINT"}));
  ASSERT_EQ(line.size(), 7U);
  line.erase(line.begin() + 4);
  EXPECT_EQ(line,
            (List{"printed", "True", "CN=Test", "2036-11-23T10:00:00Z", "CanSign", kFingerprint}));
}

TEST_F(Printing, Objects_are_selected_by_their_fields) {
  Json system = MinimalSystem();
  system["metadata"]["name"] = "chosen";
  system["spec"]["type"] = "Proxy";
  system["spec"]["authorityRef"]["name"] = "rare-ca";
  system["spec"]["peerMatching"] = "Fingerprint";
  system["spec"]["automaticRegeneration"] = {{"enabled", true}};
  Create(system);
  const std::string rare = "CD:" + std::string(kFingerprint).substr(3);
  PatchStatus("psys/chosen", {{"activeFingerprint", rare}});
  Json operation = MinimalOperation();
  operation["metadata"]["name"] = "chosen";
  operation["spec"] = {
      {"systemRef", {{"name", "chosen"}}}, {"action", "Delete"}, {"fingerprint", rare}};
  Create(operation);
  const auto selected = [](const std::string& kind, const std::string& selector) {
    return MustKubectl({"get", "-n", "crd", kind, "-o", "name", "--field-selector", selector});
  };
  const std::string name = "provisioningsystem.certpair.dev/chosen\n";
  EXPECT_EQ(selected("psys", "spec.type=Proxy"), name);
  EXPECT_EQ(selected("psys", "spec.authorityRef.name=rare-ca"), name);
  EXPECT_EQ(
      selected("psys", "spec.peerMatching=Fingerprint,spec.automaticRegeneration.enabled=true"),
      name);
  EXPECT_EQ(selected("psys", "status.activeFingerprint=" + rare), name);
  EXPECT_EQ(selected("psys", "spec.type=Proxy,spec.automaticRegeneration.enabled=false"), "");
  EXPECT_EQ(selected("certop", "spec.systemRef.name=chosen"),
            "certificateoperation.certpair.dev/chosen\n");
  EXPECT_EQ(selected("certop", "spec.action=Delete"), "certificateoperation.certpair.dev/chosen\n");
}

TEST_F(Printing, One_word_lists_all_three_kinds) {
  Create(MinimalAuthority(), "listed");
  Create(MinimalSystem(), "listed");
  Create(MinimalOperation(), "listed");
  const std::string all = MustKubectl({"get", "certpair", "-A", "-o", "name"});
  EXPECT_NE(all.find("certificateauthority.certpair.dev/listed\n"), std::string::npos) << all;
  EXPECT_NE(all.find("provisioningsystem.certpair.dev/listed\n"), std::string::npos) << all;
  EXPECT_NE(all.find("certificateoperation.certpair.dev/listed\n"), std::string::npos) << all;
}

TEST_F(Printing, kubectl_explain_describes_the_fields) {
  struct Page {
    std::string field;
    std::string says;
  };
  const std::vector<Page> pages{
      {"psys", "A system to which the identity provisioning connects"},
      {"psys.spec.certificate.validity", "Default: 8760h (365 days)"},
      {"psys.spec.certificate.key.size", "The size in bits"},
      {"psys.spec.automaticRegeneration.before", "Default: 336h (14 days)"},
      {"psys.spec.notifications.warnBefore", "Default: 720h, 336h and 72h"},
      {"psys.status.nextTransition", "The next automatic step"},
      {"certop.spec.ttlAfterFinished", "Default: 24h"},
      {"certca.spec.allow", "Default: none, so"},
      {"certca.status.chain", "for the peers"},
  };
  for (const Page& page : pages) {
    std::string text;
    const auto page_says = [&] {
      text = Joined(Words(Kubectl({"explain", page.field}).out));
      return text.find(page.says) != std::string::npos;
    };
    // The API server publishes new kinds to `explain` a moment after it serves them.
    EXPECT_TRUE(Eventually(page_says)) << page.field << "\n" << text;
  }
}

TEST_F(Printing, The_examples_are_accepted_as_they_stand) {
  MustKubectl({"apply", "-f", SourceDir() + "/examples"});
  EXPECT_EQ(
      MustKubectl({"get", "psys", "-n", "idm", "--sort-by=.metadata.name", "-o",
                   "jsonpath={range .items[*]}{.spec.type} {.spec.certificate.key}{\"\\n\"}{end}"}),
      "Target {\"algorithm\":\"ECDSA\",\"size\":256}\n"
      "Proxy {\"algorithm\":\"Ed25519\"}\n"
      "Source {\"algorithm\":\"RSA\",\"size\":3072}\n");
}

}  // namespace
}  // namespace certpair::test
