// What `list` and its watch share: a system as a line, and the reading of all of them.
#pragma once

#include <string>
#include <vector>

#include "actions/list.hpp"
#include "list.hpp"
#include "outcome.hpp"
#include "session.hpp"
#include "table.hpp"

namespace certpair::plugin {

/// What is kept of a system while the list comes: cells and keys, no certificates.
struct SystemLine {
  Row row;
  sys_seconds expires = sys_seconds::max();
  std::string type;
  std::string name;     ///< NAMESPACE/NAME
  std::string version;  ///< resourceVersion
};

/// A table, and a list that is sorted, stand in memory: so much of it at most, whatever a server
/// sends. Lists for machines in the server's order have no limit.
inline constexpr kube::ListLimits kMostListed{.objects = 200'000, .bytes = std::size_t{4} << 30};
inline constexpr std::size_t kMostKept = std::size_t{256} << 20;  ///< bytes of text

/// Titles of the columns; NAMESPACE is one of them where the session is for all.
[[nodiscard]] std::vector<std::string> HeadOf(const Session& session, bool wide);
[[nodiscard]] SystemLine LineOf(const Session& session, const actions::SystemView& system,
                                bool wide, sys_seconds now);
/// The same system, gone.
[[nodiscard]] SystemLine AsDeleted(const Session& session, SystemLine line);
/// Bytes of its texts.
[[nodiscard]] std::size_t SizeOf(const SystemLine& line);

[[nodiscard]] Tint TintOf(actions::Health health);
/// What happens next, and when: `regeneration in 7 days`; empty: nothing.
[[nodiscard]] std::string DescribeNext(const actions::SystemView& system, sys_seconds now);
/// A word of status.nextTransition for people: `expiry warning`; an unknown one is escaped.
[[nodiscard]] std::string NextAction(const std::string& action);

[[nodiscard]] actions::ListRequest RequestOf(const ListCommand& command);

/// Each change as a line of its own under `table`, as kubectl does, until Ctrl-C; `lines` is what
/// was printed. A watch that ends goes on where it was; one that fell behind (410) lists anew and
/// prints what changed meanwhile; after an error that may pass it backs off and says so once.
[[nodiscard]] Outcome WatchSystems(const Session& session, const ListCommand& command,
                                   const Table& table, std::vector<SystemLine> lines,
                                   std::string version);

}  // namespace certpair::plugin
