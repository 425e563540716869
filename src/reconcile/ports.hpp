// What the reconciler stands on: a view (the caches), a cluster (live reads, writes) and a source
// of certificates. Interfaces, so that the simulation can put a whole world beneath the real
// Decide, Apply and work queue.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/certificate.hpp"
#include "core/decision.hpp"
#include "kube/error.hpp"
#include "reconcile/objects.hpp"
#include "reconcile/secret_codec.hpp"
#include "x509/authority.hpp"

namespace certpair::reconcile {

/// The caches: maybe a little old, never in between. Thread-safe. Keys are `namespace/name`.
class View {
 public:
  virtual ~View() = default;
  [[nodiscard]] virtual std::shared_ptr<const StoredSystem> System(
      const std::string& key) const = 0;
  [[nodiscard]] virtual std::shared_ptr<const SecretMetadata> Secret(
      const std::string& key) const = 0;
  /// In order of creation, then name.
  [[nodiscard]] virtual std::vector<std::shared_ptr<const StoredOperation>> OperationsOf(
      const std::string& system_key) const = 0;
  [[nodiscard]] virtual std::shared_ptr<const StoredAuthority> Authority(
      const std::string& name) const = 0;
  /// Nothing: it is not known, as where the right to list namespaces is missing.
  [[nodiscard]] virtual std::optional<StoredNamespace> Namespace(const std::string& name) const = 0;
  /// A Secret of the operator's own namespace.
  [[nodiscard]] virtual std::shared_ptr<const SecretMetadata> AuthoritySecret(
      const std::string& name) const = 0;
};

struct Written {
  std::string uid;
  std::string resource_version;
  /// Of a Secret: a label or annotation that is not what was written, such as `label a/b`, because
  /// admission changed it. Empty: all are.
  std::string changed_metadata = {};
  /// Of a Secret: it has the label by which the watch selects.
  bool is_watched = true;
};

/// The API server. Thread-safe; blocks. Every write carries what it was decided upon as its
/// precondition.
class Cluster {
 public:
  virtual ~Cluster() = default;
  /// Nothing: there is no such object.
  virtual kube::ApiResult<std::optional<LiveSecret>> ReadSecret(const std::string& namespace_,
                                                                const std::string& name) = 0;
  virtual kube::ApiResult<std::optional<StoredSystem>> ReadSystem(const std::string& namespace_,
                                                                  const std::string& name) = 0;
  virtual kube::ApiResult<std::optional<StoredOperation>> ReadOperation(
      const std::string& namespace_, const std::string& name) = 0;
  virtual kube::ApiResult<Written> CreateSecret(const SecretDraft& draft) = 0;
  virtual kube::ApiResult<Written> PatchSecret(const SecretDraft& draft) = 0;
  /// Nothing: it differs in no field, and nothing was written.
  virtual kube::ApiResult<std::optional<Written>> WriteStatus(const StoredSystem& before,
                                                              const core::SystemStatus& after) = 0;
  virtual kube::ApiResult<std::optional<Written>> WriteStatus(
      const StoredAuthority& before, const core::AuthorityStatus& after,
      const std::string& secret_resource_version) = 0;
  /// The terminal status of an operation and then its mark (Complete, Fail), the mark alone (Mark),
  /// or its removal (Remove). That the mark after a status was not written is no error.
  virtual kube::ApiResult<void> Settle(const StoredOperation& operation,
                                       const core::OperationVerdict& verdict, sys_seconds now) = 0;
  /// Told on the side; never blocks, may be lost.
  virtual void Tell(const core::SystemIdentity& system, const core::EventNotice& event) = 0;
  virtual void Tell(const core::AuthorityIdentity& authority,
                    const core::AuthorityEvent& event) = 0;
};

/// Where certificates come from and how they are read. Thread-safe.
class CertificateSource {
 public:
  virtual ~CertificateSource() = default;
  /// Nothing: the key is being made, and `owner`'s key in the work queue will be woken.
  /// Unavailable: the authority could not be asked, which may pass. NotFound, Invalid: it cannot
  /// sign until a person mends it. Cancelled: the process is leaving.
  virtual Result<std::optional<x509::IssuedCertificate>> Make(
      const std::string& owner, const std::string& authority,
      const core::CertificateOrder& order) = 0;
  /// Drops what is made for an owner that is gone or does not want it any more.
  virtual void Forget(const std::string& owner) = 0;
  virtual Result<core::Certificate> ReadSlot(std::string_view certificate, std::string_view key,
                                             std::string_view authority) const = 0;
  virtual Result<std::string> SubjectString(const core::Subject& subject) const = 0;
  /// The bytes of keystore.p12: a slot as it stands in the Secret, under a password that
  /// x509::CheckPkcs12Password let through.
  virtual Result<SecretString> EncodeKeystore(std::string_view certificate, std::string_view key,
                                              std::string_view authority,
                                              const SecretString& password,
                                              const std::string& name) const = 0;
};

}  // namespace certpair::reconcile
