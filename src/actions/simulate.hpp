// What would happen to a system, and when, by the operator's own rules. Nothing is written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "actions/foresight.hpp"
#include "actions/reading.hpp"

namespace certpair::actions {

/// One of fields::kSupposables and its value: `validity`, `2160h`.
struct Supposition {
  std::string key;
  std::string value;
};
/// `KEY=VALUE`. UnknownSupposition: another form or another key.
[[nodiscard]] OrRefusal<Supposition> ParseSupposition(const std::string& text);

struct SimulationRequest {
  std::string name;
  /// In place of the system in the cluster, which is then not looked at, nor is its authority.
  std::optional<nlohmann::json> object;
  std::vector<Supposition> suppositions;
  seconds length = std::chrono::days{730};
};

/// The authority is taken for one that signs all that it is asked for.
struct AssumedAuthority {
  enum class Why { NotLookedAt, AuthorityUnreadable, NamespaceUnreadable };
  Why why = Why::NotLookedAt;
  std::string authority;
};

struct Simulated {
  std::string system;
  sys_seconds from;
  sys_seconds until;
  Foresight foresight;
  std::optional<AssumedAuthority> assumed;
};
/// BadSwitch, NotAnObject, UnreadableSpec, BeforeNotShorter.
[[nodiscard]] OrRefusal<Simulated> Simulate(const Session& session, SimulationRequest request);

}  // namespace certpair::actions
