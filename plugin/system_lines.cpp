#include "system_lines.hpp"

#include <map>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::CertificateView;
using actions::Health;
using actions::SystemView;

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
  const Health health = actions::HealthOf(system, now);
  const CertificateView* active = system.Active();
  std::string expires;
  if (active != nullptr && active->not_after) {
    line.expires = *active->not_after;
    expires = *active->not_after <= now ? "expired " + Relative(*active->not_after, now)
                                        : Relative(*active->not_after, now);
  }
  if (session.namespace_.empty()) line.row.push_back({Escaped(system.namespace_)});
  line.row.push_back({Escaped(system.name)});
  line.row.push_back({Escaped(system.type)});
  line.row.push_back({ReadyOf(system), health == Health::Bad ? Tint::Bad : Tint::None});
  line.row.push_back({ShortOf(active)});
  line.row.push_back({ShortOf(system.Inactive())});
  line.row.push_back({expires, TintOf(health)});
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

SystemLine AsDeleted(const Session& session, SystemLine line) {
  line.row.at(session.namespace_.empty() ? 3 : 2) = {"deleted", Tint::Faint};
  return line;
}

std::size_t SizeOf(const SystemLine& line) {
  std::size_t size = line.type.size() + line.name.size() + line.version.size();
  for (const Cell& cell : line.row) size += cell.text.size();
  return size;
}

Tint TintOf(Health health) {
  switch (health) {
    case Health::Bad:
      return Tint::Bad;
    case Health::Attention:
      return Tint::Warn;
    case Health::Good:
      return Tint::Good;
    case Health::Renews:
      break;
  }
  return Tint::None;
}

std::string NextAction(const std::string& action) {
  static const std::map<std::string, std::string, std::less<>> kWords{
      {"Issue", "first certificate"},
      {"Regenerate", "regeneration"},
      {"Activate", "activation"},
      {"Warn", "expiry warning"},
      {"Expire", "expiry"}};
  const auto found = kWords.find(action);
  return found == kWords.end() ? Escaped(action) : found->second;
}

std::string DescribeNext(const SystemView& system, sys_seconds now) {
  if (!system.next_at) return {};
  return fmt::format("{} {}", NextAction(system.next_action), Relative(*system.next_at, now));
}

actions::ListRequest RequestOf(const ListCommand& command) {
  return {.selector = command.selector,
          .type = command.type,
          .expiring_within = command.expiring_within,
          .limits = kMostListed,
          .continue_token = {}};
}

}  // namespace certpair::plugin
