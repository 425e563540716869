#include "completion.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actions/object_name.hpp"
#include "actions/system_view.hpp"
#include "connection.hpp"
#include "options.hpp"
#include "reconcile/names.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

using actions::CertificateView;
using actions::SystemView;
using nlohmann::json;

// cobra's ShellCompDirectiveNoFileComp and Default.
constexpr const char* kNoFiles = ":4";
constexpr const char* kFiles = ":0";
// A shell is waiting.
constexpr seconds kPatience{3};

const char* const kScript = R"(#!/bin/sh
# Completion of `kubectl certpair`: put this file on your PATH as kubectl_complete-certpair, and make it executable.
# kubectl's own completion (kubectl completion --help) calls it.
exec kubectl certpair __complete "$@"
)";

void Print(const Console& console, const std::vector<std::string>& candidates,
           const std::string& prefix) {
  for (const std::string& candidate : candidates)
    if (candidate.starts_with(prefix)) console.Print(candidate);
}

struct CompletionCommand {};

// The words that are neither flags nor their values, the flags that choose a cluster, and the flag
// whose value is being typed.
struct Words {
  std::vector<std::string> positional;
  Globals globals;
  std::string flag;
};

Words Sort(const std::vector<std::string>& words) {
  Words sorted;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-')) {
      sorted.positional.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    if (equals == std::string::npos && i + 2 == words.size() && TakesValue(flag)) {
      sorted.flag = flag;
      break;
    }
    const auto value = [&] {
      return equals != std::string::npos ? word.substr(equals + 1) : words[++i];
    };
    if (flag == "-n" || flag == "--namespace")
      sorted.globals.namespace_ = value();
    else if (flag == "--context")
      sorted.globals.context = value();
    else if (flag == "--kubeconfig")
      sorted.globals.kubeconfig = value();
    else if (flag == "--as")
      sorted.globals.as = value();
    else if (TakesValue(flag))
      static_cast<void>(value());
  }
  return sorted;
}

std::vector<SystemView> Systems(const World& world, Globals globals, const std::string& name) {
  globals.request_timeout = kPatience;
  std::vector<SystemView> systems;
  const auto connection = Connect(globals, world.environment, world.console, world.clock);
  if (!connection) return systems;
  kube::ListOptions options{.namespace_ = connection->namespace_};
  if (!name.empty()) options.field_selector = "metadata.name=" + name;
  // One page: a shell does not offer more than 500 names in a useful way.
  const auto listed = connection->client->List(
      reconcile::kSystems, options, [&](json& item) { systems.push_back(actions::ViewOf(item)); });
  if (!listed) systems.clear();
  return systems;
}

// A description beside a candidate. Completion scripts of older shells expand what they are given
// (bash: compgen -W), so nothing that a shell acts on may stand in it.
std::string ForShell(std::string_view text) {
  std::string safe = Escaped(text);
  for (char& c : safe)
    if (std::string_view{"$`\\\"'!;&|<>(){}*?[]~#"}.find(c) != std::string_view::npos) c = '_';
  return safe;
}

std::vector<std::string> Names(const std::vector<SystemView>& systems) {
  std::vector<std::string> names;
  names.reserve(systems.size());
  for (const SystemView& system : systems)
    if (actions::IsObjectName(system.name))
      names.push_back(fmt::format("{}\t{} {}", system.name, ForShell(system.type),
                                  ForShell(system.display_name)));
  return names;
}

std::vector<std::string> Fingerprints(const std::vector<SystemView>& systems) {
  std::vector<std::string> fingerprints;
  for (const SystemView& system : systems)
    for (const CertificateView& certificate : system.certificates)
      if (FingerprintWord(certificate.fingerprint) == ShortFingerprint(certificate.fingerprint))
        fingerprints.push_back(
            fmt::format("{}\t{}", certificate.fingerprint, ForShell(certificate.state)));
  return fingerprints;
}

// The next of a command's own words: a name, a fingerprint, on or off.
std::vector<std::string> Arguments(const World& world, const std::string& command,
                                   const std::vector<std::string>& arguments,
                                   const Globals& globals) {
  const auto rules = WordOf(command, arguments.size());
  if (!rules) return {};
  if (rules->offers == Offers::Systems) return Names(Systems(world, globals, ""));
  if (rules->offers == Offers::Fingerprints && !arguments.empty())
    return Fingerprints(Systems(world, globals, arguments.front()));
  return rules->words;
}

void Declare(Flags& /*flags*/, CompletionCommand& /*command*/) {}

Outcome PrintScript(const Console& console, const CompletionCommand& /*command*/) {
  console.out(kScript);
  return {};
}

}  // namespace

void Complete(const World& world, const std::vector<std::string>& words) {
  const Console& console = world.console;
  const std::string last = words.empty() ? "" : words.back();
  const Words before = Sort(words);
  if (TakesFile(before.flag)) return console.Print(kFiles);
  const auto& said = before.positional;
  const std::string command = said.empty() ? "" : CommandOf(said.front());
  if (!before.flag.empty()) {
    Print(console, ValuesOf(command, before.flag), last);
  } else if (last.starts_with('-')) {
    Print(console, FlagsOf(command), last);
  } else if (command.empty()) {
    Print(console, CommandNames(), last);
  } else {
    Print(console, Arguments(world, command, {said.begin() + 1, said.end()}, before.globals), last);
  }
  console.Print(kNoFiles);
}

extern const CommandEntry kCompletion = EntryOf<CompletionCommand, &Declare, &PrintScript>(
    "completion", "The script with which kubectl completes these commands");

}  // namespace certpair::plugin
