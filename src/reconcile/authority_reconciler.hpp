// One pass over one CertificateAuthority: look at its Secret, decide, make a generated CA, tell.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "reconcile/authority_secret.hpp"
#include "reconcile/pass/memory.hpp"
#include "reconcile/pass_result.hpp"
#include "reconcile/ports.hpp"
#include "reconcile/signing.hpp"

namespace certpair::reconcile {

/// Thread-safe for different names.
class AuthorityReconciler {
 public:
  AuthorityReconciler(const View& view, Cluster& cluster, SigningSource& signing,
                      const Clock& clock, std::string home)
      : view_(view),
        cluster_(cluster),
        signing_(signing),
        clock_(clock),
        namespace_(std::move(home)) {}

  /// `owner` is the authority's key in the work queue: the pool of keys wakes it by that.
  PassResult Pass(const std::string& owner, const std::string& name);

 private:
  bool IsBehind(const StoredAuthority& authority);
  kube::ApiResult<AuthorityReading> Observe(const StoredAuthority& authority);
  std::optional<PassResult> Generate(const std::string& owner, const StoredAuthority& authority,
                                     const core::GenerateAuthority& request,
                                     AuthorityReading& reading);

  const View& view_;
  Cluster& cluster_;
  SigningSource& signing_;
  const Clock& clock_;
  const std::string namespace_;
  Guarded<std::unordered_map<std::string, OwnWrites>> writes_;  // by name
};

}  // namespace certpair::reconcile
