// What a namespace imposes: a quota, and its own end.
#include <algorithm>

#include <gtest/gtest.h>

#include "support/pair_test.hpp"

namespace certpair::test {
namespace {

class NamespaceLimits : public PairTest {
 protected:
  static Json In(const std::string& namespace_, Json object) {
    object["metadata"]["namespace"] = namespace_;
    return object;
  }
  static Json Authority(const std::string& name, const std::string& namespace_) {
    Json authority = GeneratedAuthority(name);
    authority["spec"]["allow"][0]["namespaces"]["names"] = {namespace_};
    return authority;
  }
  static Told ReadyIn(const std::string& namespace_, const std::string& system) {
    return ConditionOf(Get("psys", system, namespace_).value_or(Json::object()), "Ready");
  }
  static bool Becomes(const std::string& namespace_, const std::string& system,
                      const std::string& status, const std::string& reason) {
    return Eventually(
        [&] {
          const Told told = ReadyIn(namespace_, system);
          return told.status == status && told.reason == reason;
        },
        kSoon);
  }
};

TEST_F(NamespaceLimits, A_quota_is_said_once_and_overcome_when_it_is_lifted) {
  OperatorProcess op{WithAdmin()};
  MustKubectl({"create", "namespace", "narrow"});
  Apply({{"apiVersion", "v1"},
         {"kind", "ResourceQuota"},
         {"metadata", {{"name", "none"}, {"namespace", "narrow"}}},
         {"spec", {{"hard", {{"secrets", "0"}}}}}});
  ASSERT_TRUE(Eventually(
      [] {
        return Get("resourcequota", "none", "narrow")
            ->value(Json::json_pointer{"/status/hard"}, Json::object())
            .contains("secrets");
      },
      kSoon));
  Apply(Authority("narrow-ca", "narrow"));
  Apply(In("narrow", System("squeezed", "narrow-ca")));
  EXPECT_TRUE(Becomes("narrow", "squeezed", "False", "SecretWriteFailed"));
  EXPECT_NE(ReadyIn("narrow", "squeezed").message.find("quota"), std::string::npos);
  MustKubectl({"delete", "resourcequota", "none", "-n", "narrow"});
  EXPECT_TRUE(Becomes("narrow", "squeezed", "True", "Valid"));
  const auto reasons = EventReasons("squeezed", "narrow");
  EXPECT_EQ(std::ranges::count(reasons, "SecretWriteFailed"), 1);
}

TEST_F(NamespaceLimits, One_that_is_on_its_way_out_gets_nothing_made_in_it) {
  OperatorProcess op{WithAdmin()};
  MustKubectl({"create", "namespace", "ending"});
  Apply(Authority("ending-ca", "ending"));
  Json system = In("ending", System("last", "ending-ca"));
  system["metadata"]["finalizers"] = {"example.com/hold"};
  Apply(system);
  ASSERT_TRUE(Becomes("ending", "last", "True", "Valid"));
  MustKubectl({"delete", "namespace", "ending", "--wait=false"});
  EXPECT_TRUE(Eventually([] { return !Get("secret", "last-outbound", "ending"); }, kSoon));
  // The system stands until somebody lets it go, and its Secret is not made anew.
  const double issued = op.Metric("certpair_certificates_issued_total");
  MustKubectl({"annotate", "psys", "last", "-n", "ending", "touched=yes"});
  MustKubectl({"patch", "psys", "last", "-n", "ending", "--type=merge", "-p",
               R"({"metadata":{"finalizers":null}})"});
  EXPECT_TRUE(
      Eventually([] { return Kubectl({"get", "namespace", "ending"}).exit_code != 0; }, kSoon));
  EXPECT_EQ(op.Metric("certpair_certificates_issued_total"), issued);
  EXPECT_EQ(op.Log().find(" error "), std::string::npos) << op.Log();
}

}  // namespace
}  // namespace certpair::test
