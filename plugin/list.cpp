#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/time_format.hpp"
#include "commands.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "system_view.hpp"
#include "table.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;

// What is kept of a system while the list comes: cells and keys, no certificates.
struct Line {
  Row row;
  sys_seconds expires = sys_seconds::max();
  std::string type;
  std::string name;
};

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

std::string ReadyOf(const SystemView& system) {
  const core::Condition* ready = system.Condition("Ready");
  if (ready == nullptr) return "Unknown";
  if (ready->status == core::ConditionStatus::True) return "True";
  return fmt::format("{} ({})", core::ToString(ready->status), Escaped(ready->reason));
}

std::string ShortOf(const CertificateView* certificate) {
  return certificate == nullptr ? "" : Escaped(ShortFingerprint(certificate->fingerprint));
}

Line LineOf(const Session& session, const SystemView& system, bool wide, sys_seconds now) {
  Line line{.row = {}, .type = system.type, .name = system.namespace_ + "/" + system.name};
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

void Sort(std::vector<Line>& lines, const std::string& by) {
  if (by == "expiry")
    std::ranges::stable_sort(lines, {}, [](const Line& l) { return std::tie(l.expires, l.name); });
  if (by == "name") std::ranges::stable_sort(lines, {}, &Line::name);
  if (by == "type")
    std::ranges::stable_sort(lines, {}, [](const Line& l) { return std::tie(l.type, l.name); });
}

// Larger pages than the client's own: a person waits for all of them.
constexpr int kPage = 2000;

// All pages, an item at a time. The answer is the version of the list, to watch from.
Expected<std::string> EachSystem(const Session& session, const ListCommand& command,
                                 const kube::ItemSink& sink) {
  auto version = session.client.ListAll(
      reconcile::kSystems, {.namespace_ = session.namespace_, .label_selector = command.selector},
      sink, session.stop);
  if (!version)
    return std::unexpected(
        Explain(session, version.error(), {"list", reconcile::kSystems, session.namespace_, ""}));
  return std::move(*version);
}

// A list's items have neither: kubectl adds them too.
void AddKind(json& item) {
  item["apiVersion"] = reconcile::kApiVersion;
  item["kind"] = "ProvisioningSystem";
}

// For machines: printed as they come, or, where an order is wanted, kept until then.
Outcome ListObjects(const Session& session, const ListCommand& command) {
  const sys_seconds now = session.clock.NowSeconds();
  ListPrinter printer{session.console, command.format};
  std::vector<std::pair<Line, std::string>> kept;
  const auto print = [&](json& item) {
    if (command.format == Format::Name) {
      session.console.Print(
          "provisioningsystem.certpair.dev/" +
          Escaped(reconcile::json::Text(reconcile::json::At(item, "metadata", "name"))));
    } else {
      printer.Add(item);
    }
  };
  auto listed = EachSystem(session, command, [&](json& item) {
    const SystemView system = ViewOf(item);
    if (!Wanted(system, command, now)) return;
    AddKind(item);
    if (command.sort_by.empty()) return print(item);
    Line line = LineOf(session, system, false, now);
    line.row.clear();
    kept.emplace_back(std::move(line), item.dump(-1, ' ', false, json::error_handler_t::replace));
  });
  if (!listed) return std::unexpected(std::move(listed.error()));
  std::vector<Line> order;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    order.push_back(kept[i].first);
    order.back().row = {{std::to_string(i)}};
  }
  Sort(order, command.sort_by);
  for (const Line& line : order) {
    json item = json::parse(kept[std::stoul(line.row.front().text)].second, nullptr, false);
    print(item);
  }
  if (command.format != Format::Name) printer.Finish();
  return {};
}

// Each change as a line of its own, as kubectl does; the widths are those of the first table.
Outcome Watch(const Session& session, const ListCommand& command, const Table& table,
              std::string version) {
  const bool wide = command.format == Format::Wide;
  while (!session.stop.stop_requested()) {
    bool again = false;
    const auto ended = session.client.Watch(
        reconcile::kSystems,
        {.namespace_ = session.namespace_,
         .label_selector = command.selector,
         .resource_version = version},
        [&](const kube::WatchEvent& event) {
          if (event.type == kube::WatchEventType::Error) {
            again = true;
            return false;
          }
          version = reconcile::json::Text(
              reconcile::json::At(*event.object, "metadata", "resourceVersion"));
          if (event.type == kube::WatchEventType::Bookmark) return true;
          const sys_seconds now = session.clock.NowSeconds();
          const SystemView system = ViewOf(*event.object);
          if (!Wanted(system, command, now)) return true;
          Line line = LineOf(session, system, wide, now);
          if (event.type == kube::WatchEventType::Deleted)
            line.row.at(session.namespace_.empty() ? 3 : 2) = {"deleted", Tint::Faint};
          table.PrintLine(session.console, line.row);
          return true;
        },
        session.stop);
    if (again)
      return Fail(Exit::Failed, "the watch fell behind what the API server remembers; start again");
    if (!ended && ended.error().kind == kube::ApiErrorKind::Cancelled) break;
    if (!ended)
      return std::unexpected(
          Explain(session, ended.error(), {"watch", reconcile::kSystems, session.namespace_, ""}));
  }
  return {};
}

}  // namespace

Outcome List(const Session& session, const ListCommand& command) {
  if (command.format != Format::Table && command.format != Format::Wide)
    return ListObjects(session, command);
  const bool wide = command.format == Format::Wide;
  const sys_seconds now = session.clock.NowSeconds();
  std::vector<Line> lines;
  auto listed = EachSystem(session, command, [&](json& item) {
    const SystemView system = ViewOf(item);
    if (Wanted(system, command, now)) lines.push_back(LineOf(session, system, wide, now));
  });
  if (!listed) return std::unexpected(std::move(listed.error()));
  Sort(lines, command.sort_by);
  Table table{HeadOf(session, wide)};
  for (Line& line : lines) table.Add(std::move(line.row));
  if (!table.Empty() || command.watch) table.Print(session.console);
  if (table.Empty() && !command.watch)
    session.console.Remark(
        session.namespace_.empty()
            ? "No systems found."
            : fmt::format("No systems found in namespace \"{}\".", Escaped(session.namespace_)));
  return command.watch ? Watch(session, command, table, std::move(*listed)) : Outcome{};
}

}  // namespace certpair::plugin
