// What the API server says to a CertificateOperation.
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
      "(a SHA-1 "
      "fingerprint has 40 and is not enough)";
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

TEST_F(OperationCrd, Activate_and_Delete_name_a_certificate_and_Generate_does_not) {
  const std::string needed =
      "spec.fingerprint: Invalid value: Activate and Delete need the fingerprint of the "
      "certificate that is meant: see "
      "status.certificates of the system";
  Check(
      MinimalOperation(),
      {{"Generate", Json::object(), ""},
       {"Activate", Step("Activate", nullptr), needed},
       {"Delete", Step("Delete", nullptr), needed},
       {"Generate with one", Step("Generate", Octets(32, ":")),
        "spec.fingerprint: Invalid value: Generate makes a new certificate, so there is no "
        "fingerprint to name: leave "
        "it out"},
       {"no such action", Step("Renew", nullptr),
        R"(spec.action: Unsupported value: "Renew": supported values: "Generate", "Activate", "Delete")"},
       {"no system", Json::parse(R"({"spec": {"systemRef": null}})"),
        "spec.systemRef: Required value"}});
}

TEST_F(OperationCrd, A_time_to_keep_it_may_be_nothing) {
  Check(MinimalOperation(),
        {{"nothing", Kept("0s"), ""},
         {"a week", Kept("168h"), ""},
         {"days", Kept("7d"),
          "spec.ttlAfterFinished: Invalid value: \"7d\": must be hours, minutes and seconds, in "
          "this order, such as "
          "8760h, 36h or 1h30m; there is no unit for days (a day is 24h, a year 8760h)"}});
}

TEST_F(OperationCrd, It_cannot_be_changed_once_made) {
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

TEST_F(OperationCrd, Its_name_can_be_generated) {
  Json operation = MinimalOperation();
  operation["metadata"] = {{"generateName", "generate-abap-"}, {"namespace", "crd"}};
  EXPECT_EQ(AnswerToCreate(operation), "");
}

}  // namespace
}  // namespace certpair::test
