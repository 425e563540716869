// What we prove ourselves with, kept fresh while its files rotate. Private to kube.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "base/secret_string.hpp"
#include "kube/config.hpp"

namespace certpair::kube {

/// The TLS side, PEM. `certificate` and `key` are empty where a token is used.
struct TlsMaterial {
  std::string authority;
  std::string certificate;
  SecretString key;
  friend bool operator==(const TlsMaterial&, const TlsMaterial&) = default;
};

/// One consistent set, never changed after it was made. `tls` is the same object for as long as its
/// content is.
struct CredentialSet {
  std::shared_ptr<const TlsMaterial> tls;
  /// The same without our certificate and key, for requests with a token of a user: the API server
  /// would take our certificate for the user's.
  std::shared_ptr<const TlsMaterial> tls_of_users;
  SecretString token;                  ///< without white space at its ends; empty: none
  std::optional<sys_seconds> expires;  ///< of what a credential program gave
};

/// What one request is proved with: our own set, or with the token of a user nothing of ours.
struct Proof {
  std::shared_ptr<const CredentialSet> ours;
  std::shared_ptr<const Identity> identity;  ///< null: ours alone
  [[nodiscard]] bool IsOfUser() const { return identity && !identity->Token().empty(); }
  [[nodiscard]] const SecretString& Token() const {
    return IsOfUser() ? identity->Token() : ours->token;
  }
  [[nodiscard]] const std::shared_ptr<const TlsMaterial>& Tls() const {
    return IsOfUser() ? ours->tls_of_users : ours->tls;
  }
};

/// Whether TLS material can be used at all; asked before a new one replaces the old.
using TlsCheck = std::function<Result<void>(const TlsMaterial&)>;

/// Thread-safe. Holds the last good set: files that are missing, half written or do not match are
/// logged and looked at again later.
class Credentials {
 public:
  static constexpr std::chrono::seconds kLookInterval{10};

  /// Reads all sources once, and runs the credential program, if there is one. NotFound / Invalid /
  /// Unavailable with the field and the file.
  [[nodiscard]] static Result<std::unique_ptr<Credentials>> Load(ClusterConfig config,
                                                                 TlsCheck check,
                                                                 const Clock& clock);

  /// The set to use now; reads the files again if the last look is kLookInterval old, and runs the
  /// credential program again if what it gave has expired.
  [[nodiscard]] std::shared_ptr<const CredentialSet> Current();
  /// Reads the files and runs the program at once (the server refused us), but not more than once a
  /// second.
  [[nodiscard]] std::shared_ptr<const CredentialSet> Refresh();

 private:
  struct State {
    std::shared_ptr<const CredentialSet> set;
    std::chrono::steady_clock::time_point looked;
  };
  Credentials(ClusterConfig config, TlsCheck check, const Clock& clock);
  enum class Program { Keep, Run };  ///< what to do about a credential program
  [[nodiscard]] Result<std::shared_ptr<const CredentialSet>> Read(const CredentialSet* before,
                                                                  Program program) const;
  [[nodiscard]] std::shared_ptr<const CredentialSet> ReadIfOlder(std::chrono::seconds age,
                                                                 Program program);

  const ClusterConfig config_;
  const TlsCheck check_;
  const Clock& clock_;
  const bool from_files_;
  Guarded<State> state_;
};

}  // namespace certpair::kube
