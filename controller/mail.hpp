// The operator's mail: an outbox that knows whether this process leads, or none.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "metrics/registry.hpp"
#include "notify/outbox.hpp"
#include "notify/settings.hpp"
#include "notify/smtp_mailer.hpp"
#include "reconcile/operator.hpp"

namespace certpair::controller {

/// Made before the operator, which is told of it by its settings, and stopped before it.
class Mail {
 public:
  /// Nothing: no mail server is given, and no mail is sent.
  Mail(const std::optional<notify::MailSettings>& settings, const Clock& clock,
       metrics::Metrics& metrics);
  ~Mail() { Stop(); }
  Mail(const Mail&) = delete;
  Mail& operator=(const Mail&) = delete;

  /// Null: no mail is sent.
  [[nodiscard]] notify::Postbox* Postbox() { return outbox_.get(); }
  /// Before its first pass.
  void BelongTo(reconcile::Operator& op) { op_ = &op; }
  /// A term of leading begins: mails go while `leads` says so.
  void Begin(std::function<bool()> leads);
  /// It is over; `leads` is not called any more.
  void End();
  /// Ends for good: the mail in hand is finished, and what was sent is entered into the ledgers,
  /// for about three seconds at most. Passes must still be made.
  void Stop();
  /// Sets the gauges.
  void Measure(metrics::Metrics& metrics) const;

 private:
  Guarded<std::function<bool()>> leads_;
  reconcile::Operator* op_ = nullptr;
  std::unique_ptr<notify::SmtpMailer> mailer_;
  std::unique_ptr<notify::Outbox> outbox_;  // last: its thread uses all the others
};

}  // namespace certpair::controller
