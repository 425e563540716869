#include "version.hpp"

#include <nlohmann/json.hpp>

namespace certpair::plugin {
namespace {

void Declare(Flags& flags, VersionCommand& command) {
  AddOutput(flags, command.format, kDocumentFormats, "json or yaml");
}

}  // namespace

Outcome Version(const Console& console, const VersionCommand& command) {
  if (command.format == Format::Json || command.format == Format::Yaml) {
    PrintDocument(console, command.format,
                  {{"version", CERTPAIR_VERSION}, {"api", "certpair.dev/v1"}});
  } else {
    console.Print("kubectl-certpair " CERTPAIR_VERSION " (certpair.dev/v1)");
  }
  return {};
}

extern const CommandEntry kVersion =
    EntryOf<VersionCommand, &Declare, &Version>("version", "The plugin's version");

}  // namespace certpair::plugin
