// Settings, subscriptions, downloads and simulations.
#include "actions/download.hpp"
#include "actions/examine.hpp"
#include "actions/list.hpp"
#include "actions/look.hpp"
#include "actions/operate.hpp"
#include "actions/settings.hpp"
#include "actions/simulate.hpp"
#include "actions/subscribe.hpp"
#include "base/base64.hpp"
#include "unit/actions/fake_cluster.hpp"

namespace certpair::actions {
namespace {

using What = RegenerationEffect::What;

class ActionsChangingTest : public ClusterTest {
 protected:
  static inline const std::string kKey = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n";
  void PutPair() {
    objects_["/api/v1/namespaces/idm/secrets/abap-outbound"] = {
        {"metadata", {{"name", "abap-outbound"}}},
        {"data",
         {{"tls.crt",
           EncodeBase64(System("x")["status"]["certificates"][0]["pem"].get<std::string>())},
          {"tls.key", EncodeBase64(kKey)}}}};
  }
  [[nodiscard]] bool AskedForSecrets() const {
    for (const auto& request : transport_->Requests())
      if (request.path.find("/secrets") != std::string::npos) return true;
    return false;
  }
  OrRefusal<Downloaded> DownloadWith(const DownloadRequest& request) {
    const Session session = TheActing();
    const auto intent = IntendDownload(session, request);
    if (!intent) return std::unexpected(intent.error());
    return Download(session, *intent, SecretString{std::string{"pw"}});
  }
  template <class R>
  static const R* RefusedWith(const auto& answer) {
    if (answer) ADD_FAILURE() << "it was not refused";
    return answer ? nullptr : std::get_if<R>(&answer.error());
  }
};

TEST_F(ActionsChangingTest, What_regeneration_means_follows_from_the_pair) {
  struct Row {
    const char* matching;
    const char* at_expiry;
    bool expired;
    const char* inactive_ends;  // empty: there is none
    What what;
    bool has_successor;
    bool drops;
  };
  const Row rows[] = {
      {"SubjectAndIssuer", "Activate", false, "", What::RenewsBeforeExpiry, false, false},
      {"Fingerprint", "Activate", false, "", What::IssuesThenActivates, false, false},
      {"Fingerprint", "Hold", false, "", What::IssuesThenHolds, false, false},
      {"SubjectAndIssuer", "Activate", true, "", What::IssuesAndActivatesNow, false, false},
      {"SubjectAndIssuer", "Activate", true, "2027-01-01T00:00:00Z", What::IssuesAndActivatesNow,
       true, true},
      {"Fingerprint", "Activate", true, "2027-01-01T00:00:00Z", What::ActivatesSuccessorNow, true,
       false},
      {"Fingerprint", "Hold", true, "2027-01-01T00:00:00Z", What::HoldsSuccessor, true, false},
      {"Fingerprint", "Hold", true, "2026-04-01T00:00:00Z", What::IssuesAndHoldsNow, false, true},
      {"Fingerprint", "Hold", true, "", What::IssuesAndHoldsNow, false, false}};
  for (const Row& row : rows) {
    json system = System("abap", *row.inactive_ends != '\0');
    system["spec"]["peerMatching"] = row.matching;
    system["spec"]["activation"]["atExpiry"] = row.at_expiry;
    if (row.expired) system["status"]["certificates"][0]["notAfter"] = "2026-05-01T00:00:00Z";
    if (*row.inactive_ends != '\0')
      system["status"]["certificates"][1]["notAfter"] = row.inactive_ends;
    const auto effect = EffectOf(ViewOf(system), true, clock_.NowSeconds());
    EXPECT_EQ(effect.what, row.what) << row.matching << row.at_expiry << row.inactive_ends;
    EXPECT_EQ(!effect.successor.empty(), row.has_successor) << row.inactive_ends;
    EXPECT_EQ(!effect.dropped.empty(), row.drops) << row.inactive_ends;
    EXPECT_EQ(effect.expired.has_value(), row.expired);
    EXPECT_EQ(EffectOf(ViewOf(system), false, clock_.NowSeconds()).what, What::Nothing);
  }
}

TEST_F(ActionsChangingTest, Only_a_peer_of_fingerprints_needs_a_confirmation) {
  Put(System("abap"));
  EXPECT_FALSE(IntendRegeneration(TheActing(), "abap", true)->NeedsConfirmation());
  Stored("abap")["spec"]["peerMatching"] = "Fingerprint";
  EXPECT_TRUE(IntendRegeneration(TheActing(), "abap", true)->NeedsConfirmation());
  EXPECT_FALSE(IntendRegeneration(TheActing(), "abap", false)->NeedsConfirmation());
}

TEST_F(ActionsChangingTest, A_setting_is_one_field_of_the_system_that_was_read) {
  Put(System("abap"));
  const auto intent = IntendRegeneration(TheActing(), "abap", true);
  ASSERT_TRUE(intent);
  EXPECT_TRUE(SetRegeneration(TheActing(), *intent, DryRun::Client));
  EXPECT_TRUE(WroteNothing());
  ASSERT_TRUE(SetRegeneration(TheActing(), *intent, DryRun::None));
  EXPECT_EQ(json::parse(transport_->Requests().back().body),
            (json{{"metadata", {{"uid", "uid-abap"}}},
                  {"spec", {{"automaticRegeneration", {{"enabled", true}}}}}}));
}

TEST_F(ActionsChangingTest, A_subscription_is_refused_by_what_is_wrong_with_it) {
  Put(System("abap"));
  const auto subscribe = [&](const std::string& email, const std::string& name = {}) {
    return Subscribe(TheActing(), "abap", {.email = email}, name, DryRun::None);
  };
  EXPECT_NE(RefusedWith<NotAnAddress>(subscribe("ann")), nullptr);
  EXPECT_NE(RefusedWith<NotMailable>(subscribe("a@localhost")), nullptr);
  EXPECT_NE(RefusedWith<LinkInDisplayName>(subscribe("a@b.example", "https://x.example")), nullptr);
  EXPECT_TRUE(WroteNothing());
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("selfsubjectreviews") == std::string::npos) return std::nullopt;
    return kube::Answer(201, {{"status", {{"userInfo", {{"username", "system:admin"}}}}}});
  };
  const auto me = Subscribe(TheActing(), "abap", {.me = true}, {}, DryRun::None);
  const auto* unknown = RefusedWith<UserHasNoAddress>(me);
  ASSERT_NE(unknown, nullptr);
  EXPECT_EQ(unknown->username, "system:admin");
}

TEST_F(ActionsChangingTest, A_list_that_others_keep_changing_is_given_up) {
  json system = System("abap");
  system["spec"]["notifications"]["subscribers"] = {{{"email", "x@e.com"}, {"displayName", "X"}}};
  Put(system);
  int tries = 0;
  before = [&](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.content_type != "application/json-patch+json") return std::nullopt;
    ++tries;
    return kube::StatusAnswer(422, "Invalid");
  };
  const auto done = Unsubscribe(TheActing(), "abap", {.email = "x@e.com"}, DryRun::None);
  EXPECT_NE(RefusedWith<ListKeepsChanging>(done), nullptr);
  EXPECT_EQ(tries, 5);
}

TEST_F(ActionsChangingTest, A_key_comes_only_where_it_is_asked_for) {
  Put(System("abap"));
  PutPair();
  for (const Encoding encoding : {Encoding::Pem, Encoding::Der}) {
    const auto downloaded = DownloadWith({.name = "abap", .encoding = encoding});
    ASSERT_TRUE(downloaded);
    EXPECT_FALSE(downloaded->pieces.front().HasKey());
  }
  EXPECT_FALSE(AskedForSecrets());
  const auto downloaded = DownloadWith({.name = "abap", .with_key = true});
  ASSERT_TRUE(downloaded);
  EXPECT_EQ(downloaded->pieces.front().secret.Reveal(), kKey);
  EXPECT_EQ(downloaded->pieces.front().content.find("PRIVATE KEY"), std::string::npos);
}

TEST_F(ActionsChangingTest, No_other_action_reads_a_Secret) {
  Put(System("abap"));
  PutPair();
  on_operation = [](json& operation) { Finish(operation, "Complete", "Generated"); };
  const Session session = TheActing();
  static_cast<void>(List(session, {}, [](json&, const SystemView&) {}));
  static_cast<void>(Look(session, "abap"));
  static_cast<void>(Examine(session));
  static_cast<void>(Carry(session, *IntendGenerate(session, "abap"), {}));
  static_cast<void>(SetAuthentication(session, "abap", "x", DryRun::None));
  static_cast<void>(
      SetRegeneration(session, *IntendRegeneration(session, "abap", true), DryRun::None));
  static_cast<void>(Subscribe(session, "abap", {.email = "a@b.example"}, {}, DryRun::None));
  static_cast<void>(Unsubscribe(session, "abap", {.email = "a@b.example"}, DryRun::None));
  static_cast<void>(Simulate(session, {.name = "abap"}));
  EXPECT_GT(transport_->Requests().size(), 10U);
  EXPECT_FALSE(AskedForSecrets());
}

TEST_F(ActionsChangingTest, A_download_is_refused_by_what_is_wrong_with_the_pair) {
  json system = System("abap");
  Put(system);
  PutPair();
  const auto none = DownloadWith({.name = "abap", .which = Which::Inactive});
  const auto* missing = RefusedWith<NoCertificate>(none);
  ASSERT_NE(missing, nullptr);
  EXPECT_EQ(missing->which, Which::Inactive);

  system["status"]["secretName"] = "..";
  Put(system);
  EXPECT_NE(RefusedWith<BadSecretName>(DownloadWith({.name = "abap", .with_key = true})), nullptr);

  system["status"].erase("secretName");
  system["status"]["certificates"][0]["pem"] =
      "-----BEGIN CERTIFICATE-----\nZGVm\n-----END CERTIFICATE-----\n";
  Put(system);
  EXPECT_NE(RefusedWith<PairChanged>(DownloadWith({.name = "abap", .with_key = true})), nullptr);

  system["status"]["certificates"][0]["pem"] = "\x1b[2J";
  Put(system);
  const auto garbage = DownloadWith({.name = "abap"});
  const auto* not_pem = RefusedWith<NotPem>(garbage);
  ASSERT_NE(not_pem, nullptr);
  EXPECT_EQ(not_pem->where, NotPem::Where::Status);
  EXPECT_EQ(not_pem->why.find('\x1b'), std::string::npos);
}

TEST_F(ActionsChangingTest, A_chain_that_neither_place_gives_tells_of_both) {
  Put(System("abap"));
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("/provisioningsystems/") != std::string::npos) return std::nullopt;
    return kube::StatusAnswer(403, "Forbidden");
  };
  const auto chain = DownloadWith({.name = "abap", .encoding = Encoding::Chain});
  const auto* nowhere = RefusedWith<NoChainAnywhere>(chain);
  ASSERT_NE(nowhere, nullptr);
  EXPECT_EQ(nowhere->authority.why, NoChain::Why::Unreadable);
  EXPECT_EQ(nowhere->secret.attempt.resource.plural, "secrets");
}

TEST_F(ActionsChangingTest, A_simulation_says_what_it_assumes) {
  json system = System("abap");
  Put(system);
  before = [](const kube::HttpRequest& request) -> std::optional<kube::HttpResponse> {
    if (request.path.find("certificateauthorities") == std::string::npos) return std::nullopt;
    return kube::StatusAnswer(403, "Forbidden");
  };
  const auto blind = Simulate(TheActing(), {.name = "abap"});
  ASSERT_TRUE(blind);
  ASSERT_TRUE(blind->assumed);
  EXPECT_EQ(blind->assumed->why, AssumedAuthority::Why::AuthorityUnreadable);
  EXPECT_EQ(blind->until - blind->from, std::chrono::days{730});
  const auto given = Simulate(TheActing(), {.name = {}, .object = system});
  ASSERT_TRUE(given);
  EXPECT_EQ(given->assumed->why, AssumedAuthority::Why::NotLookedAt);
  EXPECT_TRUE(WroteNothing());
}

TEST_F(ActionsChangingTest, A_simulation_is_refused_by_what_is_supposed) {
  Put(System("abap"));
  for (const char* text : {"auto", "colour=red", "=x", ""})
    EXPECT_NE(RefusedWith<UnknownSupposition>(ParseSupposition(text)), nullptr) << text;
  const auto with = [&](const std::string& key, const std::string& value) {
    return Simulate(TheActing(), {.name = "abap", .suppositions = {{key, value}}});
  };
  EXPECT_NE(RefusedWith<BadSwitch>(with("auto", "maybe")), nullptr);
  EXPECT_NE(RefusedWith<UnreadableSpec>(with("peerMatching", "Hope")), nullptr);
  EXPECT_NE(RefusedWith<BeforeNotShorter>(with("before", "9000h")), nullptr);
  Stored("abap")["spec"]["activation"] = json::array();
  EXPECT_NE(RefusedWith<NotAnObject>(with("atExpiry", "Hold")), nullptr);
}

}  // namespace
}  // namespace certpair::actions
