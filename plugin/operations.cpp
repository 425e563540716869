// generate, activate, delete.
#include <fmt/format.h>

#include "commands.hpp"
#include "operate.hpp"
#include "reading.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

// What a machine asked for, or a dry run, or an operation that is not awaited: the object itself.
bool PrintsObject(const Session& session, const OperationEnd& end, const ChangeFlags& change,
                  Format format) {
  const Console& console = session.console;
  if (format == Format::Json || format == Format::Yaml) {
    PrintDocument(console, format, end.object);
    return true;
  }
  const std::string what = end.name.empty()
                               ? "certificateoperation.certpair.dev"
                               : "certificateoperation.certpair.dev/" + Escaped(end.name);
  if (format == Format::Name) {
    console.Print(what);
  } else if (change.dry_run != DryRun::None) {
    console.Print(fmt::format("{} created{}", what, DryRunSuffix(change.dry_run)));
  } else if (!end.finished) {
    console.Print(fmt::format("{} created; it is not waited for", what));
  } else {
    return false;
  }
  return true;
}

std::string Suggest(const SystemView& system, std::string_view words) {
  return fmt::format("  kubectl certpair -n {} {}", ShellWord(system.namespace_), words);
}

void PrintAfterGenerate(const Console& console, const SystemView& system,
                        const std::string& fingerprint) {
  console.Print(fmt::format("Certificate generated: {}", Escaped(fingerprint)));
  if (system.Active() == nullptr) {
    console.Print("It is the first one, and active. Hand it to the owner of the peer:");
    console.Print(Suggest(system, fmt::format("download {}", ShellWord(system.name))));
    return;
  }
  const std::string name = ShellWord(system.name);
  console.Print("It is inactive: the peer still sees the other one. What to do next:");
  if (system.MatchesByFingerprint()) {
    console.Print(
        "1. Download it, and upload it to the peer, which knows certificates by their "
        "fingerprint:");
    console.Print(Suggest(system, fmt::format("download {} --inactive", name)));
    console.Print("2. Activate it, when the peer knows it:");
  } else {
    console.Print("The peer accepts any certificate of this subject and authority; activate it:");
  }
  console.Print(Suggest(system, fmt::format("activate {} {}", name, FingerprintWord(fingerprint))));
}

Failure TwoAreThere(const SystemView& system) {
  const CertificateView* inactive = system.Inactive();
  return {Exit::Refused,
          fmt::format("{} has two certificates, and that is the most. Delete the inactive one "
                      "first, if nobody needs it:\n{}",
                      SystemTitle(system.name, system.namespace_),
                      Suggest(system, fmt::format("delete {} {}", ShellWord(system.name),
                                                  FingerprintWord(inactive->fingerprint))))};
}

std::string WhatActivatingDoes(const SystemView& system, const CertificateView& wanted) {
  const CertificateView* active = system.Active();
  const std::string before =
      active == nullptr ? ""
                        : fmt::format(" in place of {}", ShortFingerprint(active->fingerprint));
  return system.MatchesByFingerprint()
             ? fmt::format(
                   "{} will show {} to its peer{}. The peer knows certificates by their "
                   "fingerprint: it refuses this one unless it was uploaded there.",
                   Escaped(system.name), ShortFingerprint(wanted.fingerprint), before)
             : fmt::format(
                   "{} will show {} to its peer{}. The peer accepts any certificate of "
                   "this subject and authority.",
                   Escaped(system.name), ShortFingerprint(wanted.fingerprint), before);
}

Expected<const CertificateView*> Wanted(const SystemView& system, const std::string& fingerprint) {
  if (!fingerprint.empty()) return Resolve(system, fingerprint);
  if (system.Inactive() == nullptr)
    return Fail(Exit::Refused,
                fmt::format("{} has no inactive certificate. Make one:\n{}",
                            SystemTitle(system.name, system.namespace_),
                            Suggest(system, fmt::format("generate {}", ShellWord(system.name)))));
  return system.Inactive();
}

// A machine that asked for an object wants nothing beside it.
bool SomebodyListens(const Session& session, Format format) {
  return format == Format::Table || session.console.ask;
}

}  // namespace

Outcome Generate(const Session& session, const GenerateCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  if (system.Active() != nullptr && system.Inactive() != nullptr)
    return std::unexpected(TwoAreThere(system));
  auto end = Operate(session, system, {.action = "Generate", .fingerprint = {}}, command.change);
  if (!end) return std::unexpected(std::move(end.error()));
  if (!PrintsObject(session, *end, command.change, command.format))
    PrintAfterGenerate(session.console, system, end->fingerprint);
  return {};
}

Outcome Activate(const Session& session, const ActivateCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  auto wanted = Wanted(system, command.fingerprint);
  if (!wanted) return std::unexpected(std::move(wanted.error()));
  const std::string fingerprint = (*wanted)->fingerprint;
  const bool is_active = *wanted == system.Active();
  if (!is_active) {
    if (SomebodyListens(session, command.format))
      session.console.Remark(WhatActivatingDoes(system, **wanted));
    if (auto go = Confirm(session, command.change, "Activate it?"); !go) return go;
  }
  auto end =
      Operate(session, system, {.action = "Activate", .fingerprint = fingerprint}, command.change);
  if (!end) return std::unexpected(std::move(end.error()));
  if (PrintsObject(session, *end, command.change, command.format)) return {};
  if (is_active) {
    session.console.Print(fmt::format("{} was active already.", Escaped(fingerprint)));
    return {};
  }
  session.console.Print(fmt::format("Certificate activated: {}", Escaped(fingerprint)));
  if (const CertificateView* before = system.Active()) {
    const std::string name = ShellWord(system.name);
    const std::string old = FingerprintWord(before->fingerprint);
    session.console.Print(
        fmt::format("{} is inactive now. If the peer refuses the new one, go "
                    "back:",
                    ShortFingerprint(before->fingerprint)));
    session.console.Print(Suggest(system, fmt::format("activate {} {}", name, old)));
    session.console.Print("When all is well, the old one can go:");
    session.console.Print(Suggest(system, fmt::format("delete {} {}", name, old)));
  }
  return {};
}

Outcome Delete(const Session& session, const DeleteCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  auto wanted = Resolve(system, command.fingerprint);
  if (!wanted) return std::unexpected(std::move(wanted.error()));
  const std::string fingerprint = (*wanted)->fingerprint;
  if (*wanted == system.Active())
    return Fail(Exit::Refused,
                fmt::format("{} is the active certificate of {}, which is never deleted. Activate "
                            "the other one first",
                            Escaped(fingerprint), SystemTitle(system.name, system.namespace_)));
  if (SomebodyListens(session, command.format))
    session.console.Remark(
        fmt::format("The certificate {} of {} and its key will be gone for good. The active one, "
                    "{}, stays, and the peer notices nothing.",
                    ShortFingerprint(fingerprint), Escaped(system.name),
                    system.Active() != nullptr ? ShortFingerprint(system.Active()->fingerprint)
                                               : "if there is one"));
  if (auto go = Confirm(session, command.change, "Delete it?"); !go) return go;
  auto end =
      Operate(session, system, {.action = "Delete", .fingerprint = fingerprint}, command.change);
  if (!end) return std::unexpected(std::move(end.error()));
  if (!PrintsObject(session, *end, command.change, command.format))
    session.console.Print(fmt::format("Certificate deleted: {}", Escaped(fingerprint)));
  return {};
}

}  // namespace certpair::plugin
