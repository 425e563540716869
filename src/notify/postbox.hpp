// Where decided mails go, and where their outcomes come back: what src/reconcile knows of mail.
// src/notify has the real one; the simulation has one of its own.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/notice.hpp"

namespace certpair::notify {

/// Thread-safe; never blocks for long, and never on the network. Whoever made it is called back,
/// with the key of the system, when there are outcomes, or room again for one that was turned away.
class Postbox {
 public:
  virtual ~Postbox() = default;

  /// How many more notices it would take now, of this system's namespace. Bounded, so that ten
  /// thousand systems that cross a threshold at the same minute cost bounded memory: whoever finds
  /// no room is woken when there is some.
  virtual std::size_t Room(const std::string& system_key) = 0;

  /// Takes a notice to be sent. False: there is no room; or one of this id is under way already, or
  /// was, and its outcome is not acknowledged yet (which is fine).
  virtual bool Post(const std::string& system_key, core::Notice notice) = 0;

  /// What became of the notices of this system since the last `Acknowledge`, at most a few hundred;
  /// they stay until they are acknowledged, since whoever asks may die before the ledger is
  /// written; those of a system that nobody has asked for in a day are forgotten. A notice that is
  /// not under way any more has its outcome here already (so ask `IsUnderWay` first, then this).
  virtual std::vector<core::NoticeOutcome> Outcomes(const std::string& system_key) = 0;

  /// The ledger holds these outcomes now.
  virtual void Acknowledge(const std::string& system_key,
                           const std::vector<core::NoticeOutcome>& outcomes) = 0;

  /// Whether a notice of this id is waiting or being sent here. A ledger entry that says "intended"
  /// with nothing under way is one that a crash left: it is posted again, with the same Message-ID.
  virtual bool IsUnderWay(const std::string& id) = 0;

  /// Nobody wants these any more: the recipient unsubscribed, a more urgent one is due, the
  /// certificate was replaced. What is not being sent at this moment is dropped without an outcome,
  /// and is not under way from then on.
  virtual void Withdraw(const std::string& system_key, const std::vector<std::string>& ids) = 0;

  /// The system is gone: nothing more is sent for it.
  virtual void Forget(const std::string& system_key) = 0;
};

}  // namespace certpair::notify
