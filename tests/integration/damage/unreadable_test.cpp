// A spec that the kind's schema of other days let in, and this operator does not know.
#include <algorithm>

#include <gtest/gtest.h>

#include "support/pair_test.hpp"
#include "support/source.hpp"

namespace certpair::test {
namespace {

using Unreadable = PairTest;

TEST_F(Unreadable, A_spec_is_told_to_its_owner_and_nothing_is_done_until_it_is_corrected) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("odd-ca"));
  MustKubectl({"patch", "crd", "provisioningsystems.certpair.dev", "--type=json", "-p",
               R"([{"op": "remove",
                    "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/issuance/enum"}])"});
  Json system = System("odd", "odd-ca");
  system["spec"]["issuance"] = "Sometimes";
  EXPECT_TRUE(Eventually(
      [&] { return Kubectl({"apply", "-f", "-"}, system.dump()).exit_code == 0; }, kSoon));
  MustKubectl({"apply", "--server-side", "--force-conflicts", "-f", SourceDir() + "/crds"});
  AwaitCondition("psys", "odd", "Ready", "False", "InvalidSpec", kSoon);
  const Told told = ConditionOf(*Get("psys", "odd"), "Ready");
  EXPECT_TRUE(told.message.starts_with(
      "spec.issuance: this operator does not know the value \"Sometimes\""))
      << told.message;
  EXPECT_TRUE(Eventually([] { return std::ranges::count(EventReasons("odd"), "InvalidSpec") == 1; },
                         kSoon));
  EXPECT_FALSE(Get("secret", "odd-outbound"));

  MustKubectl({"patch", "psys", "-n", "idm", "odd", "--type=merge", "-p",
               R"({"spec":{"issuance":"Automatic"}})"});
  AwaitCondition("psys", "odd", "Ready", "True", "", kSoon);
}

}  // namespace
}  // namespace certpair::test
