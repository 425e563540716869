#include "kube/error.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"

namespace certpair::kube {
namespace {

using nlohmann::json;

// What a message may take of an answer: it ends in conditions, Events and logs.
constexpr std::size_t kMaxQuoted = 1000;

// A metav1.Status, as far as reactions depend on it.
struct Status {
  bool is_status = false;
  std::string reason;
  std::string message;
  bool names_object = false;
  bool namespace_terminating = false;
  std::optional<std::chrono::seconds> retry_after;
};

std::string TextOf(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

void ReadDetails(const json& details, Status& status) {
  status.names_object = !TextOf(details, "name").empty();
  if (const auto wait = details.find("retryAfterSeconds");
      wait != details.end() && wait->is_number_integer()) {
    const auto asked = wait->get<std::int64_t>();
    if (asked > 0) status.retry_after = std::chrono::seconds{std::min<std::int64_t>(asked, 3600)};
  }
  const auto causes = details.find("causes");
  if (causes == details.end() || !causes->is_array()) return;
  status.namespace_terminating = std::ranges::any_of(*causes, [](const json& cause) {
    return cause.is_object() && TextOf(cause, "reason") == "NamespaceTerminating";
  });
}

Status ReadStatus(std::string_view body) {
  Status status;
  const json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object() || TextOf(parsed, "kind") != "Status") return status;
  status.is_status = true;
  status.reason = TextOf(parsed, "reason");
  status.message = TextOf(parsed, "message");
  if (const auto details = parsed.find("details"); details != parsed.end() && details->is_object())
    ReadDetails(*details, status);
  return status;
}

// A 404 for an object names it; one for a kind is a bare path that the server does not know: text
// from its router, or a Status without details.name.
ApiErrorKind NotFoundKind(const Status& status) {
  return status.is_status && status.names_object ? ApiErrorKind::NotFound
                                                 : ApiErrorKind::NoSuchResource;
}

ApiErrorKind ForbiddenKind(const Status& status) {
  const bool quota = status.message.find("exceeded quota") != std::string::npos;
  const bool ending = status.namespace_terminating ||
                      status.message.find("is being terminated") != std::string::npos;
  return quota || ending ? ApiErrorKind::QuotaExceeded : ApiErrorKind::Forbidden;
}

ApiErrorKind KindOf(int code, const Status& status, bool told_to_wait) {
  switch (code) {
    case 401:
      return ApiErrorKind::Unauthorized;
    case 403:
      return ForbiddenKind(status);
    case 404:
      return NotFoundKind(status);
    case 409:
      return status.reason == "AlreadyExists" ? ApiErrorKind::AlreadyExists
                                              : ApiErrorKind::Conflict;
    case 410:
      return ApiErrorKind::Gone;
    case 412:
      return ApiErrorKind::Conflict;
    case 408:
      return ApiErrorKind::Server;
    case 429:
      return ApiErrorKind::Throttled;
    case 503:
      return told_to_wait ? ApiErrorKind::Throttled : ApiErrorKind::Server;
    default:
      break;
  }
  if (code >= 500 && code < 600) return ApiErrorKind::Server;
  if (code >= 400 && code < 500) return ApiErrorKind::Invalid;
  return ApiErrorKind::Protocol;
}

std::string Quote(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return log::Redact(text.substr(0, kMaxQuoted));
}

}  // namespace

std::string_view ToString(ApiErrorKind kind) {
  switch (kind) {
    case ApiErrorKind::Conflict:
      return "Conflict";
    case ApiErrorKind::AlreadyExists:
      return "AlreadyExists";
    case ApiErrorKind::NotFound:
      return "NotFound";
    case ApiErrorKind::NoSuchResource:
      return "NoSuchResource";
    case ApiErrorKind::Gone:
      return "Gone";
    case ApiErrorKind::Unauthorized:
      return "Unauthorized";
    case ApiErrorKind::Forbidden:
      return "Forbidden";
    case ApiErrorKind::QuotaExceeded:
      return "QuotaExceeded";
    case ApiErrorKind::Invalid:
      return "Invalid";
    case ApiErrorKind::Throttled:
      return "Throttled";
    case ApiErrorKind::Server:
      return "Server";
    case ApiErrorKind::Timeout:
      return "Timeout";
    case ApiErrorKind::Transport:
      return "Transport";
    case ApiErrorKind::TooLarge:
      return "TooLarge";
    case ApiErrorKind::Protocol:
      return "Protocol";
    case ApiErrorKind::Cancelled:
      return "Cancelled";
  }
  return "Unknown";
}

ApiError ErrorFromResponse(int code, std::string_view body, std::string_view request,
                           std::optional<std::chrono::milliseconds> retry_after) {
  Status status = ReadStatus(body);
  if (!retry_after) retry_after = status.retry_after;
  ApiError error;
  error.kind = KindOf(code, status, retry_after.has_value());
  error.status = code;
  error.retry_after = retry_after;
  const std::string said = Quote(status.is_status ? status.message : body);
  error.message = fmt::format("{}: the server answered {}{}{}{}{}", request, code,
                              status.reason.empty() ? "" : " ", Quote(status.reason),
                              said.empty() ? "" : ": ", said);
  if (error.kind == ApiErrorKind::NoSuchResource)
    error.message += "; it does not know this kind: is its CRD installed?";
  error.reason = std::move(status.reason);
  return error;
}

}  // namespace certpair::kube
