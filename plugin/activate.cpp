#include "activate.hpp"

#include <fmt/format.h>

#include "operation_output.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

std::string WhatItDoes(const actions::Intent& intent) {
  const actions::SystemView& system = intent.system;
  const actions::CertificateView* active = system.Active();
  const std::string before =
      active == nullptr ? ""
                        : fmt::format(" in place of {}", ShortFingerprint(active->fingerprint));
  return fmt::format("{} will show {} to its peer{}. {}", Escaped(system.name),
                     ShortFingerprint(intent.fingerprint), before,
                     system.MatchesByFingerprint()
                         ? "The peer knows certificates by their fingerprint: it refuses this one "
                           "unless it was uploaded there."
                         : "The peer accepts any certificate of this subject and authority.");
}

void PrintWayBack(const Console& console, const actions::SystemView& system) {
  const actions::CertificateView* before = system.Active();
  if (before == nullptr) return;
  const std::string name = ShellWord(system.name);
  const std::string old = FingerprintWord(before->fingerprint);
  console.Print(fmt::format("{} is now inactive. If the peer refuses the new one, roll back:",
                            ShortFingerprint(before->fingerprint)));
  console.Print(Suggest(system.namespace_, fmt::format("activate {} {}", name, old)));
  console.Print("When all is well, delete the old one:");
  console.Print(Suggest(system.namespace_, fmt::format("delete {} {}", name, old)));
}

void Declare(Flags& flags, ActivateCommand& command) {
  AddName(flags, command.name);
  flags.Word("FINGERPRINT", "its SHA-256 fingerprint, or a beginning of it (the inactive one)",
             {.required = false, .words = {}, .offers = Offers::Fingerprints},
             [&command](const std::string& text) {
               command.fingerprint = text;
               return std::nullopt;
             });
  AddChange(flags, command.change, true);
  AddOutput(flags, command.format, kObjectFormats, "json, yaml or name: the operation");
}

}  // namespace

Outcome Activate(const Session& session, const ActivateCommand& command) {
  const actions::Session acting = Acting(session);
  const auto intent = actions::IntendActivate(acting, command.name, command.fingerprint);
  if (!intent) return std::unexpected(Explain(session, intent.error()));
  if (!intent->ChangesNothing()) {
    if (IsPersonAsking(session, command.format)) session.console.Remark(WhatItDoes(*intent));
    if (auto go = Confirm(session, command.change, "Activate it?"); !go) return go;
  }
  const auto end = actions::Carry(acting, *intent, HowOf(command.change));
  if (!end) return std::unexpected(Explain(session, end.error()));
  if (PrintsOperation(session, *end, command.change, command.format)) return {};
  if (intent->ChangesNothing()) {
    session.console.Print(fmt::format("{} was already active.", Escaped(intent->fingerprint)));
    return {};
  }
  session.console.Print(fmt::format("Certificate activated: {}", Escaped(intent->fingerprint)));
  PrintWayBack(session.console, intent->system);
  return {};
}

extern const CommandEntry kActivate = EntryOf<ActivateCommand, &Declare, &Activate>(
    "activate", "Make the inactive certificate the active one");

}  // namespace certpair::plugin
