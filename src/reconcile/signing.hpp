// Certificates from the authorities' own keys: which signer belongs to which authority, and keys
// from the pool.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "reconcile/ports.hpp"
#include "x509/key_pool.hpp"

namespace certpair::reconcile {

/// Signs with the CA key of the authority's Secret, which it holds for as long as that Secret's
/// resourceVersion stays. Thread-safe.
class SigningSource final : public CertificateSource {
 public:
  /// `home` is the operator's own, where the CA Secrets are. `ready(owner)` is called when a
  /// key was made for it.
  SigningSource(const View& view, Cluster& cluster, const Clock& clock, std::string home,
                std::size_t key_threads, std::function<void(const std::string&)> ready);

  Result<std::optional<x509::IssuedCertificate>> Make(const std::string& owner,
                                                      const std::string& authority,
                                                      const core::CertificateOrder& order) override;
  void Forget(const std::string& owner) override { keys_.Forget(owner); }
  Result<core::Certificate> ReadSlot(std::string_view certificate, std::string_view key,
                                     std::string_view authority) const override;
  Result<std::string> SubjectString(const core::Subject& subject) const override;
  Result<SecretString> EncodeKeystore(std::string_view certificate, std::string_view key,
                                      std::string_view authority, const SecretString& password,
                                      const std::string& name) const override;

  /// For the authorities' own passes: the signer that was loaded from this version of the Secret.
  void Keep(const std::string& authority, const std::string& resource_version, x509::Signer signer);
  void Drop(const std::string& authority);
  [[nodiscard]] Result<std::optional<x509::PrivateKey>> TakeKey(const std::string& owner,
                                                                core::KeySpec spec) {
    // An authority without a key keeps all its systems waiting.
    return keys_.Take(owner, spec, clock_.NowSeconds());
  }
  /// Keys that no pass took, and those that are being made.
  void ForgetKeys() { keys_.ForgetAll(); }
  [[nodiscard]] std::size_t KeysWaiting() const { return keys_.Waiting(); }

 private:
  struct Loaded {
    std::string resource_version;
    std::shared_ptr<const x509::Signer> signer;
  };
  Result<std::shared_ptr<const x509::Signer>> SignerOf(const std::string& authority);

  const View& view_;
  Cluster& cluster_;
  const Clock& clock_;
  const std::string namespace_;
  Guarded<std::unordered_map<std::string, Loaded>> signers_;
  x509::KeyPool keys_;
};

}  // namespace certpair::reconcile
