#include "generate.hpp"

#include <fmt/format.h>

#include "operation_output.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

void PrintNextSteps(const Console& console, const actions::SystemView& system,
                    const std::string& fingerprint) {
  console.Print(fmt::format("Certificate generated: {}", Escaped(fingerprint)));
  const std::string name = ShellWord(system.name);
  if (system.Active() == nullptr) {
    console.Print("It is the first certificate, and active. Give it to the owner of the peer:");
    console.Print(Suggest(system.namespace_, fmt::format("download {}", name)));
    return;
  }
  console.Print("It is inactive: the peer still sees the active one. Next steps:");
  if (system.MatchesByFingerprint()) {
    console.Print(
        "1. Download it, and upload it to the peer, which knows certificates by their "
        "fingerprint:");
    console.Print(Suggest(system.namespace_, fmt::format("download {} --inactive", name)));
    console.Print("2. Activate it once the peer has it:");
  } else {
    console.Print("The peer accepts any certificate of this subject and authority. Activate it:");
  }
  console.Print(Suggest(system.namespace_,
                        fmt::format("activate {} {}", name, FingerprintWord(fingerprint))));
}

void Declare(Flags& flags, GenerateCommand& command) {
  AddName(flags, command.name);
  AddChange(flags, command.change, true);
  AddOutput(flags, command.format, kObjectFormats, "json, yaml or name: the operation");
}

}  // namespace

Outcome Generate(const Session& session, const GenerateCommand& command) {
  const actions::Session acting = Acting(session);
  const auto intent = actions::IntendGenerate(acting, command.name);
  if (!intent) return std::unexpected(Explain(session, intent.error()));
  const auto end = actions::Carry(acting, *intent, HowOf(command.change));
  if (!end) return std::unexpected(Explain(session, end.error()));
  if (!PrintsOperation(session, *end, command.change, command.format))
    PrintNextSteps(session.console, intent->system, end->fingerprint);
  return {};
}

extern const CommandEntry kGenerate = EntryOf<GenerateCommand, &Declare, &Generate>(
    "generate", "Make a second certificate, inactive");

}  // namespace certpair::plugin
