// What the operator counts and measures, for Prometheus. Names begin with `certpair_`.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace certpair::metrics {

/// When the certificates of one system end.
struct CertificateTimes {
  sys_seconds active_not_after;
  std::optional<sys_seconds> inactive_not_after;
  friend bool operator==(const CertificateTimes&, const CertificateTimes&) = default;
};

/// Thread-safe; each call takes a lock for a moment, and counting allocates only when a combination
/// of labels is new. No call fails. Labels come from small sets; where one grows beyond
/// `kMaxChildren` combinations, the rest are counted together as `other`.
class Metrics {
 public:
  static constexpr std::size_t kMaxChildren = 500;
  /// Series of certpair_certificate_seconds_to_expiry; beyond it those that expire last are left
  /// out, and certpair_certificate_series_dropped says how many.
  static constexpr std::size_t kMaxExpirySeries = 10'000;
  /// Systems whose certificates are known here; what is said of more only counts in
  /// certpair_certificate_updates_dropped_total.
  static constexpr std::size_t kMaxSystems = 100'000;

  static constexpr std::array<std::string_view, 5> kNotificationOutcomes{
      "sent", "refused", "delayed", "given-up", "dropped"};

  /// `clock` gives the time of a scrape, and must live longer.
  explicit Metrics(const Clock& clock);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// certpair_reconciles_total{kind,result} and certpair_reconcile_duration_seconds{kind}: one
  /// pass over an object of `kind` (`ProvisioningSystem`, `CertificateAuthority`) ended with
  /// `result` (`settled`, `waiting`, `gone`, `failed`).
  void CountReconcile(std::string_view kind, std::string_view result,
                      std::chrono::nanoseconds took);
  /// certpair_errors_total{kind}: a pass failed, by why (`Signing`, `Conflict`, `Timeout`, …).
  void CountError(std::string_view kind);
  /// The series of these kinds are there from now on, at 0 where none was counted.
  void ExpectErrors(std::span<const std::string_view> kinds);
  /// certpair_work_queue_depth{queue}: keys (`reconcile`) or mails (`mail`) that are due now.
  void SetQueueDepth(std::string_view queue, std::size_t depth);
  /// certpair_api_requests_total{verb,resource,code} and
  /// certpair_api_request_duration_seconds{verb,resource}. `verb` is GET, LIST,
  /// WATCH, CREATE, UPDATE, PATCH or DELETE; `code` is the HTTP status, 0 where no answer came.
  void CountApiRequest(std::string_view verb, std::string_view resource, int code,
                       std::chrono::nanoseconds took);
  /// certpair_watch_restarts_total{resource}: watches began again, for whatever reason; with 0 the
  /// series is there from now on.
  void CountWatchRestarts(std::string_view resource, std::uint64_t restarts = 1);
  /// certpair_watch_stalled_seconds{resource}: for how long lists and watches of it have failed; 0
  /// while one works.
  void SetWatchStalled(std::string_view resource, std::chrono::nanoseconds failed_for);
  /// certpair_objects_left_out{resource}: objects that are too large to be read.
  void SetLeftOut(std::string_view resource, std::size_t objects);
  /// certpair_events_dropped_total: Events that were not sent, so that they slow nothing down.
  void CountEventsDropped(std::size_t events = 1);
  /// certpair_key_pool_waiting: systems that wait for a key.
  void SetKeyPoolWaiting(std::size_t owners);
  /// certpair_leader: 1 if this replica is the leader, else 0.
  void SetLeader(bool works);
  /// certpair_certificates_issued_total{reason}: the change that ordered it (`issue-active`,
  /// `regenerate`, …).
  void CountIssued(std::string_view reason);
  /// certpair_notifications_total{outcome}, one of kNotificationOutcomes, which are there from the
  /// start.
  void CountNotification(std::string_view outcome);
  /// certpair_notification_last_success_timestamp_seconds: when the mail server took one last.
  void SetLastMail(sys_seconds at);

  /// What one system has now: certpair_certificates{state} (active, inactive, expired) and
  /// certpair_certificate_seconds_to_expiry{namespace,name} (of the active one; negative after it)
  /// follow from it at each scrape.
  void SetCertificates(std::string_view name_space, std::string_view name, CertificateTimes times);
  /// The system is gone, or has no certificate: its series go too.
  void ForgetCertificates(std::string_view name_space, std::string_view name);

  /// Called at the start of each scrape, to set gauges of things that are cheaper to ask than to
  /// follow. One at most; set it before the first scrape. It may use every other method but
  /// Expose().
  void BeforeScrape(std::function<void(Metrics&)> refresh);

  /// A scrape: Prometheus' text format 0.0.4.
  [[nodiscard]] std::string Expose();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace certpair::metrics
