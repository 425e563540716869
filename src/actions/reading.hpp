// The read that most actions begin with.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "actions/refusal.hpp"
#include "actions/session.hpp"
#include "actions/system_view.hpp"

namespace certpair::actions {

struct FoundSystem {
  nlohmann::json object;
  SystemView view;
};

/// The system of that name in the session's namespace. AnotherSystem where the API server answers
/// with another object: its name becomes a file's name and a word of suggested command lines. A
/// text that cannot be a name is not sent.
[[nodiscard]] OrRefusal<FoundSystem> ReadSystem(const Session& session, const std::string& name);

}  // namespace certpair::actions
