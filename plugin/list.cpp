#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "system_lines.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;

void Sort(std::vector<SystemLine>& lines, const std::string& by) {
  if (by == "expiry")
    std::ranges::stable_sort(lines, {},
                             [](const SystemLine& l) { return std::tie(l.expires, l.name); });
  if (by == "name") std::ranges::stable_sort(lines, {}, &SystemLine::name);
  if (by == "type")
    std::ranges::stable_sort(lines, {},
                             [](const SystemLine& l) { return std::tie(l.type, l.name); });
}

Failure WhyNotListed(const Session& session, const kube::ApiError& error) {
  return Explain(session, error, {"list", reconcile::kSystems, session.namespace_, ""});
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
  std::vector<std::pair<SystemLine, std::string>> kept;
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
    SystemLine line = LineOf(session, system, false, now);
    line.row.clear();
    kept.emplace_back(std::move(line), item.dump(-1, ' ', false, json::error_handler_t::replace));
  });
  if (!listed) return std::unexpected(WhyNotListed(session, listed.error()));
  std::vector<SystemLine> order;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    order.push_back(kept[i].first);
    order.back().row = {{std::to_string(i)}};
  }
  Sort(order, command.sort_by);
  for (const SystemLine& line : order) {
    json item = json::parse(kept[std::stoul(line.row.front().text)].second, nullptr, false);
    print(item);
  }
  if (command.format != Format::Name) printer.Finish();
  return {};
}

}  // namespace

Outcome List(const Session& session, const ListCommand& command) {
  if (command.format != Format::Table && command.format != Format::Wide)
    return ListObjects(session, command);
  const bool wide = command.format == Format::Wide;
  const sys_seconds now = session.clock.NowSeconds();
  std::vector<SystemLine> lines;
  auto listed = EachSystem(session, command, [&](json& item) {
    const SystemView system = ViewOf(item);
    if (Wanted(system, command, now)) lines.push_back(LineOf(session, system, wide, now));
  });
  if (!listed) return std::unexpected(WhyNotListed(session, listed.error()));
  Sort(lines, command.sort_by);
  Table table{HeadOf(session, wide)};
  for (SystemLine& line : lines) table.Add(command.watch ? line.row : std::move(line.row));
  if (!table.Empty() || command.watch) table.Print(session.console);
  if (table.Empty() && !command.watch)
    session.console.Remark(
        session.namespace_.empty()
            ? "No systems found."
            : fmt::format("No systems found in namespace \"{}\".", Escaped(session.namespace_)));
  return command.watch ? WatchSystems(session, command, table, std::move(lines), std::move(*listed))
                       : Outcome{};
}

}  // namespace certpair::plugin
