#include <nlohmann/json.hpp>

#include "commands.hpp"

namespace certpair::plugin {

void Version(const Console& console, const VersionCommand& command) {
  if (command.format == Format::Json || command.format == Format::Yaml) {
    PrintDocument(console, command.format,
                  {{"version", CERTPAIR_VERSION}, {"api", "certpair.dev/v1"}});
  } else {
    console.Print("kubectl-certpair " CERTPAIR_VERSION " (certpair.dev/v1)");
  }
}

}  // namespace certpair::plugin
