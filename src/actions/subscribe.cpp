#include "actions/subscribe.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/recipient.hpp"
#include "core/schedule.hpp"
#include "reconcile/json.hpp"
#include "reconcile/names.hpp"

namespace certpair::actions {
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

// The API server's own idea of who asks: the user name where it is an address, else an `email`
// among the extra claims.
OrRefusal<Person> Myself(const Session& session, const std::string& email) {
  auto review = session.client.Create(
      kReviews, "", {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "SelfSubjectReview"}},
      session.stop);
  if (!review) return Refuse(ApiProblem{std::move(review.error()), {"create", kReviews, "", ""}});
  const json& user = At(*review, "status", "userInfo");
  Person me{.email = Lower(email), .name = Text(At(user, "username"))};
  if (me.email.empty() && IsAddress(me.name)) me.email = Lower(me.name);
  const json& extra = At(user, "extra");
  if (me.email.empty() && extra.is_object())
    for (const auto& [key, values] : extra.items()) {
      const bool is_email = key == "email" || key.ends_with("/email");
      if (is_email && values.is_array() && !values.empty() && IsAddress(Text(values.front())))
        me.email = Lower(Text(values.front()));
    }
  if (me.email.empty()) return Refuse(UserHasNoAddress{std::move(me.name)});
  return me;
}

OrRefusal<Person> PersonOf(const Session& session, const Whom& whom) {
  return whom.me ? Myself(session, whom.email) : OrRefusal<Person>{Person{Lower(whom.email), ""}};
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

ApiProblem NotPatched(const Session& session, kube::ApiError error, const std::string& name) {
  return {std::move(error), {"patch", reconcile::kSystems, session.namespace_, name}};
}

// For an entry that another field manager owns too (a file in Git, a person's edit): by its place,
// and only if it is still there.
OrRefusal<void> RemoveEntry(const Session& session, const std::string& name,
                            const std::string& email, DryRun dry_run) {
  for (int tries = kTries; tries > 0; --tries) {
    auto found = ReadSystem(session, name);
    if (!found) return std::unexpected(std::move(found.error()));
    const core::Subscriber* entry = EntryOf(found->view, email);
    if (entry == nullptr) return {};
    const std::string path =
        fmt::format("/spec/notifications/subscribers/{}", entry - found->view.subscribers.data());
    const json patch =
        json::array({{{"op", "test"}, {"path", "/metadata/uid"}, {"value", found->view.uid}},
                     {{"op", "test"}, {"path", path + "/email"}, {"value", email}},
                     {{"op", "remove"}, {"path", path}}});
    auto patched = session.client.Patch(
        reconcile::kSystems, session.namespace_, name, kube::PatchKind::Json, patch,
        {.dry_run = dry_run == DryRun::Server, .field_manager = session.field_manager},
        session.stop);
    if (patched) return {};
    // The list changed meanwhile: its places are others now.
    if (patched.error().kind != kube::ApiErrorKind::Invalid &&
        patched.error().kind != kube::ApiErrorKind::Conflict)
      return Refuse(NotPatched(session, std::move(patched.error()), name));
  }
  return Refuse(ListKeepsChanging{});
}

}  // namespace

OrRefusal<Subscribed> Subscribe(const Session& session, const std::string& name, const Whom& whom,
                                const std::string& display_name, DryRun dry_run) {
  auto found = ReadSystem(session, name);
  if (!found) return std::unexpected(std::move(found.error()));
  const SystemView& system = found->view;
  const auto person = PersonOf(session, whom);
  if (!person) return std::unexpected(person.error());
  if (!IsAddress(person->email)) return Refuse(NotAnAddress{person->email});
  if (const auto why = WhyNotMailable(person->email))
    return Refuse(NotMailable{person->email, *why});
  if (core::HasLink(display_name)) return Refuse(LinkInDisplayName{display_name});
  const core::Subscriber* already = EntryOf(system, person->email);
  const std::string shown = !display_name.empty()         ? display_name
                            : already != nullptr          ? already->display_name
                            : core::HasLink(person->name) ? ""
                                                          : person->name;
  json body = ApplyBody(system);
  json entry{{"email", person->email}};
  if (!shown.empty()) entry["displayName"] = shown;  // left out, it is the address
  body["spec"]["notifications"]["subscribers"] = json::array({std::move(entry)});
  if (dry_run != DryRun::Client) {
    auto applied = Apply(session, system, body, person->email, dry_run);
    if (!applied && applied.error().kind == kube::ApiErrorKind::Conflict && already != nullptr)
      return Refuse(EntryOfAnother{*already});
    if (!applied) return Refuse(NotPatched(session, std::move(applied.error()), system.name));
  }
  const bool was_there = already != nullptr;
  return Subscribed{
      std::move(found->view), {.display_name = shown, .email = person->email}, was_there};
}

OrRefusal<Unsubscribed> Unsubscribe(const Session& session, const std::string& name,
                                    const Whom& whom, DryRun dry_run) {
  auto found = ReadSystem(session, name);
  if (!found) return std::unexpected(std::move(found.error()));
  const auto person = PersonOf(session, whom);
  if (!person) return std::unexpected(person.error());
  Unsubscribed done{
      .system = std::move(found->view), .email = person->email, .was_subscribed = false};
  done.was_subscribed = EntryOf(done.system, done.email) != nullptr;
  if (!done.was_subscribed || dry_run == DryRun::Client) return done;
  // Without the entry: what this manager owned goes, if no other manager owns it.
  auto applied = Apply(session, done.system, ApplyBody(done.system), done.email, dry_run);
  if (!applied) return Refuse(NotPatched(session, std::move(applied.error()), name));
  if (EntryOf(ViewOf(*applied), done.email) != nullptr)
    if (auto removed = RemoveEntry(session, name, done.email, dry_run); !removed)
      return std::unexpected(std::move(removed.error()));
  return done;
}

}  // namespace certpair::actions
