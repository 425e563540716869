#include "set_authentication.hpp"

#include <fmt/format.h>

#include "actions/fields.hpp"
#include "actions/settings.hpp"
#include "operation_output.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::fields::kAuthentications;
using actions::fields::kClientCertificate;

void Declare(Flags& flags, SetAuthenticationCommand& command) {
  AddName(flags, command.name);
  flags.Word("VALUE", fmt::format("{}: with its certificate", kClientCertificate),
             {.words = {kAuthentications.begin(), kAuthentications.end()}, .suggests_only = true},
             [&command](const std::string& text) {
               command.value = text;
               return std::nullopt;
             });
  AddChange(flags, command.change, false);
}

}  // namespace

Outcome SetAuthentication(const Session& session, const SetAuthenticationCommand& command) {
  const auto system = actions::SetAuthentication(Acting(session), command.name, command.value,
                                                 command.change.dry_run);
  if (!system) return std::unexpected(Explain(session, system.error()));
  const Console& console = session.console;
  console.Print(fmt::format("Authentication of {} is {}{}", Escaped(system->name),
                            Escaped(command.value), DryRunSuffix(command.change.dry_run)));
  if (command.value != kClientCertificate)
    console.Print(fmt::format("Its certificates are still managed, but not in use. {} uses them.",
                              kClientCertificate));
  else if (system->Active() == nullptr)
    console.Print("It will use its certificate once it has one.");
  else
    console.Print(fmt::format("It authenticates with its active certificate, {}.",
                              ShortFingerprint(system->Active()->fingerprint)));
  return {};
}

extern const CommandEntry kSetAuthentication =
    EntryOf<SetAuthenticationCommand, &Declare, &SetAuthentication>(
        "set-authentication", "Say how the system authenticates to its peer");

}  // namespace certpair::plugin
