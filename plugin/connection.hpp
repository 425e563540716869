// From flags and environment to a client.
#pragma once

#include <memory>
#include <string>

#include "console.hpp"
#include "kube/client.hpp"
#include "kube/config.hpp"
#include "options.hpp"
#include "outcome.hpp"

namespace certpair::plugin {

struct Connection {
  std::unique_ptr<kube::Client> client;
  std::string namespace_;  ///< of --namespace, else the context's, else `default`
  std::string context;     ///< for messages
};

/// Failed, with the file and field, where there is no usable kubeconfig or login.
[[nodiscard]] Expected<Connection> Connect(const Globals& globals,
                                           const kube::Environment& environment,
                                           const Console& console, const Clock& clock);

}  // namespace certpair::plugin
