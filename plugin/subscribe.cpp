#include "subscribe.hpp"

#include <fmt/format.h>

#include "actions/subscribe.hpp"
#include "operation_output.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

void Declare(Flags& flags, SubscribeCommand& command) {
  AddName(flags, command.name);
  flags.Switch("--me", command.me, "yourself, as the API server knows you");
  flags.Text("--email", command.email, "address of a person or a list");
  flags.Text("--display-name", command.display_name, "whose address it is");
  AddChange(flags, command.change, false);
  flags.Check([&command]() -> std::optional<std::string> {
    if (command.me || !command.email.empty()) return std::nullopt;
    return "say whom: --me, or --email ADDRESS";
  });
}

}  // namespace

Outcome Subscribe(const Session& session, const SubscribeCommand& command) {
  const auto done =
      actions::Subscribe(Acting(session), command.name, {.me = command.me, .email = command.email},
                         command.display_name, command.change.dry_run);
  if (!done) return std::unexpected(Explain(session, done.error()));
  const std::string& name = done->subscriber.display_name;
  session.console.Print(
      fmt::format("{}<{}> is {}subscribed to {}{}", name.empty() ? "" : Escaped(name) + " ",
                  Escaped(done->subscriber.email), done->already ? "already " : "",
                  Escaped(done->system.name), DryRunSuffix(command.change.dry_run)));
  return {};
}

extern const CommandEntry kSubscribe = EntryOf<SubscribeCommand, &Declare, &Subscribe>(
    "subscribe", "Have mail sent before a certificate expires");

}  // namespace certpair::plugin
