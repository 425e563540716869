#include "reconcile/json.hpp"

#include "base/time_format.hpp"

namespace certpair::reconcile::json {

const Value& Member(const Value& object, std::string_view name) {
  static const Value kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string Text(const Value& value) {
  return value.is_string() ? value.get_ref<const std::string&>() : std::string{};
}

std::int64_t Integer(const Value& value, std::int64_t otherwise) {
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

bool Boolean(const Value& value, bool otherwise) {
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

std::vector<std::string> Texts(const Value& value) {
  std::vector<std::string> texts;
  if (!value.is_array()) return texts;
  texts.reserve(value.size());
  for (const Value& item : value) texts.push_back(Text(item));
  return texts;
}

TextMap DecodeTextMap(const Value& value) {
  TextMap map;
  if (!value.is_object()) return map;
  map.reserve(value.size());
  for (const auto& [key, item] : value.items()) map.emplace(key, Text(item));
  return map;
}

std::optional<sys_seconds> Time(const Value& value) {
  return value.is_string() ? ParseTime(value.get_ref<const std::string&>()) : std::nullopt;
}

std::optional<seconds> Duration(const Value& value) {
  return value.is_string() ? ParseDuration(value.get_ref<const std::string&>()) : std::nullopt;
}

}  // namespace certpair::reconcile::json
