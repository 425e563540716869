// What the shell is offered, as far as no cluster is asked for it.
#include "completion.hpp"

#include "options.hpp"
#include "unit/plugin/fake_api.hpp"

namespace certpair::plugin {
namespace {

class CompletionTest : public PluginTest {
 protected:
  // Without a kubeconfig: names and fingerprints come from a cluster, and none can be reached.
  std::string Offered(const std::vector<std::string>& words) {
    out_.clear();
    Complete({.console = console_,
              .clock = clock_,
              .environment = {},
              .begin_to_listen = [this] { return stop_.get_token(); }},
             words);
    return out_;
  }
};

TEST_F(CompletionTest, Of_a_flags_value_the_words_are_offered_that_it_takes) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"list", "-o", ""}, "wide\njson\nyaml\nname\n:4\n"},
      {{"ls", "-o", "w"}, "wide\n:4\n"},
      {{"generate", "abap", "--output", ""}, "json\nyaml\nname\n:4\n"},
      {{"download", "-o", ""}, "pem\nder\np12\nchain\n:4\n"},
      {{"doctor", "-o", "y"}, "yaml\n:4\n"},
      {{"list", "--type", ""}, "Source\nTarget\nProxy\n:4\n"},
      {{"list", "-A", "--sort-by", "e"}, "expiry\n:4\n"},
      {{"-n", "idm", "auto", "on", "--dry-run", ""}, "none\nclient\nserver\n:4\n"}};
  for (const auto& [words, offered] : cases)
    EXPECT_EQ(Offered(words), offered) << words.front() << " " << words.back();
}

TEST_F(CompletionTest, Of_a_value_that_may_be_anything_nothing_is_offered) {
  const std::vector<std::vector<std::string>> lines{{"auto", "-n", ""},
                                                    {"-n", ""},
                                                    {"generate", "--timeout", ""},
                                                    {"describe", "-o", ""},
                                                    {"set-authentication", "abap", "--as", ""}};
  for (const std::vector<std::string>& words : lines)
    EXPECT_EQ(Offered(words), ":4\n") << words.front();
}

TEST_F(CompletionTest, Where_a_file_is_wanted_the_shell_offers_its_own) {
  for (const char* flag : {"--to", "--password-file", "-f", "--filename", "--kubeconfig"})
    EXPECT_EQ(Offered({"simulate", flag, ""}), ":0\n") << flag;
}

TEST_F(CompletionTest, After_the_value_the_commands_own_words_go_on) {
  EXPECT_EQ(Offered({"auto", "-n", "idm", ""}), "on\noff\n:4\n");
  EXPECT_EQ(Offered({"auto", "--dry-run=client", "of"}), "off\n:4\n");
  EXPECT_EQ(Offered({"-n=idm", "set-authentication", "--as", "ann", "abap", "B"}),
            "BasicAuthentication\n:4\n");
}

TEST_F(CompletionTest, Another_word_for_a_command_has_its_flags_and_takes_no_name) {
  EXPECT_EQ(Offered({"ls", "--sort"}), "--sort-by\n:4\n");
  EXPECT_EQ(Offered({"ls", ""}), ":4\n");
  EXPECT_EQ(CommandOf("ls"), "list");
  EXPECT_EQ(CommandOf("list"), "list");
  EXPECT_EQ(CommandOf("nope"), "nope");
}

}  // namespace
}  // namespace certpair::plugin
