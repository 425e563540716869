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

// The inactive certificate, where it could take the active one's place.
const CertificateView* SuccessorOf(const SystemView& system, sys_seconds now) {
  const CertificateView* inactive = system.Inactive();
  const bool is_valid = inactive != nullptr && inactive->not_after && *inactive->not_after > now &&
                        inactive->not_before.value_or(now) <= now;
  return is_valid && inactive->not_after > system.Active()->not_after ? inactive : nullptr;
}

// Of a pair whose active certificate has ended: the new one takes its place, and a second old one
// has none.
std::string WhatIsMade(const SystemView& system) {
  const CertificateView* inactive = system.Inactive();
  return fmt::format(
      "A new one is made, and is active at once; the one that ended stays, inactive{}.",
      inactive == nullptr ? ""
                          : fmt::format(", and the other one, {}, is deleted with its key",
                                        ShortFingerprint(inactive->fingerprint)));
}

std::string WhatIsHeld(const SystemView& system, const CertificateView* successor) {
  constexpr std::string_view kWaits =
      "waits until somebody uploaded it to the peer and activates it";
  const CertificateView* inactive = system.Inactive();
  if (successor != nullptr)
    return fmt::format("The inactive one, {}, {}.", ShortFingerprint(successor->fingerprint),
                       kWaits);
  return fmt::format("A new one is made, inactive{}, and {}.",
                     inactive == nullptr
                         ? ""
                         : fmt::format(", in place of {}", ShortFingerprint(inactive->fingerprint)),
                     kWaits);
}

std::string WhatOnMeansAfterTheEnd(const SystemView& system, sys_seconds now) {
  const std::string ended =
      fmt::format("The active certificate of {} ended {}. ", Escaped(system.name),
                  Relative(*system.Active()->not_after, now));
  const CertificateView* successor = SuccessorOf(system, now);
  if (!system.MatchesByFingerprint())
    return ended + WhatIsMade(system) +
           (successor == nullptr
                ? ""
                : fmt::format(" If somebody went back from {}, that one is activated instead.",
                              ShortFingerprint(successor->fingerprint)));
  if (system.at_expiry == "Hold") return ended + WhatIsHeld(system, successor);
  constexpr std::string_view kPeer =
      " The peer knows certificates by their fingerprint, and refuses it unless it was uploaded "
      "there.";
  if (successor == nullptr) return fmt::format("{}{}{}", ended, WhatIsMade(system), kPeer);
  return fmt::format("{}The inactive one, {}, is activated at once.{}", ended,
                     ShortFingerprint(successor->fingerprint), kPeer);
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

std::string WhatOnMeans(const SystemView& system, sys_seconds now) {
  if (HasEnded(system, now)) return WhatOnMeansAfterTheEnd(system, now);
  if (system.MatchesByFingerprint()) return WhatOnMeansByFingerprint(system);
  return "A new certificate becomes active by itself before the active one ends; nobody has to do "
         "anything.";
}

std::string WhatOffMeans(const SystemView& system, sys_seconds now) {
  return fmt::format(
      "Nothing happens by itself any more: somebody has to generate and activate a new certificate"
      "{}.",
      HasEnded(system, now)
          ? fmt::format("; the active one ended {}", Relative(*system.Active()->not_after, now))
          : " before the active one ends");
}

}  // namespace

Outcome Auto(const Session& session, const AutoCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  const ChangeFlags& change = command.change;
  const sys_seconds now = session.clock.NowSeconds();
  if (command.on && !system.automatic && system.MatchesByFingerprint() && !change.yes &&
      change.dry_run == DryRun::None) {
    session.console.Remark(WhatOnMeans(system, now));
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
  session.console.Print(command.on ? WhatOnMeans(system, now) : WhatOffMeans(system, now));
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
