#include "yaml.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

namespace certpair::plugin {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxValues = 100'000;

struct TooMuch {
  const char* what;
};

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool IsNull(std::string_view text) {
  return text.empty() || IsOneOf(text, {"~", "null", "Null", "NULL"});
}
bool IsTrue(std::string_view text) {
  return IsOneOf(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"});
}
bool IsFalse(std::string_view text) {
  return IsOneOf(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"});
}

template <class Number>
bool Reads(std::string_view text, Number& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} && end == text.data() + text.size();
}

json ScalarOf(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // it stood in quotes
  if (IsNull(text)) return nullptr;
  if (IsTrue(text)) return true;
  if (IsFalse(text)) return false;
  std::int64_t integer = 0;
  if (Reads(text, integer)) return integer;
  double number = 0;
  const bool numeric = std::isdigit(static_cast<unsigned char>(text.back())) != 0;
  if (numeric && Reads(text, number)) return number;
  return text;
}

json ValueOf(const YAML::Node& node, int depth, std::size_t& values) {
  if (depth > kMaxDepth) throw TooMuch{"it is nested more than 100 deep"};
  if (++values > kMaxValues) throw TooMuch{"it has more than 100,000 values"};
  if (node.IsSequence()) {
    json list = json::array();
    for (const YAML::Node& entry : node) list.push_back(ValueOf(entry, depth + 1, values));
    return list;
  }
  if (node.IsMap()) {
    json map = json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) throw TooMuch{"a key is not a text"};
      map[entry.first.Scalar()] = ValueOf(entry.second, depth + 1, values);
    }
    return map;
  }
  return node.IsScalar() ? ScalarOf(node) : json(nullptr);
}

bool IsPlain(const std::string& text) {
  const auto harmless = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
           c == '/';
  };
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(text, harmless) && !IsNull(text) && !IsTrue(text) && !IsFalse(text) &&
         !IsOneOf(text, {"y", "Y", "n", "N"});
}

// A literal block shows lines as they are and ends with exactly one end of line; it cannot begin
// with a space or hold control characters.
bool IsBlock(const std::string& text, Letters letters) {
  return text.ends_with('\n') && !text.ends_with("\n\n") && text.front() != ' ' &&
         text.front() != '\n' && std::ranges::none_of(text, [&](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return (byte < 0x20 && c != '\n') || byte == 0x7F ||
                  (byte > 0x7F && letters == Letters::Ascii);
         });
}

void EmitText(YAML::Emitter& out, const std::string& text, Letters letters) {
  if (IsPlain(text)) {
    out << text;
  } else if (IsBlock(text, letters)) {
    out << YAML::Literal << text;
  } else {
    out << YAML::DoubleQuoted << text;
  }
}

void Emit(YAML::Emitter& out, const json& value, Letters letters) {
  if (value.is_object() && value.empty()) {
    out << YAML::Flow << YAML::BeginMap << YAML::EndMap;
  } else if (value.is_array() && value.empty()) {
    out << YAML::Flow << YAML::BeginSeq << YAML::EndSeq;
  } else if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, member] : value.items()) {
      out << YAML::Key;
      EmitText(out, key, letters);
      out << YAML::Value;
      Emit(out, member, letters);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << YAML::BeginSeq;
    for (const json& entry : value) Emit(out, entry, letters);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    EmitText(out, value.get_ref<const std::string&>(), letters);
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << value.dump();
  }
}

}  // namespace

Result<std::vector<json>> ParseYaml(std::string_view text) {
  try {
    std::vector<json> documents;
    std::size_t values = 0;
    for (const YAML::Node& node : YAML::LoadAll(std::string{text})) {
      json document = ValueOf(node, 0, values);
      if (!document.is_null()) documents.push_back(std::move(document));
    }
    return documents;
  } catch (const TooMuch& limit) {
    return Fail(ErrorCode::Invalid, limit.what);
  } catch (const YAML::Exception& error) {
    return Fail(ErrorCode::Invalid, fmt::format("line {}, column {}: this is no YAML",
                                                error.mark.line + 1, error.mark.column + 1));
  }
}

std::string ToYaml(const json& value, Letters letters) {
  // What is not UTF-8 would end the emitter's text; JSON's own writer replaces it.
  const json clean =
      json::parse(value.dump(-1, ' ', false, json::error_handler_t::replace), nullptr, false);
  YAML::Emitter out;
  out.SetIndent(2);
  out.SetNullFormat(YAML::LowerNull);
  if (letters == Letters::Ascii) out.SetOutputCharset(YAML::EscapeNonAscii);
  Emit(out, clean, letters);
  return out.c_str();
}

}  // namespace certpair::plugin
