// A system, its authority and Secrets with real certificates.
#pragma once

#include <gtest/gtest.h>

#include "reconcile/authority_codec.hpp"
#include "reconcile/names.hpp"
#include "reconcile/secret_reading.hpp"
#include "support/certificates.hpp"
#include "x509/certificate.hpp"
#include "x509/pkcs12.hpp"

namespace certpair::reconcile {

/// Reads as production does; makes nothing.
class RealReader final : public CertificateSource {
 public:
  Result<std::optional<x509::IssuedCertificate>> Make(const std::string&, const std::string&,
                                                      const core::CertificateOrder&) override {
    return Fail(ErrorCode::Internal, "this test makes its own");
  }
  void Forget(const std::string&) override {}
  Result<core::Certificate> ReadSlot(std::string_view certificate, std::string_view key,
                                     std::string_view authority) const override {
    return x509::ReadSlot(certificate, key, authority);
  }
  Result<std::string> SubjectString(const core::Subject& subject) const override {
    return x509::SubjectString(subject);
  }
  Result<SecretString> EncodeKeystore(std::string_view certificate, std::string_view key,
                                      std::string_view authority, const SecretString& password,
                                      const std::string& name) const override {
    return x509::EncodePkcs12(certificate, key, authority, password, name);
  }
};

class PairTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (ca_ == nullptr) ca_ = new test::PemPair(test::MakeAuthority());
  }
  PairTest() {
    system.identity = {.uid = "u-1", .namespace_ = "idm", .name = "abap", .generation = 1};
    system.spec.authority = "ca";
    system.spec.subject.common_name = "abap";
    system.spec.secret.name = "abap-outbound";
    authority.name = "ca";
    authority.state = core::AuthorityView::State::Ready;
    authority.fingerprint = test::MakeSigner(*ca_).Facts().fingerprint;
  }

  static const test::PemPair& Ca() { return *ca_; }
  static x509::IssuedCertificate Issue(const std::string& common_name = "abap") {
    return test::MakeClient(Ca(), common_name);
  }
  static void Put(LiveSecret& secret, const SlotKeys& keys, const x509::IssuedCertificate& issued) {
    secret.data.insert_or_assign(std::string{keys.certificate},
                                 SecretString{issued.certificate_pem});
    secret.data.insert_or_assign(std::string{keys.key}, issued.key_pem.Clone());
    secret.data.insert_or_assign(std::string{keys.authority}, SecretString{issued.ca_pem});
  }
  static void Set(LiveSecret& secret, std::string_view key, std::string value) {
    secret.data.insert_or_assign(std::string{key}, SecretString{std::move(value)});
  }
  /// Ours, with all metadata as wanted, and nothing in it.
  [[nodiscard]] LiveSecret Empty() const {
    const WantedMetadata wanted = WantedMetadataOf(system, installation);
    LiveSecret secret;
    secret.type = "kubernetes.io/tls";
    secret.metadata = {.namespace_ = "idm",
                       .name = "abap-outbound",
                       .uid = "s-1",
                       .resource_version = "7",
                       .labels = wanted.labels,
                       .annotations = wanted.annotations};
    if (wanted.owner) secret.metadata.owners = {*wanted.owner};
    return secret;
  }
  /// Ours, with a pair in it, or an active certificate alone.
  [[nodiscard]] LiveSecret Full(bool with_inactive = true) const {
    LiveSecret secret = Empty();
    Put(secret, kActiveKeys, first);
    if (with_inactive) Put(secret, kInactiveKeys, second);
    return secret;
  }
  [[nodiscard]] SecretReading Read(const LiveSecret& secret) const {
    return ReadSecretInDepth(&secret, system, authority, installation, reader);
  }

  StoredSystem system;
  core::AuthorityView authority;
  core::Installation installation{.secret_metadata_allow = {"team", "stage", "example.com/*"}};
  RealReader reader;
  x509::IssuedCertificate first = Issue();
  x509::IssuedCertificate second = Issue();

 private:
  inline static test::PemPair* ca_ = nullptr;
};

}  // namespace certpair::reconcile
