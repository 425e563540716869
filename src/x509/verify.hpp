// What a verifier says of a client certificate and the path above it (RFC 5280 §6). Private to this
// folder.
#pragma once

#include <string>
#include <vector>

#include <openssl/x509v3.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "x509/chain.hpp"
#include "x509/openssl.hpp"

namespace certpair::x509 {

template <>
void Deleter<X509_STORE>::operator()(X509_STORE* object) const noexcept;
template <>
void Deleter<NAME_CONSTRAINTS>::operator()(NAME_CONSTRAINTS* object) const noexcept;

/// Judges as a peer does that trusts the top of the path: signatures, critical extensions, name and
/// policy constraints, weak digests, the purpose of a TLS client. It is as strict as OpenSSL's
/// X509_V_FLAG_X509_STRICT, but for the form of CA certificates that all verifiers let pass, as
/// many CAs in use have it (no keyUsage, no key identifier, basicConstraints that are not
/// critical). Const use from several threads is safe.
class Verifier {
 public:
  /// Of the CA certificates in `path`, the signing one first.
  [[nodiscard]] static Result<Verifier> Of(const Path& path);

  /// At the time at which `leaf` begins. Invalid: why it would be refused.
  [[nodiscard]] Result<void> Check(x509_st* leaf) const;

  /// As Check of a leaf that has no more than an example's name: whether names are constrained does
  /// not count.
  [[nodiscard]] Result<void> CheckButForNames(x509_st* leaf) const;

  /// Whether the nameConstraints of the path let `subject` through, before there is a certificate
  /// of it. Invalid: which constraint does not.
  [[nodiscard]] Result<void> CheckName(const X509_NAME* subject) const;

 private:
  struct Constraint {
    Handle<NAME_CONSTRAINTS> names;
    std::string authority;  // whose certificate has it
    std::string text;
  };
  Verifier(Handle<X509_STORE> anchor, Handle<STACK_OF(X509)> others,
           std::vector<Constraint> constraints)
      : anchor_(std::move(anchor)),
        others_(std::move(others)),
        constraints_(std::move(constraints)) {}
  Result<void> Run(x509_st* leaf, bool names_count) const;

  Handle<X509_STORE> anchor_;
  Handle<STACK_OF(X509)> others_;
  std::vector<Constraint> constraints_;
};

/// The critical extensions of `certificate` that OpenSSL does not know, as dotted numbers.
[[nodiscard]] std::string UnknownCriticalExtensions(x509_st* certificate);

}  // namespace certpair::x509
