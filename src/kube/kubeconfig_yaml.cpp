#include "kube/kubeconfig_yaml.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/base64.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;

constexpr std::size_t kMostNodes = 10'000;
constexpr int kDeepest = 64;
constexpr std::string_view kTags = "tag:yaml.org,2002:";

// Quoted, or tagged `!!str`: a text whatever it looks like.
bool IsQuoted(const YAML::Node& scalar) {
  return scalar.Tag() == "!" || scalar.Tag() == std::string{kTags} + "str";
}

template <class Number>
std::optional<Number> WholeNumber(std::string_view digits, int base) {
  Number number{};
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
    return std::nullopt;
  return number;
}

// As Go's strconv with base 0 reads it: 0x1F and 017 too.
std::optional<json> Integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  const auto number = WholeNumber<std::uint64_t>(text, base);
  if (!number) return std::nullopt;
  if (!negative) return json(*number);
  if (*number > std::uint64_t{1} << 63U) return std::nullopt;
  return json(static_cast<std::int64_t>(0 - *number));
}

std::optional<json> Real(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::string_view unsigned_text = text.substr(text.starts_with('-') ? 1 : 0);
  if (unsigned_text.find_first_of("0123456789") > 1 ||
      text.find_first_not_of("0123456789.eE+-") != std::string_view::npos)
    return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return json(number);
}

std::optional<json> ScalarJson(const YAML::Node& scalar) {
  const auto text = YamlText(scalar);
  if (!text) return std::nullopt;
  if (IsQuoted(scalar) || scalar.Tag() == std::string{kTags} + "binary") return json(*text);
  if (const auto flag = YamlBool(scalar)) return json(*flag);
  std::string digits = *text;  // 1_000
  std::erase(digits, '_');
  if (auto number = Integer(digits)) return number;
  if (auto number = Real(digits)) return number;
  return json(*text);
}

// YAML 1.1, https://yaml.org/type/merge.html: a plain `<<`, or one that is tagged so.
bool IsMergeKey(const YAML::Node& key) {
  if (!key.IsScalar() || key.Scalar() != "<<") return false;
  const std::string& tag = key.Tag();
  return tag.empty() || tag == "?" || tag == std::string{kTags} + "merge";
}

// Expands merges where they stand. Each map and each member costs one of `left_`, also where
// nothing is added: merges of empty maps grow as fast as others. A map whose merges hold it is
// noticed by its depth, since yaml-cpp lets an anchor hold itself.
class Expansion {
 public:
  bool Add(const YAML::Node& map, int depth) {
    if (depth > kDeepest || !Pay()) return false;
    for (const auto& member : map) {
      if (!Pay()) return false;
      if (!IsMergeKey(member.first))
        members_.emplace_back(member.first, member.second);
      else if (!AddMerged(member.second, depth + 1))
        return false;
    }
    return true;
  }
  YamlMembers Take() { return std::move(members_); }

 private:
  bool Pay() { return left_ > 0 && left_-- > 0; }
  bool AddMerged(const YAML::Node& merged, int depth) {
    if (merged.IsMap()) return Add(merged, depth);
    if (!merged.IsSequence()) return false;
    for (std::size_t i = merged.size(); i > 0; --i)
      if (!merged[i - 1].IsMap() || !Add(merged[i - 1], depth)) return false;
    return true;
  }

  YamlMembers members_;
  std::size_t left_ = kMostNodes;
};

std::optional<json> Convert(const YAML::Node& node, int depth, std::size_t& left) {
  if (depth > kDeepest || left == 0) return std::nullopt;
  --left;
  if (node.IsScalar()) return ScalarJson(node);
  if (node.IsSequence()) {
    json list = json::array();
    for (const YAML::Node& entry : node) {
      auto value = Convert(entry, depth + 1, left);
      if (!value) return std::nullopt;
      list.push_back(std::move(*value));
    }
    return list;
  }
  if (!node.IsMap()) return json(nullptr);
  json map = json::object();
  const auto members = YamlMembersOf(node);
  if (!members) return std::nullopt;
  for (const auto& [name, content] : *members) {
    const auto key = name.IsScalar() ? ScalarJson(name) : std::nullopt;
    auto value = Convert(content, depth + 1, left);
    if (!key || !value) return std::nullopt;
    map[key->is_string() ? key->get<std::string>() : key->dump()] = std::move(*value);
  }
  return map;
}

}  // namespace

std::optional<std::string> YamlText(const YAML::Node& scalar) {
  if (scalar.Tag() != std::string{kTags} + "binary") return scalar.Scalar();
  return DecodeBase64Lines(scalar.Scalar());
}

std::optional<bool> YamlBool(const YAML::Node& scalar) {
  static constexpr std::array<std::string_view, 11> kYes{
      "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y"};
  static constexpr std::array<std::string_view, 11> kNo{"false", "False", "FALSE", "no", "No", "NO",
                                                        "off",   "Off",   "OFF",   "n",  "N"};
  if (std::ranges::find(kYes, scalar.Scalar()) != kYes.end()) return true;
  if (std::ranges::find(kNo, scalar.Scalar()) != kNo.end()) return false;
  return std::nullopt;
}

std::optional<YamlMembers> YamlMembersOf(const YAML::Node& map) {
  Expansion expansion;
  if (!map.IsMap() || !expansion.Add(map, 0)) return std::nullopt;
  return expansion.Take();
}

std::optional<json> YamlJson(const YAML::Node& node) {
  std::size_t left = kMostNodes;
  return Convert(node, 0, left);
}

}  // namespace certpair::kube
