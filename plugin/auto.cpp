#include "auto.hpp"

#include <fmt/format.h>

#include "actions/settings.hpp"
#include "operation_output.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::RegenerationEffect;
using actions::SystemView;
using What = RegenerationEffect::What;

constexpr std::string_view kPeerKnows = "The peer knows certificates by their fingerprint";
constexpr std::string_view kUploadAndActivate = "upload it to the peer, and activate it";

// The two certificates of a pair leave no place for a third.
std::string AndDropped(const RegenerationEffect& effect, std::string_view words) {
  return effect.dropped.empty()
             ? ""
             : fmt::format(fmt::runtime(words), ShortFingerprint(effect.dropped));
}

std::string WhatHappensNow(const RegenerationEffect& effect) {
  const std::string successor = ShortFingerprint(effect.successor);
  const std::string refusal =
      effect.peer_knows_fingerprints
          ? fmt::format(" {}: it refuses the certificate unless it was uploaded there.", kPeerKnows)
          : "";
  switch (effect.what) {
    case What::IssuesAndActivatesNow:
      return fmt::format(
          "A new one is issued now and is active at once. The expired one stays, inactive{}.{}{}",
          AndDropped(effect, ", and the other one, {}, is deleted with its key"), refusal,
          successor.empty() || effect.peer_knows_fingerprints
              ? ""
              : fmt::format(" If {} was rolled back, it is activated instead.", successor));
    case What::ActivatesSuccessorNow:
      return fmt::format("The inactive one, {}, is activated at once.{}", successor, refusal);
    case What::IssuesAndHoldsNow:
      return fmt::format("A new one is issued now, inactive{}. Then {}.",
                         AndDropped(effect, ", in place of {}"), kUploadAndActivate);
    case What::HoldsSuccessor:
      return fmt::format("The inactive one, {}, waits: {}.", successor, kUploadAndActivate);
    case What::Nothing:
    case What::RenewsBeforeExpiry:
    case What::IssuesThenActivates:
    case What::IssuesThenHolds:
      break;
  }
  return {};
}

std::string WhatItMeans(const SystemView& system, const RegenerationEffect& effect,
                        sys_seconds now) {
  const std::string name = Escaped(system.name);
  const std::string issued = fmt::format(
      "The peer of {} knows certificates by their fingerprint. With regeneration on, a new one is "
      "issued in time, inactive: {}. ",
      name, kUploadAndActivate);
  switch (effect.what) {
    case What::Nothing:
      return effect.expired
                 ? fmt::format(
                       "Nothing happens automatically. The active certificate expired {}: "
                       "generate and activate a new one.",
                       Relative(*effect.expired, now))
                 : "Nothing happens automatically. Generate and activate a new certificate before "
                   "the active one expires.";
    case What::RenewsBeforeExpiry:
      return "A new certificate is issued and activated before the active one expires. No action "
             "is needed.";
    case What::IssuesThenHolds:
      return issued + "If that does not happen, the active one expires, and the connection fails.";
    case What::IssuesThenActivates:
      return issued +
             "If that does not happen, the new one is activated shortly before the active one "
             "expires, and the peer refuses it unless it was uploaded there.";
    default:
      break;
  }
  return fmt::format("The active certificate of {} expired {}. {}", name,
                     effect.expired ? Relative(*effect.expired, now) : "", WhatHappensNow(effect));
}

void Declare(Flags& flags, AutoCommand& command) {
  flags.Word("on|off", "on or off", {.words = {"on", "off"}}, [&command](const std::string& text) {
    command.on = text == "on";
    return std::nullopt;
  });
  AddName(flags, command.name);
  AddChange(flags, command.change, false);
}

}  // namespace

Outcome Auto(const Session& session, const AutoCommand& command) {
  const actions::Session acting = Acting(session);
  const auto intent = actions::IntendRegeneration(acting, command.name, command.on);
  if (!intent) return std::unexpected(Explain(session, intent.error()));
  const ChangeFlags& change = command.change;
  const std::string meaning =
      WhatItMeans(intent->system, intent->effect, session.clock.NowSeconds());
  if (intent->NeedsConfirmation() && !change.yes && change.dry_run == actions::DryRun::None) {
    session.console.Remark(meaning);
    if (!session.console.ask)
      return Fail(Exit::Usage, "confirm it with --yes; nothing was changed");
    if (auto go = Confirm(session, change, "Turn it on?"); !go) return go;
  }
  if (auto set = actions::SetRegeneration(acting, *intent, change.dry_run); !set)
    return std::unexpected(Explain(session, set.error()));
  session.console.Print(fmt::format("Automatic regeneration of {} is {}{}{}",
                                    Escaped(intent->system.name),
                                    intent->system.automatic == command.on ? "already " : "",
                                    command.on ? "on" : "off", DryRunSuffix(change.dry_run)));
  session.console.Print(meaning);
  return {};
}

extern const CommandEntry kAuto =
    EntryOf<AutoCommand, &Declare, &Auto>("auto", "Turn automatic regeneration on or off");

}  // namespace certpair::plugin
