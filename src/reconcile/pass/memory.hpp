// What is remembered of one system between passes, by idea. All of it can be lost: after a restart
// the operator only reads a little more. Values, not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "core/observation.hpp"
#include "reconcile/pass_result.hpp"

namespace certpair::reconcile {

using SteadyTime = std::chrono::steady_clock::time_point;

/// The status that this process wrote last, or found first. Another one was written by something
/// else, and what it says is not believed before the Secret was read.
class KnownStatus {
 public:
  /// Takes note of a status that a cache shows. True: it is the first one.
  bool See(std::uint64_t digest);
  /// Takes note of a pass's status; `written`: it differed from what was stored.
  void Wrote(std::uint64_t digest, bool written);
  [[nodiscard]] bool Is(std::uint64_t digest) const { return digest_ == digest; }
  /// This process wrote it, and nothing has changed it since.
  [[nodiscard]] bool IsOurs() const { return is_ours_; }

 private:
  std::optional<std::uint64_t> digest_;
  bool is_ours_ = false;
};

/// The versions of our own last writes, until the caches show them. A decision upon an older state
/// would write twice.
class OwnWrites {
 public:
  /// Or an authority.
  void WroteSystem(std::string version) { system_ = std::move(version); }
  void WroteSecret(std::string version) { secret_ = std::move(version); }
  /// Whether a cache's news is only the echo of a write, for which no pass waits. Once the echo of
  /// a Secret has arrived, a Secret that is not in the cache is gone.
  [[nodiscard]] bool TakeEcho(const std::string& version);

  enum class Lag { None, Behind, TooLong };
  /// How far the caches are behind: TooLong after kCacheMayLag. `secret` null: the cache has none
  /// of that name.
  [[nodiscard]] Lag Check(const std::string& system, const std::string* secret, SteadyTime now);

 private:
  std::string system_;  // empty: not awaited
  std::string secret_;
  std::optional<SteadyTime> behind_since_;
};

/// The wait for a key that the pool makes, or holds, and that no pass has taken yet.
class KeyWait {
 public:
  [[nodiscard]] bool IsOpen() const { return since_.has_value(); }
  /// Opens the wait if it is not open, and returns how long it has lasted.
  std::chrono::steady_clock::duration Last(SteadyTime now);
  void End() { since_.reset(); }

 private:
  std::optional<SteadyTime> since_;
};

/// Why the Secret could not be written.
class WriteTrouble {
 public:
  /// By something that may pass. The first message stays: each attempt may have other words.
  void Hinder(const std::string& message, bool by_signer, sys_seconds now);
  /// By something that a person must mend.
  void Refuse(const std::string& message, bool by_signer);
  void Clear() { *this = {}; }
  [[nodiscard]] bool IsAny() const { return !message_.empty(); }
  void ShowIn(core::Observation& observation) const;

 private:
  std::string message_;
  bool by_signer_ = false;
  std::optional<sys_seconds> since_;
};

/// What the API server said as it refused to change the Secret's ownerReferences, and when.
struct OwnerRefusal {
  std::string message;  ///< empty: it did not
  sys_seconds at;
};

/// The label or annotation of the Secret that admission changed at the last write, and when.
struct ChangedMetadata {
  std::string what;  ///< as core::Observation::changed_metadata; empty: it changed none
  sys_seconds at;
  std::int64_t generation = 0;  ///< of the spec that was written; another one is tried at once
};

/// R27: the automatic issuances of a system, also where Secret and status lost them. They belong to
/// a UID: a new system of the same name begins with none.
class Issuances {
 public:
  /// What is known of the system `uid`.
  [[nodiscard]] core::Budget Of(const std::string& uid);
  /// Empty `times` change nothing.
  void Remember(const std::vector<sys_seconds>& times);

 private:
  std::string uid_;
  core::Budget budget_;
};

/// When the Secret is read and checked in depth, whatever the status says: each period, at a time
/// that follows from the system's UID, so that a process that is restarted often puts nothing off.
class DepthCheck {
 public:
  [[nodiscard]] bool IsDue(sys_seconds now) const { return now >= at_; }
  [[nodiscard]] sys_seconds At() const { return at_; }
  /// `period` is positive.
  void PlanNext(const std::string& uid, sys_seconds now, seconds period);

 private:
  sys_seconds at_;
};

struct Memory {
  KnownStatus status;
  OwnWrites writes;
  KeyWait key;
  WriteTrouble trouble;
  OwnerRefusal owner;
  ChangedMetadata metadata;
  Issuances issuances;
  DepthCheck depth_check;
  bool read_live = false;  ///< the next pass trusts neither status nor cache

  /// Gives up what a cache has not shown in time: the next pass reads live. Issuances, the wait for
  /// a key and the time of the depth check stay.
  void DistrustCaches();
};

}  // namespace certpair::reconcile
