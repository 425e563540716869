// A mutating admission policy that changes the label by which the operator watches its Secrets.
#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/pair_test.hpp"

namespace certpair::test {
namespace {

constexpr const char* kPolicy = R"({"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
   "metadata": {"name": "owns-the-label"},
   "spec": {
     "failurePolicy": "Fail", "reinvocationPolicy": "Never",
     "matchConstraints": {"resourceRules": [{
       "apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"],
       "operations": ["CREATE", "UPDATE"]}]},
     "matchConditions": [{"name": "labelled", "expression":
       "has(object.metadata.labels) && 'certpair.dev/system' in object.metadata.labels"}],
     "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression":
       "[JSONPatch{op: \"replace\", path: \"/metadata/labels/app.kubernetes.io~1managed-by\", value: \"platform\"}]"}}]}},
  {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
   "metadata": {"name": "owns-the-label"}, "spec": {"policyName": "owns-the-label"}}]})";

class LabelPolicy : public PairTest {
 protected:
  void TearDown() override {
    (void)Kubectl({"delete", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", "--all"});
    PairTest::TearDown();
  }
};

TEST_F(LabelPolicy, That_hides_a_Secret_from_the_watch_delays_no_operation) {
  const OperatorProcess program{WithAdmin()};
  Apply(GeneratedAuthority("label-ca"));
  Apply(System("labelled", "label-ca"));
  AwaitCondition("psys", "labelled", "Ready", "True", "Valid", kSoon);
  Apply(Json::parse(kPolicy));
  ASSERT_TRUE(Eventually(
      [] {
        const auto tried = Kubectl(
            {"patch", "secret", "-n", "idm", "labelled-outbound", "--type=merge", "-p",
             R"({"metadata":{"annotations":{"a":"b"}}})", "--dry-run=server", "-o", "json"});
        return tried.out.find(R"("app.kubernetes.io/managed-by": "platform")") != std::string::npos;
      },
      kSoon))
      << "the policy is not in effect";

  // An operator that waits for the watch to show its own write takes half a minute and more.
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Operate("labelled-second", "labelled", "Generate").second, "Generated");
  EXPECT_EQ(Operate("labelled-swap", "labelled", "Activate", PairOf("labelled").inactive).second,
            "Activated");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{25});

  AwaitCondition("psys", "labelled", "Ready", "True", "MetadataNotKept", kSoon);
  EXPECT_THAT(ConditionOf(*Get("psys", "labelled"), "Ready").message,
              testing::HasSubstr("label app.kubernetes.io/managed-by"));
}

}  // namespace
}  // namespace certpair::test
