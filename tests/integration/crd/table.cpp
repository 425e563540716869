#include "table.hpp"

#include <algorithm>
#include <string_view>

namespace certpair::test {
namespace {

// kubectl's words around the API server's answer, before it.
constexpr std::string_view kBefore[] = {
    " is invalid: ", "strict decoding error: ", "Error from server "};

// The API server adds this where the schema was broken, so that CEL was not asked.
constexpr std::string_view kNotAllChecked =
    "<nil>: Invalid value: null: some validation rules were not checked because the object was "
    "invalid; correct "
    "the existing errors to complete validation";

// One complaint a line, as the server gave them.
std::string Complaints(std::string_view text) {
  std::string joined;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("* ")) {
      line.remove_prefix(2);
    }
    if (!line.empty() && line != kNotAllChecked) {
      joined += (joined.empty() ? "" : "\n") + std::string(line);
    }
  }
  return joined.empty() ? "refused without a word" : joined;
}

std::string AnswerIn(const ProcessResult& result) {
  if (result.exit_code == 0) {
    return {};
  }
  for (const std::string_view before : kBefore) {
    const auto at = result.err.find(before);
    if (at != std::string::npos) {
      return Complaints(std::string_view(result.err).substr(at + before.size()));
    }
  }
  return Complaints(result.err);
}

}  // namespace

Json MinimalSystem() {
  return Json::parse(R"({
    "apiVersion": "certpair.dev/v1", "kind": "ProvisioningSystem",
    "metadata": {"name": "abap", "namespace": "crd"},
    "spec": {"type": "Target", "authorityRef": {"name": "ca"}, "certificate": {"subject": {"commonName": "abap"}}}
  })");
}

Json MinimalOperation() {
  return Json::parse(R"({
    "apiVersion": "certpair.dev/v1", "kind": "CertificateOperation",
    "metadata": {"name": "step", "namespace": "crd"},
    "spec": {"systemRef": {"name": "abap"}, "action": "Generate"}
  })");
}

Json MinimalAuthority() {
  return Json::parse(R"({
    "apiVersion": "certpair.dev/v1", "kind": "CertificateAuthority",
    "metadata": {"name": "ca"},
    "spec": {"generated": {"commonName": "Test CA"}}
  })");
}

void CrdTest::SetUp() {
  ControlPlaneTest::SetUp();
  if (IsSkipped() || HasFatalFailure()) {
    return;
  }
  InstallCrds();
  static const bool made = [] {
    MustKubectl({"create", "namespace", "crd"});
    return true;
  }();
  ASSERT_TRUE(made);
}

std::string CrdTest::AnswerToCreate(const Json& manifest) {
  return AnswerIn(Kubectl({"create", "--dry-run=server", "-f", "-"}, manifest.dump()));
}

std::string CrdTest::AnswerToPatch(const std::string& object, const Json& patch) {
  return AnswerIn(Kubectl({"patch", "-n", "crd", object, "--type=merge", "--patch-file=/dev/stdin"},
                          patch.dump()));
}

void CrdTest::Check(const Json& minimal, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Json manifest = minimal;
    manifest.merge_patch(row.patch);
    EXPECT_EQ(AnswerToCreate(manifest), row.answer) << row.what;
  }
}

void CrdTest::Create(const Json& manifest) { MustKubectl({"create", "-f", "-"}, manifest.dump()); }

void CrdTest::Create(Json minimal, const std::string& name, const Json& patch) {
  minimal.merge_patch(patch);
  minimal["metadata"]["name"] = name;
  Create(minimal);
}

void CrdTest::PatchStatus(const std::string& object, const Json& status) {
  MustKubectl({"patch", "-n", "crd", object, "--subresource=status", "--type=merge",
               "--patch-file=/dev/stdin"},
              Json{{"status", status}}.dump());
}

Json CrdTest::Get(const std::string& object) {
  const std::string text = MustKubectl({"get", "-n", "crd", object, "-o", "json"});
  return Json::parse(text, nullptr, false);
}

}  // namespace certpair::test
