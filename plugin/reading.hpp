// Reads that several commands share.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "outcome.hpp"
#include "session.hpp"
#include "system_view.hpp"

namespace certpair::plugin {

struct FoundSystem {
  nlohmann::json object;
  SystemView view;
};

/// The system of that name in the session's namespace. Failed where the API server answers with
/// another object: its name becomes a file's name and a word of suggested command lines.
[[nodiscard]] Expected<FoundSystem> ReadSystem(const Session& session, const std::string& name);

/// The operator, by its Lease (kube/lease.hpp).
struct Liveness {
  enum class State {
    Alive,
    Silent,   ///< the Lease is there, and nobody has renewed it for longer than it lasts
    Absent,   ///< there is no Lease: never started with leader election, or not installed
    Unknown,  ///< we may not read it
  };
  State state = State::Unknown;
  std::string message;  ///< a sentence for a person
  std::string renewed;  ///< when, as it stands in the Lease; empty: by nobody
};

/// `server_now`: the API server's time, where we know it; else our own.
[[nodiscard]] Liveness ReadLiveness(const Session& session, sys_seconds server_now);

}  // namespace certpair::plugin
