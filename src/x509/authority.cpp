#include "x509/authority.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "x509/chain.hpp"
#include "x509/name.hpp"
#include "x509/openssl.hpp"
#include "x509/profile.hpp"
#include "x509/validity.hpp"
#include "x509/verify.hpp"

namespace certpair::x509 {

// Everything of the CA that an issuance needs, ready made: reading it again for each would cost
// more than the signature.
struct Signer::Chain {
  Path path;
  Verifier verifier;
  PrivateKey key;
  std::string key_id;
  std::string intermediates_pem;
  std::string ca_pem;
  std::string fingerprint;
};

namespace {

std::unexpected<AuthorityError> Refuse(AuthorityFault fault, std::string message) {
  return std::unexpected(AuthorityError{fault, std::move(message)});
}

std::expected<PrivateKey, AuthorityError> ReadAuthorityKey(std::string_view pem) {
  auto key = ReadKey(pem, KeyUse::Authority);
  if (key) return std::move(*key);
  std::string message = "tls.key " + key.error().message;
  switch (key.error().fault) {
    case KeyFault::Encrypted:
      return Refuse(AuthorityFault::KeyEncrypted, std::move(message));
    case KeyFault::Unsupported:
      return Refuse(AuthorityFault::KeyUnsupported, std::move(message));
    case KeyFault::Malformed:
      break;
  }
  return Refuse(AuthorityFault::Malformed, std::move(message));
}

// Signs an example, with the CA's own key for the client's, and judges it as a peer would.
Result<void> CheckExample(const Verifier& verifier, X509* authority, const core::CaUsable& facts,
                          const PrivateKey& key, const std::string& key_id) {
  core::Subject subject;
  subject.common_name = "example";
  const auto name = EncodeName(subject);
  if (!name) return std::unexpected(name.error());
  const auto certificate = MakeBody({.subject = name->get(),
                                     .issuer = X509_get_subject_name(authority),
                                     .not_before = facts.not_before,
                                     .not_after = facts.chain_end,
                                     .key = key.get()});
  if (!certificate) return std::unexpected(certificate.error());
  X509* leaf = certificate->get();
  if (auto done = AddClientExtensions(leaf, core::KeyAlgorithm::Ecdsa, key_id); !done) return done;
  if (auto done = Sign(leaf, key.get()); !done) return done;
  return verifier.CheckButForNames(leaf);
}

bool Matches(const PrivateKey& key, X509* certificate) {
  EVP_PKEY* public_key = X509_get0_pubkey(certificate);
  return public_key != nullptr && EVP_PKEY_eq(public_key, key.get()) == 1 &&
         SignsFor(key.get(), public_key);
}

core::CaUsable FactsOf(const Path& path) {
  core::CaUsable facts{.subject = SubjectOf(path.front().get()),
                       .fingerprint = Fingerprint(path.front().get()),
                       .not_before = NotBefore(path.front().get()),
                       .chain_end = NotAfter(path.front().get()),
                       .chain = {}};
  for (const CertificateHandle& certificate : path) {
    facts.chain += ToPem(certificate.get());
    facts.not_before = std::max(facts.not_before, NotBefore(certificate.get()));
    facts.chain_end = std::min(facts.chain_end, NotAfter(certificate.get()));
  }
  return facts;
}

std::string IntermediatesOf(const Path& path) {
  std::string pem;
  for (const CertificateHandle& certificate : path) {
    if (!IsSelfSigned(certificate.get())) pem += ToPem(certificate.get());
  }
  return pem;
}

Result<void> CheckOrder(const core::CertificateOrder& order, const PrivateKey& key,
                        const core::CaUsable& facts) {
  if (key.Spec() != order.key) {
    return Fail(ErrorCode::Invalid, "the key is not of the algorithm and size that were ordered");
  }
  if (order.not_before < facts.not_before || order.not_after > facts.chain_end) {
    return Fail(ErrorCode::Invalid,
                fmt::format("the certificate would be valid outside of its CA's time, {} to {}",
                            FormatTime(facts.not_before), FormatTime(facts.chain_end)));
  }
  return {};
}

}  // namespace

std::string_view ToString(AuthorityFault fault) {
  switch (fault) {
    case AuthorityFault::Missing:
      return "Missing";
    case AuthorityFault::Malformed:
      return "Malformed";
    case AuthorityFault::KeyEncrypted:
      return "KeyEncrypted";
    case AuthorityFault::KeyUnsupported:
      return "KeyUnsupported";
    case AuthorityFault::KeyMismatch:
      return "KeyMismatch";
    case AuthorityFault::NotACertificateAuthority:
      return "NotACertificateAuthority";
    case AuthorityFault::ChainBroken:
      return "ChainBroken";
    case AuthorityFault::NotYetValid:
      return "NotYetValid";
    case AuthorityFault::Expired:
      return "Expired";
    case AuthorityFault::Unverifiable:
      return "Unverifiable";
  }
  return "Malformed";
}

std::expected<Signer, AuthorityError> Signer::Load(std::string_view certificate_pem,
                                                   std::string_view key_pem,
                                                   std::string_view ca_pem, sys_seconds now) {
  const ErrorQueue errors;
  if (certificate_pem.empty()) return Refuse(AuthorityFault::Missing, "tls.crt is empty or absent");
  if (key_pem.empty()) return Refuse(AuthorityFault::Missing, "tls.key is empty or absent");
  auto path = BuildPath(certificate_pem, ca_pem, now);
  if (!path) return std::unexpected(std::move(path.error()));
  auto key = ReadAuthorityKey(key_pem);
  if (!key) return std::unexpected(std::move(key.error()));
  X509* certificate = path->front().get();
  if (!Matches(*key, certificate)) {
    return Refuse(AuthorityFault::KeyMismatch,
                  fmt::format("tls.key is not the key of the first certificate in tls.crt, {}",
                              SubjectOf(certificate)));
  }
  if (auto fault = JudgePath(*path, now)) return std::unexpected(std::move(*fault));
  core::CaUsable facts = FactsOf(*path);
  auto verifier = Verifier::Of(*path);
  if (!verifier) return Refuse(AuthorityFault::Malformed, verifier.error().message);
  const std::string key_id = KeyIdentifier(certificate);
  if (auto good = CheckExample(*verifier, certificate, facts, *key, key_id); !good) {
    return Refuse(AuthorityFault::Unverifiable,
                  fmt::format("what this CA signs cannot be used: {}", good.error().message));
  }
  auto chain = std::make_shared<Chain>(Chain{.path = {},
                                             .verifier = std::move(*verifier),
                                             .key = std::move(*key),
                                             .key_id = key_id,
                                             .intermediates_pem = IntermediatesOf(*path),
                                             .ca_pem = ToPem(path->back().get()),
                                             .fingerprint = facts.fingerprint});
  chain->path = std::move(*path);
  return Signer{std::move(chain), std::move(facts)};
}

Result<IssuedCertificate> Signer::Issue(const core::CertificateOrder& order,
                                        const PrivateKey& key) const {
  const ErrorQueue errors;
  if (auto good = CheckOrder(order, key, facts_); !good) return std::unexpected(good.error());
  const auto subject = EncodeName(order.subject);
  if (!subject) return std::unexpected(subject.error());
  const auto certificate = MakeBody({.subject = subject->get(),
                                     .issuer = X509_get_subject_name(chain_->path.front().get()),
                                     .not_before = order.not_before,
                                     .not_after = order.not_after,
                                     .key = key.get()});
  if (!certificate) return std::unexpected(certificate.error());
  X509* leaf = certificate->get();
  if (auto done = AddClientExtensions(leaf, order.key.algorithm, chain_->key_id); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto done = Sign(leaf, chain_->key.get()); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto good = chain_->verifier.Check(leaf); !good) {
    return std::unexpected(std::move(good.error()));
  }
  IssuedCertificate issued{.certificate_pem = {},
                           .key_pem = key.ToPem(),
                           .ca_pem = chain_->ca_pem,
                           .details = Describe(leaf)};
  issued.details.pem = ToPem(leaf);
  issued.details.issuer_fingerprint = chain_->fingerprint;
  issued.certificate_pem = issued.details.pem + chain_->intermediates_pem;
  if (issued.key_pem.empty() || issued.details.pem.empty()) {
    return Fail(ErrorCode::Internal, "OpenSSL failed to encode a new certificate or its key");
  }
  return issued;
}

Result<void> Signer::CheckSubject(const core::Subject& subject) const {
  const ErrorQueue errors;
  const auto name = EncodeName(subject);
  if (!name) return std::unexpected(name.error());
  return chain_->verifier.CheckName(name->get());
}

Result<std::string> MakeAuthorityCertificate(const core::GenerateAuthority& request,
                                             const PrivateKey& key) {
  const ErrorQueue errors;
  if (key.Spec() != request.key) {
    return Fail(ErrorCode::Invalid, "the key is not of the algorithm and size that were asked for");
  }
  core::Subject subject;
  subject.common_name = request.common_name;
  const auto name = EncodeName(subject);
  if (!name) return std::unexpected(name.error());
  const auto certificate = MakeBody({.subject = name->get(),
                                     .issuer = name->get(),
                                     .not_before = request.not_before,
                                     .not_after = request.not_after,
                                     .key = key.get()});
  if (!certificate) return std::unexpected(certificate.error());
  X509* authority = certificate->get();
  if (auto done = AddAuthorityExtensions(authority); !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto done = Sign(authority, key.get()); !done)
    return std::unexpected(std::move(done.error()));
  return ToPem(authority);
}

}  // namespace certpair::x509
