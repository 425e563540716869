// simulate: what would happen to a system of the cluster or of a file.
#include "simulate.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "actions/fields.hpp"
#include "actions/simulate.hpp"
#include "base/time_format.hpp"
#include "input.hpp"
#include "manifest.hpp"
#include "reconcile/json.hpp"
#include "reconcile/system_codec.hpp"
#include "table.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

// The chosen one as the API server would keep it; Refused, with every reason, where it would not.
Outcome Prepare(json& document, const std::string& path) {
  const std::vector<std::string> found = PrepareSystem(document);
  if (found.empty()) {
    document["metadata"]["uid"] = "simulated";
    document["metadata"]["generation"] = 1;
    return {};
  }
  std::string list;
  for (const std::string& reason : found) list += "\n  " + reason;
  return Fail(Exit::Refused,
              fmt::format("{}: the API server would refuse this system:{}", path, list));
}

Expected<json> Choose(std::vector<json> documents, const std::string& path,
                      const std::string& name) {
  std::vector<json> systems;
  std::string names;
  for (json& document : documents) {
    if (Text(At(document, "kind")) != "ProvisioningSystem") continue;
    const std::string its_name = Text(At(document, "metadata", "name"));
    if (!name.empty() && its_name != name) continue;
    names += (names.empty() ? "" : ", ") + Escaped(its_name);
    systems.push_back(std::move(document));
  }
  if (systems.empty())
    return Fail(Exit::Failed, fmt::format("{}: it holds no ProvisioningSystem{}", path,
                                          name.empty() ? "" : " \"" + Escaped(name) + "\""));
  if (systems.size() > 1)
    return Fail(Exit::Usage,
                fmt::format("{}: it holds {} ProvisioningSystems ({}). Give the NAME of one", path,
                            systems.size(), names));
  return std::move(systems.front());
}

Expected<json> FromFile(const Session& session, const SimulateCommand& command) {
  const std::string path = command.file == "-" ? "standard input" : Escaped(command.file);
  auto text = ReadInput(command.file, session.stop);
  if (!text) return std::unexpected(std::move(text.error()));
  auto documents = ReadManifest(*text);
  if (!documents) return Fail(Exit::Failed, path + ": " + documents.error().message);
  auto document = Choose(std::move(*documents), path, command.name);
  if (!document) return document;
  if (auto good = Prepare(*document, path); !good) return std::unexpected(std::move(good.error()));
  session.console.Remark(fmt::format(
      "The file fits the schema of certpair {}. Only the API server checks rules between "
      "fields: kubectl apply --dry-run=server -f {}",
      CERTPAIR_VERSION, ShellWord(command.file)));
  return document;
}

json DocumentOf(const actions::Simulated& simulated) {
  json timeline = json::array();
  for (const actions::Moment& moment : simulated.foresight.timeline)
    timeline.push_back({{"at", FormatTime(moment.at)},
                        {"warning", moment.warning},
                        {"reason", moment.reason},
                        {"message", moment.message}});
  return {{"system", simulated.system},
          {"from", FormatTime(simulated.from)},
          {"until", FormatTime(simulated.until)},
          {"timeline", std::move(timeline)},
          {"complete", !simulated.foresight.cut_short},
          {"conditions", reconcile::EncodeConditions(simulated.foresight.end.conditions)}};
}

std::string Describe(const actions::AssumedAuthority& assumed) {
  using Why = actions::AssumedAuthority::Why;
  const std::string name = Escaped(assumed.authority);
  const std::string why =
      assumed.why == Why::NotLookedAt ? "The cluster is not read."
      : assumed.why == Why::AuthorityUnreadable
          ? fmt::format("You may not read the authority \"{}\".", name)
          : fmt::format(
                "The authority \"{}\" chooses namespaces by their labels, and you may not "
                "read this namespace.",
                name);
  return fmt::format("{} The simulation assumes that the authority \"{}\" signs every certificate.",
                     why, name);
}

void PrintTimeline(const Console& console, const actions::Simulated& simulated) {
  const actions::Foresight& foresight = simulated.foresight;
  Table table{{"AT", "FROM NOW", "WHAT", "MESSAGE"}};
  for (const actions::Moment& moment : foresight.timeline)
    table.Add({{FormatTime(moment.at)},
               {Relative(moment.at, simulated.from)},
               {Escaped(moment.reason), moment.warning ? Tint::Warn : Tint::Good},
               {Escaped(WithShortFingerprints(moment.message))}});
  if (table.Empty())
    console.Remark("Nothing would happen.");
  else
    table.Print(console);
  if (foresight.cut_short) {
    console.Remark("The timeline ends here: more would happen than can be shown.");
    return;
  }
  console.Print("");
  console.Print(fmt::format("On {}:", FormatTime(simulated.until)));
  for (const core::Condition& condition : foresight.end.conditions)
    console.Print(fmt::format("  {}={} ({}) {}", Escaped(condition.type),
                              core::ToString(condition.status), Escaped(condition.reason),
                              Escaped(WithShortFingerprints(condition.message))));
}

void Declare(Flags& flags, SimulateCommand& command) {
  AddName(flags, command.name, false);
  flags.Text("-f,--filename", command.file,
             "a system from a file, of several the one called NAME; -: stdin",
             {.words = {}, .offers = Offers::Files});
  flags.Period("--until", command.until, "how far (2y)");
  std::vector<std::string> examples;
  for (const auto& field : actions::fields::kSupposables)
    examples.push_back(fmt::format("{}={}", field.key, field.example));
  flags.Values("--what-if", command.what_if,
               fmt::format("{}; with commas", fmt::join(examples, ", ")));
  AddOutput(flags, command.format, kDocumentFormats, "json or yaml");
  flags.Check([&command]() -> std::optional<std::string> {
    if (!command.name.empty() || !command.file.empty()) return std::nullopt;
    return "simulate: give the NAME of a system, or -f FILE";
  });
}

}  // namespace

Outcome Simulate(const Session& session, const SimulateCommand& command) {
  actions::SimulationRequest request;
  request.name = command.name;
  if (command.until) request.length = *command.until;
  if (!command.file.empty()) {
    auto read = FromFile(session, command);
    if (!read) return std::unexpected(std::move(read.error()));
    request.object = std::move(*read);
  }
  for (const std::string& text : command.what_if) {
    auto supposition = actions::ParseSupposition(text);
    if (!supposition) return std::unexpected(Explain(session, supposition.error()));
    request.suppositions.push_back(std::move(*supposition));
  }
  const auto simulated = actions::Simulate(Acting(session), std::move(request));
  if (!simulated) return std::unexpected(Explain(session, simulated.error()));
  if (simulated->assumed) session.console.Remark(Describe(*simulated->assumed));
  if (command.format == Format::Table)
    PrintTimeline(session.console, *simulated);
  else
    PrintDocument(session.console, command.format, DocumentOf(*simulated));
  return {};
}

extern const CommandEntry kSimulate = EntryOf<SimulateCommand, &Declare, &Simulate>(
    "simulate", "What would happen to a system, and when; nothing is written");

}  // namespace certpair::plugin
