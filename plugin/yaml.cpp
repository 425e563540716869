#include "yaml.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "scalar.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxValues = 100'000;

// Why a document is refused. Caught in ParseYaml; never leaves this file.
struct Refusal {
  std::string what;
  YAML::Mark mark;
};

template <class T>
T OrRefuse(Result<T> result, const YAML::Node& node) {
  if (!result) throw Refusal{std::move(result.error().message), node.Mark()};
  return std::move(*result);
}

class Reader {
 public:
  json Value(const YAML::Node& node, int depth) {
    Count(node, depth);
    if (node.IsSequence()) {
      json list = json::array();
      for (const YAML::Node& entry : node) list.push_back(Value(entry, depth + 1));
      return list;
    }
    if (node.IsMap()) {
      json map = json::object();
      Fill(map, node, depth);
      return map;
    }
    if (!node.IsScalar()) return nullptr;
    return OrRefuse(ResolveScalar(node.Tag(), node.Scalar()), node);
  }

 private:
  void Count(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth) throw Refusal{"it is nested more than 100 deep", node.Mark()};
    if (++values_ > kMaxValues) throw Refusal{"it has more than 100,000 values", node.Mark()};
  }

  void Fill(json& map, const YAML::Node& node, int depth) {
    for (const auto& entry : node) {
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) throw Refusal{"the name of a field must be a text", key.Mark()};
      if (IsMerge(key))
        Merge(map, entry.second, depth + 1);
      else
        map[OrRefuse(ResolveKey(key.Tag(), key.Scalar()), key)] = Value(entry.second, depth + 1);
    }
  }

  // https://yaml.org/type/merge.html; of a list the earlier maps win.
  void Merge(json& map, const YAML::Node& node, int depth) {
    Count(node, depth);
    if (node.IsMap()) return Fill(map, node, depth);
    if (!node.IsSequence())
      throw Refusal{"a merge key (<<) takes a map or a list of maps", node.Mark()};
    for (std::size_t i = node.size(); i > 0; --i) {
      const YAML::Node entry = node[i - 1];
      if (!entry.IsMap())
        throw Refusal{"a merge key (<<) takes a map or a list of maps", entry.Mark()};
      Count(entry, depth);
      Fill(map, entry, depth);
    }
  }

  static bool IsMerge(const YAML::Node& key) {
    return key.Scalar() == "<<" &&
           (key.Tag().empty() || key.Tag() == "?" || key.Tag() == "tag:yaml.org,2002:merge");
  }

  std::size_t values_ = 0;
};

struct Piece {
  std::string text;
  int first_line = 0;  // from 0
};

// As kubectl cuts a file, before it reads YAML: nothing but a comment may follow `---`.
Result<std::vector<Piece>> Cut(std::string_view text) {
  std::vector<Piece> pieces{{}};
  for (int line_number = 0; !text.empty(); ++line_number) {
    const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(line.size());
    if (!line.starts_with("---")) {
      pieces.back().text += line;
      continue;
    }
    const std::string rest = Trimmed(line.substr(3));
    if (!rest.empty() && !rest.starts_with('#'))
      return Fail(ErrorCode::Invalid,
                  fmt::format("line {}: kubectl takes nothing but a comment after ---; begin the "
                              "document on the next line",
                              line_number + 1));
    pieces.push_back({{}, line_number + 1});
  }
  return pieces;
}

std::unexpected<Error> At(const YAML::Mark& mark, const Piece& piece, std::string_view what) {
  return Fail(ErrorCode::Invalid,
              fmt::format("line {}, column {}: {}", piece.first_line + mark.line + 1,
                          mark.column + 1, what));
}

bool IsPlain(const std::string& text) {
  const auto harmless = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
           c == '/';
  };
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0 &&
         std::ranges::all_of(text, harmless) &&
         ResolveScalar("", text).value_or(nullptr).is_string();
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
  const auto pieces = Cut(text);
  if (!pieces) return std::unexpected(pieces.error());
  std::vector<json> documents;
  Reader reader;
  for (const Piece& piece : *pieces) {
    try {
      // Of what `...` divides once more kubectl reads the first document alone.
      json document = reader.Value(YAML::Load(piece.text), 0);
      if (!document.is_null()) documents.push_back(std::move(document));
    } catch (const Refusal& refusal) {
      return At(refusal.mark, piece, refusal.what);
    } catch (const YAML::Exception& error) {
      return At(error.mark, piece, "this is not YAML");
    }
  }
  return documents;
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
