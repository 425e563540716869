// The leader, by a coordination.k8s.io/v1 Lease: the pure part. The decision is client-go's; no
// clock is compared with another machine's, for only the local time at which a record was last seen
// to change counts, never the times written in it.
//
// Why no two lead at once: a leader leads for `renew_deadline` from before it *sent* its last write
// that succeeded, and not a moment longer, whether it is frozen or cut off. The next leader has
// seen the Lease unchanged for `duration`, which is longer, and writes with the resourceVersion it
// saw. The difference (5 s) is for clocks that run at different rates. One hole is left on purpose:
// a process that has never seen the Lease creates it at once, so that the first start is quick; if
// the Lease was deleted just before, an old leader may need until its next renewal to notice. The
// Secrets' resourceVersion is the fence behind that.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>

#include <nlohmann/json_fwd.hpp>

#include "base/random_bits.hpp"
#include "base/result.hpp"
#include "kube/error.hpp"

namespace certpair::kube {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

struct LeaseTimings {
  std::chrono::milliseconds duration{15'000};        ///< others wait so long before they take over
  std::chrono::milliseconds renew_deadline{10'000};  ///< a leader stops after so long without
  std::chrono::milliseconds retry_period{2'000};     ///< between renewals, and between looks
};

/// Invalid unless 0 < retry_period, 2 retry_period <= renew_deadline and renew_deadline < duration,
/// and duration is whole seconds.
[[nodiscard]] Result<void> Check(const LeaseTimings& timings);

/// LeaseSpec as far as we write it. Times are texts: nothing is computed from them.
struct LeaseRecord {
  std::string holder;  ///< empty: released
  std::int64_t duration_seconds = 0;
  std::string acquire_time;
  std::string renew_time;
  std::int64_t transitions = 0;
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

/// The Lease as it was last read or written.
struct LeaseSight {
  std::optional<LeaseRecord> record;  ///< nothing: the Lease does not exist
  std::string resource_version;
  SteadyTime changed_at;  ///< local time at which it was first seen so
};

/// What an elector knows of itself.
struct LeaseSelf {
  std::string identity;
  std::deque<LeaseRecord> written;  ///< its last attempts, arrived or not
  bool leads = false;
};

struct LeaseWait {
  SteadyTime until;  ///< another process may lead until then
};
struct LeaseWrite {
  LeaseRecord record;
  std::string resource_version;  ///< its precondition; empty: create
};
using LeaseDecision = std::variant<LeaseWait, LeaseWrite>;

/// Renews what is ours, takes what is free or has not changed for its duration, waits else. *Ours*
/// is a record that we wrote ourselves, word for word: our name in it may be a person's edit, while
/// another still leads.
[[nodiscard]] LeaseDecision LeaseStep(const LeaseSight& sight, const LeaseSelf& self,
                                      SteadyTime now, WallTime wall, const LeaseTimings& timings);

/// One elector's memory: says what to ask of the server next, and is told what came of it. Pure;
/// not thread-safe.
class LeaseElection {
 public:
  struct Rest {
    SteadyTime until;
  };
  struct Read {};
  using Action = std::variant<Rest, Read, LeaseWrite>;

  /// `identity` must never be used by another process. Seed 0: from the machine.
  LeaseElection(std::string identity, LeaseTimings timings, std::uint64_t seed = 0);

  [[nodiscard]] Action Next(SteadyTime now, WallTime wall);
  void ReadCame(std::optional<LeaseRecord> record, std::string resource_version, SteadyTime now);
  /// The write that Next asked for succeeded; the Lease has this version now.
  void WriteCame(std::string resource_version, SteadyTime now);
  void Failed(ApiErrorKind kind, SteadyTime now);

  /// Leads while now < LeadsUntil().
  [[nodiscard]] SteadyTime LeadsUntil() const { return leads_until_; }
  [[nodiscard]] bool Leads(SteadyTime now) const { return now < leads_until_; }
  /// Ends the leading at once; a write that frees the Lease, if it is ours as far as we know (as
  /// client-go: no holder, one second).
  [[nodiscard]] std::optional<LeaseWrite> Release(WallTime wall);
  /// The last holder that was seen; empty: none.
  [[nodiscard]] std::string Holder() const;

 private:
  [[nodiscard]] SteadyTime After(SteadyTime now);

  const LeaseTimings timings_;
  RandomBits random_;
  LeaseSelf self_;
  std::optional<LeaseSight> sight_;
  bool must_read_ = true;
  bool read_at_once_ = false;  // the last failure was answered so; the next one rests
  SteadyTime looked_at_;
  SteadyTime rest_until_ = SteadyTime::min();
  SteadyTime asked_at_ = SteadyTime::min();
  SteadyTime leads_until_ = SteadyTime::min();
};

/// What a Lease's JSON says; fields that are missing or of another type are empty.
[[nodiscard]] LeaseRecord DecodeLease(const nlohmann::json& lease);
/// Writes the record into `lease.spec`; all else in it stays as it is.
void EncodeLease(const LeaseRecord& record, nlohmann::json& lease);

}  // namespace certpair::kube
