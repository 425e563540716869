// Who a request is made as, where it is not made with the transport's own credentials: one
// transport serves many users.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret_string.hpp"

namespace certpair::kube {

/// Whom to act as (Kubernetes: authentication, "User impersonation"). An empty `user` is no one.
struct Impersonation {
  std::string user;
  std::string uid;
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::string>> extra;
};

/// One value for each name; it may hold further whole lines of the same header.
using Headers = std::map<std::string, std::string>;

/// What each request carries; empty without impersonation. Invalid: a value that is empty or
/// has control characters, which would begin a header of its own. Pure.
[[nodiscard]] Result<Headers> ImpersonationHeaders(const Impersonation& who);

/// Immutable, thread-safe. The token has no way into a log or an error: the transport reads it, and
/// Client removes it from what a server says.
class Identity {
 public:
  /// The bearer of `token` alone: neither the transport's token nor its client
  /// certificate nor its impersonation is used. Invalid: a text that no bearer token can be
  /// (RFC 6750 section 2.1); the message does not quote it.
  [[nodiscard]] static Result<std::shared_ptr<const Identity>> OfToken(SecretString token);
  /// Another user, with the transport's own credentials, which need the right to impersonate.
  /// Takes the place of the transport's own impersonation. Invalid: as ImpersonationHeaders, or
  /// there is no user.
  [[nodiscard]] static Result<std::shared_ptr<const Identity>> Of(const Impersonation& who);

  /// Empty: the transport's own credentials.
  [[nodiscard]] const SecretString& Token() const { return token_; }
  [[nodiscard]] const Headers& ImpersonationLines() const { return headers_; }

 private:
  Identity(SecretString token, Headers headers)
      : token_(std::move(token)), headers_(std::move(headers)) {}

  const SecretString token_;
  const Headers headers_;
};

}  // namespace certpair::kube
