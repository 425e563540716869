// What `list` and its watch share: a system as a line, and the reading of all of them.
#pragma once

#include <string>
#include <vector>

#include "invocation.hpp"
#include "outcome.hpp"
#include "session.hpp"
#include "system_view.hpp"
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

/// Titles of the columns; NAMESPACE is one of them where the session is for all.
[[nodiscard]] std::vector<std::string> HeadOf(const Session& session, bool wide);
[[nodiscard]] SystemLine LineOf(const Session& session, const SystemView& system, bool wide,
                                sys_seconds now);
/// The same system, gone.
[[nodiscard]] SystemLine AsDeleted(const Session& session, SystemLine line);

/// Whether --type and --expiring-within let it through.
[[nodiscard]] bool Wanted(const SystemView& system, const ListCommand& command, sys_seconds now);

/// All pages, an item at a time. The answer is the version of the list, to watch from.
[[nodiscard]] kube::ApiResult<std::string> EachSystem(const Session& session,
                                                      const ListCommand& command,
                                                      const kube::ItemSink& sink);

/// Each change as a line of its own under `table`, as kubectl does, until Ctrl-C; `lines` is what
/// was printed. A watch that ends goes on where it was; one that fell behind (410) lists anew and
/// prints what changed meanwhile; after an error that may pass it backs off and says so once.
[[nodiscard]] Outcome WatchSystems(const Session& session, const ListCommand& command,
                                   const Table& table, std::vector<SystemLine> lines,
                                   std::string version);

}  // namespace certpair::plugin
