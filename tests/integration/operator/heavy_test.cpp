// A tenant whose objects are as heavy as the API server lets them be.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>

#include <gmock/gmock.h>

#include "support/operator_test.hpp"
#include "support/process.hpp"

namespace certpair::test {
namespace {

class HeavyTenant : public OperatorTest {};

// 18 MB, of which the operator reads at most 16 MiB at once. With CERTPAIR_HEAVY_LONG=1 it is 78
// MB: the API server writes all of it several times, since a page that is too large costs it as
// much.
int CountOfOperations() { return std::getenv("CERTPAIR_HEAVY_LONG") != nullptr ? 300 : 70; }
constexpr std::chrono::seconds kPatience{120};

Json HeavyOperations(int from, int until) {
  Json items = Json::array();
  for (int i = from; i < until; ++i)
    items.push_back({{"apiVersion", "certpair.dev/v1"},
                     {"kind", "CertificateOperation"},
                     {"metadata",
                      {{"name", "heavy-" + std::to_string(i)},
                       {"namespace", "heavy"},
                       {"annotations", {{"example.com/weight", std::string(262'000, 'x')}}}}},
                     {"spec", {{"systemRef", {{"name", "never-made"}}}, {"action", "Generate"}}}});
  return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}};
}

TEST_F(HeavyTenant, Large_operations_leave_a_restarted_operator_ready) {
  MustKubectl({"create", "namespace", "heavy"});
  const int count = CountOfOperations();
  for (int n = 0; n < count; n += 50)
    MustKubectl({"create", "-f", "-"}, HeavyOperations(n, std::min(count, n + 50)).dump());
  Apply(GeneratedAuthority("beside-heavy"));
  for (const char* system : {"beside-heavy", "beside-heavy-again"}) {
    Apply(System(system, "beside-heavy"));
    OperatorProcess op{WithAdmin()};
    EXPECT_TRUE(Eventually([&] { return op.Ready().starts_with("ok"); }, kPatience))
        << op.Ready() << op.Log();
    AwaitCondition("psys", system, "Ready", "True", {}, kPatience);
    EXPECT_EQ(op.Metric("certpair_objects_left_out"), 0) << op.Ready();
    EXPECT_EQ(op.Metric("certpair_watch_stalled_seconds"), 0) << op.Ready();
    EXPECT_GT(op.Metric("certpair_api_requests_total",
                        {R"(verb="LIST")", R"(resource="certificateoperations")"}),
              2)
        << "the test must reach what it is for";
  }
  MustKubectl({"delete", "namespace", "heavy", "--wait=false"});
}

// A namespace whose ownerReferences fill what etcd takes of one object (1.5 MiB). In JSON each `<`
// is six bytes, so an event of it has more than 8 MiB. No controller knows the kind of the owner.
Json EscapingNamespace(const std::string& name, const Json& labels, std::size_t weight) {
  return {
      {"apiVersion", "v1"},
      {"kind", "Namespace"},
      {"metadata",
       {{"name", name},
        {"labels", labels},
        {"ownerReferences", Json::array({{{"apiVersion", "example.com/v1"},
                                          {"kind", "Ghost"},
                                          {"name", std::string(weight, '<')},
                                          {"uid", "0a0a0a0a-0000-4000-8000-000000000001"}}})}}}};
}
constexpr std::size_t kEscaping = 1'480'000;
const Json kTeam{{"team", "escaping"}};

class EscapingNamespaces : public OperatorTest {
 protected:
  // As the text is: kubectl's own verbs would escape it, and the API server takes 3 MiB.
  void Write(const std::string& verb, const Json& object) {
    const std::string path = folder_ / "namespace.json";
    std::ofstream{path} << object.dump();
    const std::string name = object["metadata"]["name"];
    MustKubectl(
        {verb, "--raw", "/api/v1/namespaces" + (verb == "replace" ? "/" + name : ""), "-f", path});
  }
  static Json SystemIn(const std::string& space, const std::string& name) {
    Json system = System(name, "for-the-team");
    system["metadata"]["namespace"] = space;
    return system;
  }
  static void AwaitReady(const std::string& space, const std::string& name,
                         const std::string& status, const std::string& reason) {
    Told told;
    EXPECT_TRUE(Eventually([&] {
      const auto system = Get("psys", name, space);
      if (!system) return false;
      told = ConditionOf(*system, "Ready");
      return told.status == status && told.reason == reason;
    })) << name
        << ": " << told.status << " " << told.reason << " " << told.message;
  }
  // The watch of namespaces may bring the large event after the watch of systems brings a system.
  static void AwaitWithdrawal(const std::string& space) {
    int systems = 0;
    EXPECT_TRUE(Eventually([&] {
      const std::string name = "early-" + std::to_string(systems++);
      Apply(SystemIn(space, name));
      std::string reason;
      EXPECT_TRUE(Eventually([&] {
        reason = ConditionOf(Get("psys", name, space).value_or(Json::object()), "Ready").reason;
        return reason == "Valid" || reason == "NotAllowed";
      }));
      return reason == "NotAllowed";
    })) << "the label still allows certificates";
  }
  ScratchFolder folder_;
};

TEST_F(EscapingNamespaces, A_large_event_withdraws_a_label_and_stalls_nothing) {
  for (const char* name : {"escaping-a", "escaping-b"})
    Write("create", {{"apiVersion", "v1"},
                     {"kind", "Namespace"},
                     {"metadata", {{"name", name}, {"labels", kTeam}}}});
  Json authority = GeneratedAuthority("for-the-team");
  authority["spec"]["allow"][0]["namespaces"] = {{"selector", {{"matchLabels", kTeam}}}};
  Apply(authority);
  Apply(SystemIn("escaping-a", "before"));
  {
    OperatorProcess op{WithAdmin()};
    AwaitReady("escaping-a", "before", "True", "Valid");
    // One loses its label in the large event, the other keeps it.
    Write("replace", EscapingNamespace("escaping-a", Json::object(), kEscaping));
    Write("replace", EscapingNamespace("escaping-b", kTeam, kEscaping));
    Apply(SystemIn("escaping-b", "still-allowed"));
    AwaitReady("escaping-b", "still-allowed", "True", "Valid");
    AwaitWithdrawal("escaping-a");
    Apply(SystemIn("escaping-a", "withdrawn"));
    AwaitReady("escaping-a", "withdrawn", "False", "NotAllowed");
    EXPECT_EQ(op.Metric("certpair_objects_left_out"), 0) << op.Ready();
    EXPECT_EQ(op.Metric("certpair_watch_stalled_seconds"), 0) << op.Ready();
  }
  // Both in one page are more than the operator reads at once.
  Apply(SystemIn("escaping-a", "after-restart"));
  Apply(SystemIn("escaping-b", "beside-after-restart"));
  {
    OperatorProcess op{WithAdmin()};
    EXPECT_TRUE(Eventually([&] { return op.Ready().starts_with("ok"); })) << op.Ready() << op.Log();
    AwaitReady("escaping-b", "beside-after-restart", "True", "Valid");
    AwaitReady("escaping-a", "after-restart", "False", "NotAllowed");
    EXPECT_GT(
        op.Metric("certpair_api_requests_total", {R"(verb="LIST")", R"(resource="namespaces")"}), 1)
        << "the test must reach what it is for";
    EXPECT_EQ(op.Metric("certpair_objects_left_out"), 0) << op.Ready();
  }
  for (const char* name : {"escaping-a", "escaping-b"}) {
    Write("replace", {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}});
    MustKubectl({"delete", "namespace", name, "--wait=false"});
  }
}

}  // namespace
}  // namespace certpair::test
