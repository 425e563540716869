#include "support/operator_test.hpp"

#include "base/base64.hpp"

namespace certpair::test {

void OperatorTest::SetUp() {
  ControlPlaneTest::SetUp();
  if (HasFatalFailure() || IsSkipped()) return;
  InstallCrds();
  static const bool prepared = [] {
    for (const char* name : {"certpair-system", "idm"}) MustKubectl({"create", "namespace", name});
    return true;
  }();
  EXPECT_TRUE(prepared);
}

OperatorOptions OperatorTest::WithAdmin(std::vector<std::string> arguments) {
  // Alone: a Lease that a killed operator left behind would be waited for.
  arguments.insert(arguments.begin(), "--leader-elect=false");
  return {.kubeconfig = TheControlPlane().Kubeconfig(), .arguments = std::move(arguments)};
}

void OperatorTest::Apply(const Json& object) { MustKubectl({"apply", "-f", "-"}, object.dump()); }

std::optional<Json> OperatorTest::Get(const std::string& resource, const std::string& name,
                                      const std::string& namespace_) {
  const ProcessResult result =
      Kubectl({"get", resource, name, "-n", namespace_, "-o", "json", "--ignore-not-found"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  if (result.out.empty()) return std::nullopt;
  return Json::parse(result.out);
}

OperatorTest::Told OperatorTest::ConditionOf(const Json& object, const std::string& type) {
  const Json conditions = object.value(Json::json_pointer{"/status/conditions"}, Json::array());
  for (const Json& condition : conditions)
    if (condition.value("type", "") == type)
      return {condition.value("status", ""), condition.value("reason", ""),
              condition.value("message", "")};
  return {};
}

void OperatorTest::AwaitCondition(const std::string& resource, const std::string& name,
                                  const std::string& type, const std::string& status,
                                  const std::string& reason, std::chrono::seconds limit) {
  Json last;
  const bool came = Eventually(
      [&] {
        last = Get(resource, name).value_or(Json{});
        const Told told = ConditionOf(last, type);
        return told.status == status && (reason.empty() || told.reason == reason);
      },
      limit);
  EXPECT_TRUE(came) << resource << " " << name << " did not become " << type << "=" << status << " "
                    << reason << ":\n"
                    << last.value("status", Json{}).dump(2);
}

std::vector<std::string> OperatorTest::EventReasons(const std::string& name,
                                                    const std::string& namespace_) {
  const Json list = Json::parse(
      MustKubectl({"get", "events", "-n", namespace_, "-o", "json", "--sort-by=.firstTimestamp",
                   "--field-selector=involvedObject.name=" + name}));
  std::vector<std::string> reasons;
  for (const Json& event : list.at("items")) reasons.push_back(event.value("reason", ""));
  return reasons;
}

std::string OperatorTest::SecretValue(const Json& secret, const std::string& key) {
  const Json data = secret.value("data", Json::object());
  return data.contains(key) ? DecodeBase64(data.at(key).get<std::string>()).value_or("") : "";
}

void OperatorTest::CreateOperation(const std::string& name, const std::string& system,
                                   const std::string& action, const std::string& fingerprint) {
  Json operation{{"apiVersion", "certpair.dev/v1"},
                 {"kind", "CertificateOperation"},
                 {"metadata", {{"name", name}, {"namespace", "idm"}}},
                 {"spec", {{"systemRef", {{"name", system}}}, {"action", action}}}};
  if (!fingerprint.empty()) operation["spec"]["fingerprint"] = fingerprint;
  MustKubectl({"create", "-f", "-"}, operation.dump());
}

Json OperatorTest::GeneratedAuthority(const std::string& name) {
  return {{"apiVersion", "certpair.dev/v1"},
          {"kind", "CertificateAuthority"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"generated", {{"commonName", "CA " + name}}},
            {"allow", Json::array({{{"namespaces", {{"names", {"idm"}}}},
                                    {"commonNames", {"*"}},
                                    {"organizations", {"*"}}}})}}}};
}

Json OperatorTest::AuthorityFromSecret(const std::string& name, const std::string& secret) {
  Json authority = GeneratedAuthority(name);
  authority["spec"].erase("generated");
  authority["spec"]["secret"] = {{"name", secret}};
  return authority;
}

Json OperatorTest::TlsSecret(const std::string& name, const std::string& certificate,
                             const std::string& key, const std::string& namespace_) {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"type", "kubernetes.io/tls"},
          {"metadata", {{"name", name}, {"namespace", namespace_}}},
          {"data", {{"tls.crt", EncodeBase64(certificate)}, {"tls.key", EncodeBase64(key)}}}};
}

Json OperatorTest::System(const std::string& name, const std::string& authority) {
  return {{"apiVersion", "certpair.dev/v1"},
          {"kind", "ProvisioningSystem"},
          {"metadata", {{"name", name}, {"namespace", "idm"}}},
          {"spec",
           {{"type", "Target"},
            {"authorityRef", {{"name", authority}}},
            {"certificate",
             {{"subject", {{"commonName", name}, {"organizations", {"Example"}}}},
              {"key", {{"algorithm", "ECDSA"}, {"size", 256}}}}}}}};
}

}  // namespace certpair::test
