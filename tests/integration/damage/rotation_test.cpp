// The key of an authority is replaced under a living pair (R24).
#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "support/certificates.hpp"
#include "support/pair_test.hpp"

namespace certpair::test {
namespace {

class Rotation : public PairTest {
 protected:
  // As a peer judges that knows `authority` alone.
  static bool Accepts(const std::string& authority, const std::string& certificate) {
    const ScratchFolder folder;
    std::ofstream{folder / "ca.pem"} << authority;
    return RunProcess({"openssl", "verify", "-x509_strict", "-CAfile", folder / "ca.pem"},
                      {.input = certificate})
               .exit_code == 0;
  }
};

TEST_F(Rotation, Of_the_authoritys_key_leaves_the_pair_and_counts_from_the_next_certificate_on) {
  OperatorProcess op{WithAdmin()};
  const PemPair before = MakeAuthority();
  const PemPair after = MakeAuthority();
  Apply(TlsSecret("turning-ca", before.certificate, before.key));
  Apply(AuthorityFromSecret("turning", "turning-ca"));
  Apply(System("turned", "turning"));
  AwaitCondition("psys", "turned", "Ready", "True", "Valid", kSoon);
  const Pair first = PairOf("turned");

  Apply(TlsSecret("turning-ca", after.certificate, after.key));
  AwaitCondition("psys", "turned", "Ready", "True", "AuthorityChanged", kSoon);
  EXPECT_EQ(PairOf("turned"), first);
  EXPECT_TRUE(Eventually(
      [] { return std::ranges::count(EventReasons("turned"), "AuthorityChanged") == 1; }, kSoon));

  EXPECT_EQ(Operate("turned-second", "turned", "Generate"), (Outcome{"Complete", "Generated"}));
  const Pair both = AwaitPair("turned", [](const Pair& p) { return !p.inactive.empty(); });
  EXPECT_EQ(both.active, first.active);
  const Json secret = *Get("secret", "turned-outbound");
  EXPECT_EQ(SecretValue(secret, "ca.crt"), before.certificate);
  EXPECT_EQ(SecretValue(secret, "inactive-ca.crt"), after.certificate);
  EXPECT_TRUE(Accepts(before.certificate, SecretValue(secret, "tls.crt")));
  EXPECT_TRUE(Accepts(after.certificate, SecretValue(secret, "inactive.crt")));
  EXPECT_FALSE(Accepts(after.certificate, SecretValue(secret, "tls.crt")));

  EXPECT_EQ(Operate("turned-activate", "turned", "Activate", both.inactive).first, "Complete");
  AwaitPair("turned", [&](const Pair& p) { return p == Pair{both.inactive, both.active}; });
  AwaitCondition("psys", "turned", "Ready", "True", "Valid", kSoon);
}

// An authority's earlier CAs stand in its status alone: deleted and created again, it has none.
TEST_F(Rotation, That_the_authority_has_forgotten_leaves_the_pair_too_but_nothing_foreign) {
  OperatorProcess op{WithAdmin()};
  const PemPair before = MakeAuthority();
  const PemPair after = MakeAuthority();
  Apply(TlsSecret("forgetful-ca", before.certificate, before.key));
  Apply(AuthorityFromSecret("forgetful", "forgetful-ca"));
  Json system = System("remembered", "forgetful");
  system["spec"]["automaticRegeneration"] = {{"enabled", true}};
  system["spec"]["certificate"]["subject"] = {{"commonName", "remembered"}};
  Apply(system);
  AwaitCondition("psys", "remembered", "Ready", "True", "Valid", kSoon);
  const Pair first = PairOf("remembered");
  Apply(TlsSecret("forgetful-ca", after.certificate, after.key));
  AwaitCondition("psys", "remembered", "Ready", "True", "AuthorityChanged", kSoon);
  MustKubectl({"delete", "certca", "forgetful"});
  Apply(AuthorityFromSecret("forgetful", "forgetful-ca"));
  AwaitCondition("certca", "forgetful", "Ready", "True", "", kSoon);
  ASSERT_FALSE(Get("certca", "forgetful")->at("status").contains("earlierFingerprints"));

  const auto version = [](const Json& secret) {
    return secret.at("metadata").at("resourceVersion").get<std::string>();
  };
  MustKubectl({"annotate", "secret", "remembered-outbound", "-n", "idm", "example.com/look=again"});
  EXPECT_TRUE(Eventually(
      [&] {
        return Get("psys", "remembered")->at("status").value("secretResourceVersion", "") ==
               version(*Get("secret", "remembered-outbound"));
      },
      kSoon));
  EXPECT_EQ(PairOf("remembered"), first);
  AwaitCondition("psys", "remembered", "Ready", "True", "AuthorityChanged", kSoon);

  Json planted = *Get("secret", "remembered-outbound");
  const PemPair stranger = MakeAuthority({.common_name = "Somebody else's CA"});
  const x509::IssuedCertificate foreign = MakeClient(stranger, "remembered");
  planted["data"]["tls.crt"] = EncodeBase64(foreign.certificate_pem);
  planted["data"]["tls.key"] = EncodeBase64(foreign.key_pem.Reveal());
  planted["data"]["ca.crt"] = EncodeBase64(stranger.certificate);
  MustKubectl({"replace", "-f", "-"}, planted.dump());
  const Pair repaired = AwaitPair(
      "remembered", [&](const Pair& p) { return !p.active.empty() && p.active != first.active; });
  EXPECT_NE(repaired.active, foreign.details.fingerprint);
  AwaitCondition("psys", "remembered", "Ready", "True", "Valid", kSoon);
}

}  // namespace
}  // namespace certpair::test
