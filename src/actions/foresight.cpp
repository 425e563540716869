#include "actions/foresight.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/slots.hpp"

namespace certpair::actions {
namespace {

constexpr int kMaxPasses = 20'000;
constexpr std::size_t kMaxMoments = 2'000;
// A decision only asks whether there is one.
constexpr const char* kSomePem = "simulated";

std::string_view SubjectOf(const core::Notice& notice) {
  switch (notice.kind) {
    case core::NoticeKind::Renewed:
      return "Outbound Certificate Renewed";
    case core::NoticeKind::Held:
      return "a new certificate waits for its activation";
    case core::NoticeKind::Failing:
      return "the regeneration cannot happen";
    case core::NoticeKind::Expiring:
    case core::NoticeKind::Expired:
      break;
  }
  return "Outbound Certificate Expiration";
}

class Future {
 public:
  explicit Future(core::Observation start) : seen_(std::move(start)) {
    seen_.mail.room = kMaxMoments;
    if (auto* pair = std::get_if<core::CertificatePair>(&seen_.secret)) {
      pair->active.pem = kSomePem;
      if (pair->inactive) pair->inactive->pem = kSomePem;
      AssumeKeystore(pair->active);
    }
  }

  Foresight Until(sys_seconds until) {
    Foresight foresight;
    for (int passes = 0; seen_.now <= until; ++passes) {
      foresight.cut_short = passes >= kMaxPasses || foresight.timeline.size() >= kMaxMoments;
      if (foresight.cut_short) break;
      core::Decision decided = Pass();
      for (core::EventNotice& event : decided.events)
        foresight.timeline.push_back({.at = seen_.now,
                                      .warning = event.warning,
                                      .reason = std::move(event.reason),
                                      .message = std::move(event.message)});
      seen_.status = std::move(decided.status);
      seen_.written_in_this_pass = false;
      if (Deliver(decided.notices, foresight.timeline)) continue;
      seen_.now = std::max(decided.wake_at, seen_.now + seconds{1});
    }
    foresight.end = seen_.status;
    return foresight;
  }

 private:
  // Of a key store no more is foreseen than that it goes with the certificates.
  void AssumeKeystore(const core::Certificate& active) {
    const auto& wanted = seen_.spec.secret.pkcs12;
    if (!wanted) return;
    seen_.password.state = core::PasswordView::State::There;
    seen_.keystore = {
        .fingerprint = active.fingerprint, .password = *wanted, .password_version = {}};
  }

  // As SystemReconciler's: decide, write, decide again upon what was written.
  core::Decision Pass() {
    core::Decision decided = core::Decide(seen_);
    if (!decided.change) return decided;
    const core::PlannedChange plan = *decided.change;
    std::optional<core::Certificate> made;
    if (plan.slots.order) made = Certify(*plan.slots.order);
    seen_ = core::AfterWrite(std::move(seen_), plan, made ? &*made : nullptr,
                             fmt::to_string(++version_));
    return core::Decide(seen_);
  }

  // Every mail arrives at once, and the ledger is told of it. Whether there was any.
  bool Deliver(const std::vector<core::Notice>& notices, std::vector<Moment>& timeline) {
    seen_.mail.outcomes.clear();
    if (notices.empty()) return false;
    for (const core::Notice& notice : notices) {
      seen_.mail.outcomes.push_back({.kind = core::NoticeOutcome::Kind::Sent,
                                     .id = notice.id,
                                     .message = {},
                                     .at = seen_.now});
      timeline.push_back({.at = seen_.now,
                          .warning = false,
                          .reason = "Mail",
                          .message = fmt::format("To {}: {} ({}).", notice.recipient.email,
                                                 SubjectOf(notice), notice.threshold)});
    }
    return true;
  }

  core::Certificate Certify(const core::CertificateOrder& order) {
    core::Certificate certificate;
    certificate.fingerprint = fmt::format("NEW-{}", ++made_);
    certificate.subject = order.subject.common_name;
    certificate.issuer = seen_.authority.subject;
    certificate.issuer_fingerprint = seen_.authority.fingerprint;
    certificate.key = order.key;
    certificate.pem = kSomePem;
    certificate.not_before = order.not_before;
    certificate.not_after = order.not_after;
    return certificate;
  }

  core::Observation seen_;
  int made_ = 0;
  int version_ = 0;
};

}  // namespace

Foresight Foresee(core::Observation start, sys_seconds until) {
  return Future{std::move(start)}.Until(until);
}

}  // namespace certpair::actions
