#include "reconcile/authority_reconciler.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "reconcile/authority_secret.hpp"
#include "x509/certificate.hpp"

namespace certpair::reconcile {
namespace {

using Kind = PassResult::Kind;

constexpr seconds kLookAgain{2};

// Without it the Secret is read once, and the chain comes into the status with the write that the
// pass makes anyway: an operator before this one did not tell it.
bool TellsTheChain(const core::AuthorityStatus& status) {
  const auto signer = x509::FingerprintOf(status.chain);
  return signer && *signer == status.fingerprint;
}

// Whether the certificate that status tells of has the key of the one that was read.
bool HasKeyOfStatus(const core::AuthorityStatus& status, const core::CaSecretState& secret) {
  const auto* ca = std::get_if<core::CaUsable>(&secret);
  return ca != nullptr && TellsTheChain(status) && x509::HaveSameKey(status.chain, ca->chain);
}

// What status tells of the Secret, if status describes the very version that the cache shows.
std::optional<AuthorityReading> ReadByStatus(const StoredAuthority& authority,
                                             const SecretMetadata* cached) {
  if (cached == nullptr || authority.secret_resource_version.empty()) return std::nullopt;
  if (cached->resource_version != authority.secret_resource_version) return std::nullopt;
  // An operator before this one may have taken another authority's Secret for this one's.
  if (!WhyOfAnother(*cached, authority).empty()) return std::nullopt;
  const core::AuthorityStatus& status = authority.status;
  if (!status.not_after || !status.not_before || status.fingerprint.empty()) return std::nullopt;
  if (!TellsTheChain(status)) return std::nullopt;
  return AuthorityReading{.state = core::CaUsable{.subject = status.subject,
                                                  .fingerprint = status.fingerprint,
                                                  .not_before = *status.not_before,
                                                  .chain_end = *status.not_after,
                                                  .chain = status.chain},
                          .resource_version = cached->resource_version,
                          .signer = {}};
}

}  // namespace

PassResult AuthorityReconciler::Pass(const std::string& owner, const std::string& name) {
  const auto authority = view_.Authority(name);
  if (!authority) {
    signing_.Drop(name);
    signing_.Forget(owner);
    writes_.Lock()->erase(name);
    return {.kind = Kind::Gone};
  }
  if (IsBehind(*authority))
    return {.kind = Kind::Waiting, .wake_at = clock_.NowSeconds() + kLookAgain};
  auto reading = Observe(*authority);
  if (!reading) return FailedBy(reading.error());
  core::AuthorityObservation seen{
      .identity = authority->identity,
      .source = authority->source,
      .status = authority->status,
      .secret = reading->state,
      .has_key_of_status = HasKeyOfStatus(authority->status, reading->state),
      .now = clock_.NowSeconds()};
  core::AuthorityDecision decided = core::DecideAuthority(seen);
  if (decided.generate) {
    const auto ended = Generate(owner, *authority, *decided.generate, *reading);
    if (ended && ended->kind == Kind::Failed) {
      seen.write_failure = ended->error;
      decided = core::DecideAuthority(seen);
      const auto told = cluster_.WriteStatus(*authority, decided.status, "");
      if (told && *told) (*writes_.Lock())[name].WroteSystem((*told)->resource_version);
    }
    if (ended) return *ended;
    seen.secret = reading->state;
    decided = core::DecideAuthority(seen);
  } else {
    signing_.Forget(owner);  // a key that was asked for and is not wanted any more
  }
  const bool usable = std::holds_alternative<core::CaUsable>(reading->state);
  if (reading->signer)
    signing_.Keep(name, reading->resource_version, std::move(*reading->signer));
  else if (!usable)
    signing_.Drop(name);
  const auto written =
      cluster_.WriteStatus(*authority, decided.status, usable ? reading->resource_version : "");
  if (!written) {
    PassResult failed = FailedBy(written.error());
    failed.wake_at = decided.wake_at;
    return failed;
  }
  if (*written) (*writes_.Lock())[name].WroteSystem((*written)->resource_version);
  for (const core::AuthorityEvent& event : decided.events)
    cluster_.Tell(authority->identity, event);
  return {.kind = Kind::Settled, .wake_at = decided.wake_at};
}

// Our own write is not in the cache yet. What is written after the wait carries the version that
// the cache shows, so that it fails where that is the past.
bool AuthorityReconciler::IsBehind(const StoredAuthority& authority) {
  auto writes = writes_.Lock();
  OwnWrites& own = (*writes)[authority.identity.name];
  switch (own.Check(authority.resource_version, nullptr, clock_.Steady())) {
    case OwnWrites::Lag::None:
      return false;
    case OwnWrites::Lag::Behind:
      return true;
    case OwnWrites::Lag::TooLong:
      break;
  }
  own = {};
  log::Warn("the cache does not show a write of this operator: it is not waited for any more",
            {{"authority", authority.identity.name}});
  return false;
}

kube::ApiResult<AuthorityReading> AuthorityReconciler::Observe(const StoredAuthority& authority) {
  const auto cached = view_.AuthoritySecret(authority.SecretName());
  if (auto reading = ReadByStatus(authority, cached.get())) return std::move(*reading);
  auto secret = cluster_.ReadSecret(namespace_, authority.SecretName());
  if (!secret) return std::unexpected(secret.error());
  return ReadAuthoritySecret(*secret ? &**secret : nullptr, authority, clock_.NowSeconds());
}

// Makes the CA's key and certificate, and their Secret. Nothing: `reading` tells of what is there
// now.
std::optional<PassResult> AuthorityReconciler::Generate(const std::string& owner,
                                                        const StoredAuthority& authority,
                                                        const core::GenerateAuthority& request,
                                                        AuthorityReading& reading) {
  auto key = signing_.TakeKey(owner, request.key);
  if (!key)
    return PassResult{.kind = Kind::Failed, .error = key.error().message, .error_kind = "Key"};
  if (!*key)
    return PassResult{.kind = Kind::Waiting,
                      .wake_at = clock_.NowSeconds() + std::chrono::minutes{1}};
  const auto certificate = x509::MakeAuthorityCertificate(request, **key);
  if (!certificate)
    return PassResult{
        .kind = Kind::Failed, .error = certificate.error().message, .error_kind = "Signing"};
  SecretDraft draft = DraftOfAuthority(authority, namespace_, *certificate, (*key)->ToPem());
  const auto written = cluster_.CreateSecret(draft);
  if (!written) return FailedBy(written.error());
  log::Info("a certificate authority was made",
            {{"authority", authority.identity.name}, {"secret", draft.name}});
  // Read back rather than assumed: all certificates will hang on it.
  auto secret = cluster_.ReadSecret(namespace_, draft.name);
  if (!secret) return FailedBy(secret.error());
  reading = ReadAuthoritySecret(*secret ? &**secret : nullptr, authority, clock_.NowSeconds());
  return std::nullopt;
}

}  // namespace certpair::reconcile
