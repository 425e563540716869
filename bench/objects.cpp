#include "objects.hpp"

namespace certpair::bench {

using nlohmann::json;

json Authority() {
  return {{"apiVersion", "certpair.dev/v1"},
          {"kind", "CertificateAuthority"},
          {"metadata", {{"name", "bench-ca"}}},
          {"spec",
           {{"generated", {{"commonName", "Bench CA"}}},
            {"allow", json::array({{{"namespaces", {{"names", {kNamespace, kQuietNamespace}}}},
                                    {"commonNames", {"*"}},
                                    {"organizations", {"Example"}}}})}}}};
}

json System(const std::string& name, const std::string& algorithm, int size) {
  return {{"apiVersion", "certpair.dev/v1"},
          {"kind", "ProvisioningSystem"},
          {"metadata", {{"name", name}, {"namespace", kNamespace}}},
          {"spec",
           {{"displayName", "Benchmark " + name},
            {"type", "Target"},
            {"authorityRef", {{"name", "bench-ca"}}},
            {"certificate",
             {{"subject", {{"commonName", name}, {"organizations", {"Example"}}}},
              {"key", {{"algorithm", algorithm}, {"size", size}}}}},
            {"automaticRegeneration", {{"enabled", true}}}}}};
}

json ShortLived(const std::string& name, const std::string& validity, const std::string& before) {
  json system = System(name, "ECDSA", 256);
  system["spec"]["certificate"]["validity"] = validity;
  system["spec"]["automaticRegeneration"]["before"] = before;
  return system;
}

BareWrites CopyFor(const std::string& name, const json& secret, const json& system,
                   const json& event) {
  BareWrites bare;
  bare.secret = {{"apiVersion", "v1"},
                 {"kind", "Secret"},
                 {"type", secret.at("type")},
                 {"metadata",
                  {{"name", name + "-outbound"},
                   {"namespace", kNamespace},
                   {"labels", secret.at("metadata").at("labels")},
                   {"annotations", secret.at("metadata").at("annotations")},
                   {"ownerReferences", secret.at("metadata").at("ownerReferences")}}},
                 {"data", secret.at("data")}};
  bare.status_patch = {{"status", system.at("status")}};
  bare.event = event;
  bare.event["metadata"] = {{"name", name + ".bare"}, {"namespace", kNamespace}};
  bare.event["involvedObject"]["name"] = name;
  return bare;
}

}  // namespace certpair::bench
