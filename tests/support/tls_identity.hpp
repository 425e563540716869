// Server and client identities for TLS tests, made at run time with OpenSSL directly.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace certpair::test {

/// PEM texts of a certificate and its key (P-256).
struct TlsIdentity {
  std::string certificate;
  std::string key;
};

struct TlsSubject {
  std::string common_name = "api-server";
  std::string alt_names = "IP:127.0.0.1";  ///< as in openssl.cnf; empty: no SAN at all
  std::chrono::hours begins{-1};           ///< from now
  std::chrono::hours ends{1};
};

/// A CA with a key of its own. Not thread-safe.
class TlsAuthority {
 public:
  explicit TlsAuthority(const std::string& common_name = "test CA");
  ~TlsAuthority();
  TlsAuthority(const TlsAuthority&) = delete;
  TlsAuthority& operator=(const TlsAuthority&) = delete;

  [[nodiscard]] const std::string& Certificate() const { return certificate_; }
  [[nodiscard]] TlsIdentity Issue(const TlsSubject& subject = {});

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
  std::string certificate_;
};

/// The same key in PEM under a password (PKCS#8).
[[nodiscard]] std::string EncryptTlsKey(std::string_view key, const std::string& password);

}  // namespace certpair::test
