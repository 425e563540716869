// The transport over cpprestsdk. The library itself is included by transport_cpprest.cpp alone.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "kube/config.hpp"
#include "kube/transport.hpp"

namespace certpair::kube {

/// First thing in `main`, before any thread: one network thread, and no system trust store loaded
/// for each connection.
void InitializeNetwork();

/// A transport to `config.server`, its certificate checked against the config's CA and name alone.
/// Files behind a Source are read again when they change (looked at no more than once in ten
/// seconds, at least once a minute, and on a 401, after which the request is sent once more).
/// Invalid: a CA, certificate or key that does not parse, a server URL that cannot be used.
[[nodiscard]] Result<std::shared_ptr<HttpTransport>> MakeTransport(ClusterConfig config,
                                                                   const Clock& clock);

}  // namespace certpair::kube
