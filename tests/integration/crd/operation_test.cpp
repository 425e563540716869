// What the API server says to a CertificateOperation.
#include <chrono>

#include "support/source.hpp"
#include "table.hpp"

namespace certpair::test {
namespace {

using OperationCrd = CrdTest;

std::string Octets(int count, const std::string& between) {
  std::string text = "Ab";
  for (int i = 1; i < count; ++i) {
    text += between + "c9";
  }
  return text;
}

Json Step(const Json& action, const Json& fingerprint) {
  return {{"spec", {{"action", action}, {"fingerprint", fingerprint}}}};
}

Json Kept(const std::string& ttl) { return {{"spec", {{"ttlAfterFinished", ttl}}}}; }

TEST_F(OperationCrd, A_fingerprint_is_SHA_256_in_either_form_and_case) {
  const std::string path = "spec.fingerprint: Invalid value: \"";
  const std::string message =
      "\": must be a SHA-256 fingerprint: 64 hex digits, with or without a colon between each two "
      "(a SHA-1 fingerprint has 40)";
  const std::string sha1 = Octets(20, ":");
  const std::string mixed = "Ab:" + Octets(31, "");
  Check(MinimalOperation(), {{"with colons", Step("Activate", Octets(32, ":")), ""},
                             {"without", Step("Delete", Octets(32, "")), ""},
                             {"SHA-1", Step("Activate", sha1), path + sha1 + message},
                             {"some colons", Step("Activate", mixed), path + mixed + message},
                             {"no hex", Step("Activate", "latest"), path + "latest" + message},
                             {"empty", Step("Activate", ""), path + message},
                             {"too long", Step("Activate", Octets(33, ":")),
                              "spec.fingerprint: Too long: may not be more than 95 bytes"}});
}

TEST_F(OperationCrd, Activate_and_Delete_need_a_fingerprint_and_Generate_has_none) {
  const std::string needed =
      "spec.fingerprint: Invalid value: Activate and Delete need the fingerprint of a certificate: "
      "see status.certificates of the system";
  Check(
      MinimalOperation(),
      {{"Generate", Json::object(), ""},
       {"Activate", Step("Activate", nullptr), needed},
       {"Delete", Step("Delete", nullptr), needed},
       {"Generate with one", Step("Generate", Octets(32, ":")),
        "spec.fingerprint: Invalid value: Generate makes a new certificate: leave the fingerprint "
        "out"},
       {"no such action", Step("Renew", nullptr),
        R"(spec.action: Unsupported value: "Renew": supported values: "Generate", "Activate", "Delete")"},
       {"no system", Json::parse(R"({"spec": {"systemRef": null}})"),
        "spec.systemRef: Required value"}});
}

Json Of(const std::string& system) { return {{"spec", {{"systemRef", {{"name", system}}}}}}; }

TEST_F(OperationCrd, An_operation_names_a_system_by_a_possible_name) {
  const auto refused = [](const std::string& name) {
    return "spec.systemRef.name: Invalid value: \"" + name +
           "\": must be the name of a ProvisioningSystem: lower-case letters, digits, '-' and '.', "
           "with a letter or digit at both ends";
  };
  Check(MinimalOperation(), {{"a name", Of("abap-prod.eu-1"), ""},
                             {"63", Of(std::string(63, 'x')), ""},
                             {"64", Of(std::string(64, 'x')),
                              "spec.systemRef.name: Too long: may not be more than 63 bytes"},
                             {"the folder above", Of(".."), refused("..")},
                             {"a path", Of("a/b"), refused("a/b")},
                             {"an escape", Of("a%2Fb"), refused("a%2Fb")},
                             {"capitals", Of("Abap"), refused("Abap")},
                             {"a label that is empty", Of("a..b"), refused("a..b")},
                             {"a hyphen at its end", Of("abap-"), refused("abap-")}});
}

TEST_F(OperationCrd, An_operation_with_an_impossible_name_is_still_answered) {
  // As before there was a rule: without it, then with it again.
  const std::string crd = "crd/certificateoperations.certpair.dev";
  const std::string crds = SourceDir() + "/crds";
  MustKubectl(
      {"patch", crd, "--type=json", "--patch-file=/dev/stdin"},
      R"([{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/systemRef/properties/name/x-kubernetes-validations"}])");
  Json old = MinimalOperation();
  old.merge_patch(Of("../x"));
  old["metadata"]["name"] = "old";
  EXPECT_TRUE(Eventually([&] { return AnswerToCreate(old).empty(); }, std::chrono::seconds{30}));
  Create(old);
  MustKubectl({"apply", "--server-side", "--force-conflicts", "-f", crds});
  Json next = old;
  next["metadata"]["name"] = "next";
  EXPECT_TRUE(Eventually([&] { return !AnswerToCreate(next).empty(); }, std::chrono::seconds{30}));
  PatchStatus("certop/old", Json::parse(R"({"conditions": [{"type": "Failed", "status": "True",
    "reason": "SystemNotFound", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}]})"));
  EXPECT_EQ(AnswerToPatch("certop/old", Json::parse(R"({"metadata": {"labels": {"a": "b"}}})")),
            "");
}

TEST_F(OperationCrd, ttlAfterFinished_may_be_zero) {
  Check(MinimalOperation(), {{"nothing", Kept("0s"), ""},
                             {"a week", Kept("168h"), ""},
                             {"days", Kept("7d"),
                              "spec.ttlAfterFinished: Invalid value: \"7d\": must be hours, "
                              "minutes and seconds, in this order, such as 8760h, 36h or 1h30m. "
                              "There is no unit for days: a day is 24h, a year 8760h"}});
}

TEST_F(OperationCrd, An_operation_cannot_change) {
  const std::string refused =
      "spec: Invalid value: an operation cannot be changed: create another one";
  Create(MinimalOperation());
  EXPECT_EQ(Get("certop/step")["spec"]["ttlAfterFinished"], "24h");
  EXPECT_EQ(AnswerToPatch("certop/step", Step("Activate", Octets(32, ":"))), refused);
  EXPECT_EQ(AnswerToPatch("certop/step", Kept("1h")), refused);
  EXPECT_EQ(
      AnswerToPatch("certop/step", Json::parse(R"({"spec": {"systemRef": {"name": "other"}}})")),
      refused);
  EXPECT_EQ(AnswerToPatch("certop/step", Json::parse(R"({"metadata": {"labels": {"a": "b"}}})")),
            "");
}

TEST_F(OperationCrd, The_name_of_an_operation_can_be_generated) {
  Json operation = MinimalOperation();
  operation["metadata"] = {{"generateName", "generate-abap-"}, {"namespace", "crd"}};
  EXPECT_EQ(AnswerToCreate(operation), "");
}

}  // namespace
}  // namespace certpair::test
