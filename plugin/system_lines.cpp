#include "system_lines.hpp"

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "reconcile/names.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

std::string ReadyOf(const SystemView& system) {
  const core::Condition* ready = system.Condition("Ready");
  if (ready == nullptr) return "Unknown";
  if (ready->status == core::ConditionStatus::True) return "True";
  return fmt::format("{} ({})", core::ToString(ready->status), Escaped(ready->reason));
}

std::string ShortOf(const CertificateView* certificate) {
  return certificate == nullptr ? "" : Escaped(ShortFingerprint(certificate->fingerprint));
}

}  // namespace

std::vector<std::string> HeadOf(const Session& session, bool wide) {
  std::vector<std::string> head;
  if (session.namespace_.empty()) head.emplace_back("NAMESPACE");
  for (const char* title : {"NAME", "TYPE", "READY", "ACTIVE", "INACTIVE", "EXPIRES", "NEXT"})
    head.emplace_back(title);
  if (wide)
    for (const char* title : {"AUTO", "PEER", "AUTHORITY", "SECRET", "DISPLAY NAME"})
      head.emplace_back(title);
  return head;
}

SystemLine LineOf(const Session& session, const SystemView& system, bool wide, sys_seconds now) {
  SystemLine line{.row = {},
                  .type = system.type,
                  .name = system.namespace_ + "/" + system.name,
                  .version = system.version};
  const Tint urgency = UrgencyOf(system, now);
  const CertificateView* active = system.Active();
  std::string expires;
  if (active != nullptr && active->not_after) {
    line.expires = *active->not_after;
    expires = *active->not_after <= now ? "ended " + Relative(*active->not_after, now)
                                        : Relative(*active->not_after, now);
  }
  if (session.namespace_.empty()) line.row.push_back({Escaped(system.namespace_)});
  line.row.push_back({Escaped(system.name)});
  line.row.push_back({Escaped(system.type)});
  line.row.push_back({ReadyOf(system), urgency == Tint::Bad ? Tint::Bad : Tint::None});
  line.row.push_back({ShortOf(active)});
  line.row.push_back({ShortOf(system.Inactive())});
  line.row.push_back({expires, urgency});
  line.row.push_back({DescribeNext(system, now)});
  if (wide) {
    line.row.push_back({system.automatic ? "on" : "off"});
    line.row.push_back({Escaped(system.peer_matching)});
    line.row.push_back({Escaped(system.authority)});
    line.row.push_back({Escaped(system.secret)});
    line.row.push_back({Escaped(system.display_name)});
  }
  return line;
}

bool Wanted(const SystemView& system, const ListCommand& command, sys_seconds now) {
  if (!command.type.empty() && system.type != command.type) return false;
  if (!command.expiring_within) return true;
  const CertificateView* active = system.Active();
  return active != nullptr && active->not_after &&
         *active->not_after - now <= *command.expiring_within;
}

SystemLine AsDeleted(const Session& session, SystemLine line) {
  line.row.at(session.namespace_.empty() ? 3 : 2) = {"deleted", Tint::Faint};
  return line;
}

kube::ApiResult<std::string> EachSystem(const Session& session, const ListCommand& command,
                                        const kube::ItemSink& sink) {
  return session.client.ListAll(
      reconcile::kSystems, {.namespace_ = session.namespace_, .label_selector = command.selector},
      sink, session.stop);
}

}  // namespace certpair::plugin
