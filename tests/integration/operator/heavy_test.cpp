// A tenant whose objects are as heavy as the API server lets them be.
#include <gtest/gtest.h>

#include "support/operator_test.hpp"

namespace certpair::test {
namespace {

class HeavyTenant : public OperatorTest {};

// 18 MB in one page of a list, which is more than the operator reads at once.
Json HeavyOperations(int count) {
  Json items = Json::array();
  for (int i = 0; i < count; ++i)
    items.push_back({{"apiVersion", "certpair.dev/v1"},
                     {"kind", "CertificateOperation"},
                     {"metadata",
                      {{"name", "heavy-" + std::to_string(i)},
                       {"namespace", "heavy"},
                       {"annotations", {{"example.com/weight", std::string(260'000, 'x')}}}}},
                     {"spec", {{"systemRef", {{"name", "never-made"}}}, {"action", "Generate"}}}});
  return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}};
}

TEST_F(HeavyTenant, Leaves_a_restarted_operator_ready_and_others_served) {
  MustKubectl({"create", "namespace", "heavy"});
  MustKubectl({"create", "-f", "-"}, HeavyOperations(70).dump());
  Apply(GeneratedAuthority("beside-heavy"));
  Apply(System("beside-heavy", "beside-heavy"));
  {
    OperatorProcess op{WithAdmin()};
    EXPECT_TRUE(Eventually([&] { return op.Ready().starts_with("ok"); })) << op.Ready() << op.Log();
    AwaitCondition("psys", "beside-heavy", "Ready", "True");
    EXPECT_EQ(op.Metric("certpair_objects_left_out"), 0) << op.Ready();
    EXPECT_EQ(op.Metric("certpair_watch_stalled_seconds"), 0) << op.Ready();
    EXPECT_GT(op.Metric("certpair_api_requests_total",
                        {R"(verb="LIST")", R"(resource="certificateoperations")"}),
              2)
        << "the test must reach what it is for";
  }
  MustKubectl({"delete", "namespace", "heavy", "--wait=false"});
}

}  // namespace
}  // namespace certpair::test
