#include "schema.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reconcile/json.hpp"
#include "system_crd.hpp"
#include "text.hpp"
#include "yaml.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Boolean;
using reconcile::json::Integer;
using reconcile::json::Member;
using reconcile::json::Text;

constexpr std::size_t kMostViolations = 20;
constexpr const char* kPreserves = "x-kubernetes-preserve-unknown-fields";

bool Has(const json& schema, const char* keyword) { return schema.contains(keyword); }

// The schema of a member; null where the schema does not know it.
const json& SchemaOf(const json& schema, const std::string& name) {
  const json& known = Member(At(schema, "properties"), name);
  return known.is_null() ? At(schema, "additionalProperties") : known;
}

std::string KindOf(const json& value) {
  if (value.is_boolean()) return "a boolean";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  if (value.is_array()) return "a list";
  return value.is_object() ? "an object" : "null";
}

std::string NameOf(std::string_view type) {
  if (type == "array") return "a list";
  if (type == "object" || type == "integer") return fmt::format("an {}", type);
  return type == "string" ? "a text" : fmt::format("a {}", type);
}

std::string Shown(const json& value) {
  constexpr std::size_t kMost = 40;
  if (value.is_structured()) return {};
  const std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return fmt::format(" ({}{})", text.substr(0, kMost), text.size() > kMost ? "..." : "");
}

// 3072.0 is an integer to the API server.
bool IsInteger(const json& value) {
  if (value.is_number_integer()) return true;
  const double number = value.is_number() ? value.get<double>() : 0.5;
  return std::trunc(number) == number;
}

bool IsOfType(const json& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return IsInteger(value);
  return type != "number" || value.is_number();
}

std::int64_t CharactersOf(std::string_view text) {
  return std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

class Judge {
 public:
  void Value(const json& schema, const json& value, const std::string& path) {
    if (Full()) return;
    if (value.is_null() && Boolean(At(schema, "nullable"))) return;
    const std::string type = Text(At(schema, "type"));
    if (!IsOfType(value, type)) {
      const bool is_scalar = value.is_boolean() || value.is_number();
      return Say(path, fmt::format("it is {}{}, and must be {}{}", KindOf(value), Shown(value),
                                   NameOf(type),
                                   is_scalar && type == "string" ? ": put it in quotes" : ""));
    }
    CheckEnum(schema, value, path);
    if (value.is_object()) Object(schema, value, path);
    if (value.is_array()) List(schema, value, path);
    if (value.is_string())
      CheckSize(schema, {"minLength", "maxLength", "character"},
                CharactersOf(value.get_ref<const std::string&>()), path);
    if (value.is_number()) Number(schema, value, path);
  }
  std::vector<std::string> Take() { return std::move(said_); }

 private:
  struct Size {
    const char* least;
    const char* most;
    std::string_view of_what;
  };

  [[nodiscard]] bool Full() const { return said_.size() >= kMostViolations; }
  void Say(const std::string& path, std::string_view what) {
    if (!Full()) said_.push_back(fmt::format("{}: {}", path.empty() ? "the object" : path, what));
  }

  void CheckEnum(const json& schema, const json& value, const std::string& path) {
    if (!Has(schema, "enum")) return;
    const json& words = schema.at("enum");
    if (std::ranges::find(words, value) != words.end()) return;
    std::string known;
    for (const json& word : words) known += (known.empty() ? "" : ", ") + Text(word);
    Say(path, fmt::format("it is{}, and must be one of {}", Shown(value), known));
  }

  void CheckSize(const json& schema, const Size& words, std::int64_t size,
                 const std::string& path) {
    const auto say = [&](std::string_view bound, std::int64_t limit) {
      Say(path, fmt::format("it has {} {}{}, and must have at {} {}", size, words.of_what,
                            size == 1 ? "" : "s", bound, limit));
    };
    if (const auto least = Integer(At(schema, words.least)); size < least) say("least", least);
    if (const auto most = Integer(At(schema, words.most), size); size > most) say("most", most);
  }

  void Number(const json& schema, const json& value, const std::string& path) {
    const auto number = value.get<double>();
    double least = std::numeric_limits<double>::lowest();
    double most = std::numeric_limits<double>::max();
    if (Text(At(schema, "format")) == "int32") {
      least = std::numeric_limits<std::int32_t>::min();
      most = std::numeric_limits<std::int32_t>::max();
    }
    if (Has(schema, "minimum")) least = schema.at("minimum").get<double>();
    if (Has(schema, "maximum")) most = schema.at("maximum").get<double>();
    if (number < least || number > most)
      Say(path, fmt::format("it is{}, and must be from {} to {}", Shown(value), least, most));
  }

  void Object(const json& schema, const json& value, const std::string& path) {
    CheckSize(schema, {"minProperties", "maxProperties", "entry"},
              static_cast<std::int64_t>(value.size()), path);
    for (const json& name : At(schema, "required"))
      if (!value.contains(Text(name))) Say(Below(path, Text(name)), "it is missing");
    for (const auto& [name, member] : value.items()) {
      const json& known = SchemaOf(schema, name);
      const std::string place = Below(path, name);
      if (known.is_object())
        Value(known, member, place);
      else if (!Boolean(At(schema, kPreserves)))
        Say(place, "unknown field");
    }
  }

  void List(const json& schema, const json& value, const std::string& path) {
    CheckSize(schema, {"minItems", "maxItems", "item"}, static_cast<std::int64_t>(value.size()),
              path);
    for (std::size_t i = 0; i < value.size() && !Full(); ++i)
      Value(At(schema, "items"), value.at(i), fmt::format("{}[{}]", path, i));
    const std::string type = Text(At(schema, "x-kubernetes-list-type"));
    if (type != "map" && type != "set") return;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < value.size(); ++i) {
      json key = value.at(i);
      if (type == "map") {
        key = json::array();
        for (const json& name : At(schema, "x-kubernetes-list-map-keys"))
          key.push_back(Member(value.at(i), Text(name)));
      }
      if (!seen.insert(key.dump(-1, ' ', true, json::error_handler_t::replace)).second)
        Say(fmt::format("{}[{}]", path, i), "it is there twice");
    }
  }

  static std::string Below(const std::string& path, const std::string& name) {
    constexpr std::size_t kMost = 80;
    return (path.empty() ? "" : path + ".") + Escaped(name.substr(0, kMost));
  }

  std::vector<std::string> said_;
};

}  // namespace

const json& SystemSchema() {
  static const json kSchema = [] {
    const auto documents = ParseYaml(kSystemCrd);
    if (!documents || documents->size() != 1)
      return json::object();  // a test holds that it is there
    const json& versions = At(documents->front(), "spec", "versions");
    return versions.is_array() && !versions.empty()
               ? At(versions.front(), "schema", "openAPIV3Schema")
               : json::object();
  }();
  return kSchema;
}

void FillDefaults(const json& schema, json& value) {
  if (value.is_array())
    for (json& item : value) FillDefaults(At(schema, "items"), item);
  if (!value.is_object() || !schema.is_object()) return;
  for (auto member = value.begin(); member != value.end();) {
    const json& known = SchemaOf(schema, member.key());
    const bool goes = member->is_null() && !Boolean(At(known, "nullable"));
    member = goes ? value.erase(member) : std::next(member);
  }
  for (const auto& [name, known] : At(schema, "properties").items())
    if (Has(known, "default") && !value.contains(name)) value[name] = known.at("default");
  for (auto& [name, member] : value.items()) FillDefaults(SchemaOf(schema, name), member);
}

std::vector<std::string> Violations(const json& schema, const json& object) {
  Judge judge;
  json rest = object;
  for (const char* name : {"apiVersion", "kind", "metadata"})
    if (rest.is_object()) rest.erase(name);
  judge.Value(schema, rest, "");
  return judge.Take();
}

}  // namespace certpair::plugin
