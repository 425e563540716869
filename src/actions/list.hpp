// Many systems, one at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "actions/refusal.hpp"
#include "actions/session.hpp"
#include "actions/system_view.hpp"

namespace certpair::actions {

struct ListRequest {
  std::string selector;                    ///< of labels; the API server reads it
  std::string type;                        ///< one of fields::kSystemTypes; empty: all
  std::optional<seconds> expiring_within;  ///< of the active certificate; nothing: all
  kube::ListLimits limits;
  std::string continue_token;  ///< of a list that was cut: go on there
};

[[nodiscard]] bool Matches(const SystemView& system, const ListRequest& request, sys_seconds now);

/// `object` is the item as the server sent it, without managedFields.
using SystemSink = std::function<void(nlohmann::json& object, const SystemView& system)>;

/// Gives each system that matches to `sink`, page after page, so that nothing is kept. The answer
/// says whether the list was cut by `request.limits`, where to go on, and the version from which a
/// watch can go on.
[[nodiscard]] OrRefusal<kube::Listed> List(const Session& session, const ListRequest& request,
                                           const SystemSink& sink);

}  // namespace certpair::actions
