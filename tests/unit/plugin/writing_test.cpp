// subscribe, auto, set-authentication, download, simulate.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>

#include "base/base64.hpp"
#include "file_writer.hpp"
#include "input.hpp"
#include "options.hpp"
#include "support/certificates.hpp"
#include "support/child.hpp"
#include "support/process.hpp"
#include "unit/plugin/fake_api.hpp"

namespace certpair::plugin {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class WritingTest : public PluginTest {
 protected:
  [[nodiscard]] json Patched() const {
    for (const auto& request : transport_->Requests())
      if (request.method == "PATCH") return json::parse(request.body);
    return {};
  }
  void ServerKnowsMeAs(const json& user_info) {
    before = [=](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
      if (request.path.find("selfsubjectreviews") == std::string::npos) return std::nullopt;
      return kube::Answer(201, {{"status", {{"userInfo", user_info}}}});
    };
  }
  // The certificate that System() has, with a key.
  // Shorter than the certificate. There is no key in it.
  static inline const std::string kKey = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n";
  void PutPair(const std::string& system) {
    objects_["/api/v1/namespaces/idm/secrets/" + system + "-outbound"] = {
        {"metadata", {{"name", system + "-outbound"}}},
        {"data",
         {{"tls.crt",
           "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCllXSmoKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="},
          {"tls.key", EncodeBase64(kKey)}}}};
  }
  test::ScratchFolder folder_;
};

TEST_F(WritingTest, A_subscription_applies_its_own_entry_alone_with_a_manager_of_its_own) {
  Put(System("abap"));
  EXPECT_TRUE(
      Subscribe(TheSession(), {.name = "abap", .email = "Ann@Example.com", .display_name = "Ann"}));
  const auto request = transport_->Requests().back();
  EXPECT_EQ(request.content_type, "application/apply-patch+yaml");
  EXPECT_THAT(request.path,
              AllOf(HasSubstr("fieldManager=certpair-subscriber-"), HasSubstr("force=false")));
  const json body = json::parse(request.body);
  EXPECT_EQ(body.at("metadata").at("uid"), "uid-abap");
  EXPECT_EQ(body.at("spec"), json::parse(R"({"notifications":{"subscribers":[
      {"email":"ann@example.com","displayName":"Ann"}]}})"));
}

TEST_F(WritingTest, Me_is_whom_the_API_server_takes_me_for) {
  Put(System("abap"));
  ServerKnowsMeAs({{"username", "Ann@example.com"}});
  EXPECT_TRUE(Subscribe(TheSession(), {.name = "abap", .me = true}));
  EXPECT_THAT(out_, HasSubstr("<ann@example.com> is subscribed"));
  EXPECT_THAT(transport_->Requests().back().body, Not(HasSubstr("displayName")))
      << "an address is no name";
  ServerKnowsMeAs({{"username", "u-1"}, {"extra", {{"example.com/email", {"bob@example.com"}}}}});
  EXPECT_TRUE(Subscribe(TheSession(), {.name = "abap", .me = true}));
  EXPECT_THAT(out_, HasSubstr("<bob@example.com> is subscribed"));
  ServerKnowsMeAs({{"username", "system:admin"}});
  const Outcome outcome = Subscribe(TheSession(), {.name = "abap", .me = true});
  EXPECT_EQ(ExitOf(outcome), Exit::Usage);
  EXPECT_THAT(MessageOf(outcome), AllOf(HasSubstr("system:admin"), HasSubstr("--email")));
}

TEST_F(WritingTest, Who_may_not_ask_who_he_is_is_told_what_needs_no_right) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("selfsubjectreviews") == std::string::npos) return std::nullopt;
    return kube::Answer(
        403, {{"kind", "Status"},
              {"reason", "Forbidden"},
              {"message",
               "selfsubjectreviews.authentication.k8s.io is forbidden: User \"ann\" cannot create "
               "resource \"selfsubjectreviews\" in API group \"authentication.k8s.io\" at the "
               "cluster scope"}});
  };
  const Outcome outcome = Subscribe(TheSession(), {.name = "abap", .me = true});
  EXPECT_EQ(ExitOf(outcome), Exit::Failed);
  EXPECT_THAT(MessageOf(outcome),
              AllOf(HasSubstr("The role system:basic-user"), Not(HasSubstr("certpair-admin")),
                    HasSubstr("--email ADDRESS in place of --me")));
}

TEST_F(WritingTest, What_is_no_address_is_refused_before_the_server_is_asked) {
  Put(System("abap"));
  for (const char* bad : {"ann", "@x", "a@", "a@b@c", "a b@c", "|a@b.example", "-oq@b.example",
                          "a%b@c.example", "a!b@c.example", "a@localhost", "a@127.0.0.1"})
    EXPECT_EQ(ExitOf(Subscribe(TheSession(), {.name = "abap", .email = bad})), Exit::Usage) << bad;
  for (const char* bad : {"ann@b.example", "https://b.example", "www.b.example"})
    EXPECT_EQ(ExitOf(Subscribe(TheSession(),
                               {.name = "abap", .email = "ann@b.example", .display_name = bad})),
              Exit::Usage)
        << bad;
  EXPECT_TRUE(WroteNothing());
}

TEST_F(WritingTest, An_entry_that_somebody_else_owns_is_removed_by_its_place_with_a_test) {
  json system = System("abap");
  system["spec"]["notifications"]["subscribers"] = {{{"email", "x@e.com"}, {"displayName", "X"}},
                                                    {{"email", "y@e.com"}, {"displayName", "Y"}}};
  Put(system);
  std::vector<json> patches;
  before = [&](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.content_type != "application/json-patch+json") return std::nullopt;
    patches.push_back(json::parse(request.body));
    if (patches.size() == 1) {  // somebody was quicker
      Stored("abap")["spec"]["notifications"]["subscribers"].erase(0);
      return kube::StatusAnswer(422, "Invalid");
    }
    return kube::Answer(200, system);
  };
  EXPECT_TRUE(Unsubscribe(TheSession(), {.name = "abap", .email = "y@e.com"}));
  ASSERT_EQ(patches.size(), 2U);
  EXPECT_EQ(patches[0].at(2).at("path"), "/spec/notifications/subscribers/1");
  EXPECT_EQ(patches[1].at(2).at("path"), "/spec/notifications/subscribers/0");
  EXPECT_EQ(patches[1].at(1).at("value"), "y@e.com");
}

TEST_F(WritingTest, A_server_dry_run_of_unsubscribe_tries_all_that_would_be_sent) {
  json system = System("abap");
  system["spec"]["notifications"]["subscribers"] = {{{"email", "x@e.com"}, {"displayName", "X"}}};
  Put(system);
  bool refuses = false;
  before = [&](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.content_type != "application/json-patch+json") return std::nullopt;
    return refuses ? kube::StatusAnswer(403, "Forbidden") : kube::Answer(200, system);
  };
  const UnsubscribeCommand command{
      .name = "abap", .email = "x@e.com", .change = {.dry_run = DryRun::Server}};
  EXPECT_TRUE(Unsubscribe(TheSession(), command));
  EXPECT_THAT(out_, HasSubstr("server dry run"));
  ASSERT_EQ(Methods("PATCH").size(), 2U);
  for (const std::string& path : Methods("PATCH")) EXPECT_THAT(path, HasSubstr("dryRun=All"));
  refuses = true;
  EXPECT_EQ(ExitOf(Unsubscribe(TheSession(), command)), Exit::Refused);
}

TEST_F(WritingTest, A_client_dry_run_says_what_would_be_changed_and_writes_nothing) {
  json system = System("abap");
  system["spec"]["notifications"]["subscribers"] = {{{"email", "x@e.com"}, {"displayName", "X"}}};
  Put(system);
  const ChangeFlags dry{.dry_run = DryRun::Client};
  EXPECT_TRUE(Auto(TheSession(), {.on = true, .name = "abap", .change = dry}));
  EXPECT_TRUE(SetAuthentication(TheSession(),
                                {.name = "abap", .value = "BasicAuthentication", .change = dry}));
  EXPECT_TRUE(Subscribe(TheSession(), {.name = "abap", .email = "y@e.com", .change = dry}));
  EXPECT_TRUE(Unsubscribe(TheSession(), {.name = "abap", .email = "x@e.com", .change = dry}));
  EXPECT_THAT(out_, AllOf(HasSubstr("regeneration of abap is on (client dry run)"),
                          HasSubstr("is BasicAuthentication (client dry run)"),
                          HasSubstr("subscribed to abap (client dry run)"),
                          HasSubstr("is no longer subscribed to abap (client dry run)")));
  EXPECT_TRUE(WroteNothing());
  for (const char* command : {"auto", "set-authentication", "subscribe", "unsubscribe"}) {
    const auto help = ParseCommandLine({command, "--help"});
    EXPECT_THAT(std::get<Advice>(help).text,
                AllOf(HasSubstr("client: say what would be changed, and write nothing"),
                      Not(HasSubstr("would be sent"))));
  }
}

TEST_F(WritingTest, Who_is_not_subscribed_is_told_so_and_nothing_is_written) {
  Put(System("abap"));
  EXPECT_TRUE(Unsubscribe(TheSession(), {.name = "abap", .email = "ann@example.com"}));
  EXPECT_THAT(out_, HasSubstr("was not subscribed"));
  EXPECT_TRUE(WroteNothing());
}

TEST_F(WritingTest, On_for_a_fingerprint_peer_wants_a_yes) {
  json system = System("abap");
  system["spec"]["peerMatching"] = "Fingerprint";
  Put(system);
  EXPECT_EQ(ExitOf(Auto(TheSession(), {.on = true, .name = "abap"})), Exit::Usage);
  EXPECT_THAT(err_, HasSubstr("knows certificates by their fingerprint"));
  EXPECT_TRUE(WroteNothing());
  EXPECT_TRUE(Auto(TheSession(), {.on = true, .name = "abap", .change = {.yes = true}}));
  EXPECT_EQ(Patched().at("spec"), json::parse(R"({"automaticRegeneration":{"enabled":true}})"));
  EXPECT_EQ(Patched().at("metadata").at("uid"), "uid-abap");
}

TEST_F(WritingTest, On_after_the_end_says_what_happens_at_once) {
  const std::string kExpired = "The active certificate of abap expired 31 days ago. ";
  const std::string kMade =
      "A new one is issued now and is active at once. The expired one stays, inactive";
  const std::string kDeleted = ", and the other one, AB:99:EF:01, is deleted with its key.";
  const std::string kWaits = "upload it to the peer, and activate it.";
  const std::string kPeer =
      " The peer knows certificates by their fingerprint: it refuses the certificate unless it was "
      "uploaded there.";
  struct Case {
    const char* matching;
    const char* at_expiry;
    const char* inactive_ends;  // empty: there is none
    std::string says;
  };
  const Case cases[] = {
      {"SubjectAndIssuer", "Activate", "", kMade + "."},
      {"SubjectAndIssuer", "Activate", "2026-04-01T00:00:00Z", kMade + kDeleted},
      {"SubjectAndIssuer", "Activate", "2027-01-01T00:00:00Z",
       kMade + kDeleted + " If AB:99:EF:01 was rolled back, it is activated instead."},
      {"Fingerprint", "Activate", "", kMade + "." + kPeer},
      {"Fingerprint", "Activate", "2026-04-01T00:00:00Z", kMade + kDeleted + kPeer},
      {"Fingerprint", "Activate", "2027-01-01T00:00:00Z",
       "The inactive one, AB:99:EF:01, is activated at once." + kPeer},
      {"Fingerprint", "Hold", "", "A new one is issued now, inactive. Then " + kWaits},
      {"Fingerprint", "Hold", "2026-04-01T00:00:00Z",
       "A new one is issued now, inactive, in place of AB:99:EF:01. Then " + kWaits},
      {"Fingerprint", "Hold", "2027-01-01T00:00:00Z",
       "The inactive one, AB:99:EF:01, waits: " + kWaits}};
  for (const Case& c : cases) {
    json system = System("abap", *c.inactive_ends != '\0');
    system["spec"]["peerMatching"] = c.matching;
    system["spec"]["activation"]["atExpiry"] = c.at_expiry;
    system["status"]["certificates"][0]["notAfter"] = "2026-05-01T00:00:00Z";
    if (*c.inactive_ends != '\0') system["status"]["certificates"][1]["notAfter"] = c.inactive_ends;
    Put(system);
    out_.clear();
    EXPECT_TRUE(Auto(TheSession(), {.on = true, .name = "abap", .change = {.yes = true}}));
    EXPECT_EQ(out_, "Automatic regeneration of abap is on\n" + kExpired + c.says + "\n");
  }
}

TEST_F(WritingTest, Off_after_the_end_does_not_speak_of_a_time_before_it) {
  json system = System("abap");
  system["status"]["certificates"][0]["notAfter"] = "2026-05-01T00:00:00Z";
  Put(system);
  EXPECT_TRUE(Auto(TheSession(), {.on = false, .name = "abap"}));
  EXPECT_THAT(out_, AllOf(HasSubstr("The active certificate expired 31 days ago"),
                          Not(HasSubstr("before the active one expires"))));
}

TEST_F(WritingTest, Off_asks_nobody_and_says_what_it_means) {
  Put(System("abap"));
  EXPECT_TRUE(Auto(TheSession(), {.on = false, .name = "abap"}));
  EXPECT_THAT(out_, HasSubstr("Generate and activate a new certificate"));
}

TEST_F(WritingTest, Another_authentication_says_that_the_certificate_is_not_in_use) {
  Put(System("abap"));
  EXPECT_TRUE(SetAuthentication(TheSession(), {.name = "abap", .value = "BasicAuthentication"}));
  EXPECT_THAT(out_, HasSubstr("not in use"));
  EXPECT_TRUE(SetAuthentication(TheSession(),
                                {.name = "abap", .value = "ClientCertificateAuthentication"}));
  EXPECT_THAT(out_, HasSubstr("AB:CD:EF:01"));
}

TEST_F(WritingTest, A_public_certificate_needs_no_Secret) {
  Put(System("abap", true));
  EXPECT_TRUE(Download(TheSession(), {.name = "abap"}));
  EXPECT_THAT(out_, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_TRUE(Download(
      TheSession(), {.name = "abap", .which = DownloadCommand::Which::All, .to = folder_.Path()}));
  EXPECT_THAT(test::ReadFile(folder_ / "abap-inactive.pem"), HasSubstr("BEGIN CERTIFICATE"));
  for (const std::string& path : Methods("GET")) EXPECT_THAT(path, Not(HasSubstr("secrets")));
}

// A system whose certificate a real CA signed, and the authority as the operator tells of it.
class ChainTest : public WritingTest {
 protected:
  void SetUp() override {
    system_["status"]["certificates"][0]["pem"] = issued_.details.pem;
    system_["status"]["certificates"][0]["fingerprint"] = issued_.details.fingerprint;
    system_["status"]["certificates"][0]["issuerFingerprint"] = issued_.details.issuer_fingerprint;
    Put(system_);
    PutAuthority(issued_.details.issuer_fingerprint, ca_.certificate);
  }
  void PutAuthority(const std::string& fingerprint, const std::string& chain) {
    objects_["/apis/certpair.dev/v1/certificateauthorities/ca"] = {
        {"metadata", {{"name", "ca"}}},
        {"status", {{"fingerprint", fingerprint}, {"chain", chain}}}};
  }
  void PutSecret() {
    objects_["/api/v1/namespaces/idm/secrets/abap-outbound"] = {
        {"metadata", {{"name", "abap-outbound"}}},
        {"data",
         {{"tls.crt", EncodeBase64(issued_.certificate_pem)},
          {"tls.key", EncodeBase64(issued_.key_pem.Reveal())},
          {"ca.crt", EncodeBase64(issued_.ca_pem)}}}};
  }
  Outcome DownloadChain() {
    return Download(TheSession(), {.name = "abap", .encoding = DownloadCommand::Encoding::Chain});
  }
  [[nodiscard]] bool AskedForSecrets() const {
    for (const std::string& path : Methods("GET"))
      if (path.find("/secrets/") != std::string::npos) return true;
    return false;
  }
  const test::PemPair ca_ = test::MakeAuthority();
  const x509::IssuedCertificate issued_ = test::MakeClient(ca_, "abap");
  json system_ = System("abap");
};

TEST_F(ChainTest, Comes_from_the_authoritys_status_and_needs_no_right_to_Secrets) {
  const Outcome outcome = DownloadChain();
  ASSERT_TRUE(outcome) << MessageOf(outcome);
  EXPECT_EQ(out_, issued_.details.pem + ca_.certificate);
  EXPECT_FALSE(AskedForSecrets());
}

TEST_F(ChainTest, Of_an_earlier_CA_comes_from_the_Secret) {
  const test::PemPair successor = test::MakeAuthority();
  PutAuthority("CD:EF", successor.certificate);
  PutSecret();
  const Outcome outcome = DownloadChain();
  ASSERT_TRUE(outcome) << MessageOf(outcome);
  EXPECT_EQ(out_, issued_.details.pem + ca_.certificate);
  EXPECT_THAT(
      err_,
      HasSubstr("an earlier certificate of authority ca signed it. It was taken from the Secret"));
}

TEST_F(ChainTest, That_did_not_sign_the_certificate_is_not_handed_out) {
  const test::PemPair impostor = test::MakeAuthority();
  // Another CA, and one more above the right one: somebody may have edited the status.
  for (const std::string& chain : {impostor.certificate, ca_.certificate + impostor.certificate}) {
    PutAuthority(issued_.details.issuer_fingerprint, chain);
    const Outcome outcome = DownloadChain();
    EXPECT_EQ(ExitOf(outcome), Exit::Failed);
    EXPECT_THAT(MessageOf(outcome), HasSubstr("belongs to another certificate"));
    EXPECT_EQ(out_, "");
  }
}

TEST_F(ChainTest, Without_both_rights_both_are_named_and_what_needs_neither) {
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("/provisioningsystems/") != std::string::npos) return std::nullopt;
    return kube::StatusAnswer(403, "Forbidden");
  };
  const Outcome outcome = DownloadChain();
  EXPECT_EQ(ExitOf(outcome), Exit::Failed);
  EXPECT_THAT(MessageOf(outcome),
              AllOf(HasSubstr("you may not get certificateauthorities.certpair.dev"),
                    HasSubstr("The role certpair-authority-viewer"),
                    HasSubstr("you may not get secrets"), HasSubstr("-o pem")));
}

TEST_F(ChainTest, An_authority_that_is_too_old_to_tell_it_is_named) {
  PutAuthority(issued_.details.issuer_fingerprint, "");
  EXPECT_THAT(MessageOf(DownloadChain()), HasSubstr("authority ca has no chain yet"));
}

TEST_F(ChainTest, A_key_store_opens_with_its_password_and_has_key_certificate_and_CA) {
  PutSecret();
  std::ofstream(folder_ / "password") << "open sesame\nnot this line\n";
  const Outcome outcome = Download(TheSession(), {.name = "abap",
                                                  .encoding = DownloadCommand::Encoding::Pkcs12,
                                                  .key = true,
                                                  .to = folder_ / "abap.p12",
                                                  .password_file = folder_ / "password"});
  ASSERT_TRUE(outcome) << MessageOf(outcome);
  const auto open = [&](const std::string& password) {
    return test::RunProcess({"openssl", "pkcs12", "-in", folder_ / "abap.p12", "-nodes", "-passin",
                             "pass:" + password});
  };
  const auto opened = open("open sesame");
  ASSERT_EQ(opened.exit_code, 0) << opened.err;
  EXPECT_THAT(opened.out, AllOf(HasSubstr("PRIVATE KEY"), HasSubstr("friendlyName: abap"),
                                HasSubstr("subject=CN = abap"), HasSubstr("subject=CN = Test CA")));
  EXPECT_NE(open("open sesam").exit_code, 0);
  struct stat is{};
  ASSERT_EQ(stat((folder_ / "abap.p12").c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777U, 0600U);
}

TEST_F(ChainTest, The_password_is_typed_twice_unseen_and_the_store_never_goes_to_a_terminal) {
  PutSecret();
  const DownloadCommand command{.name = "abap",
                                .encoding = DownloadCommand::Encoding::Pkcs12,
                                .key = true,
                                .to = folder_ / "abap.p12"};
  EXPECT_THAT(MessageOf(Download(TheSession(), command)), HasSubstr("--password-file"));
  std::vector<std::string> typed{"one", "two", "three", "three", "four", "four"};
  std::size_t asked = 0;
  console_.ask = [&](std::string_view, bool hidden) -> std::optional<std::string> {
    EXPECT_TRUE(hidden);
    return typed.at(asked++);
  };
  EXPECT_THAT(MessageOf(Download(TheSession(), command)), HasSubstr("differ"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "abap.p12"));
  EXPECT_TRUE(Download(TheSession(), command));
  console_.out_is_terminal = true;
  DownloadCommand to_terminal = command;
  to_terminal.to = "";
  EXPECT_EQ(ExitOf(Download(TheSession(), to_terminal)), Exit::Usage);
  EXPECT_EQ(out_, "");
}

TEST_F(WritingTest, DER_is_the_bytes_and_never_goes_to_a_terminal) {
  Put(System("abap"));
  EXPECT_TRUE(Download(TheSession(), {.name = "abap", .encoding = DownloadCommand::Encoding::Der}));
  EXPECT_EQ(out_, "abc");
  console_.out_is_terminal = true;
  EXPECT_EQ(
      ExitOf(Download(TheSession(), {.name = "abap", .encoding = DownloadCommand::Encoding::Der})),
      Exit::Usage);
}

TEST_F(WritingTest, A_key_comes_from_the_Secret_into_a_file_of_its_own) {
  Put(System("abap"));
  PutPair("abap");
  const DownloadCommand with_key{.name = "abap", .key = true, .to = folder_ / "x.pem"};
  const Outcome outcome = Download(TheSession(), with_key);
  ASSERT_TRUE(outcome) << MessageOf(outcome);
  EXPECT_EQ(test::ReadFile(folder_ / "x.key"), kKey);
  console_.out_is_terminal = true;
  EXPECT_EQ(ExitOf(Download(TheSession(), {.name = "abap", .key = true})), Exit::Usage);
  EXPECT_EQ(out_, "");
}

TEST_F(WritingTest, Without_an_inactive_one_there_is_nothing_to_download) {
  Put(System("abap"));
  EXPECT_EQ(
      ExitOf(Download(TheSession(), {.name = "abap", .which = DownloadCommand::Which::Inactive})),
      Exit::Failed);
}

TEST_F(WritingTest, A_file_is_private_whole_and_never_written_through_a_link) {
  const std::string path = folder_ / "file";
  ASSERT_TRUE(WritePrivateFile(path, "one", false));
  struct stat is{};
  ASSERT_EQ(stat(path.c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777U, 0600U);
  const auto again = WritePrivateFile(path, "two", false);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("--force"));
  EXPECT_EQ(test::ReadFile(path), "one");
  const std::string link = folder_ / "link";
  std::filesystem::create_symlink(path, link);
  EXPECT_FALSE(WritePrivateFile(link, "three", false));
  EXPECT_TRUE(WritePrivateFile(link, "three", true));
  EXPECT_EQ(test::ReadFile(path), "one") << "written through the link";
  EXPECT_FALSE(std::filesystem::is_symlink(link));
  EXPECT_FALSE(WritePrivateFile(folder_ / "no/such/folder", "x", false));
  EXPECT_FALSE(WritePrivateFile(folder_.Path(), "x", true)) << "a folder";
  const auto device = WritePrivateFile("/dev/full", "x", true);
  ASSERT_FALSE(device);
  EXPECT_THAT(device.error().message, HasSubstr("neither a file nor a link"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.Path()), {}), 2)
      << "something was left behind";
}

// No file may grow beyond so many bytes, which a program notices as it does a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit little{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &little);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*const signal_)(int);
};

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

TEST_F(WritingTest, A_full_disk_is_told_and_leaves_what_was_there) {
  ASSERT_TRUE(WritePrivateFile(folder_ / "file", "one", false));
  const auto written = [&] {
    const FullDisk full{2};
    return WritePrivateFile(folder_ / "file", "two", true);
  }();
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("cannot be written: File too large"));
  EXPECT_EQ(test::ReadFile(folder_ / "file"), "one");
  EXPECT_THAT(NamesIn(folder_.Path()), testing::ElementsAre("file"));
}

TEST_F(WritingTest, A_key_whose_certificate_does_not_fit_is_not_left_behind_nor_put_over_another) {
  Put(System("abap"));
  PutPair("abap");
  const auto download = [&](bool force) {
    const FullDisk full{56};  // the key, and not the certificate
    return Download(TheSession(),
                    {.name = "abap", .key = true, .to = folder_ / "x.pem", .force = force});
  };
  EXPECT_THAT(MessageOf(download(false)), HasSubstr("x.pem cannot be written"));
  EXPECT_THAT(NamesIn(folder_.Path()), testing::IsEmpty());
  std::ofstream(folder_ / "x.key") << "old key";
  std::ofstream(folder_ / "x.pem") << "old certificate";
  EXPECT_THAT(MessageOf(download(true)), HasSubstr("x.pem cannot be written"));
  EXPECT_EQ(test::ReadFile(folder_ / "x.key"), "old key");
  EXPECT_EQ(test::ReadFile(folder_ / "x.pem"), "old certificate");
  EXPECT_THAT(NamesIn(folder_.Path()), testing::ElementsAre("x.key", "x.pem"));
  EXPECT_EQ(err_, "");
}

TEST_F(WritingTest, What_was_placed_is_taken_back_unless_it_took_anothers_place) {
  std::ofstream(folder_ / "there") << "old";
  for (const char* name : {"anew", "there"}) {
    auto file = PrivateFile::Write(folder_ / name, "new");
    ASSERT_TRUE(file) << name;
    ASSERT_TRUE(file->Place(true)) << name;
    EXPECT_EQ(test::ReadFile(folder_ / name), "new");
    file->TakeBack();
  }
  EXPECT_THAT(NamesIn(folder_.Path()), testing::ElementsAre("there"));
}

// These system calls of this thread fail with that error from now on.
bool Deny(const std::vector<std::pair<unsigned, unsigned>>& calls) {
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const auto& [call, error] : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

std::vector<std::pair<unsigned, unsigned>> HardLinks() {
  return {
#ifdef SYS_link
      {SYS_link, EPERM},
#endif
      {SYS_linkat, EPERM}};
}

TEST_F(WritingTest, Neither_hard_links_nor_the_flag_of_rename_are_needed_both) {
  const auto no_links = HardLinks();
  const std::vector<std::pair<unsigned, unsigned>> no_flag{{SYS_renameat2, EINVAL}};
  for (const auto& missing : {no_links, no_flag}) {
    const std::string name = missing == no_links ? "no links" : "no flag";
    const std::string file = folder_ / name;
    bool can_deny = false;
    Result<void> first;
    Result<void> second;
    std::jthread{[&] {
      can_deny = Deny(missing);
      first = WritePrivateFile(file, "one", false);
      auto late = PrivateFile::Write(file, "two");
      if (late) second = late->Place(false);
    }}.join();
    if (!can_deny) GTEST_SKIP() << "system calls cannot be denied here";
    EXPECT_TRUE(first) << name << ": " << first.error().message;
    EXPECT_FALSE(second) << name << ": it was written over";
    EXPECT_EQ(test::ReadFile(file), "one") << name;
  }
  EXPECT_THAT(NamesIn(folder_.Path()), testing::ElementsAre("no flag", "no links"));
}

TEST_F(WritingTest, Where_there_is_neither_only_force_puts_a_file_there) {
  auto missing = HardLinks();
  missing.emplace_back(SYS_renameat2, EINVAL);
  bool can_deny = false;
  Result<void> without;
  Result<void> with;
  std::jthread{[&] {
    can_deny = Deny(missing);
    without = WritePrivateFile(folder_ / "file", "one", false);
    with = WritePrivateFile(folder_ / "file", "two", true);
  }}.join();
  if (!can_deny) GTEST_SKIP() << "system calls cannot be denied here";
  EXPECT_FALSE(without);
  EXPECT_TRUE(with) << with.error().message;
  EXPECT_EQ(test::ReadFile(folder_ / "file"), "two");
  EXPECT_THAT(NamesIn(folder_.Path()), testing::ElementsAre("file"));
}

TEST_F(WritingTest, A_simulation_tells_years_and_writes_nothing) {
  std::ofstream(folder_ / "system.yaml") << R"(
apiVersion: certpair.dev/v1
kind: ProvisioningSystem
metadata: {name: hr, namespace: idm}
spec:
  type: Source
  authorityRef: {name: ca}
  certificate: {subject: {commonName: hr}, validity: 8760h, key: {algorithm: ECDSA}}
  automaticRegeneration: {enabled: true, before: 336h}
  notifications: {subscribers: [{displayName: Ann, email: ann@example.com}]}
)";
  const auto run = [&](std::vector<std::string> what_if) {
    out_.clear();
    const Outcome outcome = Simulate(TheSession(), {.name = {},
                                                    .file = folder_ / "system.yaml",
                                                    .until = std::chrono::days{3 * 365},
                                                    .what_if = std::move(what_if),
                                                    .format = Format::Json});
    EXPECT_TRUE(outcome) << MessageOf(outcome);
    return outcome ? json::parse(out_) : json{};
  };
  const auto count = [](const json& document, const char* reason) {
    int n = 0;
    for (const json& moment : document.at("timeline")) n += moment.at("reason") == reason ? 1 : 0;
    return n;
  };
  const json on = run({});
  EXPECT_EQ(count(on, "CertificateIssued"), 1);
  EXPECT_EQ(count(on, "CertificateRegenerated"), 3);
  EXPECT_EQ(count(on, "Expired"), 0);
  EXPECT_EQ(count(on, "Mail"), 3) << on.dump(2);
  const json off = run({"auto=off"});
  EXPECT_EQ(count(off, "CertificateRegenerated"), 0);
  EXPECT_EQ(count(off, "Expired"), 1);
  EXPECT_EQ(count(off, "Mail"), 3) << off.dump(2);
  const json by_fingerprint = run({"peerMatching=Fingerprint", "atExpiry=Hold"});
  EXPECT_EQ(count(by_fingerprint, "CertificateActivated"), 0);
  EXPECT_TRUE(WroteNothing());
}

TEST_F(WritingTest, A_supposition_that_makes_no_sense_is_refused) {
  Put(System("abap"));
  for (const char* bad : {"auto", "auto=maybe", "colour=red", "=x"})
    EXPECT_EQ(ExitOf(Simulate(TheSession(), {.name = "abap", .what_if = {bad}})), Exit::Usage)
        << bad;
  EXPECT_EQ(ExitOf(Simulate(TheSession(), {.name = "abap", .what_if = {"peerMatching=Hope"}})),
            Exit::Failed);
  EXPECT_EQ(ExitOf(Simulate(TheSession(), {.name = {}, .file = folder_ / "nowhere"})),
            Exit::Failed);
}

TEST_F(WritingTest, A_key_and_its_certificate_never_meet_in_one_file) {
  Put(System("abap"));
  PutPair("abap");
  for (const bool force : {false, true}) {
    const Outcome outcome = Download(
        TheSession(), {.name = "abap", .key = true, .to = folder_ / "x.key", .force = force});
    EXPECT_EQ(ExitOf(outcome), Exit::Usage);
    EXPECT_THAT(MessageOf(outcome), HasSubstr("name the certificate's"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x.key"));
}

TEST_F(WritingTest, Where_one_of_two_files_may_not_be_written_neither_is) {
  Put(System("abap"));
  PutPair("abap");
  std::ofstream(folder_ / "x.pem") << "somebody's";
  const DownloadCommand download{.name = "abap", .key = true, .to = folder_ / "x.pem"};
  EXPECT_EQ(ExitOf(Download(TheSession(), download)), Exit::Failed);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x.key"));
  std::filesystem::remove(folder_ / "x.pem");
  EXPECT_TRUE(Download(TheSession(), download)) << "a second try";
}

class SimulateTest : public WritingTest {
 protected:
  Outcome Run(const std::string& text, SimulateCommand command = {}) {
    std::ofstream(folder_ / "system.yaml") << text;
    command.file = folder_ / "system.yaml";
    command.format = Format::Json;
    out_.clear();
    err_.clear();
    return Simulate(TheSession(), command);
  }
  static std::string Hr(const std::string& more, const std::string& name = "hr") {
    return "apiVersion: certpair.dev/v1\nkind: ProvisioningSystem\nmetadata: {name: " + name +
           ", namespace: idm}\nspec:\n  type: Source\n  authorityRef: {name: ca}\n" + more;
  }
  void PutRegenerating() {
    json system = System("abap");
    system["spec"]["automaticRegeneration"] = {{"enabled", true}};
    Put(system);
  }
  void PutAuthority(const json& namespaces, const char* common_name) {
    objects_["/apis/certpair.dev/v1/certificateauthorities/ca"] = {
        {"metadata", {{"name", "ca"}}},
        {"spec",
         {{"allow", json::array({{{"namespaces", namespaces},
                                  {"commonNames", json::array({common_name})}}})}}},
        {"status",
         {{"fingerprint", "AA"},
          {"notBefore", "2026-01-01T00:00:00Z"},
          {"notAfter", "2036-01-01T00:00:00Z"},
          {"conditions", json::array({Condition("Ready", "True", "Usable")})}}}};
  }
  static inline const std::string kCertificate =
      "  certificate: {subject: {commonName: hr}, validity: 8760h, key: {algorithm: ECDSA}}\n";
  [[nodiscard]] bool Foretells(const char* reason) const {
    const json document = json::parse(out_);
    for (const json& moment : document.at("timeline"))
      if (moment.at("reason") == reason) return true;
    return false;
  }
};

TEST_F(SimulateTest, What_is_misshapen_is_named_and_nothing_breaks) {
  struct Case {
    std::string text;
    std::vector<std::string> what_if;
    const char* says;
  };
  const Case cases[] = {
      {Hr("  notifications: []\n" + kCertificate), {}, "spec.notifications: it is a list"},
      {"kind: ProvisioningSystem\nmetadata: hello\nspec: {type: Source}\n",
       {},
       "metadata: it must be an object"},
      {Hr("  automaticRegeneration: yes please\n" + kCertificate),
       {"auto=on"},
       "spec.automaticRegeneration: it is a text"},
      {"kind: ProvisioningSystem\nspec: []\n", {}, "spec: it is a list"},
      {"- a\n- b\n", {}, "no ProvisioningSystem"},
      {"hello\n", {}, "no ProvisioningSystem"},
      {Hr("  automaticRegeneration: {enabled: true, before: 9000h}\n" + kCertificate),
       {},
       "must be shorter"}};
  for (const Case& c : cases) {
    const Outcome outcome = Run(c.text, {.what_if = c.what_if});
    EXPECT_FALSE(outcome) << c.text;
    EXPECT_THAT(MessageOf(outcome), HasSubstr(c.says)) << c.text;
  }
}

TEST_F(SimulateTest, Of_several_systems_in_a_file_one_is_chosen_by_name) {
  const std::string two = Hr(kCertificate, "one") + "---\n" + Hr(kCertificate, "two");
  const Outcome outcome = Run(two);
  EXPECT_EQ(ExitOf(outcome), Exit::Usage);
  EXPECT_THAT(MessageOf(outcome), HasSubstr("one, two"));
  EXPECT_TRUE(Run(two, {.name = "two"}));
  EXPECT_EQ(json::parse(out_).at("system"), "two");
  EXPECT_EQ(ExitOf(Run(two, {.name = "three"})), Exit::Failed);
  EXPECT_TRUE(Run(Hr(kCertificate)));
  EXPECT_THAT(err_, HasSubstr("assumes that the authority \"ca\" signs every certificate"));
}

TEST_F(SimulateTest, A_pipe_is_read_to_its_end_and_given_up_at_Ctrl_C) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::jthread writer{[&] { std::ofstream(pipe) << "one\ntwo\n"; }};
  EXPECT_EQ(ReadInput(pipe, {}), "one\ntwo\n");
  writer.join();
  std::stop_source stop;
  std::jthread person{[&] { stop.request_stop(); }};
  EXPECT_EQ(ReadInput(pipe, stop.get_token()).error().exit, Exit::Interrupted);
  EXPECT_EQ(ReadInput(folder_ / "nowhere", {}).error().exit, Exit::Failed);
  EXPECT_EQ(ReadInput(folder_.Path(), {}).error().exit, Exit::Failed) << "a folder";
  EXPECT_THAT(ReadInput("/dev/zero", {}).error().message, HasSubstr("4 MiB"));
}

TEST_F(SimulateTest, The_namespace_is_read_only_where_the_authority_chooses_by_labels) {
  PutRegenerating();
  PutAuthority({{"names", {"idm"}}}, "hr-*");
  const auto condition = [&] {
    out_.clear();
    err_.clear();
    const Outcome outcome = Simulate(TheSession(), {.name = "abap", .format = Format::Json});
    EXPECT_TRUE(outcome) << MessageOf(outcome);
    return out_;
  };
  EXPECT_THAT(condition(), HasSubstr("NotAllowed"));
  EXPECT_EQ(err_, "");
  for (const std::string& path : Methods("GET"))
    EXPECT_THAT(path, Not(HasSubstr("/namespaces/idm?")));
  PutAuthority({{"selector", {{"matchLabels", {{"tier", "prod"}}}}}}, "hr-*");
  EXPECT_THAT(condition(), Not(HasSubstr("NotAllowed")));
  EXPECT_THAT(err_, HasSubstr("chooses namespaces by their labels"));
  PutAuthority({{"selector", {{"matchLabels", {{"tier", "prod"}}}}}}, "*");
  for (const char* tier : {"prod", "test"}) {
    objects_["/api/v1/namespaces/idm"] = {
        {"metadata", {{"name", "idm"}, {"labels", {{"tier", tier}}}}}};
    const bool refused = condition().find("NotAllowed") != std::string::npos;
    EXPECT_EQ(refused, std::string{tier} == "test") << tier;
    EXPECT_EQ(err_, "");
  }
}

TEST_F(SimulateTest, Where_regeneration_is_not_offered_none_is_foretold) {
  PutRegenerating();
  PutAuthority({{"all", true}}, "*");
  EXPECT_TRUE(Simulate(TheSession(), {.name = "abap", .format = Format::Json}));
  EXPECT_TRUE(Foretells("CertificateRegenerated")) << out_;
  Stored("abap")["status"]["conditions"].push_back(
      Condition("AutomaticRegeneration", "False", "NotSupported"));
  out_.clear();
  EXPECT_TRUE(Simulate(TheSession(), {.name = "abap", .format = Format::Json}));
  EXPECT_FALSE(Foretells("CertificateRegenerated")) << out_;
}

TEST_F(SimulateTest, Labels_that_the_installation_allows_are_no_news) {
  PutRegenerating();
  PutAuthority({{"all", true}}, "*");
  Stored("abap")["spec"]["secret"]["labels"]["example.com/team"] = "identity";
  EXPECT_TRUE(Simulate(TheSession(), {.name = "abap", .format = Format::Json}));
  EXPECT_FALSE(Foretells("KeyNotAllowed")) << out_;
}

}  // namespace
}  // namespace certpair::plugin
