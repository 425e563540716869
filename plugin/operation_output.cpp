#include "operation_output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "text.hpp"

namespace certpair::plugin {

using actions::DryRun;

actions::How HowOf(const ChangeFlags& change) {
  return {.wait = change.wait, .timeout = change.timeout, .dry_run = change.dry_run};
}

Outcome Confirm(const Session& session, const ChangeFlags& change, std::string_view question) {
  if (change.yes || change.dry_run != DryRun::None || !session.console.ask) return {};
  const auto answer = session.console.ask(fmt::format("{} [y/N] ", question), false);
  if (answer && (*answer == "y" || *answer == "Y" || *answer == "yes" || *answer == "Yes"))
    return {};
  if (session.stop.stop_requested())
    return Fail(Exit::Interrupted, "interrupted; nothing was changed");
  return Fail(Exit::Failed, "not confirmed; nothing was changed");
}

bool IsPersonAsking(const Session& session, Format format) {
  return format == Format::Table || session.console.ask;
}

bool PrintsOperation(const Session& session, const actions::OperationEnd& end,
                     const ChangeFlags& change, Format format) {
  const Console& console = session.console;
  if (format == Format::Json || format == Format::Yaml) {
    PrintDocument(console, format, end.object);
    return true;
  }
  const std::string what = end.name.empty()
                               ? "certificateoperation.certpair.dev"
                               : "certificateoperation.certpair.dev/" + Escaped(end.name);
  if (format == Format::Name) {
    console.Print(what);
  } else if (change.dry_run != DryRun::None) {
    console.Print(fmt::format("{} created{}", what, DryRunSuffix(change.dry_run)));
  } else if (!end.finished) {
    console.Print(fmt::format("{} created, not waiting for its end", what));
  } else {
    return false;
  }
  return true;
}

std::string_view DryRunSuffix(DryRun dry_run) {
  return dry_run == DryRun::Server   ? " (server dry run)"
         : dry_run == DryRun::Client ? " (client dry run)"
                                     : "";
}

}  // namespace certpair::plugin
