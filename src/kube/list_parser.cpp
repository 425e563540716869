#include "kube/list_parser.hpp"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

namespace certpair::kube {
namespace {

using nlohmann::json;

// Depths in a list's document, as the parser counts them.
constexpr int kListKey = 1;      // kind, metadata, items
constexpr int kItem = 2;         // an object in items
constexpr int kItemKey = 3;      // metadata, spec, status
constexpr int kMetadataKey = 4;  // name, managedFields

// Where in the document the parser is, as far as it matters.
class ItemFilter {
 public:
  explicit ItemFilter(const ItemSink& sink) : sink_(sink) {}

  // Answers whether the parser should keep what it just read.
  bool operator()(int depth, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::key) return KeepKey(depth, value);
    if (in_items_ && depth == kItem && event == json::parse_event_t::object_end) {
      sink_(value);
      return false;
    }
    return true;
  }

 private:
  bool KeepKey(int depth, const json& key) {
    const auto& name = key.get_ref<const std::string&>();
    if (depth == kListKey) in_items_ = name == "items";
    if (in_items_ && depth == kItemKey) in_metadata_ = name == "metadata";
    return !(in_items_ && in_metadata_ && depth == kMetadataKey && name == "managedFields");
  }

  const ItemSink& sink_;
  bool in_items_ = false;
  bool in_metadata_ = false;
};

std::string TextOf(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

}  // namespace

std::optional<Page> ParseList(std::string_view body, const ItemSink& sink) {
  ItemFilter filter(sink);
  const json list = json::parse(
      body,
      [&filter](int depth, json::parse_event_t event, json& value) {
        return filter(depth, event, value);
      },
      false);
  if (!list.is_object()) return std::nullopt;
  const auto metadata = list.find("metadata");
  const auto items = list.find("items");
  const bool has_items = items != list.end() && (items->is_array() || items->is_null());
  if (metadata == list.end() || !metadata->is_object() || !has_items) return std::nullopt;
  return Page{TextOf(*metadata, "resourceVersion"), TextOf(*metadata, "continue")};
}

std::optional<NamesPage> ParseTable(std::string_view body) {
  const json table = json::parse(body, nullptr, false);
  if (!table.is_object() || TextOf(table, "kind") != "Table") return std::nullopt;
  const auto metadata = table.find("metadata");
  if (metadata == table.end() || !metadata->is_object()) return std::nullopt;
  NamesPage answer{{TextOf(*metadata, "resourceVersion"), TextOf(*metadata, "continue")}, {}};
  const auto rows = table.find("rows");
  if (rows == table.end() || !rows->is_array()) return answer;
  for (const json& row : *rows) {
    // Every kind's first column is the name: a printer that says otherwise does not exist.
    const auto cells = row.is_object() ? row.find("cells") : row.end();
    const bool has_name =
        row.is_object() && cells != row.end() && cells->is_array() && !cells->empty();
    answer.names.push_back(has_name && (*cells)[0].is_string() ? (*cells)[0].get<std::string>()
                                                               : std::string{});
  }
  return answer;
}

std::string GuessContinueToken(std::string_view body) {
  constexpr std::size_t kTail = 4096;
  constexpr std::string_view kMetadata = "\"metadata\":";
  const std::string_view tail = body.substr(body.size() - std::min(body.size(), kTail));
  const std::size_t at = tail.rfind(kMetadata);
  if (at == std::string_view::npos) return {};
  std::string_view metadata = tail.substr(at + kMetadata.size());
  metadata = metadata.substr(0, std::min(metadata.find('}') + 1, metadata.size()));
  return TextOf(json::parse(metadata, nullptr, false), "continue");
}

}  // namespace certpair::kube
