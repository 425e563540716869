#include "connection.hpp"

#include <fmt/format.h>

#include "kube/transport_cpprest.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

// kubectl's threshold for URLs and codes.
constexpr int kShowRequests = 6;
// What "no limit" comes to: nothing waits for ever.
constexpr std::chrono::hours kNoLimit{1};

kube::Client::Observer ShowRequests(const Console& console, int verbosity) {
  if (verbosity < kShowRequests) return {};
  return [&console](const kube::RequestRecord& record) {
    console.Remark(
        fmt::format("{} {} {} in {} ms", record.verb, Escaped(record.path), record.code,
                    std::chrono::duration_cast<std::chrono::milliseconds>(record.took).count()));
  };
}

std::chrono::milliseconds DeadlineOf(const Globals& globals) {
  if (!globals.request_timeout) return kube::Client::kDeadline;
  return globals.request_timeout->count() == 0 ? std::chrono::milliseconds{kNoLimit}
                                               : *globals.request_timeout;
}

// Null: as the kubeconfig says.
Expected<std::shared_ptr<const kube::Identity>> IdentityOf(const Globals& globals) {
  if (globals.as.empty()) {
    if (globals.as_groups.empty() && globals.as_uid.empty()) return nullptr;
    return Fail(Exit::Usage, "--as-group and --as-uid need --as");
  }
  auto identity = kube::Identity::Of(
      {.user = globals.as, .uid = globals.as_uid, .groups = globals.as_groups, .extra = {}});
  if (!identity) return Fail(Exit::Failed, Escaped(identity.error().message));
  return std::move(*identity);
}

}  // namespace

Expected<Connection> Connect(const Globals& globals, const kube::Environment& environment,
                             const Console& console, const Clock& clock) {
  auto config = kube::LoadUserConfig(environment, globals.kubeconfig, globals.context);
  if (!config) return Fail(Exit::Failed, Escaped(config.error().message));
  auto identity = IdentityOf(globals);
  if (!identity) return std::unexpected(std::move(identity.error()));
  Connection connection;
  connection.context = config->description;
  connection.namespace_ = !globals.namespace_.empty()          ? globals.namespace_
                          : !config->default_namespace.empty() ? config->default_namespace
                                                               : "default";
  auto transport = kube::MakeTransport(std::move(*config), clock);
  if (!transport) return Fail(Exit::Failed, Escaped(transport.error().message));
  connection.client = std::make_unique<kube::Client>(kube::Client{
      std::move(*transport), clock, ShowRequests(console, globals.verbosity), DeadlineOf(globals)}
                                                         .As(std::move(*identity)));
  return connection;
}

}  // namespace certpair::plugin
