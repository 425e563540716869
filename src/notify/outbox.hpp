// The postbox with a thread behind it, which composes mails and hands them to a mailer.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "notify/mail_queue.hpp"
#include "notify/mailer.hpp"
#include "notify/postbox.hpp"

namespace certpair::notify {

struct OutboxSettings {
  Letterhead letterhead;
  QueueSettings queue;
  /// How often the clocks are read while there is nothing to do: by then a clock that was set
  /// forward or back is noticed.
  std::chrono::milliseconds recheck{10'000};
  /// An idle connection is closed after so long.
  std::chrono::milliseconds keep_connection{15'000};
  /// How long the mail that is being sent may take after Stop was called.
  std::chrono::milliseconds grace{2'000};
};

/// Whom the outbox calls; each is called without locks held, from its thread, and must return
/// promptly.
struct OutboxListeners {
  /// A system has outcomes.
  std::function<void(const std::string& system_key)> wake;
  /// There is room again for a system that found none.
  std::function<void(const std::string& system_key)> invite;
  /// Asked right before each mail. False: nothing more is sent, and what waits is dropped: the
  /// process that leads now sends it.
  std::function<bool()> still_leading;
  /// For metrics: a mail has an outcome.
  std::function<void(core::NoticeOutcome::Kind)> outcome;
};

/// Thread-safe. Sends from its construction on. `mailer` and `clock` must live longer.
class Outbox final : public Postbox {
 public:
  Outbox(OutboxSettings settings, Mailer& mailer, const Clock& clock, OutboxListeners listeners,
         std::uint64_t seed = 0);
  /// As Stop.
  ~Outbox() override;
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  std::size_t Room(const std::string& system_key) override;
  bool Post(const std::string& system_key, core::Notice notice) override;
  std::vector<core::NoticeOutcome> Outcomes(const std::string& system_key) override;
  void Acknowledge(const std::string& system_key,
                   const std::vector<core::NoticeOutcome>& outcomes) override;
  bool IsUnderWay(const std::string& id) override;
  void Withdraw(const std::string& system_key, const std::vector<std::string>& ids) override;
  void Forget(const std::string& system_key) override;

  /// This process no longer leads. What waits is dropped: another process may send it, even if this
  /// one leads again soon.
  void DropAll();
  /// Finishes the mail that is being sent, within the grace; no listener is called afterwards. What
  /// waits is dropped here and stands in the ledgers.
  void Stop();
  /// As Stop, then waits until the outcomes are acknowledged, for at most `limit`. Call it while
  /// passes are still made: then no mail is sent again after a restart.
  void StopAndSettle(std::chrono::milliseconds limit);

  /// For metrics.
  [[nodiscard]] std::size_t Depth() const;
  /// When the server last took a mail; nothing: not yet.
  [[nodiscard]] std::optional<sys_seconds> LastSent() const;

 private:
  struct State {
    MailQueue queue;
    std::uint64_t changes = 0;  // grows; the thread looks again when it does
    bool sending = false;
    std::optional<sys_seconds> last_sent;
  };
  [[nodiscard]] Instant Now() const;
  template <class Change>
  auto Changing(Change change);
  void Run(const std::stop_token& stop);
  void Send(const core::Notice& notice);
  void CallListeners();
  void Await(const MailQueue::Rest& rest, std::uint64_t changes, const std::stop_token& stop);

  const OutboxSettings settings_;
  Mailer& mailer_;
  const Clock& clock_;
  const OutboxListeners listeners_;
  Guarded<State> state_;
  std::stop_source hard_stop_;
  bool rests_ = true;    // only the thread: no connection is kept
  std::jthread thread_;  // last: it uses all the others
};

}  // namespace certpair::notify
