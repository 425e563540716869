#include "options.hpp"

#include <gmock/gmock.h>

#include "activate.hpp"
#include "auto.hpp"
#include "download.hpp"
#include "generate.hpp"
#include "list.hpp"
#include "simulate.hpp"

namespace certpair::plugin {
namespace {

using testing::Contains;
using testing::HasSubstr;

template <class Options>
Options OptionsOf(const Invocation& invocation) {
  const auto* command = dynamic_cast<const Configured<Options>*>(invocation.command.get());
  if (command == nullptr) ADD_FAILURE() << "another command: " << invocation.entry->name;
  return command == nullptr ? Options{} : command->options;
}

template <class Options>
Options Parsed(std::vector<std::string> arguments) {
  const auto parsed = ParseCommandLine(std::move(arguments));
  const auto* invocation = std::get_if<Invocation>(&parsed);
  if (invocation == nullptr) ADD_FAILURE() << std::get<Advice>(parsed).text;
  return invocation == nullptr ? Options{} : OptionsOf<Options>(*invocation);
}

TEST(CommandLine, Global_flags_stand_before_or_after_the_command) {
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{"-n", "idm", "list", "-A"},
        std::vector<std::string>{"list", "-A", "--namespace=idm"}}) {
    const auto parsed = ParseCommandLine(line);
    const auto* invocation = std::get_if<Invocation>(&parsed);
    ASSERT_NE(invocation, nullptr);
    EXPECT_EQ(invocation->globals.namespace_, "idm");
    EXPECT_TRUE(invocation->globals.all_namespaces);
  }
}

TEST(CommandLine, Kubectls_flags_are_understood) {
  const auto parsed = ParseCommandLine({"list", "--as", "ann", "--as-group", "a", "--as-group", "b",
                                        "--context=c", "--request-timeout", "5", "-v", "8"});
  const auto* invocation = std::get_if<Invocation>(&parsed);
  ASSERT_NE(invocation, nullptr) << std::get<Advice>(parsed).text;
  EXPECT_EQ(invocation->globals.as, "ann");
  EXPECT_THAT(invocation->globals.as_groups, testing::ElementsAre("a", "b"));
  EXPECT_EQ(invocation->globals.request_timeout, seconds{5});
  EXPECT_EQ(invocation->globals.verbosity, 8);
}

TEST(CommandLine, Commands_carry_their_flags) {
  const auto list = Parsed<ListCommand>(
      {"ls", "--type", "source", "--expiring-within", "30d", "--sort-by", "expiry", "-o", "wide"});
  EXPECT_EQ(list.type, "Source");
  EXPECT_EQ(list.expiring_within, std::chrono::hours{720});
  EXPECT_EQ(list.format, Format::Wide);
  const auto activate = Parsed<ActivateCommand>({"activate", "x", "AB:CD", "--wait=false", "-y"});
  EXPECT_EQ(activate.name, "x");
  EXPECT_EQ(activate.fingerprint, "AB:CD");
  EXPECT_FALSE(activate.change.wait);
  EXPECT_TRUE(activate.change.yes);
  EXPECT_TRUE(Parsed<AutoCommand>({"auto", "on", "x"}).on);
  EXPECT_FALSE(Parsed<AutoCommand>({"auto", "off", "x"}).on);
  EXPECT_EQ(Parsed<GenerateCommand>({"generate", "x", "--dry-run=server"}).change.dry_run,
            actions::DryRun::Server);
  const auto download = Parsed<DownloadCommand>({"download", "x", "--all", "-o", "der"});
  EXPECT_EQ(download.which, DownloadCommand::Which::All);
  EXPECT_EQ(download.encoding, DownloadCommand::Encoding::Der);
  EXPECT_THAT(Parsed<SimulateCommand>({"simulate", "x", "--what-if", "auto=off,before=1h"}).what_if,
              testing::ElementsAre("auto=off", "before=1h"));
}

TEST(CommandLine, What_is_wrong_is_said_and_ends_with_2) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"nope"}, "there is no command \"nope\""},
      {{"-n", "idm", "nope"}, "there is no command \"nope\""},
      {{"generate"}, "NAME"},
      {{"generate"}, "`kubectl certpair generate --help` tells more"},
      {{"--nope"}, "`kubectl certpair --help` tells more"},
      {{"generate", "x", "--timeout", "soon"}, "--timeout"},
      {{"generate", "x", "--dry-run=maybe"}, "dry-run"},
      {{"list", "-o", "xml"}, "wide, json, yaml, name"},
      {{"list", "-w", "-o", "json"}, "--watch"},
      {{"list", "--expiring-within", "later"}, "--expiring-within"},
      {{"auto", "perhaps", "x"}, "on"},
      {{"download", "x", "--active", "--all"}, "give one of them"},
      {{"download", "x", "-o", "p12"}, "--key"},
      {{"download", "x", "-o", "der", "--key"}, "--key"},
      {{"subscribe", "x"}, "--me"},
      {{"unsubscribe", "x"}, "--me"},
      {{"simulate"}, "NAME"},
      {{"delete", "x"}, "FINGERPRINT"},
      {{"generate", "y", "\x1b[2J"}, "\\u{001B}"}};
  for (const auto& [line, says] : cases) {
    const auto parsed = ParseCommandLine(line);
    const auto* advice = std::get_if<Advice>(&parsed);
    ASSERT_NE(advice, nullptr) << says;
    EXPECT_EQ(advice->exit, Exit::Usage) << says;
    EXPECT_THAT(advice->text, HasSubstr(says));
  }
}

TEST(CommandLine, Help_is_no_mistake) {
  for (const std::vector<std::string>& line :
       {std::vector<std::string>{}, std::vector<std::string>{"--help"},
        std::vector<std::string>{"generate", "-h"}}) {
    const auto parsed = ParseCommandLine(line);
    const auto* advice = std::get_if<Advice>(&parsed);
    ASSERT_NE(advice, nullptr);
    EXPECT_EQ(advice->exit, Exit::Done);
    EXPECT_THAT(advice->text, HasSubstr("kubectl certpair"));
  }
}

TEST(CommandLine, Completion_knows_each_commands_flags) {
  EXPECT_THAT(FlagsOf("list"), Contains("--sort-by"));
  EXPECT_THAT(FlagsOf("list"), Contains("--namespace"));
  EXPECT_THAT(FlagsOf("generate"), testing::Not(Contains("--sort-by")));
  EXPECT_THAT(CommandNames(), Contains(testing::StartsWith("generate\t")));
}

TEST(CommandLine, Short_flags_take_their_value_after_an_equals_sign_as_kubectls_do) {
  const auto parsed = ParseCommandLine({"list", "-n=idm", "-v=6", "-o=wide", "-A=true"});
  const auto* invocation = std::get_if<Invocation>(&parsed);
  ASSERT_NE(invocation, nullptr) << std::get<Advice>(parsed).text;
  EXPECT_EQ(invocation->globals.namespace_, "idm");
  EXPECT_EQ(invocation->globals.verbosity, 6);
  EXPECT_TRUE(invocation->globals.all_namespaces);
  EXPECT_EQ(OptionsOf<ListCommand>(*invocation).format, Format::Wide);
}

TEST(CommandLine, What_is_empty_is_no_name_and_no_fingerprint) {
  for (const std::vector<std::string>& line : {std::vector<std::string>{"describe", ""},
                                               {"generate", ""},
                                               {"activate", "x", ""},
                                               {"delete", "x", ""},
                                               {"unsubscribe", "", "--me"},
                                               {"simulate", ""}}) {
    const auto parsed = ParseCommandLine(line);
    const auto* advice = std::get_if<Advice>(&parsed);
    ASSERT_NE(advice, nullptr) << line.front();
    EXPECT_EQ(advice->exit, Exit::Usage);
    EXPECT_THAT(advice->text, HasSubstr("empty"));
  }
}

TEST(CommandLine, Knows_which_flags_take_the_next_word) {
  for (const char* flag : {"-o", "--output", "--timeout", "--request-timeout", "-l", "--to", "-n",
                           "--dry-run", "--what-if", "-v", "--as-group"})
    EXPECT_TRUE(TakesValue(flag)) << flag;
  for (const char* flag : {"-A", "--watch", "-y", "--key", "--wait", "--nothing"})
    EXPECT_FALSE(TakesValue(flag)) << flag;
}

}  // namespace
}  // namespace certpair::plugin
