#include "subscribers.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actions/reading.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

void Declare(Flags& flags, SubscribersCommand& command) {
  AddName(flags, command.name);
  AddOutput(flags, command.format, kDocumentFormats, "json or yaml");
}

}  // namespace

Outcome Subscribers(const Session& session, const SubscribersCommand& command) {
  const auto found = actions::ReadSystem(Acting(session), command.name);
  if (!found) return std::unexpected(Explain(session, found.error()));
  const Console& console = session.console;
  const std::vector<core::Subscriber>& subscribers = found->view.subscribers;
  if (command.format == Format::Json || command.format == Format::Yaml) {
    nlohmann::json list = nlohmann::json::array();
    for (const core::Subscriber& subscriber : subscribers)
      list.push_back({{"displayName", subscriber.display_name}, {"email", subscriber.email}});
    PrintDocument(console, command.format, {{"subscribers", std::move(list)}});
    return {};
  }
  if (subscribers.empty()) console.Remark("No subscribers.");
  for (const core::Subscriber& subscriber : subscribers)
    console.Print(
        fmt::format("{} <{}>", Escaped(subscriber.display_name), Escaped(subscriber.email)));
  return {};
}

extern const CommandEntry kSubscribers =
    EntryOf<SubscribersCommand, &Declare, &Subscribers>("subscribers", "Who is subscribed");

}  // namespace certpair::plugin
