// The whole life of a pair on a real API server: by hand, by itself, past its end, at peers that
// match by fingerprint.
#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>

#include "base/time_format.hpp"
#include "support/pair_test.hpp"
#include "support/tls_peer.hpp"

namespace certpair::test {
namespace {

constexpr std::chrono::seconds kAPairsLife{200};  // validities here are two minutes

class Lifecycle : public PairTest {
 protected:
  static Json ShortLived(const std::string& name, const std::string& authority, bool on) {
    Json system = System(name, authority);
    system["spec"]["certificate"]["validity"] = "2m";
    system["spec"]["automaticRegeneration"] = {{"enabled", on}, {"before", "1m"}};
    return system;
  }
  // How often the operator wrote the Secret of `system`: it logs each time.
  static std::ptrdiff_t SecretWrites(const OperatorProcess& op, const std::string& system) {
    std::ptrdiff_t writes = 0;
    std::istringstream log{op.Log()};
    for (std::string line; std::getline(log, line);)
      writes += line.find("a pair's Secret was written") != std::string::npos &&
                        line.find("system=idm/" + system + " ") != std::string::npos
                    ? 1
                    : 0;
    return writes;
  }
  static void ExpectEvents(const std::string& system, const std::vector<std::string>& wanted) {
    for (const std::string& reason : wanted)
      EXPECT_TRUE(
          Eventually([&] { return std::ranges::count(EventReasons(system), reason) > 0; }, kSoon))
          << reason << " is missing: " << testing::PrintToString(EventReasons(system));
  }
};

TEST_F(Lifecycle, By_hand_from_the_first_certificate_to_the_second_and_back_to_one) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("hand-ca"));
  Apply(System("hand", "hand-ca"));
  AwaitCondition("psys", "hand", "Ready", "True", "", kSoon);
  const Pair first = PairOf("hand");
  TlsPeer peer{TheControlPlane(), "idm", "hand-outbound"};
  EXPECT_EQ(SecretWrites(op, "hand"), 1);

  EXPECT_EQ(Operate("hand-generate", "hand", "Generate"), (Outcome{"Complete", "Generated"}));
  const Pair second = AwaitPair("hand", [](const Pair& p) { return !p.inactive.empty(); });
  EXPECT_EQ(second.active, first.active);

  const std::string version = Get("secret", "hand-outbound")->at("metadata").at("resourceVersion");
  EXPECT_EQ(Operate("hand-third", "hand", "Generate"), (Outcome{"Failed", "LimitReached"}));
  EXPECT_EQ(Operate("hand-unknown", "hand", "Activate", std::string(64, 'a')),
            (Outcome{"Failed", "UnknownFingerprint"}));
  EXPECT_EQ(Operate("hand-delete-active", "hand", "Delete", first.active),
            (Outcome{"Failed", "CertificateActive"}));
  EXPECT_EQ(Get("secret", "hand-outbound")->at("metadata").at("resourceVersion"), version)
      << "a refusal changed the Secret";

  // Lower case and no colons are the same fingerprint.
  std::string plain;
  for (const char c : second.inactive)
    if (c != ':') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  EXPECT_EQ(Operate("hand-activate", "hand", "Activate", plain).first, "Complete");
  AwaitPair("hand", [&](const Pair& p) { return p == Pair{second.inactive, first.active}; });
  const Json swapped = *Get("secret", "hand-outbound");
  EXPECT_EQ(FingerprintOf(swapped, "tls.crt"), second.inactive);
  EXPECT_EQ(FingerprintOf(swapped, "inactive.crt"), first.active);
  EXPECT_EQ(Operate("hand-activate-again", "hand", "Activate", second.inactive),
            (Outcome{"Complete", "AlreadyActive"}));

  EXPECT_EQ(Operate("hand-delete", "hand", "Delete", first.active),
            (Outcome{"Complete", "Deleted"}));
  AwaitPair("hand", [&](const Pair& p) { return p == Pair{second.inactive, ""}; });
  EXPECT_FALSE(Get("secret", "hand-outbound")->at("data").contains("inactive.key"));
  EXPECT_EQ(SecretWrites(op, "hand"), 4) << "the first, and one for each that was done";
  ExpectEvents("hand", {"CertificateIssued", "OperationFailed", "CertificateActivated",
                        "CertificateDeleted"});
  const Json calls = peer.Finish();
  EXPECT_EQ(calls.at("refused"), 0) << calls.dump();
  EXPECT_EQ(calls.at("fingerprints"), 2) << calls.dump();
}

TEST_F(Lifecycle, Of_two_Generates_for_one_free_slot_one_wins) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("race-ca"));
  Apply(System("race", "race-ca"));
  AwaitCondition("psys", "race", "Ready", "True", "", kSoon);
  Json list{{"apiVersion", "v1"}, {"kind", "List"}, {"items", Json::array()}};
  for (const char* name : {"race-a", "race-b"})
    list["items"].push_back(
        {{"apiVersion", "certpair.dev/v1"},
         {"kind", "CertificateOperation"},
         {"metadata", {{"name", name}, {"namespace", "idm"}}},
         {"spec", {{"systemRef", {{"name", "race"}}}, {"action", "Generate"}}}});
  MustKubectl({"create", "-f", "-"}, list.dump());
  int complete = 0;
  int failed = 0;
  EXPECT_TRUE(Eventually(
      [&] {
        complete = failed = 0;
        for (const char* name : {"race-a", "race-b"}) {
          const Json operation = Get("certop", name).value_or(Json::object());
          complete += ConditionOf(operation, "Complete").status == "True" ? 1 : 0;
          failed += ConditionOf(operation, "Failed").reason == "LimitReached" ? 1 : 0;
        }
        return complete == 1 && failed == 1;
      },
      kSoon))
      << complete << " complete, " << failed << " failed\n"
      << op.Log();
}

TEST_F(Lifecycle, Near_the_end_and_past_it_each_system_does_what_its_owner_allowed) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("life-ca"));
  AwaitCondition("certca", "life-ca", "Ready", "True", "", kSoon);
  Apply(ShortLived("life-on", "life-ca", true));
  Apply(ShortLived("life-off", "life-ca", false));
  Json held = ShortLived("life-held", "life-ca", true);
  held["spec"]["peerMatching"] = "Fingerprint";
  held["spec"]["activation"] = {{"atExpiry", "Hold"}};
  Apply(held);
  for (const char* name : {"life-on", "life-off", "life-held"})
    AwaitCondition("psys", name, "Ready", "True", "", kSoon);
  TlsPeer peer{TheControlPlane(), "idm", "life-on-outbound"};
  TlsPeer peer_of_held{TheControlPlane(), "idm", "life-held-outbound"};
  const Pair on = PairOf("life-on");
  const auto on_ends =
      ParseTime(Get("psys", "life-on")->at("status").at("expires").get<std::string>());
  ASSERT_TRUE(on_ends);
  const Pair off = PairOf("life-off");
  const Pair hold = PairOf("life-held");
  EXPECT_EQ(Operate("life-off-second", "life-off", "Generate").first, "Complete");
  const Pair off_both = AwaitPair("life-off", [](const Pair& p) { return !p.inactive.empty(); });

  // ON, subject and issuer: a new one is active, the old one inactive.
  const Pair renewed =
      AwaitPair("life-on", [&](const Pair& p) { return p.active != on.active; }, kAPairsLife);
  EXPECT_GE(std::chrono::system_clock::now(), *on_ends - std::chrono::minutes{1}) << "too early";
  EXPECT_EQ(SecretWrites(op, "life-on"), 2);
  EXPECT_EQ(renewed.inactive, on.active);
  EXPECT_EQ(FingerprintOf(*Get("secret", "life-on-outbound"), "tls.crt"), renewed.active);

  // ON, fingerprint: a new one is there and waits, and status says for what.
  const Pair waiting =
      AwaitPair("life-held", [](const Pair& p) { return !p.inactive.empty(); }, kAPairsLife);
  EXPECT_EQ(waiting.active, hold.active);
  EXPECT_EQ(ConditionOf(*Get("psys", "life-held"), "AutomaticRegeneration").reason,
            "WaitingForActivation");
  EXPECT_EQ(SecretWrites(op, "life-held"), 2);
  EXPECT_EQ(Operate("life-held-activate", "life-held", "Activate", waiting.inactive).first,
            "Complete");
  AwaitPair("life-held", [&](const Pair& p) { return p == Pair{waiting.inactive, hold.active}; });
  EXPECT_EQ(SecretWrites(op, "life-held"), 3);
  const Json calls_of_held = peer_of_held.Finish();
  EXPECT_EQ(calls_of_held.at("refused"), 0) << calls_of_held.dump();
  EXPECT_EQ(calls_of_held.at("fingerprints"), 2) << calls_of_held.dump();

  // OFF: it ends, stays, and says so at once.
  AwaitCondition("psys", "life-off", "Ready", "False", "Expired", kAPairsLife);
  EXPECT_EQ(PairOf("life-off"), off_both);

  // ON after the end: a new active one, the expired one inactive, the second one gone: one write of
  // the Secret.
  const auto writes = SecretWrites(op, "life-off");
  MustKubectl({"patch", "psys", "-n", "idm", "life-off", "--type=merge", "-p",
               R"({"spec":{"automaticRegeneration":{"enabled":true}}})"});
  AwaitCondition("psys", "life-off", "Ready", "True", "", kSoon);
  const Pair revived = PairOf("life-off");
  EXPECT_EQ(revived.inactive, off.active);
  EXPECT_NE(revived.active, off_both.inactive);
  EXPECT_NE(revived.active, off.active);
  EXPECT_EQ(SecretWrites(op, "life-off"), writes + 1);
  ExpectEvents("life-on", {"CertificateIssued", "CertificateRegenerated"});
  ExpectEvents("life-held", {"CertificateIssued", "ExpiringSoon", "CertificateActivated"});
  ExpectEvents("life-off",
               {"CertificateIssued", "ExpiringSoon", "Expired", "CertificateRegenerated"});

  const Json calls = peer.Finish();
  EXPECT_EQ(calls.at("refused"), 0) << calls.dump();
  EXPECT_GE(calls.at("fingerprints"), 2) << calls.dump();
  EXPECT_GE(calls.at("calls"), 50) << calls.dump();
}

}  // namespace
}  // namespace certpair::test
