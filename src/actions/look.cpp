#include "actions/look.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "reconcile/system_codec.hpp"

namespace certpair::actions {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

const kube::Resource kEvents{"", "v1", "events", true};
constexpr std::size_t kMostMails = 100;
// Kubernetes allows 32 KiB in a condition; a server that means ill sends more.
constexpr std::size_t kLongestMessage = 4096;

std::string Message(const json& value) {
  return std::string{CutUtf8(Text(value), kLongestMessage)};
}

// Keeps the latest entries while they come, so that a list costs no more memory than they do.
template <class Entry>
void Keep(Recent<Entry>& recent, Entry entry) {
  const auto place =
      std::ranges::upper_bound(recent.entries, entry.at, std::ranges::less{}, &Entry::at);
  recent.entries.insert(place, std::move(entry));
  if (recent.entries.size() <= Recent<Entry>::kKept) return;
  recent.entries.erase(recent.entries.begin());
  ++recent.older;
}

// Kubernetes 1.30 selects objects of custom kinds by nothing but their name: then all are read, and
// `entry_of` leaves out those of other systems.
bool IsUnknownSelector(const kube::ApiError& error) {
  return error.kind == kube::ApiErrorKind::Invalid &&
         error.message.find("field label not supported") != std::string::npos;
}

template <class Entry, class EntryOf>
Recent<Entry> ReadRecent(const Session& session, const kube::Resource& resource,
                         const std::string& selector, const kube::ListLimits& limits,
                         EntryOf entry_of) {
  Recent<Entry> recent;
  const auto read = [&](const std::string& field_selector) {
    recent = {};
    return session.client.ListUpTo(
        resource, {.namespace_ = session.namespace_, .field_selector = field_selector}, limits,
        [&](json& item) {
          if (std::optional<Entry> entry = entry_of(item)) Keep(recent, std::move(*entry));
        },
        session.stop);
  };
  auto listed = read(selector);
  if (!listed && IsUnknownSelector(listed.error())) listed = read("");
  if (listed) {
    recent.is_cut = listed->IsCut();
  } else {
    recent = {};
    recent.problem =
        ApiProblem{std::move(listed.error()), {"list", resource, session.namespace_, ""}};
  }
  return recent;
}

std::optional<PastOperation> OperationIn(const json& item, const std::string& system) {
  if (Text(At(item, "spec", "systemRef", "name")) != system) return std::nullopt;
  PastOperation operation{.name = Text(At(item, "metadata", "name")),
                          .action = Text(At(item, "spec", "action")),
                          .state = PastOperation::State::Waits,
                          .reason = {},
                          .message = {},
                          .at = reconcile::json::Time(At(item, "metadata", "creationTimestamp"))};
  for (const core::Condition& condition :
       reconcile::DecodeConditions(At(item, "status", "conditions"))) {
    if (condition.status != core::ConditionStatus::True) continue;
    operation.state =
        condition.type == "Failed" ? PastOperation::State::Refused : PastOperation::State::Done;
    operation.reason = condition.reason;
    operation.message = CutUtf8(condition.message, kLongestMessage);
  }
  return operation;
}

std::optional<PastEvent> EventIn(const json& item) {
  auto at = reconcile::json::Time(At(item, "lastTimestamp"));
  if (!at) at = reconcile::json::Time(At(item, "eventTime"));
  return PastEvent{.type = Text(At(item, "type")),
                   .reason = Text(At(item, "reason")),
                   .message = Message(At(item, "message")),
                   .at = at};
}

std::vector<MailSummary> MailsOf(const json& object) {
  std::vector<MailSummary> mails;
  const json& summary = At(object, "status", "notifications", "summary");
  if (!summary.is_array()) return mails;
  for (const json& sent : summary) {
    if (mails.size() == kMostMails) break;
    mails.push_back({.occasion = Text(At(sent, "threshold")),
                     .fingerprint = Text(At(sent, "fingerprint")),
                     .recipients = reconcile::json::Integer(At(sent, "recipients")),
                     .failed = reconcile::json::Integer(At(sent, "failed")),
                     .at = reconcile::json::Time(At(sent, "at"))});
  }
  return mails;
}

}  // namespace

OrRefusal<Looked> Look(const Session& session, const std::string& name,
                       const kube::ListLimits& limits) {
  auto found = ReadSystem(session, name);
  if (!found) return std::unexpected(std::move(found.error()));
  Looked looked;
  looked.now = session.clock.NowSeconds();
  looked.mails = MailsOf(found->object);
  looked.operations =
      ReadRecent<PastOperation>(session, reconcile::kOperations, "spec.systemRef.name=" + name,
                                limits, [&](const json& item) { return OperationIn(item, name); });
  looked.events = ReadRecent<PastEvent>(
      session, kEvents, fmt::format("involvedObject.uid={}", found->view.uid), limits, EventIn);
  looked.object = std::move(found->object);
  looked.system = std::move(found->view);
  return looked;
}

}  // namespace certpair::actions
