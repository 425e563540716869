#include "reconcile/signing.hpp"

#include <utility>

#include <fmt/format.h>

#include "reconcile/authority_secret.hpp"
#include "reconcile/names.hpp"
#include "reconcile/pass_result.hpp"
#include "x509/certificate.hpp"
#include "x509/pkcs12.hpp"

namespace certpair::reconcile {
namespace {

// Whether it may pass, or a person must mend it.
ErrorCode CodeOf(kube::ApiErrorKind kind) {
  if (kind == kube::ApiErrorKind::Cancelled) return ErrorCode::Cancelled;
  return NeedsPerson(kind) ? ErrorCode::Invalid : ErrorCode::Unavailable;
}

bool IsLasting(ErrorCode code) {
  return code != ErrorCode::Cancelled && code != ErrorCode::Unavailable;
}

}  // namespace

SigningSource::SigningSource(const View& view, Cluster& cluster, const Clock& clock,
                             std::string home, std::size_t key_threads,
                             std::function<void(const std::string&)> ready)
    : view_(view),
      cluster_(cluster),
      clock_(clock),
      namespace_(std::move(home)),
      keys_(key_threads, std::move(ready), NamespaceOf) {}

Result<std::optional<x509::IssuedCertificate>> SigningSource::Make(
    const std::string& owner, const std::string& authority, const core::CertificateOrder& order) {
  const auto signer = SignerOf(authority);
  if (!signer) {
    // Until a person has mended the authority, a key in hand holds a place of its namespace that a
    // system of another authority can use.
    if (IsLasting(signer.error().code)) keys_.Forget(owner);
    return std::unexpected(signer.error());
  }
  // Before a key is made that nothing could be issued for.
  if (const auto good = (*signer)->CheckSubject(order.subject); !good)
    return std::unexpected(good.error());
  auto key = keys_.Take(owner, order.key, order.needed_by);
  if (!key) return std::unexpected(key.error());
  if (!*key) return std::nullopt;
  auto issued = (*signer)->Issue(order, **key);
  if (!issued) return std::unexpected(issued.error());
  return std::move(*issued);
}

Result<core::Certificate> SigningSource::ReadSlot(std::string_view certificate,
                                                  std::string_view key,
                                                  std::string_view authority) const {
  return x509::ReadSlot(certificate, key, authority);
}

Result<std::string> SigningSource::SubjectString(const core::Subject& subject) const {
  return x509::SubjectString(subject);
}

Result<SecretString> SigningSource::EncodeKeystore(std::string_view certificate,
                                                   std::string_view key, std::string_view authority,
                                                   const SecretString& password,
                                                   const std::string& name) const {
  return x509::EncodePkcs12(certificate, key, authority, password, name);
}

void SigningSource::Keep(const std::string& authority, const std::string& resource_version,
                         x509::Signer signer) {
  auto held = std::make_shared<const x509::Signer>(std::move(signer));
  signers_.Lock()->insert_or_assign(authority, Loaded{resource_version, std::move(held)});
}

void SigningSource::Drop(const std::string& authority) { signers_.Lock()->erase(authority); }

Result<std::shared_ptr<const x509::Signer>> SigningSource::SignerOf(const std::string& name) {
  const auto authority = view_.Authority(name);
  if (!authority)
    return Fail(ErrorCode::NotFound, fmt::format("CertificateAuthority {} does not exist", name));
  const std::string secret_name = authority->SecretName();
  const auto cached = view_.AuthoritySecret(secret_name);
  if (!cached)
    return Fail(ErrorCode::NotFound,
                fmt::format("Secret {}/{} does not exist", namespace_, secret_name));
  {
    auto signers = signers_.Lock();
    const auto found = signers->find(name);
    if (found != signers->end() &&
        HasReached(found->second.resource_version, cached->resource_version))
      return found->second.signer;
  }
  auto secret = cluster_.ReadSecret(namespace_, secret_name);
  if (!secret) return Fail(CodeOf(secret.error().kind), secret.error().message);
  AuthorityReading reading =
      ReadAuthoritySecret(*secret ? &**secret : nullptr, *authority, clock_.NowSeconds());
  if (!reading.signer)
    return Fail(ErrorCode::Invalid, fmt::format("Secret {}/{} cannot sign: {}", namespace_,
                                                secret_name, DescribeFault(reading.state)));
  auto held = std::make_shared<const x509::Signer>(std::move(*reading.signer));
  signers_.Lock()->insert_or_assign(name, Loaded{reading.resource_version, held});
  return held;
}

}  // namespace certpair::reconcile
