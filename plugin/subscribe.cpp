// subscribe, unsubscribe, subscribers. Each address is an entry of its own, owned by a field
// manager of its own through server-side apply: two people at once never undo each other.
#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "core/recipient.hpp"
#include "core/schedule.hpp"
#include "operate.hpp"
#include "reading.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using nlohmann::json;
using reconcile::json::At;
using reconcile::json::Text;

const kube::Resource kReviews{"authentication.k8s.io", "v1", "selfsubjectreviews", false};
constexpr int kTries = 5;

// A manager's name has at most 128 characters, and an address may have 254. Not `kubectl…`: kubectl
// takes over what managers of that name own.
std::string ManagerOf(const std::string& email) {
  return fmt::format("certpair-subscriber-{:016x}", core::StableHash(email));
}

std::string Lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool IsAddress(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos &&
         text.find(' ') == std::string_view::npos;
}

// The API server has the same rule; here the answer is shorter, and names no path of the object.
std::optional<std::string_view> WhyNotMailable(std::string_view email) {
  const std::size_t at = email.find('@');
  return core::WhyNotARecipient(email.substr(0, at), email.substr(at + 1));
}

struct Person {
  std::string email;
  std::string name;
};

Failure WhyNotKnown(const Session& session, const kube::ApiError& error) {
  Failure why = Explain(session, error, {"create", kReviews, "", ""});
  if (error.kind == kube::ApiErrorKind::Forbidden)
    why.message += "\n  --email ADDRESS in place of --me needs no such right";
  return why;
}

// The API server's own idea of who asks: the user name where it is an address, else an `email`
// among the extra claims.
Expected<Person> Myself(const Session& session, const std::string& email) {
  const auto review = session.client.Create(
      kReviews, "", {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}},
      session.stop);
  if (!review) return std::unexpected(WhyNotKnown(session, review.error()));
  const json& user = At(*review, "status", "userInfo");
  Person me{.email = Lower(email), .name = Text(At(user, "username"))};
  if (me.email.empty() && IsAddress(me.name)) me.email = Lower(me.name);
  if (me.email.empty())
    for (const auto& [key, values] : At(user, "extra").items()) {
      const bool is_email = key == "email" || key.ends_with("/email");
      if (is_email && values.is_array() && !values.empty() && IsAddress(Text(values.front())))
        me.email = Lower(Text(values.front()));
    }
  if (me.email.empty())
    return Fail(Exit::Usage,
                fmt::format("the API server knows you as \"{}\", which is no e-mail address: give "
                            "yours with --email",
                            Escaped(me.name)));
  return me;
}

Expected<Person> Whom(const Session& session, bool me, const std::string& email) {
  return me ? Myself(session, email) : Expected<Person>{Person{Lower(email), ""}};
}

const core::Subscriber* EntryOf(const SystemView& system, const std::string& email) {
  const auto found = std::ranges::find(system.subscribers, email, &core::Subscriber::email);
  return found == system.subscribers.end() ? nullptr : &*found;
}

// With the UID: an apply would otherwise create a system that is gone.
json ApplyBody(const SystemView& system) {
  return {
      {"apiVersion", reconcile::kApiVersion},
      {"kind", "ProvisioningSystem"},
      {"metadata", {{"name", system.name}, {"namespace", system.namespace_}, {"uid", system.uid}}}};
}

kube::ApiResult<json> Apply(const Session& session, const SystemView& system, const json& body,
                            const std::string& email, DryRun dry_run) {
  return session.client.Patch(
      reconcile::kSystems, session.namespace_, system.name, kube::PatchKind::Apply, body,
      {.dry_run = dry_run == DryRun::Server, .field_manager = ManagerOf(email)}, session.stop);
}

Failure ExplainPatch(const Session& session, const kube::ApiError& error,
                     const SystemView& system) {
  return Explain(session, error, {"patch", reconcile::kSystems, session.namespace_, system.name});
}

// For an entry that somebody else owns too (a file in Git, a person's edit): by its place, and only
// if it is still there.
Expected<bool> RemoveEntry(const Session& session, const std::string& name,
                           const std::string& email, DryRun dry_run) {
  for (int tries = kTries; tries > 0; --tries) {
    auto found = ReadSystem(session, name);
    if (!found) return std::unexpected(std::move(found.error()));
    const auto& list = found->view.subscribers;
    const core::Subscriber* entry = EntryOf(found->view, email);
    if (entry == nullptr) return true;
    const std::string path = fmt::format("/spec/notifications/subscribers/{}", entry - list.data());
    const json patch =
        json::array({{{"op", "test"}, {"path", "/metadata/uid"}, {"value", found->view.uid}},
                     {{"op", "test"}, {"path", path + "/email"}, {"value", email}},
                     {{"op", "remove"}, {"path", path}}});
    const auto patched = session.client.Patch(
        reconcile::kSystems, session.namespace_, name, kube::PatchKind::Json, patch,
        {.dry_run = dry_run == DryRun::Server, .field_manager = "certpair-plugin"}, session.stop);
    if (patched) return true;
    // Somebody else changed the list meanwhile: its places are others now.
    if (patched.error().kind != kube::ApiErrorKind::Invalid &&
        patched.error().kind != kube::ApiErrorKind::Conflict)
      return std::unexpected(ExplainPatch(session, patched.error(), found->view));
  }
  return false;
}

}  // namespace

Outcome Subscribe(const Session& session, const SubscribeCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  const auto whom = Whom(session, command.me, command.email);
  if (!whom) return std::unexpected(whom.error());
  if (!IsAddress(whom->email))
    return Fail(Exit::Usage, fmt::format("\"{}\" is no e-mail address", Escaped(whom->email)));
  if (const auto why = WhyNotMailable(whom->email))
    return Fail(Exit::Usage, fmt::format("\"{}\": the address {}", Escaped(whom->email), *why));
  if (core::HasLink(command.display_name))
    return Fail(Exit::Usage, fmt::format("--display-name \"{}\": it must not contain a link or an "
                                         "address",
                                         Escaped(command.display_name)));
  const core::Subscriber* already = EntryOf(system, whom->email);
  const std::string name = !command.display_name.empty() ? command.display_name
                           : already != nullptr          ? already->display_name
                           : core::HasLink(whom->name)   ? ""
                                                         : whom->name;
  json body = ApplyBody(system);
  json entry{{"email", whom->email}};
  if (!name.empty()) entry["displayName"] = name;  // left out, it is the address
  body["spec"]["notifications"]["subscribers"] = json::array({std::move(entry)});
  if (command.change.dry_run != DryRun::Client) {
    const auto applied = Apply(session, system, body, whom->email, command.change.dry_run);
    if (!applied && applied.error().kind == kube::ApiErrorKind::Conflict && already != nullptr)
      return Fail(Exit::Refused,
                  fmt::format("{} is subscribed already, as \"{}\", and that name is somebody "
                              "else's to change",
                              Escaped(whom->email), Escaped(already->display_name)));
    if (!applied) return std::unexpected(ExplainPatch(session, applied.error(), system));
  }
  session.console.Print(fmt::format("{}<{}> is {}subscribed to {}{}",
                                    name.empty() ? "" : Escaped(name) + " ", Escaped(whom->email),
                                    already != nullptr ? "already " : "", Escaped(system.name),
                                    DryRunSuffix(command.change.dry_run)));
  return {};
}

Outcome Unsubscribe(const Session& session, const UnsubscribeCommand& command) {
  auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  const auto whom = Whom(session, command.me, command.email);
  if (!whom) return std::unexpected(whom.error());
  const std::string done =
      fmt::format("{} is not subscribed to {} any more{}", Escaped(whom->email),
                  Escaped(system.name), DryRunSuffix(command.change.dry_run));
  if (EntryOf(system, whom->email) == nullptr) {
    session.console.Print(
        fmt::format("{} was not subscribed to {}", Escaped(whom->email), Escaped(system.name)));
    return {};
  }
  if (command.change.dry_run == DryRun::Client) {
    session.console.Print(done);
    return {};
  }
  // Without the entry: what this manager owned goes, if nobody else owns it.
  const auto applied =
      Apply(session, system, ApplyBody(system), whom->email, command.change.dry_run);
  if (!applied) return std::unexpected(ExplainPatch(session, applied.error(), system));
  if (EntryOf(ViewOf(*applied), whom->email) != nullptr) {
    const auto removed = RemoveEntry(session, command.name, whom->email, command.change.dry_run);
    if (!removed) return std::unexpected(removed.error());
    if (!*removed)
      return Fail(Exit::Failed, "the list of subscribers is changed all the time; try again");
  }
  session.console.Print(done);
  return {};
}

Outcome Subscribers(const Session& session, const SubscribersCommand& command) {
  const auto found = ReadSystem(session, command.name);
  if (!found) return std::unexpected(found.error());
  if (command.format == Format::Json || command.format == Format::Yaml) {
    json list = json::array();
    for (const core::Subscriber& subscriber : found->view.subscribers)
      list.push_back({{"displayName", subscriber.display_name}, {"email", subscriber.email}});
    PrintDocument(session.console, command.format, {{"subscribers", std::move(list)}});
    return {};
  }
  if (found->view.subscribers.empty()) session.console.Remark("Nobody is subscribed.");
  for (const core::Subscriber& subscriber : found->view.subscribers)
    session.console.Print(
        fmt::format("{} <{}>", Escaped(subscriber.display_name), Escaped(subscriber.email)));
  return {};
}

}  // namespace certpair::plugin
