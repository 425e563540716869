#include "actions/settings.hpp"

#include "reconcile/names.hpp"

namespace certpair::actions {
namespace {

OrRefusal<void> Patch(const Session& session, const SystemView& system, const nlohmann::json& spec,
                      DryRun dry_run) {
  if (dry_run == DryRun::Client) return {};
  // With the UID, so that a system of the same name that was made meanwhile is left alone.
  const nlohmann::json patch{{"metadata", {{"uid", system.uid}}}, {"spec", spec}};
  auto patched = session.client.Patch(
      reconcile::kSystems, session.namespace_, system.name, kube::PatchKind::Merge, patch,
      {.dry_run = dry_run == DryRun::Server, .field_manager = session.field_manager}, session.stop);
  if (!patched)
    return Refuse(ApiProblem{std::move(patched.error()),
                             {"patch", reconcile::kSystems, session.namespace_, system.name}});
  return {};
}

}  // namespace

OrRefusal<RegenerationIntent> IntendRegeneration(const Session& session, const std::string& name,
                                                 bool on) {
  auto found = ReadSystem(session, name);
  if (!found) return std::unexpected(std::move(found.error()));
  RegenerationEffect effect = EffectOf(found->view, on, session.clock.NowSeconds());
  return RegenerationIntent{std::move(found->view), on, std::move(effect)};
}

OrRefusal<void> SetRegeneration(const Session& session, const RegenerationIntent& intent,
                                DryRun dry_run) {
  return Patch(session, intent.system, {{"automaticRegeneration", {{"enabled", intent.on}}}},
               dry_run);
}

OrRefusal<SystemView> SetAuthentication(const Session& session, const std::string& name,
                                        const std::string& value, DryRun dry_run) {
  auto found = ReadSystem(session, name);
  if (!found) return std::unexpected(std::move(found.error()));
  auto patched = Patch(session, found->view, {{"authentication", value}}, dry_run);
  if (!patched) return std::unexpected(std::move(patched.error()));
  return std::move(found->view);
}

}  // namespace certpair::actions
