// Any octets as what `simulate -f` reads, and as what a server calls PEM.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "actions/pem_text.hpp"
#include "manifest.hpp"
#include "schema.hpp"
#include "text.hpp"
#include "yaml.hpp"

namespace {

void Want(bool good) {
  if (!good) std::abort();
}

bool IsSafe(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace certpair::plugin;  // NOLINT(google-build-using-namespace): one function
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string shown = Escaped(text);
  Want(IsSafe(shown) && Escaped(shown) == shown);
  Want(IsSafe(ShellWord(text)));
  if (certpair::actions::CheckPem(text, "CERTIFICATE"))
    Want(std::ranges::all_of(
        text, [](char c) { return c == '\n' || c == '\r' || (c >= ' ' && c <= 'z'); }));
  const auto objects = ReadManifest(text);
  if (!objects) {
    Want(!objects.error().message.empty() && IsSafe(objects.error().message));
    return 0;
  }
  for (const nlohmann::json& object : *objects) {
    static_cast<void>(ToYaml(object, Letters::Ascii));
    nlohmann::json system = object;
    if (!system.is_object()) continue;
    const auto found = PrepareSystem(system);
    for (const std::string& reason : found) Want(IsSafe(reason));
    // Of what is taken nothing is left to fill in or to refuse.
    nlohmann::json twice = system;
    if (found.empty()) Want(PrepareSystem(twice).empty() && twice == system);
  }
  return 0;
}
