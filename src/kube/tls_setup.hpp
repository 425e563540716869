// OpenSSL as we want it for a connection to the API server: our CA alone, the name checked by
// OpenSSL itself. Private to kube; includes Boost.Asio, so keep it out of other headers.
#pragma once

#include <atomic>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/result.hpp"
#include "kube/credentials.hpp"

namespace certpair::kube {

/// What a connection must prove, and what was wrong with the last one that did not. Outlives the
/// contexts set up with it. Thread-safe.
struct TlsExpectation {
  std::string name;  ///< host name or IPv4 address in the server's certificate
  bool verify = true;
  std::atomic<int> last_failure{0};  ///< X509_V_ERR_…; 0: none yet
};

/// Drops whatever trust store `context` has, trusts `material.authority` (any certificate of it may
/// be the end of a chain, as in Go), loads our certificate and key, and checks the server's name by
/// its SANs only (RFC 9525: the CN does not count). Sends SNI for names, never for addresses.
/// Invalid, with the kubeconfig field, for PEM that does not parse or a key that does not match.
[[nodiscard]] Result<void> SetUpTls(boost::asio::ssl::context& context, const TlsMaterial& material,
                                    TlsExpectation& expectation);

/// SetUpTls on a context of its own, thrown away after.
[[nodiscard]] Result<void> CheckTls(const TlsMaterial& material, TlsExpectation& expectation);

/// Words for the X509_V_ERR_… code of a certificate, and for the packed error of a handshake.
[[nodiscard]] std::string DescribeVerifyFailure(int code);
[[nodiscard]] std::string DescribeTlsError(unsigned long code);

}  // namespace certpair::kube
