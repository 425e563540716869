#include "unsubscribe.hpp"

#include <fmt/format.h>

#include "actions/subscribe.hpp"
#include "operation_output.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

void Declare(Flags& flags, UnsubscribeCommand& command) {
  AddName(flags, command.name);
  flags.Switch("--me", command.me, "yourself");
  flags.Text("--email", command.email, "the address");
  AddChange(flags, command.change, false);
  flags.Check([&command]() -> std::optional<std::string> {
    if (command.me || !command.email.empty()) return std::nullopt;
    return "say whom: --me, or --email ADDRESS";
  });
}

}  // namespace

Outcome Unsubscribe(const Session& session, const UnsubscribeCommand& command) {
  const auto done =
      actions::Unsubscribe(Acting(session), command.name,
                           {.me = command.me, .email = command.email}, command.change.dry_run);
  if (!done) return std::unexpected(Explain(session, done.error()));
  session.console.Print(
      fmt::format("{} {} subscribed to {}{}", Escaped(done->email),
                  done->was_subscribed ? "is no longer" : "was not", Escaped(done->system.name),
                  done->was_subscribed ? DryRunSuffix(command.change.dry_run) : ""));
  return {};
}

extern const CommandEntry kUnsubscribe =
    EntryOf<UnsubscribeCommand, &Declare, &Unsubscribe>("unsubscribe", "Have no more mail sent");

}  // namespace certpair::plugin
