// The validity period of certificates, in whole seconds of UTC. Private to this folder.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "x509/openssl.hpp"

namespace certpair::x509 {

/// UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). Invalid: the end is not
/// after the start, or a year outside of 1950 to 9999.
[[nodiscard]] Result<void> SetValidity(X509* certificate, sys_seconds not_before,
                                       sys_seconds not_after);

/// The epoch for a time that no calendar has.
[[nodiscard]] sys_seconds NotBefore(const X509* certificate);
[[nodiscard]] sys_seconds NotAfter(const X509* certificate);

}  // namespace certpair::x509
