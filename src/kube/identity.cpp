#include "kube/identity.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace certpair::kube {
namespace {

// Values of one header. The library joins values of one name by commas, which the API server takes
// for one value; but it writes values as they are, line ends too, so further lines of a header can
// stand in its first value. Invalid: a value that holds a line end itself.
Result<void> AddHeader(Headers& headers, const std::string& name,
                       const std::vector<std::string>& values) {
  std::string lines;
  for (const std::string& value : values) {
    const bool plain = std::ranges::all_of(
        value, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
    if (value.empty() || !plain)
      return Fail(ErrorCode::Invalid,
                  fmt::format("{} cannot be empty or hold control characters", name));
    lines += lines.empty() ? value : fmt::format("\r\n{}: {}", name, value);
  }
  if (!lines.empty()) headers.emplace(name, std::move(lines));
  return {};
}

// As Go's url.PathEscape does for the keys of extra, which stand in header names.
std::string HeaderKey(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return escaped;
}

}  // namespace

Result<Headers> ImpersonationHeaders(const Impersonation& who) {
  Headers headers;
  if (who.user.empty()) return headers;
  Result<void> added = AddHeader(headers, "Impersonate-User", {who.user});
  if (added && !who.uid.empty()) added = AddHeader(headers, "Impersonate-Uid", {who.uid});
  if (added) added = AddHeader(headers, "Impersonate-Group", who.groups);
  for (const auto& [key, values] : who.extra)
    if (added) added = AddHeader(headers, "Impersonate-Extra-" + HeaderKey(key), values);
  if (!added) return std::unexpected(added.error());
  return headers;
}

Result<std::shared_ptr<const Identity>> Identity::OfToken(SecretString token) {
  constexpr std::string_view kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
  if (token.empty() || token.Reveal().find_first_not_of(kCharacters) != std::string_view::npos)
    return Fail(ErrorCode::Invalid, "the text cannot be a bearer token");
  return std::shared_ptr<const Identity>(new Identity(std::move(token), {}));
}

Result<std::shared_ptr<const Identity>> Identity::Of(const Impersonation& who) {
  if (who.user.empty()) return Fail(ErrorCode::Invalid, "impersonation needs a user");
  auto headers = ImpersonationHeaders(who);
  if (!headers) return std::unexpected(std::move(headers.error()));
  return std::shared_ptr<const Identity>(new Identity({}, std::move(*headers)));
}

}  // namespace certpair::kube
