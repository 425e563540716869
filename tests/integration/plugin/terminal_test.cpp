// Prompts, colour, watch and Ctrl-C on a real terminal; and what bad input gets.
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>

#include "integration/plugin/plugin_test.hpp"
#include "support/source.hpp"

namespace certpair::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Terminal : public PluginTest {
 protected:
  // A kubeconfig like the administrator's, with one thing changed.
  std::string KubeconfigWith(const std::string& pointer, const std::string& value) {
    Json config = Json::parse(MustKubectl({"config", "view", "--raw", "--flatten", "-o", "json"}));
    config[Json::json_pointer{pointer}] = value;
    std::string path = folder_ / "kubeconfig";
    std::ofstream(path) << config.dump();
    return path;
  }
  // The display name of the system changes again and again, to NAME 1, NAME 2, …
  static std::jthread SomebodyRenames(const std::string& system, const std::string& name) {
    return std::jthread{[=](const std::stop_token& stop) {
      for (int i = 1; !stop.stop_requested(); ++i) {
        const std::string changed = name + " " + std::to_string(i);
        MustKubectl({"-n", "idm", "patch", "psys", system, "--type=merge", "-p",
                     Json{{"spec", {{"displayName", changed}}}}.dump()});
        std::this_thread::sleep_for(std::chrono::milliseconds{300});
      }
    }};
  }
  static std::string OnOrOff(const std::string& system) {
    return MustKubectl({"-n", "idm", "get", "psys", system, "-o",
                        "jsonpath={.spec.automaticRegeneration.enabled}"});
  }
  ScratchFolder folder_;
};

TEST_F(Terminal, A_person_is_asked_sees_colours_and_follows_a_watch_until_Ctrl_C) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("tty", true);
  MustCertpair({"generate", "tty"});
  const Pair pair = PairOf("tty");

  Session session =
      OnTerminal({{"expect", "Activate it? [y/N]"}, {"send", "n\n"}}, {"activate", "tty"});
  EXPECT_EQ(session.exit, 1);
  EXPECT_THAT(session.screen, HasSubstr("nothing was changed"));
  EXPECT_EQ(PairOf("tty"), pair);

  session = OnTerminal({{"expect", "Activate it? [y/N]"}, {"send", "\x03"}}, {"activate", "tty"});
  EXPECT_EQ(PairOf("tty"), pair);
  EXPECT_EQ(session.exit, 130);

  session = OnTerminal({{"expect", "Activate it? [y/N]"}, {"send", "y\n"}, {"expect", "activated"}},
                       {"activate", "tty"});
  EXPECT_EQ(session.exit, 0) << session.screen;

  EXPECT_THAT(OnTerminal({}, {"list"}).screen, HasSubstr("\x1b[32m"));
  EXPECT_THAT(OnTerminal({}, {"list"}, {"NO_COLOR=1"}).screen, Not(HasSubstr("\x1b[")));
  EXPECT_THAT(MustCertpair({"list"}), Not(HasSubstr("\x1b[")));

  {
    // The list has one row of it: the others can only come while it is watched.
    const std::jthread somebody = SomebodyRenames("tty", "Renamed");
    session = OnTerminal({{"expect", "NAME"},
                          {"expect", "Renamed "},
                          {"expect", "Renamed "},
                          {"expect", "Renamed "},
                          {"send", "\x03"}},
                         {"list", "-w", "-o", "wide"});
  }
  EXPECT_EQ(session.exit, 0) << session.screen;

  const std::pair<std::string, std::string> asked{"expect", "Turn it on? [y/N]"};
  session = OnTerminal({asked, {"send", "n\n"}}, {"auto", "on", "tty"});
  EXPECT_EQ(session.exit, 1);
  EXPECT_THAT(session.screen, AllOf(HasSubstr("knows certificates by their fingerprint"),
                                    HasSubstr("nothing was changed")));
  EXPECT_NE(OnOrOff("tty"), "true");
  session = OnTerminal({asked, {"send", "y\n"}, {"expect", "is on"}}, {"auto", "on", "tty"});
  EXPECT_EQ(session.exit, 0) << session.screen;
  EXPECT_EQ(OnOrOff("tty"), "true");

  session = OnTerminal({}, {"download", "tty", "--key"});
  EXPECT_EQ(session.exit, 2);
  EXPECT_THAT(session.screen, Not(HasSubstr("PRIVATE KEY--")));
}

TEST_F(Terminal, A_password_that_is_typed_is_never_shown) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("typed");
  const std::string store = folder_ / "typed.p12";
  const Session session = OnTerminal({{"expect", "Password of the key store: "},
                                      {"send", "open sesame\n"},
                                      {"expect", "Once more: "},
                                      {"send", "open sesame\n"},
                                      {"expect", "Written"}},
                                     {"download", "typed", "-o", "p12", "--key", "--to", store});
  EXPECT_EQ(session.exit, 0) << session.screen;
  EXPECT_THAT(session.screen, Not(HasSubstr("sesame")));
  EXPECT_EQ(RunProcess({"openssl", "pkcs12", "-in", store, "-nodes", "-passin", "pass:open sesame"})
                .exit_code,
            0);
}

TEST_F(Terminal, Without_an_operator_it_is_said_at_once_and_Ctrl_C_names_the_operation) {
  {
    OperatorProcess op{WithAdmin()};
    MakeSystem("alone");
  }
  const Session cut = OnTerminal({{"expect", "does not exist"}, {"send", "\x03"}},
                                 {"generate", "alone", "--operator-namespace", "nowhere"});
  EXPECT_EQ(cut.exit, 130);
  EXPECT_THAT(cut.screen, AllOf(HasSubstr("The operation alone-"), HasSubstr("goes on")));

  const ProcessResult late =
      Certpair({"generate", "alone", "--operator-namespace", "nowhere", "--timeout", "1s"});
  EXPECT_EQ(late.exit_code, 4);
  EXPECT_THAT(late.err, HasSubstr("It stays"));

  MustKubectl({"apply", "-f", "-"}, R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",
    "metadata":{"name":"certpair-controller","namespace":"certpair-system"},
    "spec":{"holderIdentity":"gone","leaseDurationSeconds":15,"renewTime":"2020-01-01T00:00:00.000000Z"}})");
  const ProcessResult silent = Certpair({"generate", "alone"});
  EXPECT_EQ(silent.exit_code, 1);
  EXPECT_THAT(silent.err, AllOf(HasSubstr("does not run"), HasSubstr("It stays")));
  EXPECT_EQ(Certpair({"doctor"}).exit_code, 1);
  MustKubectl({"-n", "certpair-system", "delete", "lease", "certpair-controller"});

  // It is back, and does what waited: one of the three Generates finds a free slot.
  OperatorProcess op{WithAdmin()};
  AwaitPair("alone", [](const Pair& p) { return !p.inactive.empty(); });
}

TEST_F(Terminal, Bad_input_gets_an_answer_that_helps) {
  OperatorProcess op{WithAdmin()};
  MakeSystem("bad");
  const std::string there = folder_ / "there.pem";
  std::ofstream(there) << "mine";
  struct Case {
    std::vector<std::string> command;
    int exit;
    const char* says;
  };
  const Case cases[] = {
      {{"describe", "nobody"}, 1, "there is no system \"nobody\" in namespace \"idm\""},
      {{"describe", "bad", "--context", "nowhere"}, 1, "there is no context \"nowhere\""},
      {{"delete", "bad", "zz"}, 2, "two hex digits"},
      {{"delete", "bad", PairOf("bad").active}, 3, "cannot be deleted"},
      {{"activate", "bad"}, 3, "has no inactive certificate"},
      {{"auto", "on"}, 2, "NAME"},
      {{"subscribe", "bad", "--me"}, 2, "--email"},
      {{"subscribe", "bad", "--email", "a@b.example", "--display-name", "x\x1b[2J"}, 3, "refuses"},
      {{"download", "bad", "--to", there}, 1, "--force"},
      {{"download", "bad", "--to", folder_ / "no/folder"}, 1, "is there such a folder?"},
      {{"describe", "../../secrets"}, 1, "there is no"}};
  for (const Case& c : cases) {
    const ProcessResult result = Certpair(c.command);
    EXPECT_EQ(result.exit_code, c.exit) << c.command.front() << " " << c.command.back() << "\n"
                                        << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr(c.says), Not(HasSubstr("\x1b"))));
  }
  EXPECT_EQ(ReadFile(there), "mine");
  MustCertpair({"download", "bad", "--to", there, "--force"});
  EXPECT_THAT(ReadFile(there), HasSubstr("BEGIN CERTIFICATE"));

  // A name that would turn the line around; control characters the API server refuses itself.
  MustKubectl({"-n", "idm", "patch", "psys", "bad", "--type=merge", "-p",
               Json{{"spec", {{"displayName", "evil\xe2\x80\xaexcod"}}}}.dump()});
  for (const char* command : {"list -o wide", "describe bad", "subscribers bad"}) {
    std::istringstream words{command};
    const Session shown =
        OnTerminal({}, {std::istream_iterator<std::string>{words}, {}}, {"NO_COLOR=1"});
    EXPECT_EQ(shown.exit, 0) << shown.screen;
    EXPECT_THAT(shown.screen, Not(HasSubstr("\xe2\x80\xae")));
  }
  EXPECT_THAT(MustCertpair({"list", "-o", "wide"}), HasSubstr("evil\\u{202E}xcod"));
  EXPECT_THAT(Certpair({"list", "-v", "6"}).err,
              HasSubstr("LIST /apis/certpair.dev/v1/namespaces/idm/provisioningsystems"));

  const auto with = [&](const std::string& pointer, const std::string& value) {
    return RunProcess({Program(), "--kubeconfig", KubeconfigWith(pointer, value), "list"});
  };
  const ProcessResult away = with("/clusters/0/cluster/server", "https://127.0.0.1:9");
  EXPECT_EQ(away.exit_code, 1);
  EXPECT_THAT(away.err, HasSubstr("cannot be reached"));
  const ProcessResult expired = with("/users/0/user/token", "an-expired-token");
  EXPECT_EQ(expired.exit_code, 1);
  EXPECT_THAT(expired.err, AllOf(HasSubstr("Log in again"), Not(HasSubstr("an-expired-token"))));

  // A disk that takes no byte more.
  const std::string full = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
  std::vector<std::string> command{"bash", "-c", full};
  for (const std::string& word : CommandLine({"download", "bad", "--to", folder_ / "full.pem"}))
    command.push_back(word);
  const ProcessResult refused = RunProcess(command);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("full.pem cannot be written: File too large"));
  for (const auto& entry : std::filesystem::directory_iterator(folder_.Path()))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("full.pem"))) << "left behind";
}

TEST_F(Terminal, A_credential_program_is_asked_once_for_a_login) {
  const Json config = Json::parse(MustKubectl({"config", "view", "--raw", "-o", "json"}));
  std::ofstream(folder_ / "login")
      << "#!/bin/sh\necho x >>" << folder_ / "count" << "\nprintf '%s' '"
      << Json{{"apiVersion", "client.authentication.k8s.io/v1"},
              {"kind", "ExecCredential"},
              {"status", {{"token", config.at("users")[0].at("user").at("token")}}}}
             .dump()
      << "'\n";
  std::filesystem::permissions(folder_ / "login", std::filesystem::perms::owner_all);
  Json changed = Json::parse(MustKubectl({"config", "view", "--raw", "--flatten", "-o", "json"}));
  changed["users"][0]["user"] = {{"exec",
                                  {{"apiVersion", "client.authentication.k8s.io/v1"},
                                   {"command", folder_ / "login"},
                                   {"interactiveMode", "Never"}}}};
  std::ofstream(folder_ / "kubeconfig") << changed.dump();
  const ProcessResult listed =
      RunProcess({Program(), "--kubeconfig", folder_ / "kubeconfig", "-A", "list"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_EQ(ReadFile(folder_ / "count"), "x\n");
}

TEST_F(Terminal, The_proxy_of_the_kubeconfig_is_asked_for_a_tunnel) {
  Child proxy{{"/usr/bin/env", "python3", SourceDir() + "/tests/support/connect_proxy.py"},
              folder_ / "log"};
  ASSERT_TRUE(Eventually([&] { return ReadFile(folder_ / "log").ends_with("\n"); }));
  const std::string port = std::to_string(std::stoi(ReadFile(folder_ / "log")));
  const std::string path =
      KubeconfigWith("/clusters/0/cluster/proxy-url", "http://127.0.0.1:" + port);
  const ProcessResult listed = RunProcess({Program(), "--kubeconfig", path, "list", "-A"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(ReadFile(folder_ / "log"), HasSubstr("CONNECT 127.0.0.1:"));
}

}  // namespace
}  // namespace certpair::test
