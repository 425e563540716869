// Templates write `field: null` where a value is not given. kubectl drops such a field; server-side
// apply, which Helm 4 uses, sends it. It means that the field is absent.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "table.hpp"

namespace certpair::test {
namespace {

class Null : public CrdTest {
 protected:
  // Applies it as Helm does, and returns what was refused.
  static std::string AnswerToApply(const Json& manifest) {
    const auto result = Kubectl({"apply", "--server-side", "-f", "-"}, manifest.dump());
    return result.exit_code == 0 ? "" : result.err;
  }
};

Json Named(Json manifest, const std::string& name) {
  manifest["metadata"]["name"] = name;
  return manifest;
}

// Sets each optional member of a spec to null, in all depths, and calls `use` with one null at a
// time.
void WithEachNull(Json& manifest, Json& at, const std::string& path, const Json& schema,
                  const auto& use) {
  const Json required = schema.value("required", Json::array());
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [name, child] : properties.items()) {
    const bool had = at.contains(name);
    const Json before = had ? at[name] : Json();
    const std::string here = path + "." + name;
    if (std::find(required.begin(), required.end(), name) == required.end()) {
      at[name] = nullptr;
      use(here, manifest);
    } else if (child["type"] == "object") {
      if (!had) at[name] = Json::object();
      WithEachNull(manifest, at[name], here, child, use);
    }
    if (had) {
      at[name] = before;
    } else {
      at.erase(name);
    }
  }
}

Json SpecSchema(const std::string& crd) {
  return Json::parse(crd)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
}

TEST_F(Null, Means_absent_in_every_optional_field) {
  struct Kind {
    const char* crd;
    Json minimal;
    const char* alternative;  // of a choice of one, which is made elsewhere
  };
  const Kind kinds[] = {{"provisioningsystems", MinimalSystem(), ""},
                        {"certificateoperations", MinimalOperation(), ""},
                        {"certificateauthorities", MinimalAuthority(), ".generated"}};
  for (const Kind& kind : kinds) {
    const Json schema = SpecSchema(
        MustKubectl({"get", "crd", fmt::format("{}.certpair.dev", kind.crd), "-o", "json"}));
    int count = 0;
    Json manifest = Named(kind.minimal, "null");
    WithEachNull(
        manifest, manifest["spec"], "", schema, [&](const std::string& path, const Json& changed) {
          if (path == kind.alternative) return;
          const auto result =
              Kubectl({"apply", "--server-side", "--dry-run=server", "-f", "-"}, changed.dump());
          EXPECT_EQ(result.exit_code, 0) << kind.crd << path << ": " << result.err;
          ++count;
        });
    EXPECT_GT(count, 0) << kind.crd;
  }
}

TEST_F(Null, In_an_immutable_field_is_no_change) {
  const Json with = Named(MinimalSystem(), "turns-null");
  Json without = with;
  without["spec"]["secret"] = {{"name", nullptr}};
  without["spec"]["certificate"]["subject"]["organizations"] = nullptr;
  EXPECT_EQ(AnswerToApply(with), "");
  EXPECT_EQ(AnswerToApply(without), "");
  EXPECT_EQ(AnswerToApply(with), "");
}

TEST_F(Null, In_a_required_field_is_refused) {
  Json manifest = Named(MinimalSystem(), "no-type");
  manifest["spec"]["type"] = nullptr;
  EXPECT_THAT(AnswerToApply(manifest), testing::HasSubstr("spec.type"));
}

TEST_F(Null, Chooses_no_namespace) {
  for (const char* which :
       {R"({"all": null})", R"({"names": null})", R"({"selector": null})",
        R"({"selector": {"matchLabels": null}})", R"({"selector": {"matchExpressions": null}})"}) {
    Json manifest = Named(MinimalAuthority(), "nowhere");
    manifest["spec"]["allow"] =
        Json::array({{{"namespaces", Json::parse(which)}, {"commonNames", {"*"}}}});
    EXPECT_NE(AnswerToApply(manifest), "") << which;
  }
}

}  // namespace
}  // namespace certpair::test
