// The Cluster port over a Kubernetes client.
#pragma once

#include <functional>
#include <stop_token>

#include "kube/client.hpp"
#include "kube/events.hpp"
#include "reconcile/ports.hpp"

namespace certpair::reconcile {

/// Thread-safe. `hard_stop` ends requests that are under way: it comes seconds after the wish to
/// leave.
class KubeCluster final : public Cluster {
 public:
  KubeCluster(const kube::Client& client, kube::EventRecorder& events, std::stop_token hard_stop)
      : client_(client), events_(events), hard_stop_(std::move(hard_stop)) {}

  /// Asked before each write; answers no: the write is refused here (Cancelled). Set it before the
  /// first.
  void WriteOnlyWhile(std::function<bool()> may_write) { may_write_ = std::move(may_write); }

  kube::ApiResult<std::optional<LiveSecret>> ReadSecret(const std::string& namespace_,
                                                        const std::string& name) override;
  kube::ApiResult<std::optional<StoredSystem>> ReadSystem(const std::string& namespace_,
                                                          const std::string& name) override;
  kube::ApiResult<std::optional<StoredOperation>> ReadOperation(const std::string& namespace_,
                                                                const std::string& name) override;
  kube::ApiResult<Written> CreateSecret(const SecretDraft& draft) override;
  kube::ApiResult<Written> PatchSecret(const SecretDraft& draft) override;
  kube::ApiResult<std::optional<Written>> WriteStatus(const StoredSystem& before,
                                                      const core::SystemStatus& after) override;
  kube::ApiResult<std::optional<Written>> WriteStatus(
      const StoredAuthority& before, const core::AuthorityStatus& after,
      const std::string& secret_resource_version) override;
  kube::ApiResult<void> Settle(const StoredOperation& operation,
                               const core::OperationVerdict& verdict, sys_seconds now) override;
  void Tell(const core::SystemIdentity& system, const core::EventNotice& event) override;
  void Tell(const core::AuthorityIdentity& authority, const core::AuthorityEvent& event) override;

 private:
  [[nodiscard]] kube::ApiResult<void> MayWrite() const;
  const kube::Client& client_;
  kube::EventRecorder& events_;
  std::stop_token hard_stop_;
  std::function<bool()> may_write_;
};

}  // namespace certpair::reconcile
