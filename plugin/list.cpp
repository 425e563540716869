// list: the table, and the API's own objects for machines.
#include "list.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actions/fields.hpp"
#include "reconcile/names.hpp"
#include "system_lines.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::SystemView;
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

// A list's items have neither: kubectl adds them too.
void AddKind(json& item) {
  item["apiVersion"] = reconcile::kApiVersion;
  item["kind"] = "ProvisioningSystem";
}

// Counts what stands in memory.
class Room {
 public:
  bool Take(std::size_t bytes) {
    if (bytes > left_) ++left_out_;
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  /// After the list: nothing, where all of it was shown.
  [[nodiscard]] Outcome Verdict(bool is_cut, std::size_t read) const {
    if (!is_cut && left_out_ == 0) return {};
    return Fail(Exit::Failed,
                fmt::format("the list is not complete: {}. Choose fewer systems with -n, -l or "
                            "--type, or use -o json without --sort-by, which has no limit",
                            is_cut ? fmt::format("only the first {} systems were read", read)
                                   : fmt::format("{} systems did not fit in memory", left_out_)));
  }

 private:
  std::size_t left_ = kMostKept;
  std::size_t left_out_ = 0;
};

class ObjectPrinter {
 public:
  ObjectPrinter(const Session& session, const ListCommand& command)
      : console_(session.console), format_(command.format), list_(console_, format_) {}
  void Print(const json& item) {
    if (format_ != Format::Name) return list_.Add(item);
    console_.Print("provisioningsystem.certpair.dev/" + Escaped(actions::ViewOf(item).name));
  }
  void Finish() {
    if (format_ != Format::Name) list_.Finish();
  }

 private:
  const Console& console_;
  const Format format_;
  ListPrinter list_;
};

// As they come, so that the length of the list costs no memory.
Outcome ListUnsorted(const Session& session, const ListCommand& command) {
  ObjectPrinter printer{session, command};
  actions::ListRequest request = RequestOf(command);
  request.limits = {};
  const auto listed = actions::List(Acting(session), request, [&](json& item, const SystemView&) {
    AddKind(item);
    printer.Print(item);
  });
  if (!listed) return std::unexpected(Explain(session, listed.error()));
  printer.Finish();
  return {};
}

Outcome ListSorted(const Session& session, const ListCommand& command) {
  const sys_seconds now = session.clock.NowSeconds();
  std::vector<std::string> kept;
  std::vector<SystemLine> order;
  Room room;
  const auto listed =
      actions::List(Acting(session), RequestOf(command), [&](json& item, const SystemView& system) {
        AddKind(item);
        std::string text = item.dump(-1, ' ', false, json::error_handler_t::replace);
        if (!room.Take(text.size())) return;
        order.push_back(LineOf(session, system, false, now));
        order.back().row = {{std::to_string(kept.size())}};
        kept.push_back(std::move(text));
      });
  if (!listed) return std::unexpected(Explain(session, listed.error()));
  Sort(order, command.sort_by);
  ObjectPrinter printer{session, command};
  for (const SystemLine& line : order)
    printer.Print(json::parse(kept[std::stoul(line.row.front().text)], nullptr, false));
  printer.Finish();
  return room.Verdict(listed->IsCut(), listed->objects);
}

void Declare(Flags& flags, ListCommand& list) {
  flags.Text("-l,--selector", list.selector, "label selector");
  flags.Text("--type", list.type, "Source, Target or Proxy",
             {.words = {actions::fields::kSystemTypes.begin(), actions::fields::kSystemTypes.end()},
              .any_case = true});
  flags.Period("--expiring-within", list.expiring_within,
               "active certificate expires within, such as 30d");
  flags.Text("--sort-by", list.sort_by, "name, expiry or type",
             {.words = {"name", "expiry", "type"}});
  flags.Switch("-w,--watch", list.watch, "go on with changes as they come");
  AddOutput(flags, list.format, kListFormats, "wide, json, yaml or name");
  flags.Check([&list]() -> std::optional<std::string> {
    const bool is_table = list.format == Format::Table || list.format == Format::Wide;
    if (!list.watch || is_table) return std::nullopt;
    return "--watch shows a table: leave -o out, or use -o wide";
  });
}

}  // namespace

Outcome List(const Session& session, const ListCommand& command) {
  if (command.format != Format::Table && command.format != Format::Wide)
    return command.sort_by.empty() ? ListUnsorted(session, command) : ListSorted(session, command);
  const bool wide = command.format == Format::Wide;
  const sys_seconds now = session.clock.NowSeconds();
  std::vector<SystemLine> lines;
  Room room;
  auto listed =
      actions::List(Acting(session), RequestOf(command), [&](json&, const SystemView& system) {
        SystemLine line = LineOf(session, system, wide, now);
        if (room.Take(SizeOf(line))) lines.push_back(std::move(line));
      });
  if (!listed) return std::unexpected(Explain(session, listed.error()));
  Sort(lines, command.sort_by);
  Table table{HeadOf(session, wide)};
  for (SystemLine& line : lines) table.Add(command.watch ? line.row : std::move(line.row));
  if (!table.Empty() || command.watch) table.Print(session.console);
  if (table.Empty() && !command.watch)
    session.console.Remark(
        session.namespace_.empty()
            ? "No systems found."
            : fmt::format("No systems found in namespace \"{}\".", Escaped(session.namespace_)));
  auto whole = room.Verdict(listed->IsCut(), listed->objects);
  if (!whole || !command.watch) return whole;
  return WatchSystems(session, command, table, std::move(lines),
                      std::move(listed->resource_version));
}

extern const CommandEntry kList = EntryOf<ListCommand, &Declare, &List>(
    "list", "Systems: ready, which certificates, until when, what next", "ls", true);

}  // namespace certpair::plugin
