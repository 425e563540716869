// The commands, each in a file of its own. They print results on standard output; a Failure is
// printed by whoever called.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "invocation.hpp"
#include "outcome.hpp"
#include "session.hpp"

namespace certpair::plugin {

[[nodiscard]] Outcome List(const Session& session, const ListCommand& command);
[[nodiscard]] Outcome Describe(const Session& session, const DescribeCommand& command);
[[nodiscard]] Outcome Generate(const Session& session, const GenerateCommand& command);
[[nodiscard]] Outcome Activate(const Session& session, const ActivateCommand& command);
[[nodiscard]] Outcome Delete(const Session& session, const DeleteCommand& command);
[[nodiscard]] Outcome Auto(const Session& session, const AutoCommand& command);
[[nodiscard]] Outcome SetAuthentication(const Session& session,
                                        const SetAuthenticationCommand& command);
[[nodiscard]] Outcome Download(const Session& session, const DownloadCommand& command);
[[nodiscard]] Outcome Subscribe(const Session& session, const SubscribeCommand& command);
[[nodiscard]] Outcome Unsubscribe(const Session& session, const UnsubscribeCommand& command);
[[nodiscard]] Outcome Subscribers(const Session& session, const SubscribersCommand& command);
[[nodiscard]] Outcome Simulate(const Session& session, const SimulateCommand& command);
[[nodiscard]] Outcome Doctor(const Session& session, const DoctorCommand& command);

/// These two need no cluster.
void Version(const Console& console, const VersionCommand& command);
void Completion(const Console& console);

}  // namespace certpair::plugin
