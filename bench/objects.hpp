// The objects of the benchmark: systems for the operator, and for the bare run what the operator
// would have written.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace certpair::bench {

inline constexpr const char* kNamespace = "bench";
/// Of the one who is to notice nothing of the other's load.
inline constexpr const char* kQuietNamespace = "bench-quiet";

[[nodiscard]] nlohmann::json Authority();
[[nodiscard]] nlohmann::json System(const std::string& name, const std::string& algorithm,
                                    int size);

/// One that is short-lived and regenerates by itself; Go durations.
[[nodiscard]] nlohmann::json ShortLived(const std::string& name, const std::string& validity,
                                        const std::string& before);

/// A Secret, a status and an Event of the sizes that the operator writes, made from a real
/// system's.
struct BareWrites {
  nlohmann::json secret;
  nlohmann::json status_patch;
  nlohmann::json event;
};
/// `secret` and `system` as read from the API server after the operator has made them; names become
/// `name`.
[[nodiscard]] BareWrites CopyFor(const std::string& name, const nlohmann::json& secret,
                                 const nlohmann::json& system, const nlohmann::json& event);

}  // namespace certpair::bench
