// Authorities whose Secret is not what it should be: each fault is told, systems wait, and all goes
// on when it is mended.
#include <algorithm>

#include <gtest/gtest.h>

#include "support/certificates.hpp"
#include "support/operator_test.hpp"

namespace certpair::test {
namespace {

constexpr std::chrono::seconds kSoon{60};

class AuthoritySecret : public OperatorTest {};

struct Fault {
  std::string name;
  std::string certificate;
  std::string key;
  std::string reason;
};

std::vector<Fault> Faults() {
  const PemPair good = MakeAuthority();
  const PemPair other = MakeAuthority();
  CertificateOptions leaf;
  leaf.basic_constraints = "critical,CA:FALSE";
  CertificateOptions expired;
  expired.not_after = kLongAgo + std::chrono::hours{24};
  const PemPair not_a_ca = MakeAuthority(leaf);
  const PemPair old = MakeAuthority(expired);
  const PemPair odd = MakeAuthority({.has_unknown_critical = true});
  return {{"garbage", "not a certificate", "not a key", "Malformed"},
          {"mismatch", good.certificate, other.key, "KeyMismatch"},
          {"leaf", not_a_ca.certificate, not_a_ca.key, "NotACertificateAuthority"},
          {"expired", old.certificate, old.key, "Expired"},
          {"odd", odd.certificate, odd.key, "Unverifiable"},
          {"encrypted", good.certificate, EncryptKey(good.key), "KeyEncrypted"}};
}

TEST_F(AuthoritySecret, Each_fault_is_told_by_its_reason_and_mending_it_lets_the_systems_go_on) {
  OperatorProcess op{WithAdmin()};
  const auto faults = Faults();
  for (const Fault& fault : faults) {
    const std::string secret = "ca-" + fault.name;
    Apply(TlsSecret(secret, fault.certificate, fault.key));
    Apply(AuthorityFromSecret(secret, secret));
    Apply(System("of-" + fault.name, secret));
  }
  for (const Fault& fault : faults) {
    AwaitCondition("certca", "ca-" + fault.name, "Ready", "False", fault.reason, kSoon);
    AwaitCondition("psys", "of-" + fault.name, "Ready", "False", "AuthorityNotReady", kSoon);
    EXPECT_FALSE(Get("secret", "of-" + fault.name + "-outbound")) << fault.name;
  }
  for (const Fault& fault : faults) {
    const PemPair mended = MakeAuthority();
    Apply(TlsSecret("ca-" + fault.name, mended.certificate, mended.key));
    AwaitCondition("certca", "ca-" + fault.name, "Ready", "True", "", kSoon);
    AwaitCondition("psys", "of-" + fault.name, "Ready", "True", "", kSoon);
  }
  EXPECT_EQ(op.Log().find("PRIVATE KEY"), std::string::npos);
}

TEST_F(AuthoritySecret, Of_another_authority_signs_nothing) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("guarded"));
  AwaitCondition("certca", "guarded", "Ready", "True", "", kSoon);
  Apply(AuthorityFromSecret("thief", "certpair-ca-guarded"));
  Apply(System("of-thief", "thief"));
  AwaitCondition("certca", "thief", "Ready", "False", "SecretNotOurs", kSoon);
  AwaitCondition("psys", "of-thief", "Ready", "False", "AuthorityNotReady", kSoon);
  EXPECT_FALSE(Get("secret", "of-thief-outbound"));
}

TEST_F(AuthoritySecret, Whose_nameConstraints_exclude_a_subject_is_said_on_that_system) {
  OperatorProcess op{WithAdmin()};
  const PemPair strict = MakeAuthority({.name_constraints = "critical,permitted;dirName:name"});
  Apply(TlsSecret("ca-strict", strict.certificate, strict.key));
  Apply(AuthorityFromSecret("ca-strict", "ca-strict"));
  Json outside = System("of-strict", "ca-strict");
  outside["spec"]["certificate"]["subject"] = {{"commonName", "of-strict"}};
  Apply(outside);
  AwaitCondition("psys", "of-strict", "Ready", "False", "SigningFailed", kSoon);
  EXPECT_NE(ConditionOf(*Get("psys", "of-strict"), "Ready").message.find("nameConstraints"),
            std::string::npos);
  EXPECT_FALSE(Get("secret", "of-strict-outbound"));
  // The owner mends it, and the system goes on.
  const PemPair open = MakeAuthority();
  Apply(TlsSecret("ca-strict", open.certificate, open.key));
  AwaitCondition("psys", "of-strict", "Ready", "True", "", kSoon);
}

TEST_F(AuthoritySecret, Without_a_well_defined_end_is_not_looked_at_again_and_again) {
  OperatorProcess op{WithAdmin()};
  const PemPair endless =
      MakeAuthority({.not_after = std::chrono::sys_days{std::chrono::year{9999} / 12 / 31} +
                                  std::chrono::hours{24} - std::chrono::seconds{1}});
  Apply(TlsSecret("ca-endless", endless.certificate, endless.key));
  Apply(AuthorityFromSecret("ca-endless", "ca-endless"));
  Apply(System("of-endless", "ca-endless"));
  AwaitCondition("psys", "of-endless", "Ready", "True", "", kSoon);
  EXPECT_EQ(Get("certca", "ca-endless")->at("status").at("notAfter"), "9999-12-31T23:59:59Z");
  EXPECT_LT(op.Metric("certpair_reconciles_total", {"kind=\"CertificateAuthority\""}), 100);
}

TEST_F(AuthoritySecret, That_begins_later_becomes_valid_by_itself) {
  OperatorProcess op{WithAdmin()};
  CertificateOptions options;
  options.not_before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                       std::chrono::seconds{20};
  const PemPair later = MakeAuthority(options);
  Apply(TlsSecret("ca-later", later.certificate, later.key));
  Apply(AuthorityFromSecret("ca-later", "ca-later"));
  Apply(System("of-later", "ca-later"));
  AwaitCondition("certca", "ca-later", "Ready", "False", "NotYetValid", kSoon);
  AwaitCondition("certca", "ca-later", "Ready", "True", "", kSoon);
  AwaitCondition("psys", "of-later", "Ready", "True", "", kSoon);
}

TEST_F(AuthoritySecret, Its_public_chain_is_in_the_status_and_follows_the_Secret) {
  OperatorProcess op{WithAdmin()};
  const PemPair root = MakeAuthority({.common_name = "Root"});
  const PemPair first = MakeAuthority({.common_name = "First"}, root);
  Apply(TlsSecret("ca-chain", first.certificate + root.certificate, first.key));
  Apply(AuthorityFromSecret("ca-chain", "ca-chain"));
  AwaitCondition("certca", "ca-chain", "Ready", "True", "", kSoon);
  EXPECT_EQ(Get("certca", "ca-chain")->at("status").at("chain"),
            first.certificate + root.certificate);
  const PemPair second = MakeAuthority({.common_name = "Second"}, root);
  Apply(TlsSecret("ca-chain", second.certificate, second.key));
  EXPECT_TRUE(Eventually(
      [&] { return Get("certca", "ca-chain")->at("status").at("chain") == second.certificate; },
      kSoon));
}

TEST_F(AuthoritySecret, A_status_without_the_chain_or_with_another_is_completed_by_one_write) {
  Apply(GeneratedAuthority("ca-upgraded"));
  std::string chain;
  {
    OperatorProcess op{WithAdmin()};
    AwaitCondition("certca", "ca-upgraded", "Ready", "True", "", kSoon);
    chain = Get("certca", "ca-upgraded")->at("status").at("chain");
  }
  const auto patch = [](const Json& status) {
    MustKubectl({"patch", "certca", "ca-upgraded", "--subresource=status", "--type=merge", "-p",
                 Json{{"status", status}}.dump()});
  };
  const auto told = [&] { return Get("certca", "ca-upgraded")->at("status").value("chain", ""); };
  const auto version = [] {
    return std::stoll(
        Get("certca", "ca-upgraded")->at("metadata").at("resourceVersion").get<std::string>());
  };
  for (const Json& before : {Json{}, Json(MakeAuthority().certificate)}) {
    patch({{"chain", before}});  // as an operator before this field left it; or somebody's hand
    const OperatorProcess op{WithAdmin()};
    EXPECT_TRUE(Eventually([&] { return told() == chain; }, kSoon)) << before;
    const auto patches = [&] {
      return op.Metric("certpair_api_requests_total",
                       {"verb=\"PATCH\"", "resource=\"certificateauthorities\""});
    };
    EXPECT_TRUE(Eventually([&] { return patches() >= 1; }, kSoon));
    EXPECT_EQ(patches(), 1);
  }
  // And from then on a restart writes nothing.
  const auto settled = version();
  const OperatorProcess op{WithAdmin()};
  ASSERT_TRUE(Eventually(
      [&] {
        return op.Metric("certpair_reconciles_total", {"kind=\"CertificateAuthority\""}) >= 1 &&
               op.Metric("certpair_work_queue_depth") <= 0;
      },
      kSoon));
  EXPECT_EQ(version(), settled);
}

TEST_F(AuthoritySecret, A_missing_Secret_is_waited_for_without_polling) {
  OperatorProcess op{WithAdmin()};
  Apply(AuthorityFromSecret("ca-missing", "ca-missing"));
  Apply(System("of-missing", "ca-missing"));
  AwaitCondition("certca", "ca-missing", "Ready", "False", "SecretNotFound", kSoon);
  AwaitCondition("psys", "of-missing", "Ready", "False", "AuthorityNotReady", kSoon);
  const PemPair pair = MakeAuthority();
  Apply(TlsSecret("ca-missing", pair.certificate, pair.key));
  AwaitCondition("psys", "of-missing", "Ready", "True", "", kSoon);
}

TEST_F(AuthoritySecret, A_validity_beyond_the_end_of_the_CA_is_clipped_and_said) {
  OperatorProcess op{WithAdmin()};
  CertificateOptions options;
  options.not_after = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                      std::chrono::hours{100};
  const PemPair pair = MakeAuthority(options);
  Apply(TlsSecret("ca-short", pair.certificate, pair.key));
  Apply(AuthorityFromSecret("ca-short", "ca-short"));
  Apply(System("clipped", "ca-short"));
  AwaitCondition("psys", "clipped", "Ready", "True", "ValidityClipped", kSoon);
  const Json system = *Get("psys", "clipped");
  EXPECT_EQ(system.at("status").at("expires"),
            Get("certca", "ca-short")->at("status").at("notAfter"));
  EXPECT_TRUE(Eventually(
      [] { return std::ranges::count(EventReasons("clipped"), "ValidityClipped") == 1; }, kSoon));
}

TEST_F(AuthoritySecret, A_generated_authority_never_takes_over_a_Secret_of_that_name) {
  OperatorProcess op{WithAdmin()};
  const PemPair pair = MakeAuthority();
  Apply(TlsSecret("certpair-ca-taken", pair.certificate, pair.key));
  Apply(GeneratedAuthority("taken"));
  AwaitCondition("certca", "taken", "Ready", "False", "", kSoon);
  EXPECT_EQ(SecretValue(*Get("secret", "certpair-ca-taken", "certpair-system"), "tls.crt"),
            pair.certificate);
}

TEST_F(AuthoritySecret,
       The_Secret_of_a_generated_authority_survives_it_and_serves_the_next_of_that_name) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("phoenix"));
  AwaitCondition("certca", "phoenix", "Ready", "True", "", kSoon);
  const std::string fingerprint = Get("certca", "phoenix")->at("status").at("fingerprint");
  MustKubectl({"delete", "certca", "phoenix"});
  ASSERT_TRUE(Get("secret", "certpair-ca-phoenix", "certpair-system"));
  Apply(GeneratedAuthority("phoenix"));
  AwaitCondition("certca", "phoenix", "Ready", "True", "", kSoon);
  EXPECT_EQ(Get("certca", "phoenix")->at("status").at("fingerprint"), fingerprint);
}

}  // namespace
}  // namespace certpair::test
