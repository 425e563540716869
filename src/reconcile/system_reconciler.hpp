// One pass over one ProvisioningSystem: Observe, Decide, Apply.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "core/decision.hpp"
#include "notify/postbox.hpp"
#include "reconcile/pass_result.hpp"
#include "reconcile/ports.hpp"
#include "reconcile/secret_reading.hpp"

namespace certpair::reconcile {

/// What passes tell the metrics.
struct PassObserver {
  std::function<void(std::string_view reason)> issued;
  /// What became of a mail, once the ledger holds it.
  std::function<void(core::NoticeOutcome::Kind outcome)> notified;
};

/// Thread-safe for different keys; one key is worked on by one thread at a time (the work queue
/// sees to that).
class SystemReconciler {
 public:
  /// Each Secret is read and checked in depth every `check_in_depth_every` (positive), whatever
  /// status says, at a time of the day that hangs on the system's UID. `postbox` null: mail is not
  /// configured.
  SystemReconciler(const View& view, Cluster& cluster, CertificateSource& certificates,
                   const Clock& clock, core::Installation installation, PassObserver observer = {},
                   seconds check_in_depth_every = std::chrono::hours{24},
                   notify::Postbox* postbox = nullptr);

  PassResult Pass(const std::string& key);

  /// Begins as after a restart: whatever was remembered may be another's past by now.
  void ForgetAll() { memories_.Lock()->clear(); }

  /// Takes note of a cache's news. Whether it is only the echo of our own write, for which no pass
  /// is waiting: it needs no pass then.
  [[nodiscard]] bool IsEcho(const std::string& key, const std::string& resource_version);

 private:
  // What is remembered of a key between passes. All of it can be lost: a restart only reads a
  // little more.
  struct Memory {
    std::uint64_t believed_status = 0;  // digest of the status that we wrote, or found at the start
    bool believes = false;
    std::string system_version;  // of our last writes: the caches must reach them
    std::string secret_version;
    std::optional<std::chrono::steady_clock::time_point> behind_since;
    // The pool makes a key, or holds one, that no pass has taken yet.
    std::optional<std::chrono::steady_clock::time_point> key_wanted_since;
    bool read_live = false;       // the next pass must not trust status or cache
    bool wrote_status = false;    // this process wrote the status, and nobody has since
    std::string write_failure;    // of the last attempt to write the Secret
    bool signing_failed = false;  // the authority did not sign what was to be written
    std::optional<sys_seconds> write_fails_since;  // for reasons that may pass by themselves
    std::string owner_refusal;  // why the Secret's owners could not be changed, and when
    sys_seconds owner_refused_at;
    std::string uid;                               // of the system whose issuances are remembered
    std::vector<sys_seconds> automatic_issuances;  // R27: also where Secret and status lost them
    sys_seconds depth_check_at;  // when the Secret is read in depth, whatever the status says
  };
  struct Look;  // what one pass sees and decides
  using ReadResult = kube::ApiResult<void>;

  PassResult PassOver(const std::string& key, const StoredSystem& system, Memory& memory);
  PassResult LookAt(const std::string& key, Look& look, Memory& memory);
  PassResult PassOverUnreadable(const std::string& key, Look& look, Memory& memory);
  PassResult PassWithout(const std::string& key);
  bool IsBehind(const std::string& key, const StoredSystem& system, Memory& memory) const;
  void ObserveMail(const std::string& key, Look& look) const;
  ReadResult Observe(const std::string& key, Look& look, Memory& memory, bool live) const;
  ReadResult ReadLive(Look& look) const;
  sys_seconds NextCheckInDepth(const std::string& uid, sys_seconds now) const;
  ReadResult ReadPassword(Look& look) const;
  ReadResult DecideOnPassword(Look& look) const;
  std::optional<SecretString> EncodeKeystore(
      const std::string& key, Look& look,
      const std::optional<x509::IssuedCertificate>& issued) const;
  void TakeBack(const std::string& key, Look& look) const;
  ReadResult DecideOnMail(const std::string& key, Look& look, Memory& memory);
  std::optional<PassResult> ConfirmBeforeChange(const std::string& key, Look& look, Memory& memory);
  std::optional<PassResult> Change(const std::string& key, Look& look, Memory& memory);
  kube::ApiResult<std::optional<Written>> Write(Look& look, Memory& memory, SecretDraft draft);
  void ForgetUnwantedKey(const std::string& key, const Look& look, Memory& memory);
  PassResult WaitForKey(const std::string& key, Look& look, Memory& memory);
  PassResult Refused(const std::string& key, PassResult failure, Look& look, Memory& memory);
  PassResult ChangeFailed(const std::string& key, const kube::ApiError& error, Look& look,
                          Memory& memory);
  PassResult SigningFailed(const std::string& key, const Error& error, Look& look, Memory& memory);
  PassResult Hindered(const std::string& key, PassResult failure, Look& look, Memory& memory);
  void TellEvents(const Look& look, const std::string& verdict_uid);
  PassResult TellFailure(const std::string& key, PassResult failure, Look& look, Memory& memory);
  static void Forgive(Look& look, Memory& memory);
  PassResult ReadFailed(const std::string& key, const kube::ApiError& error, Look& look,
                        Memory& memory);
  std::optional<PassResult> Tell(const std::string& key, Look& look, Memory& memory);
  std::optional<PassResult> Post(const std::string& key, Look& look, const Memory& memory);
  PassResult Finish(Look& look, Memory& memory) const;

  const View& view_;
  Cluster& cluster_;
  CertificateSource& certificates_;
  const Clock& clock_;
  const core::Installation installation_;
  const PassObserver observer_;
  const seconds check_in_depth_every_;
  notify::Postbox* const postbox_;
  Guarded<std::unordered_map<std::string, Memory>> memories_;
};

}  // namespace certpair::reconcile
