#include "options.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <span>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "text.hpp"

namespace certpair::plugin {
namespace {

// All that a command line can say, in one place each; Parsed::Finish picks out the command's own.
struct Line {
  Globals globals;
  ChangeFlags change;
  std::string output;
  std::string timeout = "60s";
  std::string request_timeout;
  std::string expiring_within;
  std::string until;
  std::string dry_run = "none";
  std::string on_or_off;
  std::string fingerprint;
  std::string value;
  std::string name;
  ListCommand list;
  DownloadCommand download;
  bool active = false;
  bool inactive = false;
  bool all = false;
  SubscribeCommand subscribe;
  SimulateCommand simulate;
};

using Finish = std::function<Command(const Line&)>;

struct Mistake {
  std::string message;
};

seconds PeriodOf(const std::string& flag, const std::string& text) {
  const auto period = ParsePeriod(text);
  if (!period)
    throw Mistake{
        fmt::format("{}: \"{}\" is not a duration such as 90s, 12h or 30d", flag, Escaped(text))};
  return *period;
}

Format FormatOf(const Line& line, std::span<const std::string_view> allowed) {
  static const std::map<std::string, Format, std::less<>> kFormats{{"", Format::Table},
                                                                   {"wide", Format::Wide},
                                                                   {"json", Format::Json},
                                                                   {"yaml", Format::Yaml},
                                                                   {"name", Format::Name}};
  const bool known =
      line.output.empty() || std::ranges::find(allowed, line.output) != allowed.end();
  if (!known)
    throw Mistake{
        fmt::format("-o {}: it is one of {}", Escaped(line.output), fmt::join(allowed, ", "))};
  return kFormats.find(line.output)->second;
}

ChangeFlags ChangeOf(const Line& line) {
  ChangeFlags change = line.change;
  change.timeout = PeriodOf("--timeout", line.timeout);
  if (line.dry_run == "client") change.dry_run = DryRun::Client;
  if (line.dry_run == "server") change.dry_run = DryRun::Server;
  return change;
}

constexpr std::array<std::string_view, 4> kListFormats{"wide", "json", "yaml", "name"};
constexpr std::array<std::string_view, 3> kObjectFormats{"json", "yaml", "name"};
constexpr std::array<std::string_view, 2> kDocumentFormats{"json", "yaml"};
constexpr std::array<std::string_view, 4> kEncodingNames{"pem", "der", "p12", "chain"};

Command FinishList(const Line& line) {
  ListCommand list = line.list;
  list.format = FormatOf(line, kListFormats);
  if (!line.expiring_within.empty())
    list.expiring_within = PeriodOf("--expiring-within", line.expiring_within);
  const bool table = list.format == Format::Table || list.format == Format::Wide;
  if (list.watch && !table) throw Mistake{"--watch shows a table: leave -o out, or say -o wide"};
  return list;
}

Command FinishDownload(const Line& line) {
  using Encoding = DownloadCommand::Encoding;
  static const std::map<std::string, Encoding, std::less<>> kEncodings{{"", Encoding::Pem},
                                                                       {"pem", Encoding::Pem},
                                                                       {"der", Encoding::Der},
                                                                       {"p12", Encoding::Pkcs12},
                                                                       {"chain", Encoding::Chain}};
  DownloadCommand download = line.download;
  download.name = line.name;
  if (line.active + line.inactive + line.all > 1)
    throw Mistake{"--active, --inactive and --all: only one of them"};
  if (line.inactive) download.which = DownloadCommand::Which::Inactive;
  if (line.all) download.which = DownloadCommand::Which::All;
  const auto encoding = kEncodings.find(line.output);
  if (encoding == kEncodings.end())
    throw Mistake{fmt::format("-o {}: it is one of {}", Escaped(line.output),
                              fmt::join(kEncodingNames, ", "))};
  download.encoding = encoding->second;
  if (download.encoding == Encoding::Pkcs12 && !download.key)
    throw Mistake{"-o p12 holds the private key: add --key if you want that"};
  if (download.encoding == Encoding::Der && download.key)
    throw Mistake{"--key goes with -o pem, chain or p12"};
  return download;
}

Command FinishSubscribe(const Line& line) {
  SubscribeCommand subscribe = line.subscribe;
  subscribe.name = line.name;
  subscribe.change = ChangeOf(line);
  if (!subscribe.me && subscribe.email.empty()) throw Mistake{"say whom: --me, or --email ADDRESS"};
  return subscribe;
}

Command FinishUnsubscribe(const Line& line) {
  if (!line.subscribe.me && line.subscribe.email.empty())
    throw Mistake{"say whom: --me, or --email ADDRESS"};
  return UnsubscribeCommand{.name = line.name,
                            .me = line.subscribe.me,
                            .email = line.subscribe.email,
                            .change = ChangeOf(line)};
}

Command FinishSimulate(const Line& line) {
  SimulateCommand simulate = line.simulate;
  simulate.name = line.name;
  simulate.format = FormatOf(line, kDocumentFormats);
  if (!line.until.empty()) simulate.until = PeriodOf("--until", line.until);
  if (simulate.name.empty() && simulate.file.empty())
    throw Mistake{"simulate: give the NAME of a system, or -f FILE"};
  return simulate;
}

// What a script's variable that was never set leaves there: it must not mean "all", or "whichever".
CLI::Validator NotEmpty() {
  return {[](const std::string& text) { return std::string{text.empty() ? "it is empty" : ""}; },
          ""};
}

class Parser {
 public:
  Parser() {
    app_.name("kubectl certpair");
    app_.description(
        "Works with the client certificates that certpair keeps for outbound systems.");
    app_.require_subcommand(0, 1);
    app_.get_formatter()->column_width(36);
    AddGlobals();
    AddReading();
    AddChanging();
    AddSubscribing();
    AddOthers();
  }

  std::variant<Invocation, Advice> Parse(std::vector<std::string> arguments) {
    for (std::string& argument : arguments) argument = Spelled(argument);
    std::ranges::reverse(arguments);  // as CLI11 wants them
    try {
      app_.parse(std::move(arguments));
      const auto chosen = app_.get_subcommands();
      if (chosen.empty()) return Advice{Exit::Done, app_.help()};
      return Finished(chosen.front()->get_name());
    } catch (const CLI::ParseError& error) {
      return AdviceOn(error);
    } catch (const Mistake& mistake) {
      return Advice{Exit::Usage, "error: " + mistake.message + "\n"};
    }
  }

  [[nodiscard]] const CLI::App& App() const { return app_; }

  // An option of any command, as it is written: `-n`, `--namespace`; none: nullptr.
  [[nodiscard]] const CLI::Option* OptionOf(const std::string& flag) const {
    std::vector<const CLI::App*> apps = app_.get_subcommands({});
    apps.push_back(&app_);
    for (const CLI::App* app : apps)
      if (const CLI::Option* option = app->get_option_no_throw(flag)) return option;
    return nullptr;
  }

  // By its name or another word for it; none: nullptr.
  [[nodiscard]] const CLI::App* CommandOf(const std::string& word) const {
    for (const CLI::App* sub : app_.get_subcommands({})) {
      const auto& aliases = sub->get_aliases();
      if (sub->get_name() == word || std::ranges::find(aliases, word) != aliases.end()) return sub;
    }
    return nullptr;
  }

  [[nodiscard]] std::vector<std::string> WordsOf(const std::string& command,
                                                 const std::string& flag) const {
    const CLI::App* sub = CommandOf(command);
    const CLI::Option* option = sub != nullptr ? sub->get_option_no_throw(flag) : nullptr;
    const auto found = words_.find(option);
    return found != words_.end() ? found->second : std::vector<std::string>{};
  }

 private:
  // kubectl takes -n=idm as well as -n idm; CLI11 would take the namespace to be "=idm".
  [[nodiscard]] std::string Spelled(const std::string& argument) const {
    if (argument.size() < 3 || argument[0] != '-' || argument[1] == '-' || argument[2] != '=')
      return argument;
    const CLI::Option* option = OptionOf(argument.substr(0, 2));
    if (option == nullptr || option->get_lnames().empty()) return argument;
    return "--" + option->get_lnames().front() + argument.substr(2);
  }

  // Help that was asked for, or what is wrong with the line and where to read on.
  [[nodiscard]] Advice AdviceOn(const CLI::ParseError& error) const {
    std::ostringstream out;
    std::ostringstream err;
    if (app_.exit(error, out, err) == 0) return {Exit::Done, out.str()};
    const auto chosen = app_.get_subcommands();
    const auto unknown = app_.remaining();
    const auto stray = std::ranges::find_if(
        unknown, [](const std::string& word) { return !word.starts_with('-'); });
    if (chosen.empty() && stray != unknown.end())
      return {Exit::Usage, fmt::format("error: there is no command \"{}\"\n"
                                       "`kubectl certpair --help` shows those that are there\n",
                                       Escaped(*stray))};
    return {Exit::Usage, fmt::format("error: {}\n`kubectl certpair {}--help` tells more\n",
                                     Escaped(Trimmed(error.what()), true),
                                     chosen.empty() ? "" : chosen.front()->get_name() + " ")};
  }

  Invocation Finished(const std::string& name) {
    if (!line_.request_timeout.empty()) {
      // kubectl takes a bare number for seconds.
      const bool bare =
          std::ranges::all_of(line_.request_timeout, [](char c) { return c >= '0' && c <= '9'; });
      line_.globals.request_timeout =
          PeriodOf("--request-timeout", line_.request_timeout + (bare ? "s" : ""));
    }
    return Invocation{line_.globals, finish_.at(name)(line_)};
  }

  CLI::App& Add(const std::string& name, const std::string& what, Finish finish) {
    CLI::App* sub = app_.add_subcommand(name, what);
    sub->fallthrough();
    sub->get_formatter()->column_width(36);
    finish_.emplace(name, std::move(finish));
    return *sub;
  }
  void AddName(CLI::App& sub, bool required = true) {
    auto* option = sub.add_option("NAME", line_.name, "the system")->check(NotEmpty());
    if (required) option->required();
  }
  void AddOutput(CLI::App& sub, std::span<const std::string_view> formats,
                 const std::string& what) {
    words_[sub.add_option("-o,--output", line_.output, what)] = {formats.begin(), formats.end()};
  }
  void OneOf(CLI::Option& option, const std::vector<std::string>& words) {
    option.check(CLI::IsMember(words));
    words_[&option] = words;
  }
  void AddChange(CLI::App& sub, bool waits) {
    sub.add_flag("-y,--yes", line_.change.yes, "do not ask");
    // With -o there is an object to show; the others say what they would change.
    OneOf(
        *sub.add_option("--dry-run", line_.dry_run,
                        fmt::format("client: {}, and write nothing; server: have it checked, "
                                    "and not stored",
                                    waits ? "say what would be made (-o json: as it would be sent)"
                                          : "say what would be changed")),
        {"none", "client", "server"});
    if (!waits) return;
    sub.add_flag("--wait", line_.change.wait, "wait for the end (default; --wait=false does not)");
    sub.add_option("--timeout", line_.timeout, "how long to wait (60s)");
  }

  void AddGlobals();
  void AddReading();
  void AddChanging();
  void AddSubscribing();
  void AddOthers();

  CLI::App app_;
  Line line_;
  std::map<std::string, Finish> finish_;
  std::map<const CLI::Option*, std::vector<std::string>> words_;  // for completion
};

void Parser::AddGlobals() {
  Globals& g = line_.globals;
  app_.add_option("--kubeconfig", g.kubeconfig, "kubeconfig file")->group("As kubectl");
  app_.add_option("--context", g.context, "context of the kubeconfig")->group("As kubectl");
  app_.add_option("-n,--namespace", g.namespace_, "namespace of the system")->group("As kubectl");
  app_.add_flag("-A,--all-namespaces", g.all_namespaces, "list, doctor: all namespaces")
      ->group("As kubectl");
  app_.add_option("--as", g.as, "user to impersonate")->group("As kubectl");
  app_.add_option("--as-group", g.as_groups, "group to impersonate; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->group("As kubectl");
  app_.add_option("--as-uid", g.as_uid, "UID to impersonate")->group("As kubectl");
  app_.add_option("--request-timeout", line_.request_timeout, "of one request (15s); 0: no limit")
      ->group("As kubectl");
  app_.add_option("-v,--v", g.verbosity, "6 and more: show each request")->group("As kubectl");
  app_.add_option("--operator-namespace", g.operator_namespace,
                  "where the operator runs (certpair-system)")
      ->group("As kubectl");
}

void Parser::AddReading() {
  CLI::App& list =
      Add("list", "Systems: ready, which certificates, until when, what next", FinishList);
  list.alias("ls");
  list.add_option("-l,--selector", line_.list.selector, "label selector");
  const std::vector<std::string> types{"Source", "Target", "Proxy"};
  words_[list.add_option("--type", line_.list.type, "Source, Target or Proxy")
             ->transform(CLI::IsMember(types, CLI::ignore_case))] = types;
  list.add_option("--expiring-within", line_.expiring_within,
                  "active certificate ends within, such as 30d");
  OneOf(*list.add_option("--sort-by", line_.list.sort_by, "name, expiry or type"),
        {"name", "expiry", "type"});
  list.add_flag("-w,--watch", line_.list.watch, "go on with changes as they come");
  AddOutput(list, kListFormats, "wide, json, yaml or name");

  CLI::App& describe =
      Add("describe", "Everything about one system: both certificates, warnings, history",
          [](const Line& line) { return DescribeCommand{.name = line.name}; });
  AddName(describe);
}

void Parser::AddChanging() {
  CLI::App& generate = Add("generate", "Make a second certificate, inactive", [](const Line& line) {
    return GenerateCommand{
        .name = line.name, .change = ChangeOf(line), .format = FormatOf(line, kObjectFormats)};
  });
  AddName(generate);
  AddChange(generate, true);
  AddOutput(generate, kObjectFormats, "json, yaml or name: the operation");

  CLI::App& activate =
      Add("activate", "Make the inactive certificate the active one", [](const Line& line) {
        return ActivateCommand{.name = line.name,
                               .fingerprint = line.fingerprint,
                               .change = ChangeOf(line),
                               .format = FormatOf(line, kObjectFormats)};
      });
  AddName(activate);
  activate
      .add_option("FINGERPRINT", line_.fingerprint,
                  "its SHA-256 fingerprint, or a beginning of it (the inactive one)")
      ->check(NotEmpty());
  AddChange(activate, true);
  AddOutput(activate, kObjectFormats, "json, yaml or name: the operation");

  CLI::App& remove =
      Add("delete", "Remove the inactive certificate and its key", [](const Line& line) {
        return DeleteCommand{.name = line.name,
                             .fingerprint = line.fingerprint,
                             .change = ChangeOf(line),
                             .format = FormatOf(line, kObjectFormats)};
      });
  AddName(remove);
  remove
      .add_option("FINGERPRINT", line_.fingerprint, "its SHA-256 fingerprint, or a beginning of it")
      ->required()
      ->check(NotEmpty());
  AddChange(remove, true);
  AddOutput(remove, kObjectFormats, "json, yaml or name: the operation");

  CLI::App& automatic = Add("auto", "Turn automatic regeneration on or off", [](const Line& line) {
    return AutoCommand{.on = line.on_or_off == "on", .name = line.name, .change = ChangeOf(line)};
  });
  automatic.add_option("on|off", line_.on_or_off, "on or off")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  AddName(automatic);
  AddChange(automatic, false);

  CLI::App& authentication = Add(
      "set-authentication", "Say how the system authenticates to its peer", [](const Line& line) {
        return SetAuthenticationCommand{
            .name = line.name, .value = line.value, .change = ChangeOf(line)};
      });
  AddName(authentication);
  authentication
      .add_option("VALUE", line_.value, "ClientCertificateAuthentication: with its certificate")
      ->required();
  AddChange(authentication, false);
}

void Parser::AddSubscribing() {
  CLI::App& subscribe =
      Add("subscribe", "Have mail sent before a certificate ends", FinishSubscribe);
  AddName(subscribe);
  subscribe.add_flag("--me", line_.subscribe.me, "yourself, as the API server knows you");
  subscribe.add_option("--email", line_.subscribe.email, "address of a person or a list");
  subscribe.add_option("--display-name", line_.subscribe.display_name, "whose address it is");
  AddChange(subscribe, false);

  CLI::App& unsubscribe = Add("unsubscribe", "Have no more mail sent", FinishUnsubscribe);
  AddName(unsubscribe);
  unsubscribe.add_flag("--me", line_.subscribe.me, "yourself");
  unsubscribe.add_option("--email", line_.subscribe.email, "the address");
  AddChange(unsubscribe, false);

  CLI::App& subscribers = Add("subscribers", "Who is subscribed", [](const Line& line) {
    return SubscribersCommand{.name = line.name, .format = FormatOf(line, kDocumentFormats)};
  });
  AddName(subscribers);
  AddOutput(subscribers, kDocumentFormats, "json or yaml");
}

void Parser::AddOthers() {
  CLI::App& download = Add("download", "Write a certificate to a file", FinishDownload);
  AddName(download);
  download.add_flag("--active", line_.active, "the active one (default)");
  download.add_flag("--inactive", line_.inactive, "the inactive one");
  download.add_flag("--all", line_.all, "both");
  AddOutput(download, kEncodingNames, "pem (default), der, p12, or chain: with its issuers");
  download.add_flag("--key", line_.download.key, "the private key too");
  download.add_option("--to", line_.download.to, "file or folder; else standard output");
  download.add_flag("--force", line_.download.force, "write over a file that is there");
  download.add_option("--password-file", line_.download.password_file,
                      "of -o p12: its first line is the password");

  CLI::App& simulate = Add(
      "simulate", "What would happen to a system, and when; nothing is written", FinishSimulate);
  AddName(simulate, false);
  simulate.add_option("-f,--filename", line_.simulate.file,
                      "a system from a file, of several the one called NAME; -: stdin");
  simulate.add_option("--until", line_.until, "how far (2y)");
  simulate
      .add_option("--what-if", line_.simulate.what_if,
                  "auto=off, before=240h, validity=2160h, peerMatching=Fingerprint, "
                  "atExpiry=Hold, issuance=Manual; with commas")
      ->delimiter(',');
  AddOutput(simulate, kDocumentFormats, "json or yaml");

  CLI::App& doctor = Add(
      "doctor", "Is certpair well, and which systems need somebody",
      [](const Line& line) { return DoctorCommand{.format = FormatOf(line, kDocumentFormats)}; });
  AddOutput(doctor, kDocumentFormats, "json or yaml");
  CLI::App& version = Add("version", "The plugin's version", [](const Line& line) {
    return VersionCommand{.format = FormatOf(line, kDocumentFormats)};
  });
  AddOutput(version, kDocumentFormats, "json or yaml");
  Add("completion", "The script with which kubectl completes these commands",
      [](const Line&) { return CompletionCommand{}; });
}

void AddLongFlags(const CLI::App& app, std::vector<std::string>& flags) {
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
}

}  // namespace

std::variant<Invocation, Advice> ParseCommandLine(std::vector<std::string> arguments) {
  return Parser{}.Parse(std::move(arguments));
}

std::vector<std::string> CommandNames() {
  std::vector<std::string> names;
  const Parser parser;
  for (const CLI::App* sub : parser.App().get_subcommands({}))
    names.push_back(sub->get_name() + "\t" + sub->get_description());
  return names;
}

std::vector<std::string> FlagsOf(const std::string& command) {
  std::vector<std::string> flags;
  const Parser parser;
  AddLongFlags(parser.App(), flags);
  if (const CLI::App* sub = parser.CommandOf(command)) AddLongFlags(*sub, flags);
  return flags;
}

std::string CommandOf(const std::string& word) {
  const Parser parser;
  const CLI::App* sub = parser.CommandOf(word);
  return sub != nullptr ? sub->get_name() : word;
}

std::vector<std::string> ValuesOf(const std::string& command, const std::string& flag) {
  return Parser{}.WordsOf(command, flag);
}

bool TakesValue(const std::string& flag) {
  static const Parser kParser;
  const CLI::Option* option = kParser.OptionOf(flag);
  return option != nullptr && option->get_items_expected_min() > 0;
}

}  // namespace certpair::plugin
