#include "simulation/specimens.hpp"

#include <utility>

namespace certpair::sim {
namespace {

using std::chrono::hours;

constexpr sys_seconds kBegin = std::chrono::sys_days{std::chrono::year{2020} / 1 / 1};
constexpr sys_seconds kEnd = std::chrono::sys_days{std::chrono::year{2120} / 1 / 1};

}  // namespace

reconcile::StoredSystem MakeSystem(const std::string& name) {
  reconcile::StoredSystem system;
  system.identity.name = name;
  core::SystemSpec& spec = system.spec;
  spec.display_name = name;
  spec.authentication = "ClientCertificateAuthentication";
  spec.authority = kAuthority;
  spec.subject.common_name = name;
  spec.secret.name = name + "-outbound";
  spec.regeneration_enabled = true;
  spec.warn_before = {hours{720}, hours{336}, hours{72}};
  return system;
}

reconcile::StoredAuthority DescribeAuthority(const std::string& name, const Ca& ca,
                                             std::vector<std::string> earlier) {
  reconcile::StoredAuthority authority;
  authority.identity = {.uid = "authority-" + name, .name = name, .generation = 1};
  authority.source = core::AuthorityFromSecret{.secret_name = name};
  core::AllowRule rule;
  rule.namespaces.names = {World::kNamespace};
  rule.common_names = {"*"};
  authority.allow = {rule};
  authority.status = {.observed_generation = 1,
                      .conditions = {{.type = "Ready",
                                      .status = ca.signs ? core::ConditionStatus::True
                                                         : core::ConditionStatus::False,
                                      .reason = ca.signs ? "Usable" : "Malformed",
                                      .message = ca.signs ? "It signs." : "Its Secret is broken."}},
                      .subject = "CN=" + name,
                      .not_before = ca.not_before,
                      .not_after = ca.chain_end,
                      .fingerprint = Mint::CaFingerprint(ca.number),
                      .earlier_fingerprints = std::move(earlier)};
  return authority;
}

void AddAuthority(Stage& stage, const std::string& name) {
  const Ca& ca = stage.mint.Open(name, kBegin, kEnd);
  stage.world.SetAuthority(DescribeAuthority(name, ca));
}

}  // namespace certpair::sim
