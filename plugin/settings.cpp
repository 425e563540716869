// auto, set-authentication: one field of the spec each.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "operate.hpp"
#include "reading.hpp"
#include "reconcile/names.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

constexpr const char* kInUse = "ClientCertificateAuthentication";

Outcome Patch(const Session& session, const SystemView& system, const nlohmann::json& spec,
              DryRun dry_run) {
  if (dry_run == DryRun::Client) return {};
  // With the UID, so that a system of the same name that was made meanwhile is left alone.
  const nlohmann::json patch{{"metadata", {{"uid", system.uid}}}, {"spec", spec}};
  const auto patched = session.client.Patch(
      reconcile::kSystems, session.namespace_, system.name, kube::PatchKind::Merge, patch,
      {.dry_run = dry_run == DryRun::Server, .field_manager = "certpair-plugin"}, session.stop);
  if (!patched)
    return std::unexpected(Explain(
        session, patched.error(), {"patch", reconcile::kSystems, session.namespace_, system.name}));
  return {};
}

std::string WhatOnMeansByFingerprint(const SystemView& system) {
  return fmt::format(
      "The peer of {} knows certificates by their fingerprint. With regeneration on, a new one is "
      "made in time, inactive, and waits until somebody uploaded it to the peer and activates it. "
      "{}",
      Escaped(system.name),
      system.at_expiry == "Hold"
          ? "If nobody does, the active one ends, and the connection with it."
          : "If nobody does, it is activated shortly before the active one ends, and the peer "
            "refuses it unless it was uploaded there.");
}

std::string WhatItMeans(const SystemView& system, bool on) {
  if (!on)
    return "Nothing happens by itself any more: somebody has to generate and activate a new "
           "certificate before the active one ends.";
  if (system.MatchesByFingerprint()) return WhatOnMeansByFingerprint(system);
  return "A new certificate becomes active by itself before the active one ends; nobody has to do "
         "anything.";
}

}  // namespace

Outcome Auto(const Session& session, const AutoCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  const ChangeFlags& change = command.change;
  if (command.on && !system.automatic && system.MatchesByFingerprint() && !change.yes &&
      change.dry_run == DryRun::None) {
    session.console.Remark(WhatOnMeansByFingerprint(system));
    if (!session.console.ask) return Fail(Exit::Usage, "this wants a --yes; nothing was changed");
    if (auto go = Confirm(session, change, "Turn it on?"); !go) return go;
  }
  if (auto patched = Patch(session, system, {{"automaticRegeneration", {{"enabled", command.on}}}},
                           change.dry_run);
      !patched)
    return patched;
  session.console.Print(fmt::format("Automatic regeneration of {} is {}{}{}", Escaped(system.name),
                                    system.automatic == command.on ? "already " : "",
                                    command.on ? "on" : "off", DryRunSuffix(change.dry_run)));
  session.console.Print(WhatItMeans(system, command.on));
  return {};
}

Outcome SetAuthentication(const Session& session, const SetAuthenticationCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  if (auto patched =
          Patch(session, system, {{"authentication", command.value}}, command.change.dry_run);
      !patched)
    return patched;
  session.console.Print(fmt::format("Authentication of {} is {}{}", Escaped(system.name),
                                    Escaped(command.value), DryRunSuffix(command.change.dry_run)));
  if (command.value != kInUse) {
    session.console.Print(fmt::format(
        "Its certificates are managed all the same, but are not in use. {} uses them.", kInUse));
  } else if (system.Active() == nullptr) {
    session.console.Print("It will use its certificate once there is one.");
  } else {
    session.console.Print(fmt::format("It authenticates with its active certificate, {}.",
                                      Escaped(ShortFingerprint(system.Active()->fingerprint))));
  }
  return {};
}

}  // namespace certpair::plugin
