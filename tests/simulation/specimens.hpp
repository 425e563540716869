// Objects for simulated worlds, as most tests want them.
#pragma once

#include <string>

#include "reconcile/objects.hpp"
#include "simulation/daemon.hpp"

namespace certpair::sim {

inline constexpr const char* kAuthority = "corporate-ca";

/// ON, SubjectAndIssuer, a year; Secret `<name>-outbound`.
[[nodiscard]] reconcile::StoredSystem MakeSystem(const std::string& name);

/// Ready, lets namespace `idm` have everything, signs from 2020 to 2120; known to world and mint.
void AddAuthority(Stage& stage, const std::string& name = kAuthority);
/// What stands in the authority's status follows what the mint signs with.
[[nodiscard]] reconcile::StoredAuthority DescribeAuthority(const std::string& name, const Ca& ca,
                                                           std::vector<std::string> earlier = {});

}  // namespace certpair::sim
