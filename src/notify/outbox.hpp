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
  /// How often the clocks are looked at again while there is nothing to do: one that was set
  /// forward or back is noticed by then.
  std::chrono::milliseconds recheck{10'000};
  /// A connection that nothing was sent over for so long is closed.
  std::chrono::milliseconds keep_connection{15'000};
  /// How long the mail in hand may take once the end was asked for.
  std::chrono::milliseconds grace{2'000};
};

/// Whom the outbox tells what; each is called without locks held, from its thread, and must return
/// promptly.
struct OutboxListeners {
  /// A system has outcomes.
  std::function<void(const std::string& system_key)> wake;
  /// There is room again for one that found none.
  std::function<void(const std::string& system_key)> invite;
  /// Asked right before each mail. False: nothing more is sent, and what waits is forgotten, for
  /// whoever leads now sends it.
  std::function<bool()> still_leading;
  /// For metrics: something was said of a mail.
  std::function<void(core::NoticeOutcome::Kind)> said;
};

/// Thread-safe. Sends from its making on. `mailer` and `clock` must live longer.
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

  /// A term of leading has ended. What waits is forgotten: another process may send it meanwhile,
  /// also if this one should lead again soon.
  void DropAll();
  /// Finishes the mail in hand, for at most the grace; nobody is called back after it. What waits
  /// is lost here and stands in the ledgers.
  void Stop();
  /// As Stop, then waits until the outcomes are acknowledged, for at most `limit`: while passes are
  /// still made, so that nothing that was sent is sent again after a restart.
  void StopAndSettle(std::chrono::milliseconds limit);

  /// For metrics.
  [[nodiscard]] std::size_t Depth() const;
  /// When the server took a mail last; nothing: not yet.
  [[nodiscard]] std::optional<sys_seconds> LastSent() const;

 private:
  struct State {
    MailQueue queue;
    std::uint64_t changes = 0;  // whatever may make the thread look again
    bool sending = false;
    std::optional<sys_seconds> last_sent;
  };
  [[nodiscard]] Instant Now() const;
  template <class Change>
  auto Changing(Change change);
  void Run(const std::stop_token& stop);
  void Send(const core::Notice& notice);
  void Tell();
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
