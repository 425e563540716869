// A system's first certificate, on a real API server.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "support/operator_test.hpp"
#include "support/source.hpp"

namespace certpair::test {
namespace {

constexpr std::chrono::seconds kSoon{60};

class FirstCertificate : public OperatorTest {
 protected:
  // Checks with openssl that the pair in the Secret is what a TLS client wants.
  static void ExpectGoodPair(const Json& secret) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("certpair-pair-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    for (const char* name : {"tls.crt", "tls.key", "ca.crt"})
      std::ofstream{folder / name} << SecretValue(secret, name);
    const std::string at = folder.string() + "/";
    const auto verified = RunProcess({"openssl", "verify", "-x509_strict", "-purpose", "sslclient",
                                      "-CAfile", at + "ca.crt", at + "tls.crt"});
    EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
    const auto of_certificate =
        RunProcess({"openssl", "x509", "-in", at + "tls.crt", "-noout", "-pubkey"});
    const auto of_key = RunProcess({"openssl", "pkey", "-in", at + "tls.key", "-pubout"});
    EXPECT_EQ(of_certificate.out, of_key.out) << "the key is not the certificate's";
    std::filesystem::remove_all(folder);
  }
};

TEST_F(FirstCertificate, The_examples_become_ready_each_with_a_pair_that_openssl_accepts) {
  OperatorProcess op{WithAdmin()};
  MustKubectl({"apply", "-f", SourceDir() + "/examples"});
  for (const auto& [system, secret_name] : std::vector<std::pair<std::string, std::string>>{
           {"hr-cloud", "hr-cloud-outbound"},
           {"abap-prod", "abap-prod-outbound"},
           {"directory-proxy", "directory-client-tls"}}) {
    AwaitCondition("psys", system, "Ready", "True", "", kSoon);
    const auto secret = Get("secret", secret_name);
    ASSERT_TRUE(secret) << system;
    EXPECT_EQ(secret->at("type"), "kubernetes.io/tls");
    ExpectGoodPair(*secret);
    const auto object = Get("psys", system);
    EXPECT_EQ(object->at("status").at("certificates").size(), 1U);
    EXPECT_EQ(object->at("status").at("certificates")[0].at("state"), "Active");
    EXPECT_EQ(object->at("status").at("activeFingerprint"),
              object->at("status").at("certificates")[0].at("fingerprint"));
    EXPECT_EQ(EventReasons(system).back(), "CertificateIssued");
  }
}

TEST_F(FirstCertificate, A_new_system_costs_three_writes_and_no_read_of_a_Secret) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("three-writes-ca"));
  AwaitCondition("certca", "three-writes-ca", "Ready", "True", "", kSoon);
  const auto event_written = [&](double count) {
    return Eventually([&] {
      return op.Metric("certpair_api_requests_total", {"verb=\"CREATE\"", "resource=\"events\""}) >=
             count;
    });
  };
  ASSERT_TRUE(event_written(1));
  const double writes = op.Writes();
  const double reads = op.Reads("secrets");
  Apply(System("three-writes", "three-writes-ca"));
  AwaitCondition("psys", "three-writes", "Ready", "True", "", kSoon);
  ASSERT_TRUE(event_written(2));
  EXPECT_EQ(op.Writes() - writes, 3);
  EXPECT_EQ(op.Reads("secrets") - reads, 0);
}

TEST_F(FirstCertificate, A_system_waits_for_its_authority_and_goes_on_when_it_comes) {
  OperatorProcess op{WithAdmin()};
  Apply(System("early", "late-ca"));
  AwaitCondition("psys", "early", "Ready", "False", "AuthorityNotFound", kSoon);
  EXPECT_FALSE(Get("secret", "early-outbound"));
  Apply(GeneratedAuthority("late-ca"));
  AwaitCondition("psys", "early", "Ready", "True", "", kSoon);
}

TEST_F(FirstCertificate,
       A_name_that_no_rule_allows_is_refused_with_the_rule_to_add_and_no_key_is_made) {
  OperatorProcess op{WithAdmin()};
  Json authority = GeneratedAuthority("strict-ca");
  authority["spec"]["allow"][0]["commonNames"] = {"only-this"};
  Apply(authority);
  Json nobody = GeneratedAuthority("nobody-ca");
  nobody["spec"].erase("allow");
  Apply(nobody);
  Apply(System("not-allowed", "strict-ca"));
  Apply(System("nobody-allowed", "nobody-ca"));
  for (const std::string name : {"not-allowed", "nobody-allowed"}) {
    AwaitCondition("psys", name, "Ready", "False", "NotAllowed", kSoon);
    EXPECT_NE(ConditionOf(*Get("psys", name), "Ready").message.find("commonNames"),
              std::string::npos);
    EXPECT_FALSE(Get("secret", name + "-outbound"));
    EXPECT_TRUE(Eventually(
        [&] { return EventReasons(name) == std::vector<std::string>{"NotAllowed"}; }, kSoon))
        << name;
  }
  authority["spec"]["allow"][0]["commonNames"] = {"only-this", "not-*"};
  Apply(authority);
  AwaitCondition("psys", "not-allowed", "Ready", "True", "", kSoon);
}

TEST_F(FirstCertificate, A_Secret_of_somebody_else_is_never_touched) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("foreign-ca"));
  const Json theirs = {{"apiVersion", "v1"},
                       {"kind", "Secret"},
                       {"metadata", {{"name", "foreign-outbound"}, {"namespace", "idm"}}},
                       {"stringData", {{"password", "not yours"}}}};
  Apply(theirs);
  const std::string version =
      Get("secret", "foreign-outbound")->at("metadata").at("resourceVersion");
  Apply(System("foreign", "foreign-ca"));
  AwaitCondition("psys", "foreign", "Ready", "False", "SecretNotOurs", kSoon);
  EXPECT_EQ(Get("secret", "foreign-outbound")->at("metadata").at("resourceVersion"), version);
}

TEST_F(FirstCertificate, Of_two_systems_that_name_one_Secret_the_first_keeps_it) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("shared-ca"));
  Json first = System("shared-first", "shared-ca");
  Json second = System("shared-second", "shared-ca");
  for (Json* system : {&first, &second}) (*system)["spec"]["secret"]["name"] = "shared";
  Apply(first);
  AwaitCondition("psys", "shared-first", "Ready", "True", "", kSoon);
  const Json before = *Get("secret", "shared");
  Apply(second);
  AwaitCondition("psys", "shared-second", "Ready", "False", "SecretNotOurs", kSoon);
  EXPECT_NE(ConditionOf(*Get("psys", "shared-second"), "Ready").message.find("shared-first"),
            std::string::npos);
  EXPECT_EQ(Get("secret", "shared")->at("metadata").at("resourceVersion"),
            before.at("metadata").at("resourceVersion"));
}

TEST_F(FirstCertificate, Utf8_in_the_subject_arrives_whole) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("utf8-ca"));
  Json system = System("utf8", "utf8-ca");
  system["spec"]["certificate"]["subject"] = {{"commonName", "Zürich 東京"},
                                              {"organizations", {"Exämple & Söhne"}}};
  Apply(system);
  AwaitCondition("psys", "utf8", "Ready", "True", "", kSoon);
  EXPECT_EQ(Get("psys", "utf8")->at("status").at("certificates")[0].at("subject"),
            "CN=Zürich 東京,O=Exämple & Söhne");
}

TEST_F(FirstCertificate, A_deleted_system_takes_its_Secret_with_it_unless_it_is_to_be_kept) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("deleted-ca"));
  Apply(System("deleted", "deleted-ca"));
  Json kept = System("kept", "deleted-ca");
  kept["spec"]["secret"]["deletionPolicy"] = "Retain";
  Apply(kept);
  for (const char* name : {"deleted", "kept"})
    AwaitCondition("psys", name, "Ready", "True", "", kSoon);
  const Json secret = *Get("secret", "kept-outbound");
  MustKubectl({"delete", "psys", "-n", "idm", "deleted", "kept"});
  EXPECT_TRUE(Eventually([] { return !Get("secret", "deleted-outbound"); }, kSoon));
  ASSERT_TRUE(Get("secret", "kept-outbound"));
  // One that would delete it, or has lost the permission, leaves it alone.
  Json deleting = kept;
  deleting["spec"]["secret"]["deletionPolicy"] = "Delete";
  Apply(deleting);
  AwaitCondition("psys", "kept", "Ready", "False", "SecretRetained", kSoon);
  Json strict = GeneratedAuthority("deleted-ca");
  strict["spec"]["allow"][0]["commonNames"] = {"another"};
  Apply(strict);
  Apply(kept);
  AwaitCondition("psys", "kept", "Ready", "False", "NotAllowed", kSoon);
  EXPECT_EQ(Get("secret", "kept-outbound")->at("metadata").at("resourceVersion"),
            secret.at("metadata").at("resourceVersion"));
  // With both it adopts what was kept: the same certificate, no new key, retained as before.
  Apply(GeneratedAuthority("deleted-ca"));
  AwaitCondition("psys", "kept", "Ready", "True", "", kSoon);
  const Json adopted = *Get("secret", "kept-outbound");
  EXPECT_EQ(SecretValue(adopted, "tls.crt"), SecretValue(secret, "tls.crt"));
  EXPECT_FALSE(adopted.at("metadata").contains("ownerReferences"));
}

TEST_F(FirstCertificate, An_operator_that_starts_again_in_sync_reads_no_Secret_and_writes_nothing) {
  std::string version;
  {
    OperatorProcess op{WithAdmin()};
    Apply(GeneratedAuthority("again-ca"));
    Apply(System("again", "again-ca"));
    AwaitCondition("psys", "again", "Ready", "True", "", kSoon);
    version = Get("psys", "again")->at("metadata").at("resourceVersion");
    op.Signal(SIGTERM);
    EXPECT_EQ(op.WaitForExit(std::chrono::seconds{5}), 0) << op.Log();
  }
  // Only this system: those of other tests may have something to say.
  OperatorProcess op{WithAdmin()};
  ASSERT_TRUE(Eventually([&] { return op.Ready().starts_with("ok"); }, kSoon));
  ASSERT_TRUE(Eventually([&] {
    return op.Metric("certpair_reconciles_total", {"kind=\"ProvisioningSystem\""}) >= 1 &&
           op.Metric("certpair_work_queue_depth") <= 0;
  }));
  EXPECT_EQ(Get("psys", "again")->at("metadata").at("resourceVersion"), version);
}

}  // namespace
}  // namespace certpair::test
