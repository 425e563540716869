#include "scalar.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;

constexpr std::string_view kStandard = "tag:yaml.org,2002:";

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What yaml/v2 looks up before anything else; `.inf` and `.nan` are not JSON.
std::optional<json> WordOf(std::string_view text) {
  if (IsOneOf(text, {"", "~", "null", "Null", "NULL"})) return json(nullptr);
  if (IsOneOf(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}))
    return json(true);
  if (IsOneOf(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}))
    return json(false);
  return std::nullopt;
}

bool IsInfinityOrNan(std::string_view text) {
  if (IsOneOf(text, {".nan", ".NaN", ".NAN"})) return true;
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return IsOneOf(text, {".inf", ".Inf", ".INF"});
}

// strconv.ParseInt(text, 0, 64), then ParseUint: 0x, 0o and 0b, and a leading 0 is octal.
std::optional<json> IntegerOf(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  const bool has_sign = is_negative || text.starts_with('+');
  if (has_sign) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text.front() == '0') {
    const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(text[1])));
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    text.remove_prefix(IsDigit(letter) ? 1 : 2);
    if (base == 8 && !IsDigit(letter) && letter != 'o') return std::nullopt;
  }
  std::uint64_t size = 0;
  const char* const last = text.data() + text.size();
  const auto [end, failed] = std::from_chars(text.data(), last, size, base);
  if (text.empty() || failed != std::errc{} || end != last) return std::nullopt;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (is_negative) {
    if (size > kMost + 1) return std::nullopt;
    return json(static_cast<std::int64_t>(~size + 1));
  }
  if (size <= kMost) return json(static_cast<std::int64_t>(size));
  return has_sign ? std::nullopt : std::optional<json>{size};
}

// yaml/v2's pattern: [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool IsFloat(std::string_view text) {
  const auto skip_sign = [&] {
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  };
  const auto skip_digits = [&] {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(digits);
    return digits;
  };
  skip_sign();
  std::size_t digits = skip_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) return false;
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  skip_sign();
  return skip_digits() > 0 && text.empty();
}

std::optional<double> FloatOf(std::string_view text) {
  if (!IsFloat(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Go writes 3072.0 as 3072, so the API server reads an integer.
json JsonOf(double number) {
  constexpr double kExact = 9007199254740992;  // 2^53
  if (std::trunc(number) == number && std::abs(number) <= kExact)
    return static_cast<std::int64_t>(number);
  return number;
}

struct Resolved {
  std::string_view type;  // as the tags are called
  json value;
};

Resolved ResolvePlain(std::string_view text) {
  if (auto word = WordOf(text)) return {word->is_null() ? "null" : "bool", std::move(*word)};
  if (IsInfinityOrNan(text)) return {"infinite", nullptr};
  if (text.front() == '.')
    if (const auto number = FloatOf(text)) return {"float", JsonOf(*number)};
  if (!IsDigit(text.front()) && text.front() != '+' && text.front() != '-') return {"str", text};
  std::string plain{text};
  std::erase(plain, '_');
  if (auto integer = IntegerOf(plain)) return {"int", std::move(*integer)};
  if (const auto number = FloatOf(plain)) return {"float", JsonOf(*number)};
  return {"str", text};
}

std::unexpected<Error> DoesNotFit(std::string_view text, std::string_view type) {
  constexpr std::size_t kMost = 80;
  return Fail(ErrorCode::Invalid,
              fmt::format("\"{}\" cannot be read as !!{}", Escaped(text.substr(0, kMost)), type));
}

}  // namespace

Result<json> ResolveScalar(std::string_view tag, std::string_view text) {
  if (tag == "!") return json(text);
  const bool is_plain = tag.empty() || tag == "?";
  const std::string_view type =
      tag.starts_with(kStandard) ? tag.substr(kStandard.size()) : std::string_view{};
  if (type == "str") return json(text);
  if (type == "binary") {
    auto bytes = DecodeBase64(text);
    if (!bytes) return DoesNotFit(text, type);
    return json(std::move(*bytes));
  }
  // A date stays a text; other tags mean nothing to kubectl.
  if (!is_plain && !IsOneOf(type, {"bool", "int", "float", "null"})) return json(text);
  Resolved resolved = ResolvePlain(text);
  const bool fits =
      is_plain || resolved.type == type || (type == "float" && resolved.type == "int");
  if (resolved.type == "infinite") return DoesNotFit(text, "float of JSON");
  if (!fits) return DoesNotFit(text, type);
  return std::move(resolved.value);
}

Result<std::string> ResolveKey(std::string_view tag, std::string_view text) {
  auto value = ResolveScalar(tag, text);
  if (!value) return std::unexpected(std::move(value.error()));
  switch (value->type()) {
    case json::value_t::string:
      return std::move(value->get_ref<std::string&>());
    case json::value_t::boolean:
      return std::string{value->get<bool>() ? "true" : "false"};
    case json::value_t::number_integer:
      return fmt::to_string(value->get<std::int64_t>());
    case json::value_t::number_float:
      return fmt::format("{}", static_cast<float>(value->get<double>()));
    default:
      return DoesNotFit(text, "name of a field");
  }
}

}  // namespace certpair::plugin
