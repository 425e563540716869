#include "x509/chain.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "base/time_format.hpp"
#include "x509/openssl.hpp"
#include "x509/public_key.hpp"
#include "x509/validity.hpp"

namespace certpair::x509 {
namespace {

using Verdict = std::optional<AuthorityError>;

AuthorityError Fault(AuthorityFault fault, std::string message) {
  return {.fault = fault, .message = std::move(message)};
}

std::string NameOf(const CertificateHandle& certificate) {
  return fmt::format("the certificate {}", SubjectOf(certificate.get()));
}

std::expected<Path, AuthorityError> Read(std::string_view pem, const char* field) {
  auto certificates = ParseCertificates(pem);
  if (certificates) return std::move(*certificates);
  return std::unexpected(
      Fault(AuthorityFault::Malformed, fmt::format("{} {}", field, certificates.error().message)));
}

Verdict JudgeOrder(const Path& path) {
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (IsIssuer(path[i].get(), path[i - 1].get())) continue;
    return Fault(AuthorityFault::ChainBroken,
                 fmt::format("tls.crt is not a chain: certificate {} ({}) did not sign the one "
                             "before it ({})",
                             i + 1, SubjectOf(path[i].get()), SubjectOf(path[i - 1].get())));
  }
  return std::nullopt;
}

bool Leads(const Path& path, X509* certificate) {
  return std::ranges::any_of(path, [&](const CertificateHandle& member) {
    return X509_cmp(member.get(), certificate) == 0 || IsIssuer(certificate, member.get());
  });
}

// Moves the issuers of the top out of `given` onto the path, as far as they go.
void Extend(Path& path, Path& given) {
  while (path.size() < kMaxChain && !IsSelfSigned(path.back().get())) {
    const auto issuer = std::ranges::find_if(given, [&](const CertificateHandle& candidate) {
      return IsIssuer(candidate.get(), path.back().get());
    });
    if (issuer == given.end()) return;
    path.push_back(std::move(*issuer));
    given.erase(issuer);
  }
}

Verdict JudgeAuthority(const CertificateHandle& certificate) {
  const std::uint32_t flags = X509_get_extension_flags(certificate.get());
  if ((flags & EXFLAG_INVALID) != 0) {
    return Fault(AuthorityFault::Malformed,
                 NameOf(certificate) + " has extensions that are broken");
  }
  if ((flags & EXFLAG_CA) == 0) {
    return Fault(AuthorityFault::NotACertificateAuthority,
                 NameOf(certificate) + " is not a CA's: its basicConstraints lack CA:TRUE");
  }
  // Absent extensions restrict nothing, and then all bits are set.
  if ((X509_get_key_usage(certificate.get()) & X509v3_KU_KEY_CERT_SIGN) == 0) {
    return Fault(
        AuthorityFault::NotACertificateAuthority,
        NameOf(certificate) + " may not sign certificates: its keyUsage lacks keyCertSign");
  }
  if ((X509_get_extended_key_usage(certificate.get()) & (XKU_SSL_CLIENT | XKU_ANYEKU)) == 0) {
    return Fault(AuthorityFault::NotACertificateAuthority,
                 NameOf(certificate) +
                     " may not sign client certificates: its extendedKeyUsage lacks clientAuth");
  }
  return std::nullopt;
}

Verdict JudgeKey(const CertificateHandle& certificate) {
  const auto spec = SpecOfCertificate(certificate.get());
  if (spec && (spec->algorithm != core::KeyAlgorithm::Rsa || spec->size >= 2048)) {
    return std::nullopt;
  }
  return Fault(AuthorityFault::KeyUnsupported,
               NameOf(certificate) +
                   " has a key that peers refuse: use RSA of 2048 bits or more, "
                   "ECDSA P-256, P-384 or P-521, or Ed25519");
}

Verdict JudgeTime(const CertificateHandle& certificate, sys_seconds now) {
  const sys_seconds start = NotBefore(certificate.get());
  const sys_seconds end = NotAfter(certificate.get());
  if (now < start) {
    auto fault =
        Fault(AuthorityFault::NotYetValid,
              fmt::format("{} is valid from {} on", NameOf(certificate), FormatTime(start)));
    fault.usable_from = start;
    return fault;
  }
  if (now <= end) return std::nullopt;
  return Fault(AuthorityFault::Expired,
               fmt::format("{} expired at {}", NameOf(certificate), FormatTime(end)));
}

// RFC 5280 §4.2.1.9: how many CA certificates that are not self-issued may follow below.
Verdict JudgeLengths(const Path& path) {
  long below = 0;
  for (const CertificateHandle& certificate : path) {
    const long limit = X509_get_pathlen(certificate.get());
    if (limit >= 0 && limit < below) {
      return Fault(AuthorityFault::ChainBroken,
                   fmt::format("{} allows {} CA certificates below it, and there are {}",
                               NameOf(certificate), limit, below));
    }
    if ((X509_get_extension_flags(certificate.get()) & EXFLAG_SI) == 0) ++below;
  }
  return std::nullopt;
}

}  // namespace

bool IsIssuer(X509* issuer, X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(issuer);
  return key != nullptr &&
         X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(certificate)) == 0 &&
         X509_verify(certificate, key) == 1;
}

bool IsSelfSigned(X509* certificate) { return IsIssuer(certificate, certificate); }

std::expected<Path, AuthorityError> BuildPath(std::string_view certificate_pem,
                                              std::string_view ca_pem) {
  auto path = Read(certificate_pem, "tls.crt");
  if (!path) return path;
  if (auto fault = JudgeOrder(*path)) return std::unexpected(std::move(*fault));
  if (ca_pem.empty()) return path;
  auto given = Read(ca_pem, "ca.crt");
  if (!given) return given;
  const bool is_related = std::ranges::any_of(*given, [&](const CertificateHandle& certificate) {
    return Leads(*path, certificate.get());
  });
  if (!is_related) {
    return std::unexpected(Fault(
        AuthorityFault::ChainBroken,
        fmt::format("ca.crt holds no certificate that signed {}", SubjectOf(path->back().get()))));
  }
  Extend(*path, *given);
  return path;
}

Verdict JudgePath(const Path& path, sys_seconds now) {
  for (const CertificateHandle& certificate : path) {
    if (auto fault = JudgeAuthority(certificate)) return fault;
    if (auto fault = JudgeKey(certificate)) return fault;
  }
  if (auto fault = JudgeLengths(path)) return fault;
  for (const CertificateHandle& certificate : path) {
    if (auto fault = JudgeTime(certificate, now)) return fault;
  }
  return std::nullopt;
}

}  // namespace certpair::x509
