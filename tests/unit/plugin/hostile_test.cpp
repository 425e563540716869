// An API server that means ill: what it says becomes no path, no command and no escape sequence.
#include <filesystem>

#include "support/child.hpp"
#include "text.hpp"
#include "unit/plugin/fake_api.hpp"

namespace certpair::plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kPem = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";

class HostileTest : public PluginTest {
 protected:
  // Whatever is asked for: the system `abap`, changed.
  void AnswerWith(json system) {
    before = [system = std::move(system)](const kube::HttpRequest& request) {
      return request.method == "GET" ? std::optional{kube::Answer(200, system)} : std::nullopt;
    };
  }
};

TEST_F(HostileTest, A_name_from_the_server_is_no_path_and_no_command) {
  for (const char* name : {"../outside", "/tmp/x", "a;reboot", "$(reboot)", "other"}) {
    const test::ScratchFolder folder;
    const std::string inside = folder / "inside";
    std::filesystem::create_directory(inside);
    json system = System("abap");
    system["metadata"]["name"] = name;
    AnswerWith(system);
    const Outcome outcome = Download(TheSession(), {.name = "abap", .to = inside});
    EXPECT_EQ(ExitOf(outcome), Exit::Failed) << name;
    EXPECT_THAT(MessageOf(outcome), HasSubstr("answered with"));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator{folder.Path()}, {}), 1) << name;
    EXPECT_TRUE(std::filesystem::is_empty(inside)) << name;
  }
  json elsewhere = System("abap");
  elsewhere["metadata"]["namespace"] = "x; reboot";
  AnswerWith(elsewhere);
  EXPECT_EQ(ExitOf(Describe(TheSession(), {.name = "abap"})), Exit::Failed);
}

TEST_F(HostileTest, A_name_that_is_none_is_never_asked_for) {
  EXPECT_THAT(MessageOf(Describe(TheSession(), {.name = ".."})), HasSubstr("there is no system"));
  EXPECT_TRUE(transport_->Requests().empty());
}

TEST_F(HostileTest, A_Secrets_name_that_is_none_is_never_asked_for) {
  json system = System("abap");
  system["status"]["secretName"] = "..";
  Put(system);
  const Outcome outcome = Download(TheSession(), {.name = "abap", .key = true, .to = "x"});
  EXPECT_THAT(MessageOf(outcome), HasSubstr("is not the name of a Secret"));
  EXPECT_EQ(transport_->Requests().size(), 1U);
}

TEST_F(HostileTest, What_is_not_PEM_alone_is_not_printed) {
  for (const std::string& pem : {"\x1b]0;title\x07" + kPem, kPem + "\x1b[2J",
                                 std::string{"-----BEGIN CERTIFICATE-----\nYW\x1b[2J"
                                             "Jj\n-----END CERTIFICATE-----\n"},
                                 std::string{"hello\n"}, std::string{}}) {
    json system = System("abap");
    system["status"]["certificates"][0]["pem"] = pem;
    Put(system);
    for (const auto encoding : {DownloadCommand::Encoding::Pem, DownloadCommand::Encoding::Der}) {
      const Outcome outcome = Download(TheSession(), {.name = "abap", .encoding = encoding});
      EXPECT_EQ(ExitOf(outcome), Exit::Failed) << pem;
      EXPECT_THAT(MessageOf(outcome), Not(HasSubstr("\x1b")));
      EXPECT_EQ(out_, "");
    }
  }
}

TEST_F(HostileTest, An_operation_whose_name_is_a_command_is_refused) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) {
    return request.method == "POST"
               ? std::optional{kube::Answer(201, {{"metadata", {{"name", "x; reboot"}}}})}
               : std::nullopt;
  };
  const Outcome outcome = Generate(TheSession(), {.name = "abap"});
  EXPECT_EQ(ExitOf(outcome), Exit::Failed);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("cannot be the name of an object"));
}

TEST_F(HostileTest, A_suggested_command_holds_nothing_that_a_shell_acts_on) {
  namespace_ = "a b;reboot";
  EXPECT_THAT(MessageOf(Describe(TheSession(), {.name = "nobody"})),
              HasSubstr("list -n 'a b;reboot'"));
  namespace_ = "idm";
  json system = System("abap", true);
  system["status"]["certificates"][1]["fingerprint"] = "$(reboot)";
  Put(system);
  EXPECT_THAT(MessageOf(Generate(TheSession(), {.name = "abap"})),
              HasSubstr("delete abap FINGERPRINT"));
}

TEST_F(HostileTest, Standard_error_shows_no_escape_sequence) {
  console_.Remark("one\ntwo\x1b[2J");
  EXPECT_EQ(err_, "one\ntwo\\u{001B}[2J\n");
}

TEST_F(HostileTest, On_a_terminal_documents_are_printable_ASCII) {
  console_.out_is_terminal = true;
  json system = System("abap");
  system["spec"]["displayName"] = "a\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\n";
  system["spec"]["\x1b[2J\x7f\n"] = "a\x7f\nb\n";
  Put(system);
  for (const Format format : {Format::Json, Format::Yaml, Format::Name}) {
    out_.clear();
    EXPECT_TRUE(List(TheSession(), {.format = format}));
    for (const char c : out_) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F)) << out_;
  }
}

TEST(ShellWord, Quotes_what_a_shell_would_act_on) {
  EXPECT_EQ(ShellWord("abap-prod"), "abap-prod");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("a b"), "'a b'");
  EXPECT_EQ(ShellWord("$(x)'`"), "'$(x)'\\''`'");
  EXPECT_EQ(ShellWord("a\nb"), "'a\\u{000A}b'");
}

}  // namespace
}  // namespace certpair::plugin
