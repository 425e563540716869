#include "mail.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "core/notice.hpp"

namespace certpair::controller {
namespace {

constexpr std::chrono::milliseconds kSettle{1000};

}  // namespace

Mail::Mail(const std::optional<notify::MailSettings>& settings, const Clock& clock,
           metrics::Metrics& metrics) {
  if (!settings) return;
  mailer_ = std::make_unique<notify::SmtpMailer>(settings->server);
  notify::OutboxListeners listeners{.wake =
                                        [this](const std::string& system_key) {
                                          op_->WakeSystem(system_key, kube::Urgency::Soon);
                                        },
                                    .invite =
                                        [this](const std::string& system_key) {
                                          op_->WakeSystem(system_key, kube::Urgency::InTurn);
                                        },
                                    .still_leading =
                                        [this] {
                                          auto leads = leads_.Lock();
                                          return *leads && (*leads)();
                                        },
                                    // The others are counted where they are entered into a ledger.
                                    .outcome =
                                        [&metrics](core::NoticeOutcome::Kind kind) {
                                          if (kind == core::NoticeOutcome::Kind::Dropped)
                                            metrics.CountNotification(core::ToString(kind));
                                        }};
  outbox_ = std::make_unique<notify::Outbox>(
      notify::OutboxSettings{.letterhead = settings->letterhead,
                             .queue = {.rates = settings->rates, .in_flight = settings->in_flight}},
      *mailer_, clock, std::move(listeners));
}

void Mail::Begin(std::function<bool()> leads) { *leads_.Lock() = std::move(leads); }

void Mail::End() {
  *leads_.Lock() = nullptr;
  if (outbox_) outbox_->DropAll();
}

void Mail::Stop() {
  if (outbox_) outbox_->StopAndSettle(kSettle);
}

void Mail::Measure(metrics::Metrics& metrics) const {
  if (!outbox_) return;
  metrics.SetQueueDepth("mail", outbox_->Depth());
  if (const auto last = outbox_->LastSent()) metrics.SetLastMail(*last);
}

}  // namespace certpair::controller
