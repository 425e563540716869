#include "output.hpp"

#include <nlohmann/json.hpp>

#include "yaml.hpp"

namespace certpair::plugin {
namespace {

constexpr int kIndent = 4;  // kubectl's
constexpr std::size_t kItemIndent = 8;

// A file gets the letters as they are; on a terminal some of them act, or mislead the eye.
std::string Dump(const Console& console, const nlohmann::json& value) {
  return value.dump(kIndent, ' ', console.out_is_terminal,
                    nlohmann::json::error_handler_t::replace);
}

std::string Yaml(const Console& console, const nlohmann::json& value) {
  return ToYaml(value, console.out_is_terminal ? Letters::Ascii : Letters::All);
}

std::string Indented(const std::string& text, std::size_t by) {
  std::string indented(by, ' ');
  for (const char c : text) {
    indented += c;
    if (c == '\n') indented.append(by, ' ');
  }
  return indented;
}

}  // namespace

void PrintDocument(const Console& console, Format format, const nlohmann::json& document) {
  console.Print(format == Format::Yaml ? Yaml(console, document) : Dump(console, document));
}

void ListPrinter::Add(const nlohmann::json& object) {
  if (format_ == Format::Yaml) {
    if (!begun_) console_.Print("apiVersion: v1\nkind: List\nitems:");
    // A one-item sequence, so that the item is indented as YAML wants it.
    console_.Print(Yaml(console_, nlohmann::json::array({object})));
  } else {
    console_.out(begun_ ? ",\n"
                        : "{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"List\",\n"
                          "    \"items\": [\n");
    console_.out(Indented(Dump(console_, object), kItemIndent));
  }
  begun_ = true;
}

void ListPrinter::Finish() {
  if (!begun_) {
    PrintDocument(console_, format_,
                  {{"apiVersion", "v1"}, {"kind", "List"}, {"items", nlohmann::json::array()}});
  } else if (format_ == Format::Json) {
    console_.Print("\n    ]\n}");
  }
}

}  // namespace certpair::plugin
