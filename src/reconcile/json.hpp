// Reading fields of JSON objects of which any may be missing or of another type. Pure, thread-safe,
// no exceptions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "core/text_map.hpp"

namespace certpair::reconcile::json {

using Value = nlohmann::json;

/// The member; null where it is missing or `object` is not an object.
[[nodiscard]] const Value& Member(const Value& object, std::string_view name);
/// A path of members: Member(Member(object, a), b)…
template <class... Names>
[[nodiscard]] const Value& At(const Value& object, std::string_view name, Names... rest) {
  if constexpr (sizeof...(rest) == 0) {
    return Member(object, name);
  } else {
    return At(Member(object, name), rest...);
  }
}
/// The text of a string, empty for anything else.
[[nodiscard]] std::string Text(const Value& value);
[[nodiscard]] std::int64_t Integer(const Value& value, std::int64_t otherwise = 0);
[[nodiscard]] bool Boolean(const Value& value, bool otherwise = false);
[[nodiscard]] std::vector<std::string> Texts(const Value& value);
[[nodiscard]] TextMap DecodeTextMap(const Value& value);
/// RFC 3339 and Go durations; nothing for anything else.
[[nodiscard]] std::optional<sys_seconds> Time(const Value& value);
[[nodiscard]] std::optional<seconds> Duration(const Value& value);

}  // namespace certpair::reconcile::json
