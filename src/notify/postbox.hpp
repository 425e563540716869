// Where decided mails go, and where their outcomes come back: what src/reconcile knows of mail.
// src/notify has the real one; the simulation has one of its own.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/notice.hpp"

namespace certpair::notify {

/// Thread-safe; never blocks for long, and never on the network. Its owner is called back with the
/// key of a system that has outcomes, or that was turned away and may find room again.
class Postbox {
 public:
  virtual ~Postbox() = default;

  /// How many more notices of this system's namespace there is room for. Bounded: ten thousand
  /// systems that cross a threshold in the same minute cost bounded memory. A system that finds no
  /// room is called back.
  virtual std::size_t Room(const std::string& system_key) = 0;

  /// Takes a notice to be sent. False: there is no room; or a notice of this id is under way, or
  /// has ended and its outcome is not acknowledged yet (both are fine).
  virtual bool Post(const std::string& system_key, core::Notice notice) = 0;

  /// What became of the notices of this system since the last `Acknowledge`, at most a few hundred.
  /// They stay until they are acknowledged, since the process may die before the ledger is written.
  /// If a system does not ask for a day, its outcomes are forgotten. A notice that is no longer
  /// under way has its outcome here already, so ask `IsUnderWay` first, then this.
  virtual std::vector<core::NoticeOutcome> Outcomes(const std::string& system_key) = 0;

  /// The ledger holds these outcomes now.
  virtual void Acknowledge(const std::string& system_key,
                           const std::vector<core::NoticeOutcome>& outcomes) = 0;

  /// Whether a notice of this id waits or is being sent here. A ledger entry "intended" without a
  /// notice under way was left by a crash: it is posted again, with the same Message-ID.
  virtual bool IsUnderWay(const std::string& id) = 0;

  /// These are no longer wanted: the recipient unsubscribed, a more urgent notice is due, or the
  /// certificate was replaced. They are dropped without an outcome, and are not under way from then
  /// on. A notice that is being sent at this moment stays.
  virtual void Withdraw(const std::string& system_key, const std::vector<std::string>& ids) = 0;

  /// The system is gone: nothing more is sent for it.
  virtual void Forget(const std::string& system_key) = 0;
};

}  // namespace certpair::notify
