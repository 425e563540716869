#include "options.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "text.hpp"

namespace certpair::plugin {
namespace {

// A script's variable that was never set leaves an empty word there: it must not mean "all".
CLI::Validator NotEmpty() {
  return {[](const std::string& text) { return std::string{text.empty() ? "it is empty" : ""}; },
          ""};
}

// What is asked of one command's line, bound to CLI11.
class Bound final : public Flags {
 public:
  explicit Bound(CLI::App& app) : app_(app) {}

  void Word(const std::string& name, const std::string& help, WordRules rules, Take take) override {
    CLI::Option* option = Hold(name, help, std::move(take))->check(NotEmpty());
    if (rules.required) option->required();
    if (!rules.words.empty() && !rules.suggests_only) option->check(CLI::IsMember(rules.words));
    words_.push_back(std::move(rules));
  }
  void Value(const std::string& names, const std::string& help, ValueRules rules,
             Take take) override {
    CLI::Option* option = Hold(names, help, std::move(take));
    if (!rules.words.empty() && !rules.suggests_only) {
      if (rules.any_case)
        option->transform(CLI::IsMember(rules.words, CLI::ignore_case));
      else
        option->check(CLI::IsMember(rules.words));
    }
    values_.emplace(option, std::move(rules));
  }
  void Values(const std::string& names, std::vector<std::string>& into,
              const std::string& help) override {
    app_.add_option(names, into, help)->delimiter(',');
  }
  void Switch(const std::string& names, bool& into, const std::string& help) override {
    app_.add_flag(names, into, help);
  }
  void Check(std::function<std::optional<std::string>()> check) override {
    checks_.push_back(std::move(check));
  }

  // After parsing: what is wrong.
  [[nodiscard]] std::optional<std::string> Finish() const {
    for (const Held& held : held_)
      if (held.option->count() > 0)
        if (auto mistake = held.take(held.text)) return mistake;
    for (const auto& check : checks_)
      if (auto mistake = check()) return mistake;
    return std::nullopt;
  }
  [[nodiscard]] const CLI::App& App() const { return app_; }
  [[nodiscard]] const ValueRules* RulesOf(const std::string& flag) const {
    const auto found = values_.find(app_.get_option_no_throw(flag));
    return found == values_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const std::vector<WordRules>& Words() const { return words_; }

 private:
  struct Held {
    std::string text;
    Take take;
    const CLI::Option* option = nullptr;
  };
  CLI::Option* Hold(const std::string& names, const std::string& help, Take take) {
    Held& held = held_.emplace_back(Held{{}, std::move(take), nullptr});
    CLI::Option* option = app_.add_option(names, held.text, help);
    held.option = option;
    return option;
  }

  CLI::App& app_;
  std::deque<Held> held_;  // CLI11 keeps references to the texts
  std::vector<std::function<std::optional<std::string>()>> checks_;
  std::map<const CLI::Option*, ValueRules> values_;
  std::vector<WordRules> words_;
};

// One command and its part of the line.
struct Declared {
  const CommandEntry* entry;
  std::unique_ptr<Command> command;
  std::unique_ptr<Bound> flags;
};

class Parser {
 public:
  Parser() : globals_of_app_(app_) {
    app_.name("kubectl certpair");
    app_.description(
        "Works with the client certificates that certpair keeps for outbound systems.");
    app_.require_subcommand(0, 1);
    app_.get_formatter()->column_width(36);
    AddGlobals();
    for (const CommandEntry* entry : Commands()) {
      CLI::App* sub = app_.add_subcommand(std::string{entry->name}, std::string{entry->help});
      sub->fallthrough();
      sub->get_formatter()->column_width(36);
      if (!entry->alias.empty()) sub->alias(std::string{entry->alias});
      Declared declared{entry, entry->make(), std::make_unique<Bound>(*sub)};
      declared.command->Declare(*declared.flags);
      declared_.push_back(std::move(declared));
    }
  }

  std::variant<Invocation, Advice> Parse(std::vector<std::string> arguments) {
    for (std::string& argument : arguments) argument = Spelled(argument);
    std::ranges::reverse(arguments);  // as CLI11 wants them
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError& error) {
      return AdviceOn(error);
    }
    const auto chosen = app_.get_subcommands();
    if (chosen.empty()) return Advice{Exit::Done, app_.help()};
    const auto declared = std::ranges::find(declared_, chosen.front(),
                                            [](const Declared& d) { return &d.flags->App(); });
    auto mistake = globals_of_app_.Finish();
    if (!mistake) mistake = declared->flags->Finish();
    if (mistake) return Advice{Exit::Usage, "error: " + *mistake + "\n"};
    return Invocation{globals_, declared->entry, std::move(declared->command)};
  }

  [[nodiscard]] const CLI::App& App() const { return app_; }

  // An option of any command, as it is written: `-n`, `--namespace`; none: nullptr.
  [[nodiscard]] const CLI::Option* OptionOf(const std::string& flag) const {
    for (const Declared& declared : declared_)
      if (const CLI::Option* option = declared.flags->App().get_option_no_throw(flag))
        return option;
    return app_.get_option_no_throw(flag);
  }
  [[nodiscard]] bool TakesFile(const std::string& flag) const {
    const auto is_file = [&](const Bound& flags) {
      const ValueRules* rules = flags.RulesOf(flag);
      return rules != nullptr && rules->offers == Offers::Files;
    };
    return is_file(globals_of_app_) ||
           std::ranges::any_of(declared_, [&](const Declared& d) { return is_file(*d.flags); });
  }

  // By its name or its alias; none: nullptr.
  [[nodiscard]] const Declared* CommandOf(const std::string& word) const {
    const auto found = std::ranges::find_if(declared_, [&](const Declared& declared) {
      return declared.entry->name == word || (!word.empty() && declared.entry->alias == word);
    });
    return found == declared_.end() ? nullptr : &*found;
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
                                       "`kubectl certpair --help` lists the commands\n",
                                       Escaped(*stray))};
    return {Exit::Usage, fmt::format("error: {}\n`kubectl certpair {}--help` tells more\n",
                                     Escaped(Trimmed(error.what()), true),
                                     chosen.empty() ? "" : chosen.front()->get_name() + " ")};
  }

  void AddGlobals();

  CLI::App app_;
  Globals globals_;
  Bound globals_of_app_;
  std::vector<Declared> declared_;
};

void Parser::AddGlobals() {
  Globals& g = globals_;
  globals_of_app_.Text("--kubeconfig", g.kubeconfig, "kubeconfig file",
                       {.words = {}, .offers = Offers::Files});
  globals_of_app_.Text("--context", g.context, "context of the kubeconfig");
  globals_of_app_.Text("-n,--namespace", g.namespace_, "namespace of the system");
  globals_of_app_.Switch("-A,--all-namespaces", g.all_namespaces, "list, doctor: all namespaces");
  globals_of_app_.Text("--as", g.as, "user to impersonate");
  app_.add_option("--as-group", g.as_groups, "group to impersonate; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  globals_of_app_.Text("--as-uid", g.as_uid, "UID to impersonate");
  globals_of_app_.Value(
      "--request-timeout", "of one request (15s); 0: no limit", {},
      [&g](const std::string& text) -> std::optional<std::string> {
        // kubectl takes a bare number for seconds.
        const bool bare = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
        if (text.empty()) return std::nullopt;
        g.request_timeout = ParsePeriod(text + (bare ? "s" : ""));
        if (g.request_timeout) return std::nullopt;
        return fmt::format("--request-timeout: \"{}\" is not a duration such as 90s, 12h or 30d",
                           Escaped(text));
      });
  app_.add_option("-v,--v", g.verbosity, "6 and more: show each request");
  globals_of_app_.Text("--operator-namespace", g.operator_namespace,
                       "where the operator runs (certpair-system)");
  for (CLI::Option* option : app_.get_options())
    if (option != app_.get_help_ptr()) option->group("As kubectl");
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
  for (const CommandEntry* entry : Commands())
    names.push_back(fmt::format("{}\t{}", entry->name, entry->help));
  return names;
}

std::vector<std::string> FlagsOf(const std::string& command) {
  std::vector<std::string> flags;
  const Parser parser;
  AddLongFlags(parser.App(), flags);
  if (const Declared* declared = parser.CommandOf(command))
    AddLongFlags(declared->flags->App(), flags);
  return flags;
}

std::string CommandOf(const std::string& word) {
  for (const CommandEntry* entry : Commands())
    if (entry->name == word || (!word.empty() && entry->alias == word))
      return std::string{entry->name};
  return word;
}

std::vector<std::string> ValuesOf(const std::string& command, const std::string& flag) {
  const Parser parser;
  const Declared* declared = parser.CommandOf(command);
  const ValueRules* rules = declared != nullptr ? declared->flags->RulesOf(flag) : nullptr;
  return rules != nullptr ? rules->words : std::vector<std::string>{};
}

bool TakesValue(const std::string& flag) {
  static const Parser kParser;
  const CLI::Option* option = kParser.OptionOf(flag);
  return option != nullptr && option->get_items_expected_min() > 0;
}

bool TakesFile(const std::string& flag) { return Parser{}.TakesFile(flag); }

std::optional<WordRules> WordOf(const std::string& command, std::size_t index) {
  const Parser parser;
  const Declared* declared = parser.CommandOf(command);
  if (declared == nullptr || index >= declared->flags->Words().size()) return std::nullopt;
  return declared->flags->Words()[index];
}

}  // namespace certpair::plugin
