#include "core/operation.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/certificate.hpp"
#include "core/operations.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

constexpr seconds kOrphanPatience = std::chrono::minutes{1};
constexpr std::size_t kLongestUid = 64;

std::optional<OperationAction> ParseAction(std::string_view text) {
  for (const auto action :
       {OperationAction::Generate, OperationAction::Activate, OperationAction::Delete}) {
    if (text == ToString(action)) return action;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ToString(OperationAction action) {
  switch (action) {
    case OperationAction::Generate:
      return "Generate";
    case OperationAction::Activate:
      return "Activate";
    case OperationAction::Delete:
      return "Delete";
  }
  return "";
}

std::string FormatReceipt(const Receipt& receipt) {
  std::string text =
      fmt::format("{}/{}/{}", receipt.operation_uid, ToString(receipt.action), receipt.fingerprint);
  if (!receipt.replaced.empty()) text += "/" + receipt.replaced;
  return text;
}

std::optional<Receipt> ParseReceipt(std::string_view text) {
  std::array<std::string_view, 4> parts;
  const auto slashes = static_cast<std::size_t>(std::ranges::count(text, '/'));
  if (slashes != 2 && slashes != 3) return std::nullopt;
  for (std::size_t i = 0; i <= slashes; ++i) {
    const auto end = text.find('/');
    parts.at(i) = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  const auto action = ParseAction(parts[1]);
  if (!action || parts[0].empty() || parts[0].size() > kLongestUid) return std::nullopt;
  const auto is_canonical = [](std::string_view part) {
    return CanonicalFingerprint(part) == part;
  };
  if (!is_canonical(parts[2]) || (slashes == 3 && !is_canonical(parts[3]))) return std::nullopt;
  return Receipt{std::string(parts[0]), *action, std::string(parts[2]), std::string(parts[3])};
}

std::string FormatFinishedMark(const std::string& name, const FinishedMark& mark) {
  return fmt::format("{}/{}/{}/{}", name, mark.uid, mark.succeeded ? "Complete" : "Failed",
                     mark.name_was_generated ? "generated" : "named");
}

std::optional<FinishedMark> ParseFinishedMark(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || name.empty()) return std::nullopt;
  text.remove_prefix(name.size());
  for (const bool succeeded : {true, false}) {
    for (const bool generated : {true, false}) {
      const FinishedMark mark{"", succeeded, generated};
      const std::string end = FormatFinishedMark("", mark).substr(1);  // without the empty name
      if (!text.ends_with(end) || text.size() < end.size() + 2 || text.front() != '/') continue;
      const std::string_view uid = text.substr(1, text.size() - end.size() - 1);
      if (uid.size() > kLongestUid || uid.find('/') != std::string_view::npos) continue;
      return FinishedMark{std::string(uid), succeeded, generated};
    }
  }
  return std::nullopt;
}

OrphanDecision DecideOrphan(const Operation& operation, const std::string& system_name,
                            sys_seconds now) {
  OrphanDecision decision;
  if (operation.being_deleted) return decision;
  if (operation.finished) {
    const auto end = RemovalTime(operation);
    if (end && *end <= now) decision.verdict = RemoveFinished(operation);
    if (end && *end > now) decision.wake_at = end;
    return decision;
  }
  const sys_seconds deadline = operation.created + kOrphanPatience;
  if (now < deadline) {
    // An operation from the future (a clock went back) waits no longer than any other.
    decision.wake_at = std::min(deadline, now + kOrphanPatience);
    return decision;
  }
  decision.verdict =
      OperationVerdict{OperationVerdict::Kind::Fail,
                       operation.uid,
                       operation.name,
                       std::string(reason::kSystemNotFound),
                       fmt::format("ProvisioningSystem \"{}\" does not exist in this namespace. "
                                   "Create it, then create this operation again.",
                                   system_name),
                       operation.fingerprint};
  return decision;
}

}  // namespace certpair::core
