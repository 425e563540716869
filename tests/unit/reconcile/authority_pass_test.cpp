// An authority's pass and its signer, with caches and an API server that a test plays.
#include <gmock/gmock.h>

#include "reconcile/authority_reconciler.hpp"
#include "reconcile/signing.hpp"
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

  ApiResult<std::optional<LiveSecret>> ReadSecret(const std::string&, const std::string&) override {
    if (read_fails)
      return std::unexpected(kube::ApiError{.kind = *read_fails, .message = "as the test wants"});
    return std::nullopt;
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
                                                const core::AuthorityStatus&,
                                                const std::string&) override {
    ++statuses;
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

class Signing : public AuthorityPass {
 protected:
  ErrorCode FailureOfMake() {
    const auto made = signing.Make("idm/abap", "ca", {});
    EXPECT_FALSE(made);
    return made ? ErrorCode::Internal : made.error().code;
  }
};

TEST_F(Signing, That_fails_by_what_passes_by_itself_is_told_from_what_somebody_has_to_mend) {
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

}  // namespace
}  // namespace certpair::reconcile
