// The certificates above a leaf: put in order, and judged. Private to this folder.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "x509/authority.hpp"
#include "x509/certificate.hpp"

namespace certpair::x509 {

/// Whether `issuer` signed `certificate` and has the name that it gives for its issuer.
[[nodiscard]] bool IsIssuer(x509_st* issuer, x509_st* certificate);

[[nodiscard]] bool IsSelfSigned(x509_st* certificate);

/// The signing certificate first, then upwards as far as `certificate_pem` and `ca_pem` lead.
using Path = std::vector<CertificateHandle>;

/// Of certificates of one name and key (a CA that was renewed) the one that is valid at `now` is
/// taken, wherever it stands; a certificate that stands there twice counts once. Malformed, or
/// ChainBroken: a certificate of `certificate_pem` that did not sign the one before it, a `ca_pem`
/// that has nothing to do with it.
[[nodiscard]] std::expected<Path, AuthorityError> BuildPath(std::string_view certificate_pem,
                                                            std::string_view ca_pem,
                                                            sys_seconds now);

/// Whether both certificates have the same name and public key.
[[nodiscard]] bool AreTwins(x509_st* one, x509_st* other);

/// What keeps `path` from signing client certificates that peers accept at `now`.
[[nodiscard]] std::optional<AuthorityError> JudgePath(const Path& path, sys_seconds now);

}  // namespace certpair::x509
