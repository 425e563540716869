#include "x509/chain.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "base/time_format.hpp"
#include "x509/openssl.hpp"
#include "x509/public_key.hpp"
#include "x509/validity.hpp"
#include "x509/verify.hpp"

namespace certpair::x509 {
namespace {

using Verdict = std::optional<AuthorityError>;

AuthorityError Fault(AuthorityFault fault, std::string message) {
  return {.fault = fault, .message = std::move(message)};
}

std::string NameOf(const CertificateHandle& certificate) {
  return fmt::format("the certificate {}", SubjectOf(certificate.get()));
}

std::expected<Path, AuthorityError> Read(std::string_view pem, const char* field,
                                         std::size_t most) {
  auto certificates = ParseCertificates(pem, most);
  if (certificates) return std::move(*certificates);
  return std::unexpected(
      Fault(AuthorityFault::Malformed, fmt::format("{} {}", field, certificates.error().message)));
}

bool Holds(const std::vector<X509*>& certificates, X509* certificate) {
  return std::ranges::any_of(certificates, [&](X509* one) { return AreTwins(one, certificate); });
}

// Each certificate of tls.crt but the first signed the one before it. One that comes again, or in a
// renewed form, stands for the same link.
Verdict JudgeOrder(const Path& path) {
  std::vector<X509*> links;
  for (std::size_t i = 0; i < path.size(); ++i) {
    X509* certificate = path[i].get();
    if (Holds(links, certificate)) continue;
    if (!links.empty() && !IsIssuer(certificate, links.back())) {
      return Fault(AuthorityFault::ChainBroken,
                   fmt::format("tls.crt is not a chain: certificate {} ({}) did not sign the one "
                               "before it ({})",
                               i + 1, SubjectOf(certificate), SubjectOf(links.back())));
    }
    links.push_back(certificate);
  }
  return std::nullopt;
}

bool Leads(const Path& path, X509* certificate) {
  return std::ranges::any_of(path, [&](const CertificateHandle& member) {
    return X509_cmp(member.get(), certificate) == 0 || IsIssuer(certificate, member.get());
  });
}

bool IsValidAt(X509* certificate, sys_seconds now) {
  return NotBefore(certificate) <= now && now <= NotAfter(certificate);
}

// The best of `candidates` that `fits`: one that is valid, wherever it stands; then the first of
// tls.crt (`own` certificates come from there), where the order is the owner's; then, of ca.crt,
// the one that ends last.
X509* Best(const std::vector<X509*>& candidates, std::size_t own, sys_seconds now,
           const auto& fits) {
  X509* best = nullptr;
  bool best_is_own = false;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    X509* candidate = candidates[i];
    if (!fits(candidate)) continue;
    const bool valid = IsValidAt(candidate, now);
    const bool better =
        best == nullptr || (valid && !IsValidAt(best, now)) ||
        (valid == IsValidAt(best, now) && !best_is_own && NotAfter(candidate) > NotAfter(best));
    if (!better) continue;
    best = candidate;
    best_is_own = i < own;
  }
  return best;
}

// From the first certificate upwards, through all that is given.
Path Climb(const Path& own, const Path& given, sys_seconds now) {
  std::vector<X509*> all;
  for (const Path* part : {&own, &given}) {
    for (const CertificateHandle& certificate : *part) all.push_back(certificate.get());
  }
  std::vector<X509*> path;
  X509* first = own.front().get();
  X509* next = Best({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(own.size())},
                    own.size(), now, [&](X509* one) { return AreTwins(one, first); });
  while (next != nullptr && path.size() < kMaxChain) {
    path.push_back(next);
    if (IsSelfSigned(next)) break;
    next = Best(all, own.size(), now,
                [&](X509* one) { return !Holds(path, one) && IsIssuer(one, path.back()); });
  }
  Path climbed;
  for (X509* certificate : path) {
    X509_up_ref(certificate);
    climbed.emplace_back(certificate);
  }
  return climbed;
}

Verdict JudgeAuthority(const CertificateHandle& certificate) {
  const std::uint32_t flags = X509_get_extension_flags(certificate.get());
  if ((flags & EXFLAG_INVALID) != 0) {
    return Fault(AuthorityFault::Malformed,
                 NameOf(certificate) + " has extensions that are broken");
  }
  if (X509_NAME_entry_count(X509_get_subject_name(certificate.get())) == 0) {
    return Fault(
        AuthorityFault::Unverifiable,
        fmt::format("the CA certificate {} has an empty subject, and verifiers refuse what "
                    "it signs",
                    Fingerprint(certificate.get())));
  }
  if ((flags & EXFLAG_CRITICAL) != 0) {
    return Fault(
        AuthorityFault::Unverifiable,
        fmt::format("{} has a critical extension that verifiers do not know ({}), and they "
                    "refuse what it signs",
                    NameOf(certificate), UnknownCriticalExtensions(certificate.get())));
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

bool AreTwins(X509* one, X509* other) {
  const EVP_PKEY* key = X509_get0_pubkey(one);
  const EVP_PKEY* other_key = X509_get0_pubkey(other);
  return key != nullptr && other_key != nullptr &&
         X509_NAME_cmp(X509_get_subject_name(one), X509_get_subject_name(other)) == 0 &&
         EVP_PKEY_eq(key, other_key) == 1;
}

std::expected<Path, AuthorityError> BuildPath(std::string_view certificate_pem,
                                              std::string_view ca_pem, sys_seconds now) {
  auto own = Read(certificate_pem, "tls.crt", kMaxChain);
  if (!own) return own;
  if (auto fault = JudgeOrder(*own)) return std::unexpected(std::move(*fault));
  if (ca_pem.empty()) return Climb(*own, {}, now);
  const auto given = Read(ca_pem, "ca.crt", kMaxBundle);
  if (!given) return std::unexpected(given.error());
  const bool is_related = std::ranges::any_of(
      *given, [&](const CertificateHandle& certificate) { return Leads(*own, certificate.get()); });
  if (!is_related) {
    return std::unexpected(Fault(
        AuthorityFault::ChainBroken,
        fmt::format("ca.crt holds no certificate that signed {}", SubjectOf(own->back().get()))));
  }
  return Climb(*own, *given, now);
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
