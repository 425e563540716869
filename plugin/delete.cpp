#include "delete.hpp"

#include <fmt/format.h>

#include "operation_output.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

std::string WhatItDoes(const actions::Intent& intent) {
  const actions::CertificateView* active = intent.system.Active();
  return fmt::format("The certificate {} of {} and its key will be gone for good.{}",
                     ShortFingerprint(intent.fingerprint), Escaped(intent.system.name),
                     active == nullptr
                         ? ""
                         : fmt::format(" The active one, {}, stays, and the peer notices nothing.",
                                       ShortFingerprint(active->fingerprint)));
}

void Declare(Flags& flags, DeleteCommand& command) {
  AddName(flags, command.name);
  flags.Word("FINGERPRINT", "its SHA-256 fingerprint, or a beginning of it",
             {.words = {}, .offers = Offers::Fingerprints}, [&command](const std::string& text) {
               command.fingerprint = text;
               return std::nullopt;
             });
  AddChange(flags, command.change, true);
  AddOutput(flags, command.format, kObjectFormats, "json, yaml or name: the operation");
}

}  // namespace

Outcome Delete(const Session& session, const DeleteCommand& command) {
  const actions::Session acting = Acting(session);
  const auto intent = actions::IntendDelete(acting, command.name, command.fingerprint);
  if (!intent) return std::unexpected(Explain(session, intent.error()));
  if (IsPersonAsking(session, command.format)) session.console.Remark(WhatItDoes(*intent));
  if (auto go = Confirm(session, command.change, "Delete it?"); !go) return go;
  const auto end = actions::Carry(acting, *intent, HowOf(command.change));
  if (!end) return std::unexpected(Explain(session, end.error()));
  if (!PrintsOperation(session, *end, command.change, command.format))
    session.console.Print(fmt::format("Certificate deleted: {}", Escaped(intent->fingerprint)));
  return {};
}

extern const CommandEntry kDelete = EntryOf<DeleteCommand, &Declare, &Delete>(
    "delete", "Remove the inactive certificate and its key");

}  // namespace certpair::plugin
