#include "run.hpp"

#include <condition_variable>
#include <mutex>
#include <type_traits>

#include "commands.hpp"
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

struct Dispatch {
  const Session& session;
  Outcome operator()(const ListCommand& c) const { return List(session, c); }
  Outcome operator()(const DescribeCommand& c) const { return Describe(session, c); }
  Outcome operator()(const GenerateCommand& c) const { return Generate(session, c); }
  Outcome operator()(const ActivateCommand& c) const { return Activate(session, c); }
  Outcome operator()(const DeleteCommand& c) const { return Delete(session, c); }
  Outcome operator()(const AutoCommand& c) const { return Auto(session, c); }
  Outcome operator()(const SetAuthenticationCommand& c) const {
    return SetAuthentication(session, c);
  }
  Outcome operator()(const DownloadCommand& c) const { return Download(session, c); }
  Outcome operator()(const SubscribeCommand& c) const { return Subscribe(session, c); }
  Outcome operator()(const UnsubscribeCommand& c) const { return Unsubscribe(session, c); }
  Outcome operator()(const SubscribersCommand& c) const { return Subscribers(session, c); }
  Outcome operator()(const SimulateCommand& c) const { return Simulate(session, c); }
  Outcome operator()(const DoctorCommand& c) const { return Doctor(session, c); }
  Outcome operator()(const VersionCommand&) const { return {}; }
  Outcome operator()(const CompletionCommand&) const { return {}; }
};

bool SpansNamespaces(const Command& command) {
  return std::holds_alternative<ListCommand>(command) ||
         std::holds_alternative<DoctorCommand>(command);
}

Outcome RunInCluster(const World& world, const Invocation& invocation) {
  if (invocation.globals.all_namespaces && !SpansNamespaces(invocation.command))
    return Fail(Exit::Usage, "-A goes with list and doctor; this command is about one system");
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
  return std::visit(Dispatch{session}, invocation.command);
}

Exit Carry(const World& world, const Invocation& invocation) {
  if (const auto* version = std::get_if<VersionCommand>(&invocation.command)) {
    Version(world.console, *version);
    return Exit::Done;
  }
  if (std::holds_alternative<CompletionCommand>(invocation.command)) {
    Completion(world.console);
    return Exit::Done;
  }
  const Outcome outcome = RunInCluster(world, invocation);
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
  const auto parsed = ParseCommandLine(std::move(arguments));
  if (const auto* advice = std::get_if<Advice>(&parsed)) {
    (advice->exit == Exit::Done ? world.console.out : world.console.err)(advice->text);
    return advice->exit;
  }
  return Carry(world, std::get<Invocation>(parsed));
}

}  // namespace certpair::plugin
