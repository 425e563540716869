// What holds for every field of every kind: a limit, a description, a message.
#include <functional>
#include <set>
#include <string>

#include <fmt/format.h>

#include "table.hpp"

namespace certpair::test {
namespace {

using Schema = CrdTest;

using Visit = std::function<void(const std::string& path, const Json& node)>;

void Walk(const std::string& path, const Json& node, const Visit& visit) {
  visit(path, node);
  if (node.contains("properties")) {
    for (const auto& [name, child] : node["properties"].items()) {
      Walk(fmt::format("{}{}{}", path, path.empty() ? "" : ".", name), child, visit);
    }
  }
  if (node.contains("items")) {
    Walk(path + "[]", node["items"], visit);
  }
  if (node.contains("additionalProperties") && node["additionalProperties"].is_object()) {
    Walk(path + "{}", node["additionalProperties"], visit);
  }
}

void WalkAll(const std::string& crds, const Visit& visit) {
  const Json list = Json::parse(crds, nullptr, false);
  ASSERT_TRUE(list.contains("items"));
  int kinds = 0;
  for (const Json& crd : list["items"]) {
    const std::string kind = crd["spec"]["names"]["kind"];
    for (const Json& version : crd["spec"]["versions"]) {
      ++kinds;
      Walk("", version["schema"]["openAPIV3Schema"],
           [&](const std::string& path, const Json& node) {
             visit(fmt::format("{} {}", kind, path), node);
           });
    }
  }
  EXPECT_EQ(kinds, 3);
}

const std::vector<std::string> kGetCrds{"get", "crd", "-o", "json"};

TEST_F(Schema, Everything_that_grows_has_a_limit) {
  WalkAll(MustKubectl(kGetCrds), [](const std::string& path, const Json& node) {
    const std::string type = node.value("type", "");
    EXPECT_FALSE(type.empty()) << path;
    EXPECT_TRUE(type != "string" || node.contains("maxLength")) << path;
    EXPECT_TRUE(type != "array" || node.contains("maxItems")) << path;
    EXPECT_TRUE(type != "array" || node.contains("x-kubernetes-list-type")) << path;
    EXPECT_TRUE(!node.contains("additionalProperties") || node.contains("maxProperties")) << path;
  });
}

TEST_F(Schema, Unknown_fields_are_kept_only_in_status) {
  std::set<std::string> keeping;
  WalkAll(MustKubectl(kGetCrds), [&](const std::string& path, const Json& node) {
    if (node.value("x-kubernetes-preserve-unknown-fields", false)) keeping.insert(path);
  });
  EXPECT_EQ(keeping, (std::set<std::string>{
                         "CertificateAuthority status", "CertificateOperation status",
                         "ProvisioningSystem status", "ProvisioningSystem status.nextTransition",
                         "ProvisioningSystem status.notifications",
                         "ProvisioningSystem status.notifications.delay",
                         "ProvisioningSystem status.notifications.failure"}));
}

TEST_F(Schema, Every_field_is_described_and_names_its_default) {
  WalkAll(MustKubectl(kGetCrds), [](const std::string& path, const Json& node) {
    if (path.ends_with("]") || path.ends_with("}") || path.ends_with(" metadata")) {
      return;  // described by what holds it, or by Kubernetes
    }
    const std::string description = node.value("description", "");
    EXPECT_FALSE(description.empty()) << path;
    if (!node.contains("default") || node["default"].is_object()) {
      return;
    }
    const Json values =
        node["default"].is_array() ? node["default"] : Json::array({node["default"]});
    const auto at = description.find("Default: ");
    ASSERT_NE(at, std::string::npos) << path;
    for (const Json& value : values) {
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      EXPECT_NE(description.find(text, at), std::string::npos)
          << path << " does not name its default " << text;
    }
  });
}

TEST_F(Schema, Every_rule_has_a_message_and_durations_have_no_format) {
  WalkAll(MustKubectl(kGetCrds), [](const std::string& path, const Json& node) {
    for (const Json& rule : node.value("x-kubernetes-validations", Json::array())) {
      EXPECT_TRUE(rule.contains("message")) << path << ": " << rule["rule"];
    }
    EXPECT_NE(node.value("format", ""), "duration")
        << path << ": it takes 365d and P1D, which nobody else parses";
    EXPECT_FALSE(node.contains("pattern")) << path << ": a rule says it better";
  });
}

TEST_F(Schema, The_API_server_has_no_complaint_about_the_CRDs) {
  const Json list = Json::parse(MustKubectl(kGetCrds), nullptr, false);
  for (const Json& crd : list["items"]) {
    for (const Json& condition : crd["status"]["conditions"]) {
      const std::string type = condition["type"];
      const bool good = (type == "NonStructuralSchema") ? condition["status"] == "False"
                                                        : condition["status"] == "True";
      EXPECT_TRUE(good || type == "Terminating") << crd["metadata"]["name"] << ": " << condition;
    }
  }
}

}  // namespace
}  // namespace certpair::test
