#include "manifest.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "actions/object_name.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "schema.hpp"
#include "text.hpp"
#include "yaml.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

constexpr int kMaxDepth = 100;

// What ObjectMeta has (k8s.io/apimachinery/pkg/apis/meta/v1).
constexpr std::string_view kMetadataFields[] = {
    "name",       "generateName",      "namespace",    "selfLink",
    "uid",        "resourceVersion",   "generation",   "creationTimestamp",
    "labels",     "deletionTimestamp", "annotations",  "deletionGracePeriodSeconds",
    "finalizers", "ownerReferences",   "managedFields"};

// How long the JSON object is that `text` begins with; nothing where it does not end, or is nested
// too deep.
std::size_t SizeOfObject(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
      continue;
    }
    if (c == '"') in_text = true;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxDepth) break;
    if (depth == 0) return i + 1;
  }
  return 0;
}

// The JSON objects that `text` begins with, one after the other. What is left of it is something
// else, or blank.
std::vector<json> TakeJson(std::string_view& text) {
  std::vector<json> objects;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (!text.starts_with('{')) return objects;
    const std::size_t size = SizeOfObject(text);
    json object = json::parse(text.substr(0, size), nullptr, false);
    if (object.is_discarded()) return objects;
    objects.push_back(std::move(object));
    text.remove_prefix(size);
  }
}

// As kubectl: the items of a list of one kind need not repeat it.
void TakeApart(json list, std::vector<json>& objects) {
  const std::string kind = Text(At(list, "kind"));
  for (json& item : list["items"]) {
    if (item.is_object() && kind != "List") {
      if (!item.contains("kind")) item["kind"] = kind.substr(0, kind.size() - 4);
      if (!item.contains("apiVersion")) item["apiVersion"] = At(list, "apiVersion");
    }
    objects.push_back(std::move(item));
  }
}

// Labels and annotations: a name of at most 63 characters after an optional domain and `/`.
bool IsQualifiedName(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    if (!actions::IsObjectName(text.substr(0, slash))) return false;
    text.remove_prefix(slash + 1);
  }
  const auto is_outer = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  constexpr std::size_t kMost = 63;
  return !text.empty() && text.size() <= kMost && is_outer(text.front()) && is_outer(text.back()) &&
         std::ranges::all_of(
             text, [&](char c) { return is_outer(c) || c == '-' || c == '_' || c == '.'; });
}

void CheckTexts(const json& metadata, const char* field, std::vector<std::string>& found) {
  const json& map = At(metadata, field);
  if (map.is_null()) return;
  if (!map.is_object())
    return found.push_back(fmt::format("metadata.{}: it must be an object of texts", field));
  for (const auto& [key, value] : map.items()) {
    const std::string place = fmt::format("metadata.{}, {}", field, Escaped(key.substr(0, 80)));
    if (!IsQualifiedName(key)) found.push_back(place + ": this is not the name of one");
    const bool is_label = std::string_view{field} == "labels";
    if (value.is_null()) continue;
    if (!value.is_string())
      found.push_back(place + ": it must be a text: put it in quotes");
    else if (is_label && !Text(value).empty() &&
             (Text(value).contains('/') || !IsQualifiedName(Text(value))))
      found.push_back(place + ": its value is not that of a label");
  }
}

void CheckMetadata(const json& metadata, std::vector<std::string>& found) {
  constexpr std::size_t kLongestName = 63;  // a CEL rule of the CRD
  if (!metadata.is_object()) {
    found.emplace_back("metadata: it must be an object with a name");
    return;
  }
  const json& name = At(metadata, "name");
  if (name.is_null())
    found.emplace_back("metadata.name: it is missing");
  else if (!name.is_string())
    found.emplace_back("metadata.name: it must be a text: put it in quotes");
  else if (!actions::IsObjectName(Text(name)) || Text(name).size() > kLongestName)
    found.emplace_back(
        "metadata.name: it must be at most 63 lower-case letters, digits, '-' and '.', with a "
        "letter or digit at both ends");
  const json& home = At(metadata, "namespace");
  if (!home.is_null() && !home.is_string())
    found.emplace_back("metadata.namespace: it must be a text: put it in quotes");
  CheckTexts(metadata, "labels", found);
  CheckTexts(metadata, "annotations", found);
  for (const auto& [field, value] : metadata.items())
    if (std::ranges::find(kMetadataFields, field) == std::end(kMetadataFields))
      found.push_back(fmt::format("metadata.{}: unknown field", Escaped(field.substr(0, 80))));
}

}  // namespace

Result<std::vector<json>> ReadManifest(std::string_view text) {
  std::string_view rest = text;
  std::vector<json> documents = TakeJson(rest);
  // kubectl goes over to YAML after the first object, and not after more.
  if (!rest.empty() && documents.size() > 1)
    return Fail(ErrorCode::Invalid,
                fmt::format("after {} JSON objects there is something else", documents.size()));
  if (!rest.empty()) {
    auto others = ParseYaml(rest);
    if (!others) return std::unexpected(std::move(others.error()));
    std::ranges::move(*others, std::back_inserter(documents));
  }
  std::vector<json> objects;
  for (json& document : documents) {
    if (At(document, "items").is_array() && Text(At(document, "kind")).ends_with("List"))
      TakeApart(std::move(document), objects);
    else
      objects.push_back(std::move(document));
  }
  return objects;
}

std::vector<std::string> PrepareSystem(json& object) {
  std::vector<std::string> found;
  if (Text(At(object, "apiVersion")) != reconcile::kApiVersion)
    found.push_back(fmt::format("apiVersion: it must be {}", reconcile::kApiVersion));
  object.erase("status");
  FillDefaults(SystemSchema(), object);
  CheckMetadata(At(object, "metadata"), found);
  std::ranges::move(Violations(SystemSchema(), object), std::back_inserter(found));
  return found;
}

}  // namespace certpair::plugin
