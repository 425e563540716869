// An authority's pass and its signer, with caches and an API server that a test plays.
#include <gmock/gmock.h>

#include "reconcile/authority_reconciler.hpp"
#include "reconcile/names.hpp"
#include "reconcile/signing.hpp"
#include "support/certificates.hpp"
#include "support/manual_clock.hpp"

namespace certpair::reconcile {
namespace {

using kube::ApiErrorKind;
using kube::ApiResult;
using Kind = PassResult::Kind;

// Shows one authority, and its Secret's metadata where `secret` is set.
class OneAuthority final : public View {
 public:
  StoredAuthority authority{.identity = {.uid = "u", .name = "ca", .generation = 1},
                            .source = core::AuthorityFromSecret{"ca-secret"},
                            .allow = {},
                            .status = {},
                            .secret_resource_version = {},
                            .resource_version = "1"};
  std::optional<SecretMetadata> secret;

  std::shared_ptr<const StoredSystem> System(const std::string&) const override { return {}; }
  std::shared_ptr<const SecretMetadata> Secret(const std::string&) const override { return {}; }
  std::vector<std::shared_ptr<const StoredOperation>> OperationsOf(
      const std::string&) const override {
    return {};
  }
  std::shared_ptr<const StoredAuthority> Authority(const std::string&) const override {
    return std::make_shared<const StoredAuthority>(authority);
  }
  std::optional<StoredNamespace> Namespace(const std::string&) const override { return {}; }
  std::shared_ptr<const SecretMetadata> AuthoritySecret(const std::string&) const override {
    return secret ? std::make_shared<const SecretMetadata>(*secret) : nullptr;
  }
};

// Has no Secret, or fails to read it; takes every status.
class BareCluster final : public Cluster {
 public:
  std::optional<ApiErrorKind> read_fails;
  int statuses = 0;
  std::string ready;  // the reason that was written last
  core::AuthorityStatus written;
  std::optional<test::PemPair> holds;  // what the Secret of every name holds
  std::string label;

  ApiResult<std::optional<LiveSecret>> ReadSecret(const std::string&,
                                                  const std::string& name) override {
    if (read_fails)
      return std::unexpected(kube::ApiError{.kind = *read_fails, .message = "as the test wants"});
    if (!holds) return std::nullopt;
    LiveSecret secret;
    secret.metadata = {.name = name, .resource_version = "1"};
    if (!label.empty()) secret.metadata.labels[std::string{kAuthorityLabel}] = label;
    secret.data["tls.crt"] = SecretString{holds->certificate};
    secret.data["tls.key"] = SecretString{holds->key};
    return secret;
  }
  ApiResult<std::optional<StoredSystem>> ReadSystem(const std::string&,
                                                    const std::string&) override {
    return std::nullopt;
  }
  ApiResult<std::optional<StoredOperation>> ReadOperation(const std::string&,
                                                          const std::string&) override {
    return std::nullopt;
  }
  ApiResult<Written> CreateSecret(const SecretDraft&) override { return Written{}; }
  ApiResult<Written> PatchSecret(const SecretDraft&) override { return Written{}; }
  ApiResult<std::optional<Written>> WriteStatus(const StoredSystem&,
                                                const core::SystemStatus&) override {
    return std::nullopt;
  }
  ApiResult<std::optional<Written>> WriteStatus(const StoredAuthority&,
                                                const core::AuthorityStatus& status,
                                                const std::string&) override {
    ++statuses;
    written = status;
    ready = status.conditions.at(0).reason;
    return Written{.uid = "u", .resource_version = "9"};
  }
  ApiResult<void> Settle(const StoredOperation&, const core::OperationVerdict&,
                         sys_seconds) override {
    return {};
  }
  void Tell(const core::SystemIdentity&, const core::EventNotice&) override {}
  void Tell(const core::AuthorityIdentity&, const core::AuthorityEvent&) override {}
};

class AuthorityPass : public testing::Test {
 protected:
  test::ManualClock clock{sys_seconds{std::chrono::seconds{1'800'000'000}}};
  OneAuthority view;
  BareCluster cluster;
  SigningSource signing{view, cluster, clock, "certpair-system", 1, [](const std::string&) {}};
  AuthorityReconciler reconciler{view, cluster, signing, clock, "certpair-system"};
};

TEST_F(AuthorityPass, Waits_for_the_cache_to_show_its_own_write_but_not_for_ever) {
  EXPECT_EQ(reconciler.Pass("authority:ca", "ca").kind, Kind::Settled);
  EXPECT_EQ(cluster.statuses, 1);
  for (const int later : {0, 10, 19}) {
    clock.Advance(std::chrono::seconds{later});
    EXPECT_EQ(reconciler.Pass("authority:ca", "ca").kind, Kind::Waiting);
  }
  EXPECT_EQ(cluster.statuses, 1);
  clock.Advance(std::chrono::seconds{1});
  EXPECT_EQ(reconciler.Pass("authority:ca", "ca").kind, Kind::Settled);
  EXPECT_EQ(cluster.statuses, 2);
}

TEST_F(AuthorityPass, Begins_the_half_minute_anew_with_each_write) {
  for (const char* seen : {"1", "9"}) {
    view.authority.resource_version = seen;
    EXPECT_EQ(reconciler.Pass("authority:ca", "ca").kind, Kind::Settled);
    clock.Advance(std::chrono::seconds{20});
  }
  EXPECT_EQ(cluster.statuses, 2);
}

// What an operator before this one took for its own stands in the status.
TEST_F(AuthorityPass, Believes_no_status_that_tells_of_another_authoritys_Secret) {
  cluster.holds = test::MakeAuthority();
  view.secret = SecretMetadata{.name = "ca-secret", .resource_version = "1"};
  EXPECT_EQ(reconciler.Pass("authority:ca", "ca").kind, Kind::Settled);
  ASSERT_EQ(cluster.ready, "Usable");
  view.authority.status = cluster.written;
  view.authority.secret_resource_version = "1";
  view.authority.resource_version = "9";
  cluster.label = "other";
  view.secret->labels[std::string{kAuthorityLabel}] = "other";
  EXPECT_EQ(reconciler.Pass("authority:ca", "ca").kind, Kind::Settled);
  EXPECT_EQ(cluster.ready, "SecretNotOurs");
}

TEST_F(AuthorityPass, Tells_a_renewed_certificate_from_a_new_key) {
  const auto pass = [&](const test::PemPair& pair, const std::string& version) {
    cluster.holds = pair;
    view.secret = SecretMetadata{.name = "ca-secret", .resource_version = version};
    view.authority.resource_version = "9";
    EXPECT_EQ(reconciler.Pass("authority:ca", "ca").kind, Kind::Settled);
    view.authority.status = cluster.written;
  };
  const test::PemPair first = test::MakeAuthority();
  pass(first, "1");
  const std::string fingerprint = cluster.written.fingerprint;
  pass({test::MakeCertificate({}, first.key), first.key}, "2");
  EXPECT_NE(cluster.written.fingerprint, fingerprint);
  EXPECT_THAT(cluster.written.same_key_fingerprints, testing::ElementsAre(fingerprint));
  pass(test::MakeAuthority(), "3");
  EXPECT_THAT(cluster.written.same_key_fingerprints, testing::IsEmpty());
  EXPECT_EQ(cluster.written.earlier_fingerprints.size(), 2U);
}

class Signing : public AuthorityPass {
 protected:
  ErrorCode FailureOfMake() {
    const auto made = signing.Make("idm/abap", "ca", {});
    EXPECT_FALSE(made);
    return made ? ErrorCode::Internal : made.error().code;
  }
};

TEST_F(Signing, Distinguishes_what_may_pass_from_what_a_person_mends) {
  view.secret = SecretMetadata{.name = "ca-secret", .resource_version = "1"};
  for (const auto kind : {ApiErrorKind::Timeout, ApiErrorKind::Transport, ApiErrorKind::Server,
                          ApiErrorKind::Throttled}) {
    cluster.read_fails = kind;
    EXPECT_EQ(FailureOfMake(), ErrorCode::Unavailable) << kube::ToString(kind);
  }
  cluster.read_fails = ApiErrorKind::Forbidden;
  EXPECT_EQ(FailureOfMake(), ErrorCode::Invalid);
  cluster.read_fails = ApiErrorKind::Cancelled;
  EXPECT_EQ(FailureOfMake(), ErrorCode::Cancelled);
  cluster.read_fails.reset();
  EXPECT_EQ(FailureOfMake(), ErrorCode::Invalid);
  view.secret.reset();
  EXPECT_EQ(FailureOfMake(), ErrorCode::NotFound);
}

TEST_F(Signing, That_verifiers_would_refuse_takes_no_key) {
  cluster.holds = test::MakeAuthority({.name_constraints = "critical,permitted;dirName:name"});
  view.secret = SecretMetadata{.name = "ca-secret", .resource_version = "1"};
  core::CertificateOrder order{.key = {core::KeyAlgorithm::Rsa, 2048}};
  order.subject.common_name = "abap";
  const auto made = signing.Make("idm/abap", "ca", order);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::Invalid);
  EXPECT_THAT(made.error().message, testing::HasSubstr("nameConstraints"));
  EXPECT_EQ(signing.KeysWaiting(), 0U);
}

}  // namespace
}  // namespace certpair::reconcile
