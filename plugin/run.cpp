#include "run.hpp"

#include <condition_variable>
#include <mutex>

#include "completion.hpp"
#include "connection.hpp"
#include "options.hpp"

namespace certpair::plugin {
namespace {

bool Pause(const std::stop_token& stop, std::chrono::milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

Outcome RunInCluster(const World& world, const Invocation& invocation) {
  if (invocation.globals.all_namespaces && !invocation.entry->spans_namespaces)
    return Fail(Exit::Usage, "-A goes with list and doctor; this command works on one system");
  const std::stop_token stop = world.begin_to_listen();
  auto connection = Connect(invocation.globals, world.environment, world.console, world.clock);
  if (!connection) return std::unexpected(std::move(connection.error()));
  const Session session{
      .client = *connection->client,
      .console = world.console,
      .clock = world.clock,
      .namespace_ = invocation.globals.all_namespaces ? "" : connection->namespace_,
      .operator_namespace = invocation.globals.operator_namespace,
      .context = connection->context,
      .stop = stop,
      .pause = [stop](std::chrono::milliseconds duration) { return Pause(stop, duration); }};
  return invocation.command->Run(session);
}

Exit Carry(const World& world, const Invocation& invocation) {
  const Outcome outcome = invocation.entry->needs_cluster
                              ? RunInCluster(world, invocation)
                              : invocation.command->RunAlone(world.console);
  if (outcome) return Exit::Done;
  if (!outcome.error().message.empty()) world.console.Remark("error: " + outcome.error().message);
  return outcome.error().exit;
}

}  // namespace

Exit Run(const World& world, std::vector<std::string> arguments) {
  if (!arguments.empty() && arguments.front() == "__complete") {
    Complete(world, {arguments.begin() + 1, arguments.end()});
    return Exit::Done;
  }
  auto parsed = ParseCommandLine(std::move(arguments));
  if (const auto* advice = std::get_if<Advice>(&parsed)) {
    (advice->exit == Exit::Done ? world.console.out : world.console.err)(advice->text);
    return advice->exit;
  }
  return Carry(world, std::get<Invocation>(parsed));
}

}  // namespace certpair::plugin
