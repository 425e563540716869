// One pass over one ProvisioningSystem: observe, decide, learn what the decision depends on, write
// the Secret, report. Private to this folder and to SystemReconciler.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/decision.hpp"
#include "reconcile/pass/memory.hpp"
#include "reconcile/pass/pass_tools.hpp"
#include "reconcile/pass_result.hpp"
#include "reconcile/secret_reading.hpp"

namespace certpair::reconcile {

/// Lives for one pass, in one thread. What it learns of the future goes into `memory`.
class SystemPass {
 public:
  /// `system` as a cache shows it; all arguments outlive the pass.
  SystemPass(const PassTools& tools, const std::string& key, const StoredSystem& system,
             Memory& memory);

  PassResult Run();

 private:
  using Ended = std::optional<PassResult>;  // nothing: the pass goes on
  using ReadResult = kube::ApiResult<void>;

  // system_pass.cpp: the order of things.
  PassResult Look();
  PassResult ReportUnreadable();
  bool IsBehind();
  void Decide();
  Ended DecideFully();
  PassResult Finish();
  [[nodiscard]] PassResult LookAgainLater() const;

  // learn.cpp: what is read, and from where.
  ReadResult Observe();
  void ObserveSystem();
  void ObserveMail();
  ReadResult ObserveSecret();
  ReadResult ReadSecret();
  ReadResult ReadPassword();
  void TakeOver(SecretReading reading);
  Ended Learn(core::Need need);
  Ended LearnSecret();
  Ended LearnSystem();
  Ended LearnOperation();
  PassResult ReadFailed(const kube::ApiError& error);

  // write.cpp: the one write of the pair's Secret, and why it failed.
  Ended Change();
  Ended Issue(const core::CertificateOrder& order, std::optional<x509::IssuedCertificate>& issued);
  std::optional<SecretString> EncodeKeystore(const std::optional<x509::IssuedCertificate>& issued);
  kube::ApiResult<std::optional<Written>> Write(SecretDraft draft);
  kube::ApiResult<std::optional<Written>> WriteWithoutOwners(SecretDraft draft,
                                                             kube::ApiError refusal);
  Ended EnterWrite(const core::PlannedChange& plan,
                   const std::optional<x509::IssuedCertificate>& issued, const Written& written);
  PassResult WaitForKey();
  void ForgetUnwantedKey();
  PassResult ChangeFailed(const kube::ApiError& error);
  PassResult SigningFailed(const Error& error);
  PassResult Hindered(PassResult failure, bool by_signer);
  PassResult Refused(PassResult failure, bool by_signer);
  PassResult ReportFailure(PassResult failure);
  Ended Forgive();

  // report.cpp: verdicts, status, Events and mail.
  Ended Report();
  Ended FinishOperations();
  Ended WriteStatus();
  void RecordEvents(const std::string& verdict_uid);
  bool TakeBackMail();
  Ended PostMail();

  const PassTools& tools_;
  const std::string& key_;
  const StoredSystem& system_;
  Memory& memory_;

  std::string resource_version_;  // of the system: of our own write, once there is one
  core::Budget remembered_;       // by this process (R27)
  core::Observation seen_;
  core::Decision decided_;
  std::optional<LiveSecret> secret_;  // read live in this pass, and not written since
  std::shared_ptr<const SecretMetadata> described_;  // by the status, which can be believed
  SecretString password_;                            // of the key store, where it was read
  std::vector<std::shared_ptr<const StoredOperation>> operations_;
  std::vector<std::string> taken_back_;  // mails, in this pass
};

}  // namespace certpair::reconcile
