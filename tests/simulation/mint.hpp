// Certificates without cryptography: a number each. `cert:17` is certificate 17, `key:17` its key,
// `ca:3` the CA certificate that signed it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "reconcile/ports.hpp"

namespace certpair::sim {

/// What an authority signs with.
struct Ca {
  int number = 0;
  sys_seconds not_before;
  sys_seconds chain_end;
  bool signs = true;
};

/// The source of certificates of the simulated world. Not thread-safe.
class Mint final : public reconcile::CertificateSource {
 public:
  explicit Mint(const Clock& clock) : clock_(clock) {}

  /// A new CA key for an authority.
  Ca& Open(const std::string& authority, sys_seconds not_before, sys_seconds chain_end);
  [[nodiscard]] Ca* Find(const std::string& authority);
  [[nodiscard]] static std::string CaFingerprint(int number);

  /// What keeps every certificate from being made.
  std::optional<Error> trouble;
  /// How long the next key takes; without it, none takes any time.
  std::function<std::chrono::milliseconds()> key_delay;
  /// Called when a key that takes time was ordered, with its owner and that time.
  std::function<void(const std::string& owner, std::chrono::milliseconds in)> key_ordered;
  /// In place of both: takes the key of an owner, or says that it is not there yet.
  std::function<bool(const std::string& owner, const core::CertificateOrder& order)> key_is_there;
  std::function<void(const std::string& owner)> key_unwanted;
  /// A crash: keys that were being made are gone.
  void ForgetAll() { pending_.clear(); }
  /// Keys that were ordered and not taken.
  [[nodiscard]] std::size_t Pending() const { return pending_.size(); }
  [[nodiscard]] std::size_t Made() const { return certificates_.size(); }
  /// The certificate of this text, or null.
  [[nodiscard]] const core::Certificate* Known(std::string_view pem) const;
  /// The certificate of a slot, if key and CA are its own; else null.
  [[nodiscard]] const core::Certificate* Intact(std::string_view certificate, std::string_view key,
                                                std::string_view ca) const;

  Result<std::optional<x509::IssuedCertificate>> Make(const std::string& owner,
                                                      const std::string& authority,
                                                      const core::CertificateOrder& order) override;
  void Forget(const std::string& owner) override {
    pending_.erase(owner);
    if (key_unwanted) key_unwanted(owner);
  }
  Result<core::Certificate> ReadSlot(std::string_view certificate, std::string_view key,
                                     std::string_view authority) const override;
  Result<std::string> SubjectString(const core::Subject& subject) const override;
  /// What a key store of this certificate begins with.
  [[nodiscard]] static std::string KeystorePrefix(std::string_view certificate);
  /// `p12:17:PASSWORD` of `cert:17`; fails where the slot is not intact.
  Result<SecretString> EncodeKeystore(std::string_view certificate, std::string_view key,
                                      std::string_view authority, const SecretString& password,
                                      const std::string& name) const override;

 private:
  struct Entry {
    core::Certificate details;
    int ca = 0;
  };
  [[nodiscard]] const Entry* EntryOf(std::optional<std::size_t> number) const;

  const Clock& clock_;
  std::deque<Entry> certificates_;
  std::map<std::string, Ca> authorities_;
  int next_ca_ = 1;
  std::unordered_map<std::string, std::chrono::steady_clock::time_point> pending_;
};

}  // namespace certpair::sim
